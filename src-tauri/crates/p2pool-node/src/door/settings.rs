//! What the user may choose about the miners' door.

use p2pool_stratum::ShareSize;
use serde::{Deserialize, Serialize};

/// Most times the smallest share that may be asked for; the chain itself cuts beyond thirty.
const FACTOR_MAX: u32 = 100;

/// The checked choices.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct DoorSettings {
    /// Whether an address in a miner's user name is paid, as in the founders' days. Otherwise all
    /// work pays the node's own address, whatever the user name says. A connection pays one address:
    /// a second one is refused in words, and a proxy in front of several needs a connection for each.
    pub pays_user_names: bool,
    /// Whether miners from outside the own networks are served.
    pub allows_outside: bool,
    /// How big the shares are that miners are asked for.
    pub share_size: ShareSize,
}

/// The door's part of `settings.toml`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawDoor {
    /// Whether addresses in miners' user names are paid, one for each connection.
    pub pay_user_names: Option<bool>,
    /// Whether miners from outside the own networks are served.
    pub allow_outside: Option<bool>,
    /// So many times the smallest share, 2 to 100.
    pub share_factor: Option<u32>,
    /// Sats that a share should at least be worth, the classic rule against dust.
    pub share_worth_sats: Option<u64>,
}

impl RawDoor {
    /// Checks the choices; what is wrong goes into `mistakes`.
    pub fn check(&self, mistakes: &mut Vec<String>) -> DoorSettings {
        let share_size = match (self.share_factor, self.share_worth_sats) {
            (None, None) => ShareSize::Automatic,
            (Some(factor @ 1..=FACTOR_MAX), None) => ShareSize::Bigger(f64::from(factor)),
            (Some(factor), None) => {
                mistakes.push(format!("share_factor must be 1 to {FACTOR_MAX}, not {factor}"));
                ShareSize::Automatic
            }
            (None, Some(sats)) => ShareSize::WorthSats(sats),
            (Some(_), Some(_)) => {
                mistakes.push("share_factor and share_worth_sats exclude each other".to_owned());
                ShareSize::Automatic
            }
        };
        DoorSettings {
            pays_user_names: self.pay_user_names.unwrap_or(false),
            allows_outside: self.allow_outside.unwrap_or(false),
            share_size,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn share_sizes_are_checked() {
        let check = |raw: RawDoor| {
            let mut mistakes = Vec::new();
            (raw.check(&mut mistakes).share_size, mistakes.len())
        };
        assert_eq!(check(RawDoor::default()), (ShareSize::Automatic, 0));
        let factor = |factor| RawDoor { share_factor: Some(factor), ..RawDoor::default() };
        assert_eq!(check(factor(7)), (ShareSize::Bigger(7.0), 0));
        assert_eq!(check(factor(0)).1, 1);
        assert_eq!(check(factor(101)).1, 1);
        let both = RawDoor { share_worth_sats: Some(1), ..factor(2) };
        assert_eq!(check(both).1, 1);
        let worth = RawDoor { share_worth_sats: Some(100_000), ..RawDoor::default() };
        assert_eq!(check(worth), (ShareSize::WorthSats(100_000), 0));
    }
}
