//! Who may depend on whom: `ARCHITECTURE.md`, section 3. Every arrow points down.

use std::env;
use std::process::Command;

use serde_json::Value;

use crate::expect_none;
use crate::repository::{File, files, root};

/// Each package with all of ours that it may name. Those below `tests` may name every one.
const ALLOWED: &[(&str, &[&str])] = &[
    ("p2pool-desktop", &["p2pool-app", "p2pool-sharechain"]),
    ("p2poold", &["p2pool-node", "p2pool-bitcoind", "p2pool-sharechain"]),
    (
        "p2pool-app",
        &["p2pool-node", "p2pool-devices", "p2pool-bitcoind", "p2pool-store", "p2pool-sharechain"],
    ),
    (
        "p2pool-node",
        &[
            "p2pool-bitcoind",
            "p2pool-store",
            "p2pool-practice",
            "p2pool-engine",
            "p2pool-stratum",
            "p2pool-wire",
            "p2pool-sharechain",
        ],
    ),
    ("p2pool-practice", &["p2pool-engine", "p2pool-wire", "p2pool-bitcoind", "p2pool-sharechain"]),
    ("p2pool-bitcoind", &["p2pool-sharechain"]),
    ("p2pool-store", &["p2pool-sharechain"]),
    ("p2pool-miner", &["p2pool-stratum", "p2pool-sharechain"]),
    ("p2pool-devices", &[]),
    ("p2pool-engine", &["p2pool-wire", "p2pool-sharechain"]),
    ("p2pool-stratum", &["p2pool-sharechain"]),
    ("p2pool-wire", &["p2pool-sharechain"]),
    ("p2pool-sharechain", &[]),
    ("xtask", &[]),
];

/// Pure crates with the crates of others they are built on.
pub(crate) const PURE: &[(&str, &[&str])] = &[
    ("p2pool-sharechain", &["bitcoin", "sha2", "ruint", "thiserror"]),
    ("p2pool-wire", &["bitcoin", "fastrand", "thiserror"]),
    // fastrand without its entropy: a generator that only ever sees the seed it is given.
    ("p2pool-engine", &["bitcoin", "fastrand", "rpds", "thiserror"]),
    ("p2pool-stratum", &["base64", "bitcoin", "serde", "serde_json", "thiserror"]),
];

/// Crates of others with the one package that may name them. A trailing `*` matches any ending.
const RESERVED: &[(&str, &str)] = &[
    ("tauri*", "p2pool-desktop"),
    ("keyring*", "p2pool-desktop"),
    ("rusqlite", "p2pool-store"),
    ("bitcoinkernel*", "p2pool-practice"),
    ("libbitcoinkernel*", "p2pool-practice"),
];

/// Features that may exist; none weakens a check and none exists for tests.
const FEATURES: [&str; 4] = ["default", "practice", "ts", "custom-protocol"];

/// One line of a manifest: `package` names `dependency`.
#[derive(Debug)]
struct Edge {
    package: String,
    dependency: String,
    /// Compiled for tests and benchmarks only.
    is_dev: bool,
}

/// What the manifests of the workspace say.
#[derive(Debug, Default)]
struct Manifests {
    packages: Vec<String>,
    /// Packages below `tests`: nothing depends on them, so that they may look everywhere.
    test_packages: Vec<String>,
    edges: Vec<Edge>,
    features: Vec<(String, String)>,
}

impl Manifests {
    fn read() -> Self {
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let output = Command::new(cargo)
            .args(["metadata", "--no-deps", "--format-version", "1", "--offline"])
            .current_dir(root())
            .output()
            .expect("cargo is there: it runs this test");
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "cargo metadata failed: {complaint}");
        let metadata = serde_json::from_slice(&output.stdout).expect("cargo metadata prints JSON");
        Self::from_metadata(&metadata)
    }

    fn from_metadata(metadata: &Value) -> Self {
        let mut manifests = Self::default();
        for package in list(metadata, "packages") {
            let name = text(package, "name");
            for dependency in list(package, "dependencies") {
                manifests.edges.push(Edge {
                    package: name.clone(),
                    dependency: text(dependency, "name"),
                    is_dev: dependency["kind"] == "dev",
                });
            }
            let features = package["features"].as_object();
            for feature in features.into_iter().flat_map(|map| map.keys()) {
                manifests.features.push((name.clone(), feature.clone()));
            }
            let manifest = text(package, "manifest_path").replace('\\', "/");
            let root = text(metadata, "workspace_root").replace('\\', "/");
            if manifest.starts_with(&format!("{root}/tests/")) {
                manifests.test_packages.push(name.clone());
            }
            manifests.packages.push(name);
        }
        manifests
    }
}

fn list<'v>(value: &'v Value, key: &str) -> &'v [Value] {
    value[key].as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value, key: &str) -> String {
    value[key].as_str().expect("cargo metadata names its parts").to_owned()
}

/// All that is wrong with these manifests.
fn complaints(manifests: &Manifests) -> Vec<String> {
    let mut complaints = Vec::new();
    for package in &manifests.packages {
        if lookup(ALLOWED, package).is_none() && !manifests.test_packages.contains(package) {
            complaints.push(format!("{package} is not in the table: give it a place there"));
        }
    }
    for (package, _) in ALLOWED {
        if !manifests.packages.iter().any(|p| p == package) {
            complaints.push(format!("{package} is in the table but not in the workspace"));
        }
    }
    complaints.extend(manifests.edges.iter().filter_map(|edge| wrong_edge(edge, manifests)));
    for (package, feature) in &manifests.features {
        if !FEATURES.contains(&feature.as_str()) {
            complaints
                .push(format!("{package} has a feature '{feature}': not one of {FEATURES:?}"));
        }
    }
    complaints
}

fn wrong_edge(edge: &Edge, manifests: &Manifests) -> Option<String> {
    let Edge { package, dependency, is_dev } = edge;
    if manifests.packages.contains(dependency) {
        let is_allowed = manifests.test_packages.contains(package)
            || lookup(ALLOWED, package)?.contains(&dependency.as_str());
        return (!is_allowed).then(|| format!("{package} may not depend on {dependency}"));
    }
    if let Some((_, owner)) = RESERVED.iter().find(|(pattern, _)| matches(pattern, dependency)) {
        return (owner != package)
            .then(|| format!("{package} names {dependency}: only {owner} may"));
    }
    let pure = lookup(PURE, package)?;
    (!is_dev && !pure.contains(&dependency.as_str()))
        .then(|| format!("{package} is pure and may not be built on {dependency}: only {pure:?}"))
}

fn lookup(
    table: &[(&str, &'static [&'static str])],
    package: &str,
) -> Option<&'static [&'static str]> {
    table.iter().find(|(name, _)| *name == package).map(|(_, allowed)| *allowed)
}

fn matches(pattern: &str, name: &str) -> bool {
    pattern.strip_suffix('*').map_or(pattern == name, |start| name.starts_with(start))
}

/// Dependencies of a member's manifest that name a version or features of their own.
fn own_versions(manifest: &File) -> Vec<String> {
    let mut found = Vec::new();
    let mut is_list = false;
    for (number, line) in (1..).zip(manifest.text.lines()) {
        if line.starts_with('[') {
            let is_versions = line.starts_with("[workspace");
            is_list = !is_versions && line.trim_end_matches(']').ends_with("dependencies");
        } else if is_list && line.contains('=') && !line.contains("workspace = true") {
            found.push(format!("{}:{number} {line}", manifest.path));
        }
    }
    found
}

#[test]
fn versions_stand_in_the_root_manifest_only() {
    let files = files();
    let members = files.iter().filter(|f| f.name() == "Cargo.toml" && f.path != "Cargo.toml");
    let found: Vec<String> = members.flat_map(own_versions).collect();
    expect_none("Give the version in the root's [workspace.dependencies]", &found);
}

#[test]
fn every_arrow_points_down() {
    expect_none("ARCHITECTURE.md section 3 forbids", &complaints(&Manifests::read()));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_edge(package: &str, dependency: &str, is_dev: bool) -> Vec<String> {
        let packages = ALLOWED.iter().map(|(name, _)| (*name).to_owned()).collect();
        let edge = Edge { package: package.into(), dependency: dependency.into(), is_dev };
        complaints(&Manifests { packages, edges: vec![edge], ..Manifests::default() })
    }

    #[test]
    fn an_arrow_pointing_up_is_found() {
        assert_eq!(with_edge("p2pool-sharechain", "p2pool-wire", false).len(), 1);
        assert_eq!(with_edge("p2pool-devices", "p2pool-sharechain", true).len(), 1);
        assert!(with_edge("p2pool-wire", "p2pool-sharechain", false).is_empty());
    }

    #[test]
    fn packages_for_tests_may_look_everywhere_but_nobody_may_depend_on_them() {
        let metadata = serde_json::json!({
            "workspace_root": "/x",
            "packages": [
                { "name": "p2pool-t", "manifest_path": "/x/tests/Cargo.toml", "features": {},
                  "dependencies": [{ "name": "p2poold", "kind": null }] },
                { "name": "p2poold", "manifest_path": "/x/a/p2poold/Cargo.toml", "features": {},
                  "dependencies": [{ "name": "p2pool-t", "kind": "dev" }] },
            ],
        });
        let manifests = Manifests::from_metadata(&metadata);
        let wrong: Vec<_> =
            manifests.edges.iter().filter_map(|edge| wrong_edge(edge, &manifests)).collect();
        assert_eq!(wrong, ["p2poold may not depend on p2pool-t"]);
    }

    #[test]
    fn a_pure_crate_on_a_runtime_is_found_but_its_tests_may_use_more() {
        assert_eq!(with_edge("p2pool-engine", "tokio", false).len(), 1);
        assert!(with_edge("p2pool-engine", "proptest", true).is_empty());
    }

    #[test]
    fn a_reserved_crate_in_another_package_is_found() {
        assert_eq!(with_edge("p2pool-app", "tauri-plugin-opener", false).len(), 1);
        assert_eq!(with_edge("p2pool-node", "rusqlite", true).len(), 1);
        assert!(with_edge("p2pool-practice", "bitcoinkernel", false).is_empty());
    }

    #[test]
    fn a_version_outside_the_root_is_found() {
        let text = "\
[package]
name = \"x\"

[dependencies]
serde.workspace = true
toml = { workspace = true, optional = true }
tokio = \"1\"

[target.'cfg(unix)'.dev-dependencies]
rand = { version = \"0.9\" }
";
        let manifest = File { path: "x/Cargo.toml".into(), text: text.into() };
        let found = own_versions(&manifest);
        assert_eq!(
            found,
            ["x/Cargo.toml:7 tokio = \"1\"", "x/Cargo.toml:10 rand = { version = \"0.9\" }"]
        );
    }

    #[test]
    fn an_unknown_package_and_a_feature_for_tests_are_found() {
        let mut manifests = Manifests {
            packages: ALLOWED.iter().map(|(name, _)| (*name).to_owned()).collect(),
            ..Manifests::default()
        };
        manifests.packages.push("p2pool-utils".into());
        manifests.features.push(("p2pool-node".into(), "sim".into()));
        assert_eq!(complaints(&manifests).len(), 2);
    }
}
