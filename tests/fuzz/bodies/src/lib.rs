//! What the fuzz targets do with the fuzzer's bytes: each a plain function that panics where a
//! promise is broken, so that ordinary tests can replay the corpus with the stable compiler.
//!
//! Not for production: assertions here are the point.
//!
//! *Invariant:* the same bytes do the same thing, in every build and at every time.
//!
//! ```
//! for (_name, body) in p2pool_fuzz_bodies::TARGETS {
//!     body(b"");
//! }
//! ```
#![forbid(unsafe_code)]

mod address_decode;
mod axeos_info;
mod choices;
mod engine_steps;
mod http_request;
mod share_parse;
mod stratum_line;
mod wire_choices;
mod wire_frame;
mod wire_message;
mod wire_session;

pub use crate::address_decode::address_decode;
pub use crate::axeos_info::axeos_info;
pub use crate::engine_steps::engine_steps;
pub use crate::http_request::http_request;
pub use crate::share_parse::share_parse;
pub use crate::stratum_line::stratum_line;
pub use crate::wire_frame::wire_frame;
pub use crate::wire_message::wire_message;
pub use crate::wire_session::wire_session;

/// A target's body.
pub type Body = fn(&[u8]);

/// All targets by the names of their corpus folders.
pub const TARGETS: [(&str, Body); 9] = [
    ("address_decode", address_decode),
    ("axeos_info", axeos_info),
    ("engine_steps", engine_steps),
    ("http_request", http_request),
    ("share_parse", share_parse),
    ("stratum_line", stratum_line),
    ("wire_frame", wire_frame),
    ("wire_message", wire_message),
    ("wire_session", wire_session),
];
