//! The distribution's package manager: which one, what it offers, whether it may be used unasked.

use std::path::Path;

use crate::needs::{Family, Need};
use crate::process::{Call, Stop, is_in_path};

/// Finds out which family this system belongs to.
pub(crate) fn family() -> Family {
    if cfg!(windows) {
        return Family::Windows;
    }
    if cfg!(target_os = "macos") {
        return Family::MacOs;
    }
    family_of(&std::fs::read_to_string("/etc/os-release").unwrap_or_default())
}

/// Reads `ID` and `ID_LIKE` of an os-release file.
fn family_of(os_release: &str) -> Family {
    let names: Vec<String> = os_release
        .lines()
        .filter_map(|line| line.strip_prefix("ID=").or_else(|| line.strip_prefix("ID_LIKE=")))
        .flat_map(|value| value.trim_matches(['"', '\'']).split_whitespace())
        .map(str::to_lowercase)
        .collect();
    let is = |wanted: &[&str]| names.iter().any(|name| wanted.contains(&name.as_str()));
    if is(&["debian", "ubuntu"]) {
        Family::Debian
    } else if is(&["fedora", "rhel"]) {
        Family::Fedora
    } else if is(&["arch"]) {
        Family::Arch
    } else {
        Family::OtherUnix
    }
}

/// By what right packages may be installed without asking anybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Right {
    Root,
    SudoWithoutPassword,
    None,
}

fn right() -> Right {
    let here = Path::new(".");
    if Call::new("id", &["-u"], here).answer().is_some_and(|id| id.trim() == "0") {
        Right::Root
    } else if is_in_path("sudo") && Call::new("sudo", &["-n", "true"], here).answer().is_some() {
        Right::SudoWithoutPassword
    } else {
        Right::None
    }
}

/// Installs what `missing` needs, or stops with the exact command.
pub(crate) fn install(missing: &[&Need], family: Family) -> Result<(), Stop> {
    let right = right();
    let names = match choose(missing, family) {
        Ok(names) => names,
        // Nothing on offer may only mean that the lists of a fresh system are still empty.
        Err(_) if family == Family::Debian && right != Right::None => {
            println!("\napt has no candidate for something: its lists are read anew, once.");
            privileged(&["apt-get", "update"], right)
                .must("Check the network and the sources in /etc/apt, then try again.")?;
            choose(missing, family).map_err(nothing_offered)?
        }
        Err(_) if family == Family::Debian => {
            let first_choice = missing.iter().flat_map(|n| n.packages(family)).map(|p| p[0]);
            return Err(by_hand(&first_choice.collect::<Vec<_>>(), family, true));
        }
        Err(need) => return Err(nothing_offered(need)),
    };
    if right == Right::None {
        return Err(by_hand(&names, family, false));
    }
    println!("\nInstalling what is missing:");
    let mut command = install_command(family);
    if family == Family::Debian {
        // A fresh system often installs its own updates just now: wait for it to finish.
        command.extend(["-o", "DPkg::Lock::Timeout=300"]);
    }
    command.extend(names);
    privileged(&command, right).must(
        "Run that command yourself in a terminal to see what the package manager asks for, then try again.",
    )
}

/// One package per requirement: the first alternative on offer. The need without any is the error.
fn choose<'n>(missing: &[&'n Need], family: Family) -> Result<Vec<&'static str>, &'n Need> {
    let mut names = Vec::new();
    for need in missing {
        for alternatives in need.packages(family) {
            let found = alternatives.iter().find(|name| is_offered(name, family));
            names.push(*found.ok_or(*need)?);
        }
    }
    Ok(names)
}

/// Asks apt; the other two report an unknown name themselves when they install.
fn is_offered(name: &str, family: Family) -> bool {
    family != Family::Debian
        || Call::new("apt-cache", &["policy", name], Path::new("."))
            .answer()
            .is_some_and(|policy| has_candidate(&policy))
}

fn has_candidate(policy: &str) -> bool {
    policy.lines().any(|line| {
        line.trim().strip_prefix("Candidate:").is_some_and(|version| version.trim() != "(none)")
    })
}

fn install_command(family: Family) -> Vec<&'static str> {
    match family {
        Family::Debian => vec!["apt-get", "install", "--yes", "--no-install-recommends"],
        Family::Fedora => vec!["dnf", "install", "--assumeyes"],
        Family::Arch => vec!["pacman", "-S", "--needed", "--noconfirm"],
        Family::OtherUnix | Family::MacOs | Family::Windows => vec![],
    }
}

/// The command with the right in front of it and nothing left to ask.
fn privileged(command: &[&str], right: Right) -> Call {
    const QUIET: &str = "DEBIAN_FRONTEND=noninteractive";
    let mut line = match right {
        Right::SudoWithoutPassword => vec!["sudo", "-n", "env", QUIET],
        Right::Root | Right::None => vec!["env", QUIET],
    };
    line.extend_from_slice(command);
    Call::new(line[0], &line[1..], Path::new("."))
}

fn by_hand(names: &[&str], family: Family, update_first: bool) -> Stop {
    let update = if update_first { "sudo apt-get update && " } else { "" };
    let command = install_command(family).join(" ");
    Stop::new(
        "packages are missing and only an administrator may install them",
        format!("Run this, then start again:\n\n  {update}sudo {command} {}", names.join(" ")),
    )
}

fn nothing_offered(need: &Need) -> Stop {
    Stop::new(
        format!("this distribution offers no package for: {}", need.name),
        "Install it in another way; cargo xtask setup finds it by what it provides, not by its package.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_are_read_from_id_and_id_like() {
        for (text, family) in [
            ("ID=debian\nVERSION_ID=\"12\"", Family::Debian),
            ("NAME=Mint\nID=linuxmint\nID_LIKE=\"ubuntu debian\"", Family::Debian),
            ("ID=fedora", Family::Fedora),
            ("ID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"", Family::Fedora),
            ("ID=manjaro\nID_LIKE=arch", Family::Arch),
            ("ID=opensuse-leap\nID_LIKE=\"suse opensuse\"", Family::OtherUnix),
            ("", Family::OtherUnix),
        ] {
            assert_eq!(family_of(text), family, "{text}");
        }
    }

    #[test]
    fn a_package_without_candidate_is_not_on_offer() {
        assert!(has_candidate("cmake:\n  Installed: (none)\n  Candidate: 3.25.1-1\n"));
        assert!(!has_candidate("cmake:\n  Installed: (none)\n  Candidate: (none)\n"));
        assert!(!has_candidate(""));
    }

    #[test]
    fn without_the_right_to_install_the_exact_command_is_shown() {
        let stop = by_hand(&["cmake", "libboost-dev"], Family::Debian, true).to_string();
        assert!(
            stop.ends_with(
                "sudo apt-get update && sudo apt-get install --yes --no-install-recommends cmake libboost-dev"
            ),
            "{stop}"
        );
        let stop = by_hand(&["cmake"], Family::Arch, false).to_string();
        assert!(stop.ends_with("  sudo pacman -S --needed --noconfirm cmake"), "{stop}");
    }

    #[test]
    fn nothing_is_ever_asked() {
        let call = privileged(&["apt-get", "update"], Right::SudoWithoutPassword);
        assert_eq!(call.shown(), "sudo -n env DEBIAN_FRONTEND=noninteractive apt-get update");
    }
}
