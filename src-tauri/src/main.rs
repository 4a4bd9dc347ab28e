//! P2Pool Desktop: a P2Pool node with a window.
#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

fn main() -> anyhow::Result<()> {
    p2pool_desktop::run()
}
