//! What a connection to the miners' port speaks, by its first bytes.

/// Bytes that are looked at; every answer is known by then.
pub const FIRST_BYTES: usize = 8;

/// What a connection speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// Lines of JSON.
    Stratum,
    /// A browser, an exporter, or a miner of the old kind.
    Http,
    /// Encrypted, which this port does not do.
    Tls,
    /// Something else; Stratum version 2 begins with random bytes.
    Unknown,
}

/// Recognises the protocol; `None` while there is too little to tell.
///
/// Lines are never skipped until something fits: a web page can make a browser send JSON to this
/// port, but not without HTTP in front of it.
pub fn protocol(bytes: &[u8]) -> Option<Protocol> {
    let text = bytes.trim_ascii_start();
    let is_all = bytes.len() >= FIRST_BYTES;
    let Some(first) = text.first() else {
        return is_all.then_some(Protocol::Stratum);
    };
    match first {
        b'{' => Some(Protocol::Stratum),
        0x16 => match text.get(1) {
            None if is_all => Some(Protocol::Unknown),
            None => None,
            Some(0x03) => Some(Protocol::Tls),
            Some(_) => Some(Protocol::Unknown),
        },
        b'A'..=b'Z' => {
            // A method: capitals, then a blank.
            let length = text.iter().position(|byte| !byte.is_ascii_uppercase());
            match length.map(|length| text.get(length)) {
                None if is_all => Some(Protocol::Unknown),
                None => None,
                Some(Some(b' ')) => Some(Protocol::Http),
                Some(_) => Some(Protocol::Unknown),
            }
        }
        _ => Some(Protocol::Unknown),
    }
}

/// A TLS alert that ends a handshake: clients say then that the server does no TLS.
pub const TLS_ALERT: [u8; 7] = [0x15, 0x03, 0x01, 0x00, 0x02, 0x02, 40];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_byte_decides() {
        for (bytes, expected) in [
            (&b"{\"id\":1"[..], Some(Protocol::Stratum)),
            (b"\r\n {", Some(Protocol::Stratum)),
            (b"        ", Some(Protocol::Stratum)),
            (b"GET / HT", Some(Protocol::Http)),
            (b"POST / H", Some(Protocol::Http)),
            (b"OPTIONS ", Some(Protocol::Http)),
            (b"\x16\x03\x01\x02", Some(Protocol::Tls)),
            (b"\x16\x04", Some(Protocol::Unknown)),
            (b"\x9b\x03random", Some(Protocol::Unknown)),
            (b"SSH-2.0-", Some(Protocol::Unknown)),
            (b"ABCDEFGH", Some(Protocol::Unknown)),
            (b"[1,2]", Some(Protocol::Unknown)),
            (b"       G", Some(Protocol::Unknown)),
            (b"       \x16", Some(Protocol::Unknown)),
            (b"", None),
            (b" ", None),
            (b"GE", None),
            (b"\x16", None),
        ] {
            assert_eq!(protocol(bytes), expected, "{bytes:?}");
        }
    }
}
