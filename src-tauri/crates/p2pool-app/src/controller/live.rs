//! Mining for real: whether it is set up, what its node is started with, and what is remembered of
//! it until the next start.

use std::net::Ipv4Addr;
use std::path::PathBuf;

use bitcoin::Network;
use p2pool_bitcoind::Secret;
use p2pool_node::{BitcoinSource, RawRun, RawSettings, RunPlace, Settings, SettingsError};

use super::Controller;
use super::site::StartFailure;
use crate::api::{Mode, ProblemCode, Severity, UiError};
use crate::bitcoin_login;
use crate::host::Host;
use crate::problems::{self, Condition};
use crate::settings::{self, LastRun, LastWish};
use crate::state::Wish;

/// Stands in for an address while other settings are checked.
const PLACEHOLDER: &str = "1111111111111111111114oLvT2";

/// What is known about mining for real, beside its node.
#[derive(Debug, Default)]
pub(super) struct Live {
    /// The settings as last read or written.
    pub(super) raw: RawSettings,
    /// Those that the node was started with.
    pub(super) started_with: RawSettings,
    last: LastRun,
    /// The last run is being written.
    is_writing: bool,
    /// The password that the person typed for this run.
    given: Option<Secret>,
    /// This computer's address for miners; `None` while it is on no private network.
    pub(super) lan: Option<Ipv4Addr>,
}

/// What the live node is started with, beside the settings file.
#[derive(Debug)]
pub(super) struct Known {
    /// The address that the person confirmed last.
    address: Option<String>,
    given: Option<Secret>,
}

impl Live {
    /// Whether the settings say whom to pay: what else they say wrong is a problem, not a reason
    /// to set everything up again.
    pub(super) fn is_ready(&self) -> bool {
        let run = &self.raw.run;
        run.address.is_some() || run.chain().is_ok_and(|chain| chain != Network::Bitcoin)
    }

    pub(super) fn known(&self) -> Known {
        Known { address: self.last.address.clone(), given: self.given.clone() }
    }
}

/// Settings of the live node. Mining waits until everything is ready.
///
/// # Errors
/// Settings that make no sense, an address that was changed outside the application, a Bitcoin
/// node without a login.
pub(super) fn settings(
    raw: &RawSettings,
    host: &dyn Host,
    known: &Known,
) -> Result<Settings, StartFailure> {
    let params = raw.run.params(&raw.p2p)?;
    let address = raw
        .run
        .payout_address(&params)
        .map_err(|error| SettingsError::Values(vec![format!("address: {error}")]))?;
    if let (Some(new), Some(old)) = (&address, &known.address)
        && new != old
    {
        let changed = Condition::catalogued(ProblemCode::AddressChanged, String::new())
            .with("address", new)
            .with("old", old);
        return Err(StartFailure::Held(Box::new(changed)));
    }
    let login = bitcoin_login::source(&raw.run, params.chain, host, known.given.as_ref());
    let bitcoin = login.map_err(StartFailure::Held)?;
    let data_dir = host.data_dir().to_owned();
    let place = RunPlace { data_dir, helper: host.helper_program(), bitcoin };
    let checked = raw.run.check(&raw.p2p, place)?;
    Ok(Settings { mines_at_start: false, ..checked })
}

impl Controller {
    /// Reads the settings and what the last run left.
    pub(super) fn learn_settings(&mut self) {
        let data_dir = self.host.data_dir();
        self.live.last = LastRun::read(data_dir);
        match settings::read(data_dir, self.host.now()) {
            Ok(read) => {
                self.live.raw = read.raw;
                if let Some(restored) = read.restored {
                    self.sites[Mode::Live].add(problems::of_restored(restored));
                }
            }
            Err(error) => {
                tracing::warn!(%error, "settings not read");
                let technical = error.to_string();
                let damaged =
                    Condition::new(ProblemCode::SettingsDamaged, Severity::Error, technical);
                self.sites[Mode::Live].add(damaged);
            }
        }
        self.sites[Mode::Live].wish = match self.live.last.mining {
            LastWish::Off => Wish::Idle,
            LastWish::On => Wish::Armed { is_resume: false },
            LastWish::Paused => Wish::Paused,
        };
        self.live.lan = self.host.lan_address();
    }

    /// Remembers what is wished of live mining, for the next start.
    pub(super) fn remember_wish(&mut self) {
        self.live.last.mining = match self.sites[Mode::Live].wish {
            Wish::Idle => LastWish::Off,
            Wish::Armed { .. } | Wish::Mining => LastWish::On,
            Wish::Paused => LastWish::Paused,
        };
        self.write_last_run();
    }

    /// The live node works for this address, which the person knows of.
    pub(super) fn remember_address(&mut self, address: String) {
        if self.live.last.address.as_ref() != Some(&address) {
            self.live.last.address = Some(address);
            self.write_last_run();
        }
    }

    /// One writer at a time, so that the newest state is the one that stays.
    fn write_last_run(&mut self) {
        if std::mem::replace(&mut self.live.is_writing, true) {
            return;
        }
        let (last, host) = (self.live.last.clone(), std::sync::Arc::clone(&self.host));
        self.spawn_blocking_then(
            move || (last.write(host.data_dir()), last),
            |controller, (written, last)| {
                controller.live.is_writing = false;
                match written {
                    Err(error) => tracing::warn!(%error, "last run not remembered"),
                    Ok(()) if controller.live.last != last => controller.write_last_run(),
                    Ok(()) => {}
                }
            },
        );
    }

    /// "Is this address yours?" - yes.
    pub(super) fn confirm_address(&mut self) -> Result<(), UiError> {
        self.read_again();
        let params = self.live.raw.run.params(&self.live.raw.p2p);
        let address =
            params.ok().and_then(|params| self.live.raw.run.payout_address(&params).ok().flatten());
        let address = address.ok_or_else(|| nothing_to_confirm("confirming the address"))?;
        tracing::info!(address, "payout address confirmed");
        self.remember_address(address);
        self.sites[Mode::Live].try_again();
        Ok(())
    }

    /// "Is this address yours?" - no.
    pub(super) fn restore_address(&mut self) -> Result<(), UiError> {
        let doing = "putting the old address back";
        let old = self.live.last.address.clone().ok_or_else(|| nothing_to_confirm(doing))?;
        // Other values of a file that was changed outside are judged at the start.
        let changed = settings::change(self.host.data_dir(), |raw| raw.run.address = Some(old));
        self.take_settings(changed.map_err(damaged)?);
        Ok(())
    }

    /// The person typed the password of the Bitcoin node, for this run or for later ones too.
    pub(super) fn take_password(&mut self, password: Secret, keeps: bool) {
        self.live.given = Some(password.clone());
        self.sites[Mode::Live].try_again();
        let run = &self.live.raw.run;
        let (true, Ok(chain)) = (keeps, run.chain()) else { return };
        let account = bitcoin_login::account(&bitcoin_login::url(run, chain));
        let host = std::sync::Arc::clone(&self.host);
        self.spawn_blocking_then(
            move || host.keychain().set(&account, &password),
            |controller, kept| {
                if let Err(error) = kept {
                    tracing::warn!(%error, "login not kept");
                    let condition = problems::of_keychain(&error);
                    controller.sites[Mode::Live].add(condition.hideable());
                }
            },
        );
    }

    /// Changes the settings file, at once, so that changes cannot overtake each other; what was
    /// held up by the old settings is tried again.
    ///
    /// # Errors
    /// Values that cannot be, and files that cannot be read or written. Nothing is changed then.
    pub(super) fn change_settings(
        &mut self,
        change: impl FnOnce(&mut RawSettings),
    ) -> Result<(), UiError> {
        let data_dir = self.host.data_dir();
        let mut raw = settings::current(data_dir).map_err(damaged)?;
        change(&mut raw);
        check(&raw)?;
        settings::keep(data_dir, &raw).map_err(|error| {
            let folder = data_dir.display().to_string();
            UiError::new(ProblemCode::DataUnwritable, error.to_string()).with("path", folder)
        })?;
        self.take_settings(raw);
        Ok(())
    }

    fn take_settings(&mut self, raw: RawSettings) {
        self.live.raw = raw;
        self.sites[Mode::Live].try_again();
        self.page_is_due();
    }

    /// What the set-up decided could not be kept.
    pub(super) fn settings_not_written(&mut self, error: &SettingsError) {
        tracing::warn!(%error, "settings not written");
        let folder = self.host.data_dir().display().to_string();
        let condition = Condition::catalogued(ProblemCode::DataUnwritable, error.to_string());
        self.sites[self.mode].add(condition.with("path", folder).hideable());
    }

    fn read_again(&mut self) {
        match settings::read(self.host.data_dir(), self.host.now()) {
            Ok(read) => self.live.raw = read.raw,
            Err(error) => tracing::warn!(%error, "settings not read"),
        }
    }
}

/// Whether a node would start with these settings, as far as they alone tell.
fn check(raw: &RawSettings) -> Result<(), UiError> {
    let place = RunPlace {
        data_dir: PathBuf::new(),
        helper: PathBuf::new(),
        bitcoin: BitcoinSource::Practice,
    };
    // Before the set-up there is no address, and that is no mistake.
    let address = raw.run.address.clone().unwrap_or_else(|| PLACEHOLDER.to_owned());
    let network = raw.run.network.clone().filter(|_| raw.run.address.is_some());
    let run = RawRun { address: Some(address), network, ..raw.run.clone() };
    run.check(&raw.p2p, place).map(drop).map_err(|error| {
        let reason = error.to_string();
        UiError::new(ProblemCode::SettingRefused, reason.clone()).with("reason", reason)
    })
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn damaged(error: SettingsError) -> UiError {
    UiError::new(ProblemCode::SettingsDamaged, error.to_string())
}

fn nothing_to_confirm(doing: &str) -> UiError {
    UiError::new(ProblemCode::Unexpected, "there is no address").with("doing", doing)
}
