//! The part of a desktop that shows icons in a tray.

use std::sync::{Arc, Mutex};
use std::time::Instant;

use zbus::Connection;

use crate::rig::{PATIENCE, POLL};

/// A desktop with a tray, on a session bus. Ends when dropped.
pub(crate) struct TrayWatcher {
    _bus: Connection,
    icons: Icons,
}

/// Who has announced an icon.
type Icons = Arc<Mutex<Vec<String>>>;

/// What programs see of it.
struct Interface(Icons);

#[zbus::interface(name = "org.kde.StatusNotifierWatcher")]
impl Interface {
    fn register_status_notifier_item(&self, service: String) {
        self.0.lock().unwrap().push(service);
    }

    fn register_status_notifier_host(&self, _service: String) {}

    #[zbus(property)]
    fn is_status_notifier_host_registered(&self) -> bool {
        true
    }

    #[zbus(property)]
    fn protocol_version(&self) -> i32 {
        0
    }

    #[zbus(property)]
    fn registered_status_notifier_items(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

impl TrayWatcher {
    pub(crate) async fn start(address: &str) -> Self {
        let icons = Icons::default();
        let bus = zbus::connection::Builder::address(address)
            .unwrap()
            .serve_at("/StatusNotifierWatcher", Interface(Arc::clone(&icons)))
            .unwrap()
            .name("org.kde.StatusNotifierWatcher")
            .unwrap()
            .build()
            .await
            .unwrap();
        Self { _bus: bus, icons }
    }

    /// Waits until an icon has been announced.
    pub(crate) async fn until_icon(&self) {
        let deadline = Instant::now() + PATIENCE;
        while self.icons.lock().unwrap().is_empty() {
            assert!(Instant::now() < deadline, "no icon in the tray");
            tokio::time::sleep(POLL).await;
        }
    }
}
