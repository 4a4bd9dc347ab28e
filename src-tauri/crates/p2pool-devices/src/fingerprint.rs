//! What a web server's answer to `GET /api/system/info` says about who it is.

use crate::address::DeviceAddress;
use crate::error::{CallError, Denial};
use crate::identity::{DeviceId, Family, Identity};
use crate::info::Info;
use crate::text::{DeviceText, Secrets};

/// A title stands near the top of a page.
const TITLE_SEARCH_BYTES_MAX: usize = 8 * 1024;

/// Words of a page's title with whose page it is.
const TITLES: [(&str, Family); 7] = [
    ("luxos", Family::LuxOs),
    ("vnish", Family::Vnish),
    ("anthillos", Family::Vnish),
    ("whatsminer", Family::Whatsminer),
    ("epic miner", Family::Epic),
    ("braiins", Family::Braiins),
    ("antminer", Family::Antminer),
];

/// An HTTP answer, as far as it matters here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct HttpAnswer {
    pub(crate) status: u16,
    /// The `WWW-Authenticate` header; empty if there is none.
    pub(crate) authenticate: String,
    pub(crate) body: Vec<u8>,
}

impl HttpAnswer {
    /// The body of a good answer.
    ///
    /// # Errors
    /// What a status other than success means for this family.
    pub(crate) fn body(self, secrets: &Secrets) -> Result<Vec<u8>, CallError> {
        match self.status {
            200..300 => Ok(self.body),
            401 => Err(self.denial(secrets).into()),
            403 => Err(Denial::ThisComputer.into()),
            status => {
                let words = String::from_utf8_lossy(&self.body);
                Err(CallError::Rejected(DeviceText::clean(&format!("HTTP {status} {words}"))))
            }
        }
    }

    fn denial(&self, secrets: &Secrets) -> Denial {
        let words = String::from_utf8_lossy(&self.body).to_ascii_lowercase();
        if words.contains("blocked") {
            Denial::BlockedForMinutes
        } else if words.contains("otp") {
            match secrets.one_time_code {
                Some(_) => Denial::WrongOneTimeCode,
                None => Denial::NeedsOneTimeCode,
            }
        } else if self.authenticate.is_empty() {
            Denial::ThisComputer
        } else {
            match secrets.login {
                Some(_) => Denial::WrongLogin,
                None => Denial::NeedsLogin,
            }
        }
    }
}

/// Who answers a probe.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Recognised {
    /// A device of the AxeOS family, with all it tells.
    Info(Info),
    /// A device that tells only what it is.
    Only(Identity),
}

/// Recognises a miner; nothing for everything else in a home.
pub(crate) fn recognise(answer: &HttpAnswer, address: DeviceAddress) -> Option<Recognised> {
    if (200..300).contains(&answer.status)
        && let Ok(info) = Info::parse(&answer.body)
    {
        return Some(Recognised::Info(info));
    }
    let (family, words) = if answer.authenticate.to_ascii_lowercase().contains("antminer") {
        (Family::Antminer, DeviceText::clean("Antminer"))
    } else {
        let title = title(&answer.body)?;
        let lower = title.to_lowercase();
        let (_, family) = TITLES.iter().find(|(word, _)| lower.contains(word))?;
        (*family, DeviceText::clean(&title))
    };
    Some(Recognised::Only(Identity {
        id: DeviceId::Address(address),
        address,
        family,
        model: words,
        name: DeviceText::default(),
        firmware: DeviceText::default(),
    }))
}

/// The title of a page.
pub(crate) fn title(body: &[u8]) -> Option<String> {
    let top = body.get(..TITLE_SEARCH_BYTES_MAX).unwrap_or(body);
    let text = String::from_utf8_lossy(top);
    // ASCII case leaves byte positions as they are.
    let lower = text.to_ascii_lowercase();
    let tag = lower.find("<title")?;
    let start = tag + lower.get(tag..)?.find('>')? + 1;
    let end = start + lower.get(start..)?.find('<')?;
    text.get(start..end).map(|title| title.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::Reach;
    use crate::text::{Login, OneTimeCode, Secret};

    fn recognised(answer: &HttpAnswer) -> Option<Recognised> {
        recognise(answer, DeviceAddress::new([10, 0, 0, 9].into(), Reach::Private).unwrap())
    }

    fn page(status: u16, body: &str) -> HttpAnswer {
        HttpAnswer { status, authenticate: String::new(), body: body.into() }
    }

    fn family(answer: &HttpAnswer) -> Option<Family> {
        match recognised(answer)? {
            Recognised::Only(identity) => Some(identity.family),
            Recognised::Info(_) => panic!("a page is no document"),
        }
    }

    #[test]
    fn makers_are_known_by_login_realm_and_title() {
        let antminer = HttpAnswer {
            status: 401,
            authenticate: r#"Digest realm="antMiner Configuration", nonce="1""#.into(),
            body: Vec::new(),
        };
        assert_eq!(family(&antminer), Some(Family::Antminer));
        for (title, expected) in [
            ("LuxOS", Family::LuxOs),
            ("VNish - Antminer S19", Family::Vnish),
            ("WhatsMiner", Family::Whatsminer),
            ("Braiins OS+", Family::Braiins),
        ] {
            let html = format!("<!doctype html><HTML><Title lang=en>\n{title} </TITLE>");
            assert_eq!(family(&page(404, &html)), Some(expected), "{title}");
        }
    }

    #[test]
    fn other_servers_of_a_home_are_nobody() {
        for body in ["", "<title>My NAS</title>", "<title>", "<title>x", "{}", "[1]"] {
            assert_eq!(recognised(&page(200, body)), None, "{body}");
        }
        let router = HttpAnswer { authenticate: "Basic realm=\"router\"".into(), ..page(401, "") };
        assert_eq!(recognised(&router), None);
        let broken = page(500, r#"{"ASICModel":"BM1370"}"#);
        assert_eq!(recognised(&broken), None);
    }

    #[test]
    fn refusals_are_told_apart_by_header_and_words() {
        let with_code =
            Secrets { one_time_code: OneTimeCode::parse("123456"), ..Secrets::default() };
        let login = Login { user: "u".into(), password: Secret::new("p".into()) };
        let with_login = Secrets { login: Some(login), ..Secrets::default() };
        let none = Secrets::default();
        let basic = HttpAnswer { authenticate: "Basic realm=x".into(), ..page(401, "") };
        for (answer, secrets, expected) in [
            (page(401, "Unauthorized"), &none, Denial::ThisComputer),
            (page(403, ""), &none, Denial::ThisComputer),
            (page(401, "OTP/Session required"), &none, Denial::NeedsOneTimeCode),
            (page(401, "OTP/Session required"), &with_code, Denial::WrongOneTimeCode),
            (page(401, "blocked for 5 minutes"), &with_code, Denial::BlockedForMinutes),
            (basic.clone(), &none, Denial::NeedsLogin),
            (basic, &with_login, Denial::WrongLogin),
        ] {
            assert_eq!(answer.body(secrets), Err(CallError::Denied(expected)));
        }
        let words = DeviceText::clean("HTTP 400 Wrong API input");
        assert_eq!(page(400, "Wrong API input").body(&none), Err(CallError::Rejected(words)));
        let moved = page(302, "").body(&none);
        assert!(matches!(moved, Err(CallError::Rejected(_))), "redirects are not followed");
        assert_eq!(page(204, "").body(&none), Ok(Vec::new()));
    }
}
