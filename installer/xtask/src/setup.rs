//! `cargo xtask setup`: finds what is missing for a scope and puts it there, or says how.

use std::path::Path;
use std::time::SystemTime;

use crate::needs::{Family, NEEDS, Need, Scope};
use crate::packages;
use crate::process::{Call, Stop};
use crate::workspace::Workspace;

/// The oldest Node.js that the UI's tools accept.
const NODE_VERSION_MIN: (u32, u32) = (20, 19);

/// Makes sure that everything `scope` needs is there.
///
/// # Errors
///
/// Stops when something is missing that cannot be installed without a person.
pub(crate) fn prepare(workspace: &Workspace, scope: Scope) -> Result<(), Stop> {
    println!("\n== Looking for what is needed");
    system(scope)?;
    if scope >= Scope::Window {
        node()?;
        npm_packages(&workspace.ui(), "the UI")?;
    }
    if scope >= Scope::Tests {
        rust_tools(workspace)?;
        npm_packages(&workspace.ui_tests(), "the browser test")?;
    }
    Ok(())
}

fn system(scope: Scope) -> Result<(), Stop> {
    let family = packages::family();
    let needs = NEEDS.iter().filter(|n| n.scope <= scope && n.applies_to(family));
    let missing = report(needs);
    if missing.is_empty() {
        return Ok(());
    }
    if missing[0].packages(family).is_empty() {
        return Err(install_yourself(&missing, family));
    }
    packages::install(&missing, family)?;
    println!("\nLooking again:");
    let missing = report(missing.into_iter());
    match missing.first() {
        None => Ok(()),
        Some(need) => Err(Stop::new(
            format!("the packages are installed, yet this is still not found: {}", need.name),
            "Check that its programs are in PATH and its libraries known to pkg-config.",
        )),
    }
}

/// Lists the needs with their state and returns those not met.
fn report<'n>(needs: impl Iterator<Item = &'n Need>) -> Vec<&'n Need> {
    let mut missing = Vec::new();
    for need in needs {
        let is_met = need.is_met();
        println!("  {}  {}", if is_met { "found  " } else { "MISSING" }, need.name);
        if !is_met {
            missing.push(need);
        }
    }
    missing
}

fn install_yourself(missing: &[&Need], family: Family) -> Stop {
    let list: Vec<String> =
        missing.iter().map(|n| format!("  {}: {}", n.name, n.manual(family))).collect();
    Stop::new(
        "something is missing that this command cannot install on this system",
        format!("Install these, then start again:\n\n{}", list.join("\n")),
    )
}

fn node() -> Result<(), Stop> {
    let here = Path::new(".");
    let advice = format!(
        "Install Node.js {}.{} or newer with npm (https://nodejs.org, or your system's packages), then start again.",
        NODE_VERSION_MIN.0, NODE_VERSION_MIN.1
    );
    let Some(answer) = Call::new("node", &["--version"], here).answer() else {
        println!("  MISSING  Node.js");
        return Err(Stop::new("Node.js is not installed", advice));
    };
    let version = answer.trim();
    if node_version(version).is_none_or(|found| found < NODE_VERSION_MIN) {
        println!("  TOO OLD  Node.js {version}");
        return Err(Stop::new(format!("Node.js {version} is too old for the UI's tools"), advice));
    }
    if Call::npm(&["--version"], here).answer().is_none() {
        println!("  MISSING  npm");
        return Err(Stop::new("npm is not installed", advice));
    }
    println!("  found    Node.js {version} with npm");
    Ok(())
}

/// Major and minor of `v20.19.3`.
fn node_version(text: &str) -> Option<(u32, u32)> {
    let mut parts = text.strip_prefix('v')?.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// Installs the packages of a folder when they are missing or older than its lock file.
fn npm_packages(folder: &Path, whose: &str) -> Result<(), Stop> {
    let lock = folder.join("package-lock.json");
    let locked = modified(&lock);
    if locked.is_none() {
        return Err(Stop::new(
            format!("{} is missing", lock.display()),
            "The checkout is incomplete: restore that file from version control.",
        ));
    }
    if modified(&folder.join("node_modules/.package-lock.json")) >= locked {
        println!("  found    packages of {whose}");
        return Ok(());
    }
    println!("\nInstalling the packages of {whose}:");
    // The browser test uses the system's browser.
    Call::npm(&["ci", "--no-audit", "--no-fund"], folder)
        .env("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1")
        .must("Check that the npm registry can be reached (a proxy may be needed), then try again.")
}

fn modified(path: &Path) -> Option<SystemTime> {
    std::fs::metadata(path).and_then(|m| m.modified()).ok()
}

fn rust_tools(workspace: &Workspace) -> Result<(), Stop> {
    for (tool, component) in [("fmt", "rustfmt"), ("clippy", "clippy")] {
        if Call::cargo(&[tool, "--version"], workspace.root()).answer().is_none() {
            println!("  MISSING  cargo {tool}");
            return Err(Stop::new(
                format!("cargo {tool} is not installed"),
                format!("Install it: rustup component add {component}"),
            ));
        }
        println!("  found    cargo {tool}");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn node_versions_compare_as_numbers() {
        assert_eq!(node_version("v20.19.3"), Some((20, 19)));
        assert!(node_version("v20.9.0").unwrap() < NODE_VERSION_MIN);
        assert!(node_version("v22.1.0").unwrap() > NODE_VERSION_MIN);
        assert_eq!(node_version("20"), None);
    }

    #[test]
    fn a_missing_folder_is_older_than_any_lock_file() {
        let here = modified(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml").as_path());
        assert!(here.is_some());
        assert!(modified(Path::new("no/such/file")) < here);
    }

    #[test]
    fn on_systems_without_packages_every_missing_thing_is_listed() {
        let missing: Vec<&Need> = NEEDS.iter().filter(|n| n.applies_to(Family::MacOs)).collect();
        let text = install_yourself(&missing, Family::MacOs).to_string();
        assert!(text.contains("brew install cmake") && text.contains("xcode-select"), "{text}");
    }
}
