//! Builds the UI when one of its inputs changed, then what Tauri needs.

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime};

/// What the UI is made of.
const INPUTS: [&str; 8] = [
    "src",
    "public",
    "index.html",
    "package.json",
    "package-lock.json",
    "svelte.config.js",
    "tsconfig.json",
    "vite.config.ts",
];

/// Set by packagers and cross builds that bring a built UI.
const PREBUILT: &str = "APP_PREBUILT_UI";

/// Shown where the UI was to be brought, and was not.
const NOT_BUILT: &str = "<!doctype html><title>UI not built</title>The UI has not been built.";

fn main() {
    build_ui();
    tauri_build::build();
}

fn build_ui() {
    let manifest = env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it");
    let ui = Path::new(&manifest).join("../ui");
    for input in INPUTS.map(|input| ui.join(input)) {
        if input.exists() {
            println!("cargo:rerun-if-changed={}", input.display());
        }
    }
    // A stamp that is always old: cargo runs this again when the built UI was deleted, only then.
    let stamp = ui.join("dist/.stamp");
    println!("cargo:rerun-if-changed={}", stamp.display());
    println!("cargo:rerun-if-env-changed={PREBUILT}");
    if env::var_os(PREBUILT).is_some() {
        let index = ui.join("dist/index.html");
        if !index.exists() {
            fs::create_dir_all(ui.join("dist")).expect("the UI's folder can be written");
            fs::write(index, NOT_BUILT).expect("the UI's folder can be written");
        }
        return;
    }
    let modified = |path: &Path| fs::metadata(path).and_then(|facts| facts.modified()).ok();
    let installed = modified(&ui.join("node_modules/.package-lock.json"));
    if installed.is_none() || installed < modified(&ui.join("package-lock.json")) {
        npm(&ui, &["ci", "--no-audit", "--no-fund"]);
    }
    npm(&ui, &["run", "build"]);
    let file = fs::File::create(&stamp).expect("the built UI's folder can be written");
    let old = SystemTime::UNIX_EPOCH + Duration::from_secs(86_400);
    file.set_modified(old).expect("a file's time can be set");
}

fn npm(folder: &Path, arguments: &[&str]) {
    let program = if cfg!(windows) { "npm.cmd" } else { "npm" };
    let output = Command::new(program).args(arguments).current_dir(folder).output().unwrap_or_else(
        |error| {
            panic!(
                "cannot run npm ({error}): install Node.js 20.19 or newer, or build ui/dist \
                 elsewhere and set {PREBUILT}=1"
            )
        },
    );
    assert!(
        output.status.success(),
        "npm {arguments:?} failed\n{}\n{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}
