//! What the application needs from whatever it runs on: a desktop, or a test.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::api::UnixSeconds;

/// The computer and the session the application runs in.
///
/// The desktop shell implements it over the real system, tests over a temporary folder and a
/// clock of their own.
pub trait Host: fmt::Debug + Send + Sync + 'static {
    /// The application's version, without a leading "v".
    fn version(&self) -> &str;

    /// Folder of everything the application keeps; settings and practice lie in it.
    fn data_dir(&self) -> &Path;

    /// Program file of the CPU miner. That it exists is not promised.
    fn helper_program(&self) -> PathBuf;

    /// Threads this computer can run at once.
    fn threads_available(&self) -> u32;

    /// The present wall time.
    fn now(&self) -> UnixSeconds;
}
