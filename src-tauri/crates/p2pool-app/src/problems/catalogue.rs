//! The error catalogue: how much each code matters, its buttons and the values of its sentence.
//!
//! The words are the window's. A test writes this table beside the generated types, so that the
//! window's tests can raise every code.

use crate::api::{ProblemAction, ProblemCode, Severity};

use ProblemAction as Do;
use ProblemCode as Code;
use Severity::{Error, Notice, Warning};

/// What the catalogue says about a code.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    /// How much it usually matters.
    pub(crate) severity: Severity,
    /// Its buttons, safest first.
    pub(crate) actions: &'static [ProblemAction],
    /// Values that its sentence names, with an example of each.
    #[cfg_attr(not(test), expect(dead_code, reason = "examples for the window's tests"))]
    pub(crate) values: &'static [(&'static str, &'static str)],
}

const fn entry(
    severity: Severity,
    actions: &'static [ProblemAction],
    values: &'static [(&'static str, &'static str)],
) -> Entry {
    Entry { severity, actions, values }
}

/// What the catalogue says about a code.
#[expect(clippy::too_many_lines, reason = "a table, one line a code")]
pub(crate) fn of(code: ProblemCode) -> Entry {
    match code {
        Code::NodeUnreachable => entry(Error, &[Do::TryAgain, Do::StartBitcoin], &[]),
        Code::NodeSlow => entry(Warning, &[Do::Details, Do::TryAgain], &[]),
        Code::LoginRefused => entry(Error, &[Do::EnterLogin, Do::AddLogin], &[]),
        Code::ComputerRefused => {
            entry(Error, &[Do::ShowNeededLine, Do::TryAgain], &[("ip", "192.168.1.20")])
        }
        Code::CookieUnreadable => entry(Error, &[Do::HowToAllow, Do::UseLogin], &[]),
        Code::NodeStarting => entry(Notice, &[], &[("reason", "Verifying blocks…")]),
        Code::NodeCatchingUp => entry(Notice, &[Do::PracticeMeanwhile], &[("percent", "63")]),
        Code::WrongChain => {
            entry(Error, &[Do::ChooseNode, Do::Practice], &[("reason", "testnet4")])
        }
        Code::NodeWithoutPeers => entry(Error, &[Do::NetworkHelp, Do::TryAgain], &[]),
        Code::NodeStuck => entry(Warning, &[Do::RestartNodeHelp], &[]),
        Code::NodeTooOld => entry(Error, &[Do::OpenDownloadPage], &[]),
        Code::TemplateFailed => {
            entry(Error, &[Do::Details, Do::TryAgain], &[("reason", "the node's answer")])
        }
        Code::BlockRefused => {
            entry(Error, &[Do::SaveReport, Do::Dismiss], &[("reason", "bad-txns")])
        }
        Code::LoginUnprotected => entry(Error, &[Do::UseVpn, Do::ContinueUnprotected], &[]),
        Code::NodeBehindPool => entry(Warning, &[Do::Details], &[]),
        Code::FoldersUnclear => entry(Warning, &[Do::ChooseFolder], &[]),
        Code::ConfUnwritable => entry(
            Error,
            &[Do::CopyLines, Do::CheckAgain],
            &[("path", "/home/me/.bitcoin/bitcoin.conf"), ("lines", "server=1")],
        ),
        Code::BackupFailed => entry(Error, &[Do::ChooseBackupPlace, Do::TryAgain], &[]),
        Code::ConfChanged => entry(Warning, &[Do::Review], &[]),
        Code::ConfRestored => entry(Error, &[Do::Details], &[]),
        Code::NodeNotRestarted => entry(Warning, &[Do::HowToRestart, Do::RestartForMe], &[]),
        Code::ServerForbidden => entry(Error, &[Do::ReviewChange, Do::UseAnotherNode], &[]),
        Code::KeychainMissing => entry(
            Error,
            &[Do::TryAgain, Do::UseCookie, Do::KeepInFile, Do::AskEachTime],
            &[("reason", "no service")],
        ),
        Code::KeychainLocked => entry(Error, &[Do::UnlockAndTryAgain, Do::EnterLogin], &[]),
        Code::LoginMissing => {
            entry(Error, &[Do::EnterLogin, Do::TryAgain], &[("url", "http://127.0.0.1:8332")])
        }
        Code::AddressTypo => entry(Error, &[], &[]),
        Code::AddressUnsupported => entry(Error, &[Do::WhichAddress], &[("type", "Taproot")]),
        Code::AddressOfTestNetwork => entry(Error, &[], &[]),
        Code::SecretPasted => entry(Error, &[Do::ClearClipboard], &[]),
        Code::AddressRare => entry(Error, &[Do::UseAnotherAddress], &[]),
        Code::AddressChanged => entry(
            Error,
            &[Do::RestoreOldAddress, Do::AddressChecked],
            &[("address", "bc1qw508…v8f3t4")],
        ),
        Code::NoMembers => entry(Error, &[Do::NetworkTest, Do::AddMember], &[("tried", "12")]),
        Code::PoolPortBlocked => entry(Error, &[Do::Help, Do::TryProxy], &[]),
        Code::PoolPortInUse => {
            entry(Warning, &[Do::UseAnotherPort, Do::TryAgain], &[("port", "9343")])
        }
        Code::ChainWrong => entry(Error, &[Do::Details], &[]),
        Code::RulesUnknown => entry(Error, &[Do::UpdateNow], &[]),
        Code::PoolSplit => entry(Error, &[Do::Details, Do::ResetMembers], &[("percent", "4")]),
        Code::RefusedByMembers => entry(Error, &[Do::UpdateNow], &[]),
        Code::PoolSilent => entry(Warning, &[Do::Details], &[("minutes", "18")]),
        Code::OnlyMiner => entry(Notice, &[Do::WhatDoesThisMean, Do::Dismiss], &[]),
        Code::MappingLost => entry(Notice, &[Do::AskRouterAgain, Do::Dismiss], &[]),
        Code::ClockOff => {
            entry(Warning, &[Do::OpenTimeSettings, Do::TryAgain], &[("minutes", "3")])
        }
        Code::PortInUse => entry(Error, &[Do::UseAnotherPort, Do::TryAgain], &[("port", "9332")]),
        Code::FirewallBlocks => entry(Warning, &[Do::AllowInFirewall, Do::PhoneTest], &[]),
        Code::NetworkPublic => entry(Warning, &[Do::OpenNetworkSettings], &[]),
        Code::LanAddressChanged => entry(
            Warning,
            &[Do::UpdateMiners, Do::KeepAddressFixed],
            &[("ip", "192.168.1.31"), ("count", "2")],
        ),
        Code::LocalNetworkDenied => entry(Warning, &[Do::OpenPrivacySettings], &[]),
        Code::RefusedOutside => {
            entry(Notice, &[Do::Details, Do::Dismiss], &[("ip", "203.0.113.7")])
        }
        Code::NoPrivateNetwork => entry(Warning, &[Do::ChooseInterface], &[]),
        Code::MinerWithoutResults => {
            entry(Warning, &[Do::LowerDifficulty, Do::DeviceHelp], &[("name", "bitaxe")])
        }
        Code::MinerAway => entry(
            Warning,
            &[Do::CheckDevice, Do::Silence],
            &[("name", "bitaxe"), ("minutes", "12")],
        ),
        Code::MinerOnBackup => entry(
            Warning,
            &[Do::Why, Do::RestartDevice],
            &[("name", "bitaxe"), ("host", "pool.example")],
        ),
        Code::MinerLate => {
            entry(Warning, &[Do::FindCause], &[("name", "bitaxe"), ("percent", "31")])
        }
        Code::MinerWrong => entry(
            Warning,
            &[Do::DeviceHelp, Do::Dismiss],
            &[("name", "bitaxe"), ("reason", "low difficulty")],
        ),
        Code::MinerHot => {
            entry(Warning, &[Do::OpenDevice], &[("name", "bitaxe"), ("celsius", "78")])
        }
        Code::ProtocolUnknown => {
            entry(Warning, &[Do::Help, Do::Dismiss], &[("ip", "192.168.1.44")])
        }
        Code::ToyMiner => entry(Notice, &[Do::Details, Do::Dismiss], &[("name", "nerdminer")]),
        Code::ForeignAddress => entry(
            Notice,
            &[Do::Ok, Do::AllowAddress],
            &[("name", "bitaxe"), ("address", "bc1qw508…v8f3t4")],
        ),
        Code::DeviceRefuses => {
            entry(Error, &[Do::EnterCode, Do::DoOnDevice], &[("name", "bitaxe")])
        }
        Code::DeviceForgets => {
            entry(Error, &[Do::TryOtherWay, Do::ShowSteps], &[("name", "bitaxe")])
        }
        Code::DeviceGone => entry(Error, &[Do::WaitLonger, Do::PutBack], &[("name", "bitaxe")]),
        Code::DeviceOnOldPool => {
            entry(Warning, &[Do::CheckFirewall, Do::PutBack], &[("name", "bitaxe")])
        }
        Code::FirmwareUnknown => entry(Notice, &[Do::ShowSteps], &[("version", "3.9")]),
        Code::UndoWaits => entry(Notice, &[Do::Ok, Do::Forget], &[("name", "bitaxe")]),
        Code::DeviceLogin => entry(Error, &[Do::TryAgain], &[("attempt", "1")]),
        Code::DataUnwritable => entry(
            Warning,
            &[Do::FreeSpace, Do::ChooseDataFolder],
            &[("path", "/home/me/.local/share/p2pool-desktop")],
        ),
        Code::AlreadyRunning => entry(Error, &[Do::Ok], &[]),
        Code::SettingsDamaged => {
            entry(Notice, &[Do::ReviewSettings, Do::Dismiss], &[("date", "2026-11-22 14:05 UTC")])
        }
        Code::EngineRestarted => entry(Notice, &[Do::SaveReport, Do::Dismiss], &[("count", "2")]),
        Code::StartedAsRoot => entry(Warning, &[Do::QuitProgram, Do::ContinueOnce], &[]),
        Code::DataOfOther => entry(
            Error,
            &[Do::ChooseDataFolder, Do::TryAgain],
            &[("path", "/home/me/.local/share/p2pool-desktop")],
        ),
        Code::SettingRefused => {
            entry(Error, &[Do::Dismiss], &[("reason", "max_peers must be at most 10, not 11")])
        }
        Code::HelperBlocked => entry(Warning, &[Do::Why, Do::TryAgain, Do::Dismiss], &[]),
        Code::UpdateFailed => entry(Warning, &[Do::TryAgain, Do::Details], &[("version", "0.1.0")]),
        Code::UpdateNotGenuine => entry(Error, &[Do::Details, Do::Dismiss], &[]),
        Code::NoTray => entry(Notice, &[Do::Ok], &[]),
        Code::EngineLost => entry(Error, &[Do::Reload], &[]),
        Code::Unexpected => entry(
            Error,
            &[Do::SaveReport, Do::Dismiss],
            &[("doing", "starting the practice chain")],
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::PathBuf;

    use serde::Serialize;

    use super::*;

    #[derive(Serialize)]
    struct Row {
        severity: Severity,
        actions: &'static [ProblemAction],
        values: BTreeMap<&'static str, &'static str>,
    }

    /// Named like the tests that `ts-rs` makes, so that it runs with them.
    #[test]
    fn export_bindings_catalogue() {
        let rows: BTreeMap<ProblemCode, Row> = ProblemCode::ALL
            .into_iter()
            .map(|code| {
                let Entry { severity, actions, values } = of(code);
                (code, Row { severity, actions, values: values.iter().copied().collect() })
            })
            .collect();
        assert_eq!(rows.len(), ProblemCode::ALL.len(), "no code is listed twice");
        let json = serde_json::to_string_pretty(&rows).unwrap();
        let text = format!(
            "// This file was generated by a test of p2pool-app. Do not edit this file manually.\n\
             import type {{ Problem }} from \"./Problem\";\n\
             import type {{ ProblemCode }} from \"./ProblemCode\";\n\n\
             /** Severity, buttons and example values of every code. */\n\
             export const CATALOGUE: Record<ProblemCode, Pick<Problem, \"severity\" | \"actions\" | \"values\">> = {json};\n"
        );
        // As ts-rs does it: relative to the workspace by cargo's configuration, or absolute.
        let folder = PathBuf::from(std::env::var("TS_RS_EXPORT_DIR").unwrap());
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("catalogue.ts"), text).unwrap();
    }
}
