//! The crate against devices made of software: small real servers on loopback that behave, and
//! misbehave, as `docs/devices.md` says. Changes run on a made-up clock.

mod avalon;
mod bitaxe_flat;
mod bitaxe_slots;
mod calls;
mod cgminer_program;
mod clock;
mod following;
mod garbage;
mod machine;
mod nerdaxe;
mod searching;
mod server;
mod sim_avalon;
mod sim_axeos;
mod sim_cgminer;
