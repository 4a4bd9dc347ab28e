//! What each page shows beside the sections that every page has, and what it may ask for.

pub mod pool;
mod settings;
mod setup;

pub use settings::*;
pub use setup::*;
