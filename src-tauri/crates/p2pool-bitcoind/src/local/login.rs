//! A login of our own: name, password, and the proof of it that a configuration file holds.

use std::fmt::Write;

use bitcoin::hashes::{Hash, HashEngine, Hmac, HmacEngine, sha256};

use crate::auth::{Auth, Secret};

/// Every name that we make up begins like this, so that it is known again.
pub(crate) const NAME_PREFIX: &str = "p2pool-";

const NAME_BYTES: usize = 2;
const SALT_BYTES: usize = 16;
const PASSWORD_BYTES: usize = 32;
const ENTROPY_BYTES: usize = NAME_BYTES + SALT_BYTES + PASSWORD_BYTES;

const BASE64_URL: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// The system gives no random bytes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the system gives no random bytes: {0}")]
pub struct NoEntropy(String);

/// A login that did not exist before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewLogin {
    user: String,
    password: Secret,
    salt: String,
}

impl NewLogin {
    /// Makes up a login: `p2pool-` with four hex digits, and a password of 32 random bytes.
    ///
    /// # Errors
    /// The system gives no random bytes.
    pub fn generate() -> Result<Self, NoEntropy> {
        let mut entropy = [0; ENTROPY_BYTES];
        getrandom::fill(&mut entropy).map_err(|error| NoEntropy(error.to_string()))?;
        Ok(Self::from_entropy(entropy))
    }

    pub(crate) fn from_entropy(entropy: [u8; ENTROPY_BYTES]) -> Self {
        let (name, rest) = entropy.split_at(NAME_BYTES);
        let (salt, password) = rest.split_at(SALT_BYTES);
        Self {
            user: format!("{NAME_PREFIX}{}", hex(name)),
            password: Secret::new(base64_url(password)),
            salt: hex(salt),
        }
    }

    /// The user name, which is no secret.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// The password, for the system's password store.
    pub fn password(&self) -> &Secret {
        &self.password
    }

    /// The login as a client uses it.
    pub fn auth(&self) -> Auth {
        Auth::UserPassword { user: self.user.clone(), password: self.password.clone() }
    }

    /// The value of an `rpcauth` line: it proves the password without telling it.
    pub fn rpcauth(&self) -> String {
        rpcauth(&self.user, &self.salt, &self.password)
    }
}

/// Whether the value of an `rpcauth` line admits this login.
pub(crate) fn rpcauth_admits(value: &str, user: &str, password: &Secret) -> bool {
    let salt = value.strip_prefix(user).and_then(|rest| rest.strip_prefix(':'));
    let salt = salt.and_then(|rest| rest.split_once('$')).map(|(salt, _)| salt);
    salt.is_some_and(|salt| rpcauth(user, salt, password) == value)
}

/// The key is the salt's text, not the bytes it stands for.
fn rpcauth(user: &str, salt: &str, password: &Secret) -> String {
    let mut engine = HmacEngine::<sha256::Hash>::new(salt.as_bytes());
    engine.input(password.expose().as_bytes());
    let hash = Hmac::<sha256::Hash>::from_engine(engine);
    format!("{user}:{salt}${}", hex(&hash.to_byte_array()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a string takes all that is written to it");
        text
    })
}

/// Base64 with the alphabet for addresses and file names, without padding: no `#` is in it.
fn base64_url(bytes: &[u8]) -> String {
    let mut text = String::new();
    for piece in bytes.chunks(3) {
        let mut group = [0; 3];
        group[..piece.len()].copy_from_slice(piece);
        let bits = u32::from_be_bytes([0, group[0], group[1], group[2]]);
        for place in 0..=piece.len() {
            let index = (bits >> (18 - 6 * place)) & 63;
            text.push(char::from(BASE64_URL[index as usize]));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counting() -> NewLogin {
        NewLogin::from_entropy(std::array::from_fn(|index| u8::try_from(index).unwrap()))
    }

    #[test]
    fn rpcauth_is_what_the_node_computes() {
        // Made with Python's hmac.new(b"5a17", b"pw", hashlib.sha256) and taken by Core 31.99.
        let value = format!("u:5a17${}", PW_WITH_5A17);
        assert!(rpcauth_admits(&value, "u", &Secret::new("pw".into())));
        assert!(!rpcauth_admits(&value, "u", &Secret::new("pW".into())));
        assert!(!rpcauth_admits(&value, "v", &Secret::new("pw".into())));
        assert!(!rpcauth_admits("u", "u", &Secret::new("pw".into())));
    }

    const PW_WITH_5A17: &str = "8f741d35a04aaa5ec19a78674fbd1e7ebfe0efd3440bcf9f9460f7af19bd53fb";

    #[test]
    fn login_is_made_of_all_the_entropy() {
        let login = counting();
        assert_eq!(login.user(), "p2pool-0001");
        assert_eq!(login.salt, "02030405060708090a0b0c0d0e0f1011");
        assert_eq!(login.password().expose(), "EhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDE");
        assert!(rpcauth_admits(&login.rpcauth(), login.user(), login.password()));
        assert_eq!(NewLogin::from_entropy([0xff; ENTROPY_BYTES]).user(), "p2pool-ffff");
    }

    #[test]
    fn base64_ends_without_padding() {
        for (bytes, expected) in
            [(&b""[..], ""), (b"f", "Zg"), (b"fo", "Zm8"), (b"foo", "Zm9v"), (b"\xfb\xff", "-_8")]
        {
            assert_eq!(base64_url(bytes), expected);
        }
    }

    #[test]
    fn two_logins_differ_and_the_password_is_not_printed() {
        let (one, two) = (NewLogin::generate().unwrap(), NewLogin::generate().unwrap());
        assert_ne!(one.password(), two.password());
        assert_eq!(one.password().expose().len(), 43);
        assert!(!format!("{one:?}").contains(one.password().expose()));
    }
}
