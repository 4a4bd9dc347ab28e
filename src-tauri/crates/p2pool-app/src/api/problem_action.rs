//! The buttons of problem cards.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// A button of a problem card. What it does is told at each; the window carries it out, and asks
/// the application where that says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum ProblemAction {
    /// *Try again*: sends `TryAgain`.
    TryAgain,
    /// *Check again*: sends `TryAgain`.
    CheckAgain,
    /// *Unlock and try again*: sends `TryAgain`.
    UnlockAndTryAgain,
    /// *Hide*: sends `DismissProblem`.
    Dismiss,
    /// *OK*: sends `DismissProblem`.
    Ok,
    /// *Silence*: sends `DismissProblem`.
    Silence,
    /// *Continue once*: sends `DismissProblem`.
    ContinueOnce,
    /// *Reload*: the window subscribes again (only `W-01`).
    Reload,
    /// *Details*: opens the technical text.
    Details,
    /// *Save report*: opens the report.
    SaveReport,
    /// *Quit*: ends the program.
    QuitProgram,
    /// *Start Bitcoin Core*: how to, or starts it where its program is known.
    StartBitcoin,
    /// *Enter login*: the Bitcoin node's settings.
    EnterLogin,
    /// *Add our login again*: the review of `bitcoin.conf`.
    AddLogin,
    /// *Show the needed line*: help.
    ShowNeededLine,
    /// *How to allow it*: help.
    HowToAllow,
    /// *Use a login*: the Bitcoin node's settings.
    UseLogin,
    /// *Practice meanwhile*: sends `EnterPractice`.
    PracticeMeanwhile,
    /// *Practice*: sends `EnterPractice`.
    Practice,
    /// *Choose a node*: the Bitcoin node's settings.
    ChooseNode,
    /// *Network help*: help.
    NetworkHelp,
    /// *Restart node help*: help.
    RestartNodeHelp,
    /// *Open download page*: asks first and shows the address.
    OpenDownloadPage,
    /// *Use a VPN*: help.
    UseVpn,
    /// *I understand, continue*: the Bitcoin node's settings.
    ContinueUnprotected,
    /// *Choose*: the Bitcoin node's settings.
    ChooseFolder,
    /// *Copy lines*: puts the value `lines` on the clipboard.
    CopyLines,
    /// *Choose backup place*: the Bitcoin node's settings.
    ChooseBackupPlace,
    /// *Review*: the review of `bitcoin.conf`.
    Review,
    /// *Review change*: the review of `bitcoin.conf`.
    ReviewChange,
    /// *How to restart*: help.
    HowToRestart,
    /// *Restart it for me*: the Bitcoin node's settings.
    RestartForMe,
    /// *Use another node*: the Bitcoin node's settings.
    UseAnotherNode,
    /// *Use cookie*: the Bitcoin node's settings.
    UseCookie,
    /// *Keep in private file*: the Bitcoin node's settings.
    KeepInFile,
    /// *Ask each time*: the Bitcoin node's settings.
    AskEachTime,
    /// *Which one do I choose?*: help.
    WhichAddress,
    /// *Clear clipboard*: empties it.
    ClearClipboard,
    /// *Use another address*: the settings of mining.
    UseAnotherAddress,
    /// *Yes, I checked*: the settings of mining.
    AddressChecked,
    /// *Restore old*: the settings of mining.
    RestoreOldAddress,
    /// *Network test*: runs the tests of Check-up.
    NetworkTest,
    /// *Add a member*: the members of the pool.
    AddMember,
    /// *Try proxy*: the settings of the network.
    TryProxy,
    /// *Help*: help.
    Help,
    /// *Use another port*: the settings of the port.
    UseAnotherPort,
    /// *Update now*: the settings of updates.
    UpdateNow,
    /// *Reset members*: the members of the pool.
    ResetMembers,
    /// *What does this mean?*: help.
    WhatDoesThisMean,
    /// *Ask again*: the settings of the network.
    AskRouterAgain,
    /// *Open time settings*: the system's, or how to find them.
    OpenTimeSettings,
    /// *Allow in firewall*: help.
    AllowInFirewall,
    /// *Phone test*: the page of miners.
    PhoneTest,
    /// *Open network settings*: the system's, or how to find them.
    OpenNetworkSettings,
    /// *Open privacy settings*: the system's, or how to find them.
    OpenPrivacySettings,
    /// *Update miners*: the page of miners.
    UpdateMiners,
    /// *Keep address fixed*: help.
    KeepAddressFixed,
    /// *Choose interface*: the settings of the miners' door.
    ChooseInterface,
    /// *Lower difficulty*: the settings of the miners' door.
    LowerDifficulty,
    /// *Device help*: help.
    DeviceHelp,
    /// *Check it*: the page of miners.
    CheckDevice,
    /// *Why?*: help.
    Why,
    /// *Restart it*: the page of miners.
    RestartDevice,
    /// *Find the cause*: the advice about late work.
    FindCause,
    /// *Open device*: the page of miners.
    OpenDevice,
    /// *Allow its address*: the settings of mining.
    AllowAddress,
    /// *Enter code*: the page of miners.
    EnterCode,
    /// *Do it on the device*: help.
    DoOnDevice,
    /// *Try other way*: the page of miners.
    TryOtherWay,
    /// *Show steps*: help.
    ShowSteps,
    /// *Wait longer*: the page of miners.
    WaitLonger,
    /// *Put old settings back*: the page of miners.
    PutBack,
    /// *Check firewall*: help.
    CheckFirewall,
    /// *Forget*: the page of miners.
    Forget,
    /// *Free space*: help.
    FreeSpace,
    /// *Choose folder*: the settings of data.
    ChooseDataFolder,
    /// *Review settings*: the settings.
    ReviewSettings,
}
