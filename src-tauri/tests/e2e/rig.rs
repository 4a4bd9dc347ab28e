//! A display, a session bus, a home and a web driver of the test's own.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::display::Display;

/// The program under test.
pub(crate) const APP: &str = env!("CARGO_BIN_EXE_p2pool-desktop");
/// Longest wait for anything.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);
/// Programs that run at once: each mines, and a small computer has few cores.
static PLACES: Semaphore = Semaphore::const_new(2);
/// What a rig is made of.
const PROGRAMS: [&str; 3] = ["Xvfb", "dbus-daemon", "WebKitWebDriver"];
/// Where the system keeps programs that are not on everybody's path.
const MORE_PLACES: [&str; 2] = ["/usr/libexec/webkit2gtk-4.1", "/usr/lib/webkit2gtk-4.1"];

/// All of it. Ended in the order of the fields.
pub(crate) struct Rig {
    _driver: Process,
    _bus: Process,
    pub(crate) display: Display,
    home: tempfile::TempDir,
    address: String,
    pub(crate) driver_port: u16,
    _place: SemaphorePermit<'static>,
}

/// A child process that does not outlive the test.
pub(crate) struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Process {
    pub(crate) fn start(command: &mut Command) -> Self {
        Self(command.spawn().unwrap())
    }

    /// The first line it prints.
    pub(crate) fn first_line(&mut self) -> String {
        let mut line = String::new();
        let output = self.0.stdout.take().unwrap();
        BufReader::new(output).read_line(&mut line).unwrap();
        assert!(!line.is_empty(), "it ended without a word");
        line.trim().to_owned()
    }
}

impl Rig {
    /// Starts everything around the program, with these settings in its data folder.
    pub(crate) async fn start(settings: &str) -> Self {
        let place = PLACES.acquire().await.unwrap();
        build_helper();
        let [xvfb, daemon, webdriver] = PROGRAMS.map(|name| find(name).unwrap());
        let display = Display::start(&xvfb);
        let config = concat!("--config-file=", env!("CARGO_MANIFEST_DIR"), "/tests/bus.conf");
        let mut bus = Process::start(
            Command::new(daemon)
                .args(["--nofork", "--print-address=1", config])
                .stdout(Stdio::piped())
                .stderr(Stdio::null()),
        );
        let address = bus.first_line();
        let home = tempfile::tempdir().unwrap();
        let driver_port = free_port();
        let mut driver = Command::new(webdriver);
        driver.arg(format!("--port={driver_port}"));
        surround(&mut driver, &display, &address, &home);
        driver
            .env("TAURI_AUTOMATION", "true")
            .env("TAURI_WEBVIEW_AUTOMATION", "true")
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let driver = Process::start(&mut driver);
        let rig =
            Self { _driver: driver, _bus: bus, display, home, address, driver_port, _place: place };
        rig.write_settings(settings);
        rig
    }

    /// Address of the session bus.
    pub(crate) fn bus(&self) -> &str {
        &self.address
    }

    /// Replaces the settings file.
    pub(crate) fn write_settings(&self, settings: &str) {
        let folder = self.data_folder();
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("settings.toml"), settings).unwrap();
    }

    fn data_folder(&self) -> PathBuf {
        self.home.path().join("data/p2pool-desktop")
    }

    /// What the program has logged.
    pub(crate) fn log(&self) -> String {
        let path = self.data_folder().join("p2pool-desktop.log");
        fs::read_to_string(path).unwrap_or_default()
    }

    /// Starts the program a second time, by hand, and waits for its end.
    pub(crate) fn start_again(&self) -> ExitStatus {
        let mut command = Command::new(APP);
        surround(&mut command, &self.display, &self.address, &self.home);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let mut second = Process::start(&mut command);
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = second.0.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < deadline, "the second start does not end");
            std::thread::sleep(POLL);
        }
    }

    /// The process of the program, which the web driver started.
    pub(crate) fn app_process(&self) -> u32 {
        let apps: Vec<u32> = processes().filter(|pid| is_app(*pid) && self.is_mine(*pid)).collect();
        assert_eq!(apps.len(), 1, "one program runs");
        apps[0]
    }

    /// Whether a process lives in this rig's home.
    fn is_mine(&self, pid: u32) -> bool {
        let home = self.home.path().display().to_string();
        let variables = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        String::from_utf8_lossy(&variables).contains(&home)
    }

    /// CPU miners of this rig.
    pub(crate) fn helpers(&self) -> Vec<u32> {
        let is_helper =
            |pid: &u32| program_of(*pid).is_some_and(|path| path.ends_with("p2pool-miner"));
        processes().filter(is_helper).filter(|pid| self.is_mine(*pid)).collect()
    }

    /// Asks a process to end, as the system does.
    pub(crate) fn terminate(&self, pid: u32) {
        let status = Command::new("kill").args(["-TERM", &pid.to_string()]).status().unwrap();
        assert!(status.success());
    }

    /// Waits until a process has ended.
    pub(crate) async fn until_gone(&self, pid: u32) {
        let deadline = Instant::now() + PATIENCE;
        while is_alive(pid) {
            assert!(Instant::now() < deadline, "it does not end; log:\n{}", self.log());
            tokio::time::sleep(POLL).await;
        }
    }
}

/// Time between two looks at something that is waited for.
pub(crate) const POLL: Duration = Duration::from_millis(50);

/// The surroundings of the program: nothing of the developer's own.
fn surround(command: &mut Command, display: &Display, bus: &str, home: &tempfile::TempDir) {
    let folder = |name: &str| {
        let path = home.path().join(name);
        fs::create_dir_all(&path).unwrap();
        path
    };
    command
        .env("DISPLAY", display.name())
        .env_remove("WAYLAND_DISPLAY")
        .env("DBUS_SESSION_BUS_ADDRESS", bus)
        .env("LC_ALL", "C.UTF-8")
        .env("HOME", home.path())
        .env("XDG_CONFIG_HOME", folder("config"))
        .env("XDG_DATA_HOME", folder("data"))
        .env("XDG_CACHE_HOME", folder("cache"))
        .env("XDG_RUNTIME_DIR", folder("runtime"))
        .env("WEBKIT_DISABLE_DMABUF_RENDERER", "1");
}

/// The CPU miner lies beside the program; cargo builds it only when it is asked to.
fn build_helper() {
    let mut build = Command::new(env!("CARGO"));
    build.args(["build", "--quiet", "--package", "p2pool-miner"]);
    if !cfg!(debug_assertions) {
        build.arg("--release");
    }
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    assert!(build.current_dir(root).status().unwrap().success(), "the CPU miner does not build");
}

/// A program that these tests need and that is not installed.
pub(crate) fn missing_program() -> Option<&'static str> {
    PROGRAMS.into_iter().find(|name| find(name).is_none())
}

fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let places = std::env::split_paths(&path).chain(MORE_PLACES.map(PathBuf::from));
    places.map(|place| place.join(program)).find(|file| file.is_file())
}

/// A port that nobody used a moment ago.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

/// Whether somebody accepts miners.
pub(crate) fn takes_miners(port: u16) -> bool {
    TcpStream::connect(("127.0.0.1", port)).is_ok()
}

/// Whether a process runs; one that only waits to be reaped does not.
pub(crate) fn is_alive(pid: u32) -> bool {
    let status = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = status.rsplit(')').next().and_then(|rest| rest.split_whitespace().next());
    state.is_some_and(|state| state != "Z")
}

fn processes() -> impl Iterator<Item = u32> {
    let entries = fs::read_dir("/proc").unwrap();
    entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
}

fn program_of(pid: u32) -> Option<String> {
    let path = fs::read_link(format!("/proc/{pid}/exe")).ok()?;
    Some(path.to_str()?.to_owned())
}

fn is_app(pid: u32) -> bool {
    is_alive(pid) && program_of(pid).is_some_and(|path| path == APP)
}
