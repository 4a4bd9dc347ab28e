//! What each page shows beside the sections that every page has, and what it may ask for.

mod settings;

pub use settings::*;
