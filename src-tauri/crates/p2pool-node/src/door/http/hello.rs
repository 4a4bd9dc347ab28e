//! The page for phones: how to connect a miner, and proof that this computer can be reached.

use std::net::SocketAddr;

use qrcode::render::svg;
use qrcode::{EcLevel, QrCode};

/// The page, as seen at `address` of this computer. `payout` is shown as user name.
pub(super) fn page(address: SocketAddr, payout: &str, is_mining: bool) -> String {
    let (host, port) = (host(address), address.port());
    let url = format!("http://{host}:{port}/hello");
    let stratum = format!("stratum+tcp://{host}:{port}");
    let state = if is_mining { "Miners get work here now." } else { "Mining is paused now." };
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
<meta name=\"viewport\" content=\"width=device-width\"><title>Connect a miner</title><style>\
body{{font:16px/1.5 system-ui,sans-serif;max-width:32em;margin:2em auto;padding:0 1em;\
color:#1c1c1c;background:#fff}}code{{display:block;padding:.4em .6em;background:#eee;\
border-radius:.3em;overflow-wrap:anywhere;user-select:all;color:#000}}dt{{margin-top:.8em}}\
dd{{margin:0}}svg{{width:12em;height:12em}}\
@media(prefers-color-scheme:dark){{body{{color:#eee;background:#161616}}}}</style></head><body>\
<h1>This computer can be reached</h1><p>{state} Enter this in your miner:</p><dl>\
<dt>Pool address</dt><dd><code>{stratum}</code></dd><dt>or host</dt><dd><code>{host}</code></dd>\
<dt>and port</dt><dd><code>{port}</code></dd><dt>User</dt><dd><code>{}.miner1</code></dd>\
<dt>Password</dt><dd><code>x</code></dd></dl><p>This page, for another device:</p>{}\
</body></html>\n",
        escaped(payout),
        code(&url),
    )
}

/// The code of an address, as a picture in the page.
fn code(url: &str) -> String {
    let code = QrCode::with_error_correction_level(url, EcLevel::M);
    code.map_or_else(
        |_| escaped(url),
        |code| {
            let picture = code.render::<svg::Color<'_>>().min_dimensions(192, 192).build();
            picture.split_once("?>").map_or(picture.clone(), |(_, svg)| svg.to_owned())
        },
    )
}

fn host(address: SocketAddr) -> String {
    match address.ip().to_canonical() {
        std::net::IpAddr::V4(ip) => ip.to_string(),
        std::net::IpAddr::V6(ip) => format!("[{ip}]"),
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn page_shows_the_address_that_was_reached() {
        let page = page("192.168.1.20:9332".parse().unwrap(), "bc1qexample", true);
        for text in ["stratum+tcp://192.168.1.20:9332", "<code>9332</code>", "bc1qexample.miner1"] {
            assert!(page.contains(text), "{text}");
        }
        assert!(page.contains("<svg") && !page.contains("<?xml"));
    }

    #[test]
    fn nothing_of_others_becomes_markup() {
        let page = page("[::ffff:10.0.0.1]:1".parse().unwrap(), "<script>\"&", false);
        assert!(page.contains("&lt;script&gt;&quot;&amp;") && !page.contains("<script>"));
        assert!(page.contains("stratum+tcp://10.0.0.1:1"));
    }
}
