//! The settings page: its view, and what is asked there.

use p2pool_bitcoind::Secret;
use p2pool_node::payout_address::{AddressFault, judge};
use p2pool_node::{RawDoor, RawRun};
use p2pool_sharechain::versions::ShareVersion;

use crate::api::{
    AppReply, BitcoinFacts, LoginStyle, Mode, ProblemCode, SettingKey, SettingValue,
    SettingsRequest, SettingsView, ShareSizeChoice, ShareSizeOutlook, TypedText, UiError,
    UnixSeconds,
};
use crate::bitcoin_login;
use crate::controller::Controller;
use crate::controller::site::Phase;
use crate::estimate::{self, BlockFacts};
use crate::settings::{AppearanceFile, Transfer, table};
use crate::views::Window;

/// What the page keeps between requests.
#[derive(Debug, Default)]
pub(in crate::controller) struct SettingsPage {
    /// The look of the window is being written.
    pub(in crate::controller) is_writing_look: bool,
}

impl Controller {
    /// The settings as they are now.
    pub(in crate::controller) fn settings_view(&self) -> SettingsView {
        let raw = &self.live.raw;
        let started = &self.live.started_with;
        let is_same = raw.run == started.run && raw.p2p == started.p2p;
        SettingsView {
            settings: table::all(raw),
            address: raw.run.address.clone(),
            shares_leave_at: self.shares_leave_at(),
            share_size: share_size(&raw.run.door),
            bitcoin: self.live.is_ready().then(|| bitcoin_facts(&raw.run)).flatten(),
            needs_restart: self.sites[Mode::Live].run().is_some() && !is_same,
            data_dir: self.host.data_dir().display().to_string(),
        }
    }

    fn shares_leave_at(&self) -> Option<UnixSeconds> {
        let run = self.sites[Mode::Live].run()?;
        let summary = &run.node.summary;
        let secs = Window::new(summary, &run.facts.params).leaves_secs(&summary.window)?;
        // Saturates; a window is days long.
        Some(UnixSeconds(self.host.now().0 + secs as u64))
    }

    /// Does what was asked about settings.
    ///
    /// # Errors
    /// What makes no sense, and what cannot be kept.
    pub(in crate::controller) fn settings_request(
        &mut self,
        request: &SettingsRequest,
    ) -> Result<AppReply, UiError> {
        match request {
            SettingsRequest::Change { key, value } => self.change_setting(*key, value.clone())?,
            SettingsRequest::RestoreDefaults { group } => {
                self.change_settings(|raw| table::restore(raw, *group))?;
            }
            SettingsRequest::UseAddress { text } => self.use_address(text)?,
            SettingsRequest::WeighShareSize { choice } => {
                return Ok(AppReply::ShareSize { outlook: self.weigh(*choice) });
            }
            SettingsRequest::UseShareSize { choice } => {
                self.change_settings(|raw| put_share_size(&mut raw.run.door, *choice))?;
            }
            SettingsRequest::Look { appearance } => self.set_appearance(*appearance),
            SettingsRequest::RestartMining => {
                let site = &mut self.sites[Mode::Live];
                site.is_to_restart = matches!(site.phase, Phase::Running(_));
            }
            SettingsRequest::Export => {
                let text = self.transfer().to_text().map_err(refused)?;
                return Ok(AppReply::SettingsFile { text });
            }
            SettingsRequest::ReviewImport { text } => {
                let changes = Transfer::parse(text).map_err(refused)?.changes(&self.transfer());
                return Ok(AppReply::SettingsChanges { changes });
            }
            SettingsRequest::Import { text } => self.import(text)?,
            SettingsRequest::ConfirmAddress => self.confirm_address()?,
            SettingsRequest::RestoreAddress => self.restore_address()?,
            SettingsRequest::EnterLogin { password, keeps } => {
                self.take_password(Secret::new(password.expose().to_owned()), *keeps);
            }
        }
        Ok(AppReply::Done)
    }

    fn change_setting(&mut self, key: SettingKey, value: SettingValue) -> Result<(), UiError> {
        let mut is_wrong = false;
        self.change_settings(|raw| is_wrong = table::put(raw, key, value).is_err())?;
        if is_wrong { Err(refused("a value of another kind".into())) } else { Ok(()) }
    }

    /// The person typed a new address here, so the next start need not ask about it.
    fn use_address(&mut self, text: &TypedText) -> Result<(), UiError> {
        let run = &self.live.raw.run;
        let params = run.params(&self.live.raw.p2p).map_err(|error| refused(error.to_string()))?;
        let judged = judge(text.expose(), &params, ShareVersion::NEWEST);
        let address = judged.map_err(of_fault)?.text;
        self.change_settings(|raw| raw.run.address = Some(address.clone()))?;
        self.remember_address(address);
        Ok(())
    }

    fn weigh(&self, choice: ShareSizeChoice) -> ShareSizeOutlook {
        let unknown = ShareSizeOutlook { average_secs: None, smallest_secs: None };
        let Some(run) = self.sites[Mode::Live].run() else { return unknown };
        let sight = run.sight(self.host.now());
        let Some(hps) = sight.mine_hps else { return unknown };
        let summary = &run.node.summary;
        let block = BlockFacts {
            difficulty: summary.network_difficulty,
            spread: f64::from(run.facts.params.spread),
            value_sats: summary.block_value_sats,
        };
        let smallest = summary.share_difficulty;
        let difficulty = estimate::asked_difficulty(choice, &block, smallest);
        ShareSizeOutlook {
            average_secs: estimate::wait_secs(difficulty, hps),
            smallest_secs: estimate::wait_secs(smallest, hps),
        }
    }

    fn transfer(&self) -> Transfer {
        let look = AppearanceFile::new(self.shown.theme, self.shown.appearance);
        Transfer::new(&self.live.raw, look)
    }

    /// The person has seen what changes, the address among it.
    fn import(&mut self, text: &str) -> Result<(), UiError> {
        let transfer = Transfer::parse(text).map_err(refused)?;
        if let Some(address) = &transfer.run.address {
            let params = transfer.run.params(&transfer.p2p);
            let params = params.map_err(|error| refused(error.to_string()))?;
            let address = judge(address, &params, ShareVersion::NEWEST).map_err(of_fault)?.text;
            self.change_settings(|raw| *raw = transfer.over(raw))?;
            self.remember_address(address);
        } else {
            self.change_settings(|raw| *raw = transfer.over(raw))?;
        }
        self.set_theme(transfer.appearance.theme());
        self.set_appearance(transfer.appearance.look());
        Ok(())
    }
}

fn refused(reason: String) -> UiError {
    UiError::new(ProblemCode::SettingRefused, reason.clone()).with("reason", reason)
}

/// A fault never repeats what was typed.
fn of_fault(fault: AddressFault) -> UiError {
    let code = match fault.code() {
        "A-02" => ProblemCode::AddressUnsupported,
        "A-03" => ProblemCode::AddressOfTestNetwork,
        "A-04" => ProblemCode::SecretPasted,
        "A-05" => ProblemCode::AddressRare,
        _ => ProblemCode::AddressTypo,
    };
    UiError::new(code, fault.to_string())
}

fn share_size(door: &RawDoor) -> ShareSizeChoice {
    match (door.share_factor, door.share_worth_sats) {
        (Some(factor), _) => ShareSizeChoice::Bigger { factor },
        (None, Some(sats)) => ShareSizeChoice::Worth { sats },
        (None, None) => ShareSizeChoice::Automatic,
    }
}

fn put_share_size(door: &mut RawDoor, choice: ShareSizeChoice) {
    (door.share_factor, door.share_worth_sats) = match choice {
        ShareSizeChoice::Automatic => (None, None),
        ShareSizeChoice::Bigger { factor } => (Some(factor), None),
        ShareSizeChoice::Worth { sats } => (None, Some(sats)),
    };
}

fn bitcoin_facts(run: &RawRun) -> Option<BitcoinFacts> {
    let url = bitcoin_login::url(run, run.chain().ok()?);
    let login = match (&run.rpc_user, &run.rpc_password_file, &run.rpc_cookie) {
        (Some(user), Some(path), _) => {
            LoginStyle::File { user: user.clone(), path: path.display().to_string() }
        }
        (Some(user), None, _) => LoginStyle::Keychain { user: user.clone() },
        (None, _, Some(path)) => LoginStyle::Cookie { path: path.display().to_string() },
        (None, _, None) => LoginStyle::Found,
    };
    let reserve_url = run.reserve.as_ref().map(|reserve| reserve.rpc_url.clone());
    Some(BitcoinFacts { url, login, reserve_url })
}
