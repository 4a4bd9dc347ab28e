//! What a miner writes into its user name and password fields.
//!
//! `name[+difficulty][/share difficulty]`, and `d=difficulty` among the comma-separated parts of
//! the password, or `th=` for the miner's speed. Source: protocol notes, mining.md section 3; `docs/stratum.md`, section 3.

/// Longest name or text that is kept, in characters.
pub const TEXT_CHARS_MAX: usize = 100;

/// A user name taken apart.
#[derive(Clone, Debug, PartialEq)]
pub struct Login {
    /// The name without its options, as authorized and as shares are counted by.
    pub name: String,
    /// Fixed difficulty of the connection, if asked for.
    pub difficulty: Option<f64>,
    /// Difficulty of the share-chain share, if asked for.
    pub share_difficulty: Option<f64>,
    /// Hash rate that the miner says it has, TH/s.
    pub terahashes: Option<f64>,
}

impl Login {
    /// Reads user name and password. Bad numbers are ignored, names are made fit for display.
    pub fn parse(user: &str, password: &str) -> Self {
        let name_end = user.find(['+', '/']).unwrap_or(user.len());
        let (name, options) = user.split_at(name_end);
        let mut login = Self {
            name: printable(name),
            difficulty: None,
            share_difficulty: None,
            terahashes: None,
        };
        if login.name.is_empty() {
            login.name.push_str("unnamed");
        }
        let mut rest = options;
        while let Some(mark) = rest.chars().next() {
            let after = rest.get(mark.len_utf8()..).unwrap_or_default();
            let end = after.find(['+', '/']).unwrap_or(after.len());
            let (number, next) = after.split_at(end);
            let slot =
                if mark == '+' { &mut login.difficulty } else { &mut login.share_difficulty };
            *slot = positive(number).or(*slot);
            rest = next;
        }
        let option = |keys: &[&str]| {
            password
                .split(',')
                .filter_map(|part| part.split_once('='))
                .filter(|(key, _)| keys.contains(&key.trim()))
                .find_map(|(_, number)| positive(number))
        };
        login.difficulty = login.difficulty.or_else(|| option(&["d", "diff"]));
        login.terahashes = option(&["th"]);
        login
    }

    /// The part of the name before a worker suffix: by custom an address.
    ///
    /// Text before the first `_`, or else before the first `.`.
    pub fn account(name: &str) -> &str {
        let mark = if name.contains('_') { '_' } else { '.' };
        name.split(mark).next().unwrap_or(name)
    }
}

/// A difficulty written in decimal: a finite number above zero.
pub(crate) fn positive(text: &str) -> Option<f64> {
    text.trim().parse().ok().filter(|number| is_positive(*number))
}

pub(crate) fn is_positive(number: f64) -> bool {
    number.is_finite() && number > 0.0
}

/// Makes a text from the network fit for display and logs: bounded, no control characters.
pub fn printable(text: &str) -> String {
    text.trim()
        .chars()
        .take(TEXT_CHARS_MAX)
        .map(|letter| if is_harmless(letter) { letter } else { '?' })
        .collect()
}

/// Neither a control character nor one that changes the direction or join of its neighbours.
fn is_harmless(letter: char) -> bool {
    !letter.is_control()
        && !matches!(letter, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn options(user: &str, password: &str) -> (Option<f64>, Option<f64>) {
        let login = Login::parse(user, password);
        (login.difficulty, login.share_difficulty)
    }

    #[test]
    fn options_follow_the_name_in_either_order() {
        for (user, expected) in [
            ("bc1qx.rig+1024", (Some(1024.0), None)),
            ("bc1qx/65536", (None, Some(65536.0))),
            ("bc1qx.rig+0.5/2", (Some(0.5), Some(2.0))),
            ("bc1qx.rig/2+0.5", (Some(0.5), Some(2.0))),
            (" bc1qx + 512 ", (Some(512.0), None)),
            ("bc1qx", (None, None)),
        ] {
            assert_eq!(options(user, ""), expected, "{user}");
            assert!(Login::parse(user, "").name.starts_with("bc1qx"));
        }
        assert_eq!(Login::parse("bc1qx.rig+1024/9", "").name, "bc1qx.rig");
    }

    #[test]
    fn bad_numbers_are_ignored() {
        for user in ["a+x", "a+", "a+-5", "a+0", "a+inf", "a+NaN", "a+1e400", "a/", "a//", "a++"] {
            assert_eq!(options(user, ""), (None, None), "{user}");
        }
    }

    #[test]
    fn password_may_ask_for_a_difficulty() {
        assert_eq!(options("a", "d=512"), (Some(512.0), None));
        assert_eq!(options("a", "x, diff=0.001 ,y"), (Some(0.001), None));
        assert_eq!(options("a", "x,d=zero"), (None, None));
        assert_eq!(options("a+8", "d=512"), (Some(8.0), None), "the user name goes first");
        assert_eq!(Login::parse("a", "x,th=13.5").terahashes, Some(13.5));
    }

    #[test]
    fn names_are_bounded_and_printable() {
        assert_eq!(Login::parse("", "").name, "unnamed");
        assert_eq!(Login::parse("a\u{1b}[31m\u{202e}b\n", "").name, "a?[31m?b");
        assert_eq!(printable(&"x".repeat(5_000)).len(), TEXT_CHARS_MAX);
    }

    #[test]
    fn account_ends_at_the_worker_mark() {
        assert_eq!(Login::account("bc1qx.rig.1"), "bc1qx");
        assert_eq!(Login::account("bc1qx_rig.1"), "bc1qx");
        assert_eq!(Login::account("bc1qx"), "bc1qx");
    }

    proptest! {
        #[test]
        fn any_name_and_password_can_be_read(user in "\\PC{0,80}", password in "\\PC{0,40}") {
            let login = Login::parse(&user, &password);
            prop_assert!(!login.name.is_empty());
        }
    }
}
