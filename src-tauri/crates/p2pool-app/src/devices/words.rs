//! From what a device says and does to what the window has words for.

use std::collections::BTreeMap;

use p2pool_devices::{
    Ability, Denial, DeviceProblem as Trouble, Family, Identity, Note, Phase, PlanError, Row,
    Subject,
};

use crate::api::pages::{
    ChangeStep, DeviceFamily, DeviceOffer, DeviceProblem, PlanNote, PlanRow, PlanSubject,
};
use crate::api::{ProblemAction, ProblemCode};

/// The kind of device that chooses picture and instructions.
pub(crate) fn family_of(family: Family) -> DeviceFamily {
    match family {
        Family::Bitaxe | Family::AxeOsFork => DeviceFamily::Bitaxe,
        Family::NerdAxe => DeviceFamily::NerdAxe,
        Family::Avalon => DeviceFamily::Avalon,
        Family::Antminer => DeviceFamily::Antminer,
        Family::Braiins => DeviceFamily::Braiins,
        Family::Cgminer => DeviceFamily::UsbStick,
        Family::LuxOs | Family::Vnish | Family::Whatsminer | Family::Epic | _ => {
            DeviceFamily::Other
        }
    }
}

/// What can be done with a device that is set to this pool.
pub(crate) fn offer_of(identity: &Identity, pool: &str, here: Option<&str>) -> DeviceOffer {
    if here.is_some_and(|here| pool.ends_with(here)) {
        return DeviceOffer::IsHere;
    }
    match identity.family.ability() {
        Ability::OneClick | Ability::UntilItStops => DeviceOffer::UseHere,
        Ability::WithLogin => DeviceOffer::NeedsLogin,
        Ability::Instructions => DeviceOffer::Instructions,
    }
}

/// What a device is called.
pub(super) fn name_of(identity: &Identity) -> String {
    let said = [identity.name.as_str(), identity.model.as_str()];
    let name = said.into_iter().find(|text| !text.is_empty());
    name.map_or_else(|| identity.address.to_string(), str::to_owned)
}

pub(super) fn step_of(phase: Phase) -> ChangeStep {
    match phase {
        Phase::BackedUp => ChangeStep::BackedUp,
        Phase::Sent => ChangeStep::Sent,
        Phase::Restarting => ChangeStep::Restarting,
        Phase::Connected => ChangeStep::Connected,
        Phase::FirstResult => ChangeStep::FirstResult,
    }
}

pub(super) fn row_of(row: &Row) -> PlanRow {
    let subject = match row.subject {
        Subject::Pool => PlanSubject::Pool,
        Subject::User => PlanSubject::User,
        Subject::BackupPool => PlanSubject::BackupPool,
        Subject::BackupUser => PlanSubject::BackupUser,
        Subject::ForcedBackup => PlanSubject::ForcedBackup,
        Subject::PayoutCheck => PlanSubject::PayoutCheck,
    };
    let text = |text: &p2pool_devices::DeviceText| text.as_str().to_owned();
    PlanRow { subject, now: text(&row.now), then: text(&row.then) }
}

pub(super) fn note_of(note: Note) -> PlanNote {
    match note {
        Note::RestartsOnce => PlanNote::RestartsOnce,
        Note::PasswordStays => PlanNote::PasswordStays,
        Note::BackupPasswordUnknown => PlanNote::BackupPasswordUnknown,
        Note::OldPasswordUnknown => PlanNote::OldPasswordUnknown,
        Note::ReplacesBackupPool => PlanNote::ReplacesBackupPool,
        Note::RewritesSlot(_) => PlanNote::RewritesSlot,
        Note::BackupPoolStays => PlanNote::BackupPoolStays,
        Note::DividesWork => PlanNote::DividesWork,
        Note::RefusesSharedPayout => PlanNote::RefusesSharedPayout,
        Note::ForgottenAtEnd => PlanNote::ForgottenAtEnd,
        Note::OldPoolsStay => PlanNote::OldPoolsStay,
        Note::Unproven | _ => PlanNote::Unproven,
    }
}

/// A problem of a change, with the buttons that help. Nothing was sent, or the backup is there.
pub(super) fn problem_of(trouble: &Trouble, identity: &Identity, is_undo: bool) -> DeviceProblem {
    use ProblemAction as Action;
    let (code, actions) = match trouble {
        Trouble::Refuses(Denial::WrongLogin) => (ProblemCode::DeviceLogin, vec![Action::TryAgain]),
        Trouble::Refuses(
            Denial::NeedsLogin
            | Denial::NeedsOneTimeCode
            | Denial::WrongOneTimeCode
            | Denial::BlockedForMinutes,
        ) => (ProblemCode::DeviceRefuses, vec![Action::EnterCode, Action::DoOnDevice]),
        Trouble::Refuses(Denial::ThisComputer) => {
            (ProblemCode::DeviceRefuses, vec![Action::DoOnDevice])
        }
        Trouble::NotKept { .. } | Trouble::NotTaken(_) if is_undo => {
            (ProblemCode::DeviceForgets, vec![Action::PutBack, Action::ShowSteps])
        }
        Trouble::NotKept { .. } | Trouble::NotTaken(_) => {
            (ProblemCode::DeviceForgets, vec![Action::TryOtherWay, Action::ShowSteps])
        }
        Trouble::NotBack => (ProblemCode::DeviceGone, vec![Action::WaitLonger, Action::PutBack]),
        Trouble::OnOtherPool => {
            (ProblemCode::DeviceOnOldPool, vec![Action::CheckFirewall, Action::PutBack])
        }
        Trouble::UndoWaits => (ProblemCode::UndoWaits, vec![Action::Ok, Action::Forget]),
        Trouble::Silent(_)
        | Trouble::OtherDevice
        | Trouble::ChangedMeanwhile { .. }
        | Trouble::NotUnderstood
        | _ => (ProblemCode::Unexpected, vec![Action::TryAgain, Action::ShowSteps]),
    };
    let doing = if is_undo { "putting the old pool back" } else { "changing the pool" };
    problem(code, identity, actions, trouble.to_string()).with("doing", doing)
}

/// Why there is no plan.
pub(super) fn problem_of_plan(error: &PlanError, identity: &Identity) -> DeviceProblem {
    let code = match error.code() {
        Some(_) => ProblemCode::FirmwareUnknown,
        None => ProblemCode::Unexpected,
    };
    problem(code, identity, vec![ProblemAction::ShowSteps], error.to_string())
        .with("version", identity.firmware.as_str())
        .with("doing", "planning the change")
}

/// Something that has no code of its own.
pub(super) fn unexpected(
    identity: &Identity,
    doing: &str,
    technical: impl Into<String>,
) -> DeviceProblem {
    let actions = vec![ProblemAction::TryAgain, ProblemAction::ShowSteps];
    problem(ProblemCode::Unexpected, identity, actions, technical).with("doing", doing)
}

fn problem(
    code: ProblemCode,
    identity: &Identity,
    actions: Vec<ProblemAction>,
    technical: impl Into<String>,
) -> DeviceProblem {
    let values = BTreeMap::from([("name".to_owned(), name_of(identity))]);
    DeviceProblem { code, values, technical: technical.into(), actions }
}

impl DeviceProblem {
    /// Adds a value for the sentence.
    pub(super) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.values.insert(name.to_owned(), value.into());
        self
    }
}

#[cfg(test)]
mod tests {
    use p2pool_devices::{DeviceAddress, DeviceId, DeviceText, Reach, Silence};

    use super::*;

    fn device() -> Identity {
        let address = DeviceAddress::new([192, 168, 1, 57].into(), Reach::Private).unwrap();
        Identity {
            id: DeviceId::Address(address),
            address,
            family: Family::Bitaxe,
            model: DeviceText::clean("Bitaxe 601"),
            name: DeviceText::clean("bitaxe"),
            firmware: DeviceText::clean("v9"),
        }
    }

    /// Acceptance 18, and the other rows of the catalogue.
    #[test]
    fn every_trouble_of_a_device_has_its_code_and_its_buttons() {
        use ProblemAction as Action;
        for (trouble, code, actions) in [
            (
                Trouble::Refuses(Denial::NeedsOneTimeCode),
                ProblemCode::DeviceRefuses,
                vec![Action::EnterCode, Action::DoOnDevice],
            ),
            (
                Trouble::NotKept { settings: vec!["stratumURL".into()] },
                ProblemCode::DeviceForgets,
                vec![Action::TryOtherWay, Action::ShowSteps],
            ),
            (Trouble::NotBack, ProblemCode::DeviceGone, vec![Action::WaitLonger, Action::PutBack]),
            (
                Trouble::OnOtherPool,
                ProblemCode::DeviceOnOldPool,
                vec![Action::CheckFirewall, Action::PutBack],
            ),
            (Trouble::UndoWaits, ProblemCode::UndoWaits, vec![Action::Ok, Action::Forget]),
            (
                Trouble::Refuses(Denial::WrongLogin),
                ProblemCode::DeviceLogin,
                vec![Action::TryAgain],
            ),
            (
                Trouble::Silent(Silence::TimedOut),
                ProblemCode::Unexpected,
                vec![Action::TryAgain, Action::ShowSteps],
            ),
        ] {
            let problem = problem_of(&trouble, &device(), false);
            assert_eq!((problem.code, &problem.actions), (code, &actions), "{trouble:?}");
            assert_eq!(problem.values["name"], "bitaxe");
        }
        let unknown = PlanError::UnknownFirmware { version: DeviceText::clean("v9") };
        let problem = problem_of_plan(&unknown, &device());
        assert_eq!(problem.code, ProblemCode::FirmwareUnknown);
        assert_eq!(problem.values["version"], "v9");
    }

    #[test]
    fn device_that_works_here_is_not_offered_again() {
        let here = Some("192.168.1.20:9332");
        assert_eq!(offer_of(&device(), "solo.example.org:3333", here), DeviceOffer::UseHere);
        assert_eq!(offer_of(&device(), "192.168.1.20:9332", here), DeviceOffer::IsHere);
        let url = "stratum+tcp://192.168.1.20:9332";
        assert_eq!(offer_of(&device(), url, here), DeviceOffer::IsHere);
    }
}
