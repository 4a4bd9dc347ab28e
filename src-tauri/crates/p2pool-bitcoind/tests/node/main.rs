//! The edge against nodes over real HTTP on loopback: a scripted one, and a true one if there is.

#[cfg(test)]
mod client;
#[cfg(test)]
mod mining;
#[cfg(test)]
mod real_node;
#[cfg(test)]
mod scripted_node;
#[cfg(test)]
mod tip;
#[cfg(test)]
mod zmq;
