//! The choice of the best share, pruning and statistics, on chains of valid shares made here.

mod choice;
mod claims;
mod forge;
mod order;
mod pruning;
mod statistics;
