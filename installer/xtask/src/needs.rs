//! What the application and its tests need from the system, and how to see whether it is there.
//!
//! A need is probed by what it provides (a program, a library known to pkg-config), not by the name
//! of a package: things installed in another way count as well.

use std::path::{Path, PathBuf};

use crate::process::{Call, is_in_path};

/// How much of the system a command uses; each scope includes the ones before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Scope {
    /// The node in a terminal.
    Node,
    /// The node in its window.
    Window,
    /// All checks.
    Tests,
}

/// The families of systems whose packages we can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    /// Debian, Ubuntu and what derives from them: apt.
    Debian,
    /// Fedora and relatives: dnf.
    Fedora,
    /// Arch and relatives: pacman.
    Arch,
    /// Any other Linux or BSD.
    OtherUnix,
    /// macOS.
    MacOs,
    /// Windows.
    Windows,
}

/// How to see whether a need is met.
#[derive(Clone, Copy, Debug)]
enum Probe {
    /// A C++ compiler, the way each system keeps it.
    Compiler,
    /// All these programs are in `PATH`.
    Programs(&'static [&'static str]),
    /// One of these programs is in `PATH`, or `CHROMIUM_EXE` names it.
    Browser(&'static [&'static str]),
    /// pkg-config knows one of these libraries.
    Library(&'static [&'static str]),
    /// Boost's headers, not older than [`BOOST_VERSION_MIN`].
    Boost,
    /// A font of this name.
    Font(&'static str),
}

/// One thing the system has to provide.
#[derive(Debug)]
pub(crate) struct Need {
    /// What it is, in words.
    pub(crate) name: &'static str,
    /// From which scope on it is needed.
    pub(crate) scope: Scope,
    probe: Probe,
    /// Packages to install; of each inner list the first that the distribution offers.
    debian: &'static [&'static [&'static str]],
    fedora: &'static [&'static [&'static str]],
    arch: &'static [&'static [&'static str]],
    /// What to do on systems without such packages; empty if the need does not exist there.
    macos: &'static str,
    windows: &'static str,
}

/// The oldest Boost that the consensus library accepts, as `BOOST_VERSION` writes it (1.74.0).
const BOOST_VERSION_MIN: u32 = 107_400;

/// Everything, in the order in which it is listed to the reader.
pub(crate) const NEEDS: &[Need] = &[
    Need {
        name: "C and C++ compiler",
        scope: Scope::Node,
        probe: Probe::Compiler,
        debian: &[&["build-essential"]],
        fedora: &[&["gcc"], &["gcc-c++"], &["make"]],
        arch: &[&["base-devel"]],
        macos: "xcode-select --install",
        windows: "Visual Studio Build Tools with the C++ workload",
    },
    Need {
        name: "pkg-config",
        scope: Scope::Node,
        probe: Probe::Programs(&["pkg-config"]),
        debian: &[&["pkg-config"]],
        fedora: &[&["pkgconf-pkg-config"]],
        arch: &[&["pkgconf"]],
        macos: "",
        windows: "",
    },
    Need {
        name: "CMake",
        scope: Scope::Node,
        probe: Probe::Programs(&["cmake"]),
        debian: &[&["cmake"]],
        fedora: &[&["cmake"]],
        arch: &[&["cmake"]],
        macos: "brew install cmake",
        windows: "winget install Kitware.CMake",
    },
    Need {
        name: "Boost headers (1.74 or newer)",
        scope: Scope::Node,
        probe: Probe::Boost,
        debian: &[&["libboost1.81-dev", "libboost-dev"]],
        fedora: &[&["boost-devel"]],
        arch: &[&["boost"]],
        macos: "brew install boost",
        windows: "vcpkg install boost-multi-index, then set BOOST_ROOT to its installed folder",
    },
    Need {
        name: "WebKitGTK 4.1 (the window)",
        scope: Scope::Window,
        probe: Probe::Library(&["webkit2gtk-4.1"]),
        debian: &[&["libwebkit2gtk-4.1-dev"]],
        fedora: &[&["webkit2gtk4.1-devel"]],
        arch: &[&["webkit2gtk-4.1"]],
        macos: "",
        windows: "",
    },
    Need {
        name: "AppIndicator (the tray icon)",
        scope: Scope::Window,
        probe: Probe::Library(&["ayatana-appindicator3-0.1", "appindicator3-0.1"]),
        debian: &[&["libayatana-appindicator3-dev"]],
        fedora: &[&["libappindicator-gtk3-devel"]],
        arch: &[&["libayatana-appindicator"]],
        macos: "",
        windows: "",
    },
    Need {
        name: "Xvfb (a screen for the window test)",
        scope: Scope::Tests,
        probe: Probe::Programs(&["Xvfb"]),
        debian: &[&["xvfb"]],
        fedora: &[&["xorg-x11-server-Xvfb"]],
        arch: &[&["xorg-server-xvfb"]],
        macos: "",
        windows: "",
    },
    Need {
        name: "WebKitWebDriver (drives the window test)",
        scope: Scope::Tests,
        probe: Probe::Programs(&["WebKitWebDriver"]),
        debian: &[&["webkit2gtk-driver", "webkitgtk-webdriver"]],
        fedora: &[&["/usr/bin/WebKitWebDriver"]],
        arch: &[&["webkitgtk-6.0"]],
        macos: "",
        windows: "",
    },
    Need {
        name: "D-Bus daemon (a private bus for the window test)",
        scope: Scope::Tests,
        probe: Probe::Programs(&["dbus-daemon"]),
        debian: &[&["dbus-daemon"]],
        fedora: &[&["dbus-daemon"]],
        arch: &[&["dbus"]],
        macos: "",
        windows: "",
    },
    Need {
        name: "DejaVu fonts (text in the window test)",
        scope: Scope::Tests,
        probe: Probe::Font("DejaVu Sans"),
        debian: &[&["fonts-dejavu-core"], &["fontconfig"]],
        fedora: &[&["dejavu-sans-fonts"], &["fontconfig"]],
        arch: &[&["ttf-dejavu"], &["fontconfig"]],
        macos: "",
        windows: "",
    },
    Need {
        name: "Chromium (the browser test)",
        scope: Scope::Tests,
        probe: Probe::Browser(&["chromium", "chromium-browser", "google-chrome"]),
        debian: &[&["chromium", "chromium-browser"]],
        fedora: &[&["chromium"]],
        arch: &[&["chromium"]],
        macos: "brew install --cask google-chrome, then set CHROMIUM_EXE to its program",
        windows: "winget install Google.Chrome, then set CHROMIUM_EXE to its program",
    },
    Need {
        name: "GNOME Keyring (the keychain test)",
        scope: Scope::Tests,
        probe: Probe::Programs(&["gnome-keyring-daemon"]),
        debian: &[&["gnome-keyring"]],
        fedora: &[&["gnome-keyring"]],
        arch: &[&["gnome-keyring"]],
        macos: "",
        windows: "",
    },
];

impl Need {
    /// Whether this need exists on that system at all.
    pub(crate) fn applies_to(&self, family: Family) -> bool {
        match family {
            Family::MacOs => !self.macos.is_empty(),
            Family::Windows => !self.windows.is_empty(),
            Family::Debian | Family::Fedora | Family::Arch | Family::OtherUnix => true,
        }
    }

    /// The packages that meet it, each as a list of alternatives; empty where we know none.
    pub(crate) fn packages(&self, family: Family) -> &'static [&'static [&'static str]] {
        match family {
            Family::Debian => self.debian,
            Family::Fedora => self.fedora,
            Family::Arch => self.arch,
            Family::OtherUnix | Family::MacOs | Family::Windows => &[],
        }
    }

    /// What a person does about it where no package manager of ours can.
    pub(crate) fn manual(&self, family: Family) -> &'static str {
        match family {
            Family::MacOs => self.macos,
            Family::Windows => self.windows,
            Family::Debian | Family::Fedora | Family::Arch | Family::OtherUnix => {
                "install it with this system's package manager"
            }
        }
    }

    /// Looks whether the system provides it now.
    pub(crate) fn is_met(&self) -> bool {
        match self.probe {
            Probe::Compiler => has_compiler(),
            Probe::Programs(programs) => programs.iter().all(|p| is_in_path(p)),
            Probe::Browser(programs) => {
                std::env::var_os("CHROMIUM_EXE").is_some() || programs.iter().any(|p| is_in_path(p))
            }
            Probe::Library(names) => names.iter().any(|n| {
                Call::new("pkg-config", &["--exists", n], Path::new(".")).answer().is_some()
            }),
            Probe::Boost => has_boost(),
            Probe::Font(name) => Call::new("fc-match", &[name], Path::new("."))
                .answer()
                .is_some_and(|found| found.contains(name)),
        }
    }
}

/// Rust's own toolchain on Windows cannot exist without one; macOS has a stub until it is installed.
fn has_compiler() -> bool {
    if cfg!(windows) {
        return true;
    }
    if cfg!(target_os = "macos") {
        return Call::new("xcode-select", &["-p"], Path::new(".")).answer().is_some();
    }
    ["cc", "c++", "make"].iter().all(|p| is_in_path(p))
}

fn has_boost() -> bool {
    let named = ["BOOST_ROOT", "Boost_ROOT"].iter().filter_map(std::env::var_os);
    let usual = ["/usr", "/usr/local", "/opt/homebrew"].iter().map(Into::into);
    named.chain(usual).any(|prefix| {
        let header = PathBuf::from(prefix).join("include/boost/version.hpp");
        std::fs::read_to_string(header)
            .ok()
            .and_then(|text| boost_version(&text))
            .is_some_and(|version| version >= BOOST_VERSION_MIN)
    })
}

/// The number in `#define BOOST_VERSION 108100`.
fn boost_version(header: &str) -> Option<u32> {
    header.lines().find_map(|line| {
        let mut words = line.split_whitespace();
        let is_it = words.next() == Some("#define") && words.next() == Some("BOOST_VERSION");
        is_it.then(|| words.next()?.parse().ok()).flatten()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_need_names_a_package_in_every_family() {
        for need in NEEDS {
            for family in [Family::Debian, Family::Fedora, Family::Arch] {
                let packages = need.packages(family);
                assert!(!packages.is_empty(), "{} in {family:?}", need.name);
                assert!(packages.iter().all(|p| !p.is_empty()), "{} in {family:?}", need.name);
            }
        }
    }

    #[test]
    fn every_need_can_be_explained_where_there_are_no_packages() {
        for need in NEEDS {
            for family in [Family::OtherUnix, Family::MacOs, Family::Windows] {
                assert!(!need.applies_to(family) || !need.manual(family).is_empty());
            }
        }
    }

    #[test]
    fn scopes_include_the_smaller_ones() {
        assert!(Scope::Node < Scope::Window && Scope::Window < Scope::Tests);
    }

    #[test]
    fn the_boost_version_is_read_from_its_header() {
        let text = "// comment\n#define BOOST_VERSION_HPP\n#define BOOST_VERSION 108100\n";
        assert_eq!(boost_version(text), Some(108_100));
        assert_eq!(boost_version("#define BOOST_LIB_VERSION \"1_81\""), None);
    }
}
