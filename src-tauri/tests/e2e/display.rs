//! A display without a screen, and what a window manager would do on it.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use x11rb::connection::Connection;
use x11rb::protocol::xproto::{
    AtomEnum, ClientMessageEvent, ConnectionExt, EventMask, ImageFormat, MapState, Window,
};
use x11rb::rust_connection::RustConnection;

use crate::rig::{PATIENCE, POLL, Process};

/// The program's name, which every title of its window contains.
const TITLE: &str = "P2Pool Desktop";

/// An X server of the test's own.
pub(crate) struct Display {
    _server: Process,
    name: String,
}

impl Display {
    pub(crate) fn start(program: &Path) -> Self {
        let mut server = Process::start(
            Command::new(program)
                .args(["-displayfd", "1", "-screen", "0", "1280x900x24", "-nolisten", "tcp"])
                .stdout(Stdio::piped())
                .stderr(Stdio::null()),
        );
        let name = format!(":{}", server.first_line());
        Self { _server: server, name }
    }

    /// Its name for `DISPLAY`.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Closes the program's window, as its close button does.
    pub(crate) async fn close_window(&self) {
        let (connection, _) = self.connect();
        let window = self.until_window().await;
        let atom = |name: &str| {
            connection.intern_atom(false, name.as_bytes()).unwrap().reply().unwrap().atom
        };
        let data = [atom("WM_DELETE_WINDOW"), x11rb::CURRENT_TIME, 0, 0, 0];
        let message = ClientMessageEvent::new(32, window, atom("WM_PROTOCOLS"), data);
        let sent = connection.send_event(false, window, EventMask::NO_EVENT, message).unwrap();
        // Only what the server has carried out survives the end of this connection.
        sent.check().unwrap();
    }

    /// Waits until the program's window is on the display.
    pub(crate) async fn until_window(&self) -> Window {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(window) = self.window() {
                return window;
            }
            assert!(Instant::now() < deadline, "no window appears");
            tokio::time::sleep(POLL).await;
        }
    }

    /// Waits until the window shows a colour, as eight bits each of red, green and blue.
    pub(crate) async fn until_shown(&self, colour: u32) {
        let deadline = Instant::now() + PATIENCE;
        while !self.pixels().any(|pixel| pixel & 0x00ff_ffff == colour) {
            assert!(Instant::now() < deadline, "the window stays empty");
            tokio::time::sleep(POLL).await;
        }
    }

    fn pixels(&self) -> impl Iterator<Item = u32> {
        let (connection, root) = self.connect();
        let image = connection.get_image(ImageFormat::Z_PIXMAP, root, 0, 0, 1200, 800, !0);
        let data = image.unwrap().reply().unwrap().data;
        let word = |bytes: &[u8]| u32::from_le_bytes(bytes.try_into().unwrap());
        data.chunks_exact(4).map(word).collect::<Vec<_>>().into_iter()
    }

    /// Waits until it is not.
    pub(crate) async fn until_no_window(&self) {
        let deadline = Instant::now() + PATIENCE;
        while self.window().is_some() {
            assert!(Instant::now() < deadline, "the window stays");
            tokio::time::sleep(POLL).await;
        }
    }

    /// Takes a picture of the whole display, where a program for that is installed.
    pub(crate) fn picture(&self, name: &str) {
        let file = crate::page::artifact(name);
        // Pictures are for people; no test depends on one.
        let _ = Command::new("import")
            .args(["-display", &self.name, "-window", "root"])
            .arg(file)
            .stderr(Stdio::null())
            .status();
    }

    fn window(&self) -> Option<Window> {
        let (connection, root) = self.connect();
        let children = connection.query_tree(root).ok()?.reply().ok()?.children;
        children.into_iter().find(|child| is_program(&connection, *child).unwrap_or(false))
    }

    fn connect(&self) -> (RustConnection, Window) {
        let (connection, screen) = x11rb::connect(Some(&self.name)).unwrap();
        let root = connection.setup().roots[screen].root;
        (connection, root)
    }
}

/// Whether a window is on the display and has the program's title; `None` if it went meanwhile.
fn is_program(connection: &RustConnection, window: Window) -> Option<bool> {
    let state = connection.get_window_attributes(window).ok()?.reply().ok()?.map_state;
    let any = AtomEnum::ANY;
    let title = connection
        .get_property(false, window, AtomEnum::WM_NAME, any, 0, 256)
        .ok()?
        .reply()
        .ok()?;
    let is_titled = String::from_utf8_lossy(&title.value).contains(TITLE);
    Some(state == MapState::VIEWABLE && is_titled)
}
