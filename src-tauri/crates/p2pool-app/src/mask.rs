//! Masks what a report shows of people: addresses, IPs, names of computers and users.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::api::ReportShows;

/// Characters that addresses, names and numbers are made of.
fn is_part(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || matches!(letter, '.' | ':' | '-' | '_' | '[' | ']')
}

/// A text without what is not to be shown. `names` are words known to name a computer or a user.
pub(crate) fn masked(text: &str, shows: ReportShows, names: &[String]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(begin) = rest.find(is_part) {
        out.push_str(&rest[..begin]);
        let end = rest[begin..].find(|c| !is_part(c)).map_or(rest.len(), |length| begin + length);
        out.push_str(&word(&rest[begin..end], shows));
        rest = &rest[end..];
    }
    out.push_str(rest);
    if !shows.hosts {
        for name in names.iter().filter(|name| name.len() >= 3) {
            out = out.replace(name.as_str(), "[name]");
        }
    }
    out
}

fn word(word: &str, shows: ReportShows) -> String {
    let bare = word.trim_end_matches(['.', ':', '-']);
    let tail = &word[bare.len()..];
    let masked = if !shows.ips && is_ip(bare) {
        "[ip]"
    } else if !shows.addresses && is_address(bare) {
        "[address]"
    } else if !shows.hosts && is_host(bare) {
        "[host]"
    } else {
        return word.to_owned();
    };
    format!("{masked}{tail}")
}

/// An IP address, alone or with a port.
fn is_ip(word: &str) -> bool {
    let without_port = word.rsplit_once(':').map_or(word, |(host, _)| host);
    let bare = |word: &str| word.trim_matches(['[', ']']).to_owned();
    let is_four = |word: &str| word.parse::<Ipv4Addr>().is_ok();
    let is_six = |word: &str| word.matches(':').count() >= 2 && word.parse::<Ipv6Addr>().is_ok();
    is_four(word) || is_four(without_port) || is_six(&bare(word)) || is_six(&bare(without_port))
}

/// A Bitcoin address of any network, alone or as part of a miner's name.
fn is_address(word: &str) -> bool {
    let is_alphanumeric = |word: &str| word.chars().all(|c| c.is_ascii_alphanumeric());
    word.split(['.', '_', '-', ':']).any(|part| {
        let lower = part.to_ascii_lowercase();
        let is_segwit = ["bc1", "tb1", "bcrt1"].iter().any(|head| lower.starts_with(head));
        let is_old = part.starts_with(['1', '3', 'm', 'n', '2'])
            && (26..=35).contains(&part.len())
            && part.chars().any(|c| c.is_ascii_uppercase())
            && part.chars().any(|c| c.is_ascii_lowercase());
        is_alphanumeric(part) && ((is_segwit && part.len() >= 14) || is_old)
    })
}

/// A name of a computer: labels with a top level of letters, but not a module or a version.
fn is_host(word: &str) -> bool {
    let name = word.rsplit_once(':').map_or(word, |(name, _)| name);
    let labels: Vec<&str> = name.split('.').collect();
    let last = labels.last().copied().unwrap_or_default();
    let is_file = matches!(
        last,
        "rs" | "toml"
            | "conf"
            | "sqlite"
            | "log"
            | "json"
            | "txt"
            | "cookie"
            | "exe"
            | "dat"
            | "zip"
    );
    labels.len() >= 2
        && !is_file
        && last.len() >= 2
        && labels.iter().all(|label| !label.is_empty())
        && last.chars().all(|c| c.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nothing_shown(text: &str) -> String {
        masked(text, ReportShows::default(), &["alice".into()])
    }

    #[test]
    fn a36_addresses_ips_and_names_are_masked() {
        for (text, expected) in [
            ("peer 203.0.113.5:9333 left", "peer [ip] left"),
            ("from [2001:db8::1]:9333.", "from [ip]."),
            ("fe80::1 spoke", "[ip] spoke"),
            ("pays bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", "pays [address]"),
            ("user 1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2.rig1", "user [address]"),
            ("http://node.example.org:8332/", "http://[host]/"),
            ("umbrel.local says", "[host] says"),
            ("/home/alice/.bitcoin/bitcoin.conf", "/home/[name]/.bitcoin/bitcoin.conf"),
        ] {
            assert_eq!(nothing_shown(text), expected);
        }
    }

    #[test]
    fn what_helps_to_find_a_fault_stays() {
        for text in [
            "p2pool_node::p2p: share refused",
            "version 0.1.0, block 975120",
            "…7fa148 at 12:41:07",
            "settings.toml line 3",
        ] {
            assert_eq!(nothing_shown(text), text);
        }
    }

    #[test]
    fn what_is_ticked_is_shown() {
        let all = ReportShows { addresses: true, ips: true, hosts: true };
        let text = "alice 203.0.113.5 bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4 umbrel.local";
        assert_eq!(masked(text, all, &["alice".into()]), text);
    }
}
