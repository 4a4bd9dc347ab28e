//! The addresses that this computer spoke with lately. Reading them sends nothing.

use std::net::Ipv4Addr;

use crate::identity::Mac;

/// More neighbours than a home has are not read.
const NEIGHBOURS_MAX: usize = 1024;
/// No table of that many neighbours is longer.
const TABLE_BYTES_MAX: u64 = 256 * 1024;

/// Somebody on the same network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Neighbour {
    /// Network address.
    pub ip: Ipv4Addr,
    /// Hardware address.
    pub mac: Mac,
}

/// The system's table; empty where it cannot be read.
pub async fn neighbours() -> Vec<Neighbour> {
    let bytes = table().await.unwrap_or_default();
    parse(&String::from_utf8_lossy(&bytes))
}

#[cfg(target_os = "linux")]
#[expect(clippy::unused_async, reason = "other systems tell it through a program")]
async fn table() -> std::io::Result<Vec<u8>> {
    use std::io::Read;

    // Kernel memory, not a disk: reading it does not block.
    let mut bytes = Vec::new();
    std::fs::File::open("/proc/net/arp")?.take(TABLE_BYTES_MAX).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(not(target_os = "linux"))]
async fn table() -> std::io::Result<Vec<u8>> {
    use std::process::Stdio;
    use std::time::Duration;

    use tokio::io::AsyncReadExt;

    /// The table lies in memory; only a name lookup could take longer, and `-n` forbids that.
    const TABLE_TIMEOUT: Duration = Duration::from_secs(3);

    let mut command = tokio::process::Command::new("arp");
    command.arg(if cfg!(windows) { "-a" } else { "-an" });
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
    // Without a console window that flashes up.
    #[cfg(windows)]
    command.creation_flags(0x0800_0000);
    let mut child = command.spawn()?;
    let mut bytes = Vec::new();
    if let Some(output) = child.stdout.take() {
        let mut output = output.take(TABLE_BYTES_MAX);
        tokio::time::timeout(TABLE_TIMEOUT, output.read_to_end(&mut bytes)).await??;
    }
    Ok(bytes)
}

/// Reads a table of Linux, macOS or Windows: on each line an address of either kind.
fn parse(table: &str) -> Vec<Neighbour> {
    let mut found: Vec<Neighbour> = Vec::new();
    for line in table.lines() {
        let words = || line.split_whitespace().map(|word| word.trim_matches(['(', ')']));
        let Some(ip) = words().find_map(|word| word.parse::<Ipv4Addr>().ok()) else { continue };
        let Some(mac) = words().find_map(mac_of) else { continue };
        if ip.is_private() && found.len() < NEIGHBOURS_MAX && found.iter().all(|n| n.ip != ip) {
            found.push(Neighbour { ip, mac });
        }
    }
    found
}

/// Groups of an Ethernet address bound to one device; a number of twelve digits is something else.
fn mac_of(word: &str) -> Option<Mac> {
    let is_for_one = |word: &&str| {
        let first = word.split([':', '-']).next().and_then(|b| u8::from_str_radix(b, 16).ok());
        first.is_some_and(|byte| byte & 1 == 0)
    };
    let word = Some(word).filter(|word| word.contains([':', '-'])).filter(is_for_one)?;
    word.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(table: &str) -> Vec<String> {
        parse(table).iter().map(|n| format!("{} {}", n.ip, n.mac)).collect()
    }

    const EXPECTED: &[&str] = &["192.168.1.57 e0:e1:a9:0c:04:05"];

    #[test]
    fn tables_of_three_systems_are_read() {
        let linux = "\
IP address       HW type     Flags       HW address            Mask     Device
192.168.1.57     0x1         0x2         e0:e1:a9:0c:04:05     *        wlan0
192.168.1.99     0x1         0x0         00:00:00:00:00:00     *        wlan0
";
        let macos = "\
? (192.168.1.57) at e0:e1:a9:c:4:5 on en0 ifscope [ethernet]
? (192.168.1.99) at (incomplete) on en0 ifscope [ethernet]
? (224.0.0.251) at 1:0:5e:0:0:fb on en0 ifscope permanent [ethernet]
";
        let windows = "\r
Interface: 192.168.1.20 --- 0x5\r
  Internet Address      Physical Address      Type\r
  192.168.1.57          e0-e1-a9-0c-04-05     dynamic\r
  192.168.1.255         ff-ff-ff-ff-ff-ff     static\r
  224.0.0.22            01-00-5e-00-00-16     static\r
";
        for table in [linux, macos, windows] {
            assert_eq!(shown(table), EXPECTED, "{table}");
        }
    }
}
