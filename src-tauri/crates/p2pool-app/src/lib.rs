//! The application without a window: what the desktop shell shows and asks for.
//!
//! [`api`] is the border to the window; its types are the only ones exported to TypeScript.

pub mod api;
