//! What to tell the user about devices that are set up by hand: keys of texts, and the values that
//! go with them. The words themselves live in the window.

use crate::identity::Family;

/// Whose instructions they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Guide {
    /// Bitaxe.
    Bitaxe,
    /// NerdAxe, NerdQAxe and relatives.
    NerdAxe,
    /// Avalon Nano, Mini, Q.
    Avalon,
    /// Antminer with the maker's firmware.
    Antminer,
    /// Braiins OS.
    Braiins,
    /// LuxOS.
    LuxOs,
    /// VNish.
    Vnish,
    /// Whatsminer.
    Whatsminer,
    /// ePIC.
    Epic,
    /// USB sticks and other devices run by cgminer on a computer.
    UsbStick,
    /// NerdMiner and other toys.
    NerdMiner,
    /// Everything else.
    Other,
}

/// A value with a copy button.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CopyValue {
    /// Address of this computer alone.
    Host,
    /// Port alone.
    Port,
    /// Scheme, address and port in one.
    Url,
    /// User name: payout address and the device's name.
    User,
    /// Password: any.
    Password,
    /// Arguments of a command line.
    Arguments,
}

/// Something to know beforehand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remark {
    /// The maker's login, if nobody changed it: user name and password.
    FactoryLogin(&'static str, &'static str),
    /// User names are cut at 63 characters.
    UserIsCut,
    /// The port is filled in already and must be replaced too.
    ReplacePort,
    /// The device is set up over a wireless network of its own.
    OwnWifi,
    /// The device may not be able to read the pool's work (`M-08`).
    MayNotReadJobs,
    /// Work that is discarded often is normal for this family.
    DiscardsWork,
}

/// One step: the key of its text and the values it names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// Key of the text.
    pub key: &'static str,
    /// Values with copy buttons, in order.
    pub values: &'static [CopyValue],
}

/// Instructions for one kind of device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instructions {
    /// Key of the title.
    pub title: &'static str,
    /// What to do, in order; the last step says what is seen when it works.
    pub steps: [Step; 4],
    /// What to know.
    pub remarks: &'static [Remark],
}

impl Guide {
    /// All guides, in the order of the tabs.
    pub const ALL: [Self; 12] = [
        Self::Bitaxe,
        Self::NerdAxe,
        Self::Avalon,
        Self::Antminer,
        Self::Braiins,
        Self::LuxOs,
        Self::Vnish,
        Self::Whatsminer,
        Self::Epic,
        Self::UsbStick,
        Self::NerdMiner,
        Self::Other,
    ];

    /// The guide for a recognised device.
    pub fn of(family: Family) -> Self {
        match family {
            Family::Bitaxe | Family::AxeOsFork => Self::Bitaxe,
            Family::NerdAxe => Self::NerdAxe,
            Family::Avalon => Self::Avalon,
            Family::Cgminer => Self::UsbStick,
            Family::Antminer => Self::Antminer,
            Family::Braiins => Self::Braiins,
            Family::LuxOs => Self::LuxOs,
            Family::Vnish => Self::Vnish,
            Family::Whatsminer => Self::Whatsminer,
            Family::Epic => Self::Epic,
        }
    }

    /// The instructions.
    pub fn instructions(self) -> Instructions {
        use Remark::{DiscardsWork, FactoryLogin, MayNotReadJobs, OwnWifi, ReplacePort, UserIsCut};
        let page = |title, keys, fields, remarks: &'static [Remark]| Instructions {
            title,
            steps: steps(keys, fields),
            remarks,
        };
        match self {
            Self::Bitaxe => page("guide.bitaxe", BITAXE, APART, &[ReplacePort]),
            Self::NerdAxe => page("guide.nerdaxe", NERDAXE, APART, &[ReplacePort]),
            Self::Avalon => {
                let remarks = &[FactoryLogin("root", "root"), UserIsCut, DiscardsWork];
                page("guide.avalon", AVALON, TOGETHER, remarks)
            }
            Self::Antminer => {
                page("guide.antminer", ANTMINER, TOGETHER, &[FactoryLogin("root", "root")])
            }
            Self::Braiins => page("guide.braiins", BRAIINS, TOGETHER, &[FactoryLogin("root", "")]),
            Self::LuxOs => page("guide.luxos", LUXOS, TOGETHER, &[]),
            Self::Vnish => page("guide.vnish", VNISH, TOGETHER, &[]),
            Self::Whatsminer => page("guide.whatsminer", WHATSMINER, TOGETHER, &[]),
            Self::Epic => page("guide.epic", EPIC, TOGETHER, &[]),
            Self::UsbStick => page("guide.usb-stick", USB_STICK, ARGUMENTS, &[]),
            Self::NerdMiner => {
                page("guide.nerdminer", NERDMINER, APART, &[OwnWifi, ReplacePort, MayNotReadJobs])
            }
            Self::Other => page("guide.other", OTHER, TOGETHER, &[]),
        }
    }
}

/// Devices with a field each for host and port.
const APART: &[CopyValue] =
    &[CopyValue::Host, CopyValue::Port, CopyValue::User, CopyValue::Password];
/// Devices with one field for both.
const TOGETHER: &[CopyValue] = &[CopyValue::Url, CopyValue::User, CopyValue::Password];
/// Programs on a computer.
const ARGUMENTS: &[CopyValue] = &[CopyValue::Arguments];

type Keys = [&'static str; 4];

const BITAXE: Keys =
    ["guide.bitaxe.open", "guide.bitaxe.find", "guide.bitaxe.fill", "guide.bitaxe.works"];
const NERDAXE: Keys =
    ["guide.nerdaxe.open", "guide.nerdaxe.find", "guide.nerdaxe.fill", "guide.nerdaxe.works"];
const AVALON: Keys =
    ["guide.avalon.open", "guide.avalon.find", "guide.avalon.fill", "guide.avalon.works"];
const ANTMINER: Keys =
    ["guide.antminer.open", "guide.antminer.find", "guide.antminer.fill", "guide.antminer.works"];
const BRAIINS: Keys =
    ["guide.braiins.open", "guide.braiins.find", "guide.braiins.fill", "guide.braiins.works"];
const LUXOS: Keys =
    ["guide.luxos.open", "guide.luxos.find", "guide.luxos.fill", "guide.luxos.works"];
const VNISH: Keys =
    ["guide.vnish.open", "guide.vnish.find", "guide.vnish.fill", "guide.vnish.works"];
const WHATSMINER: Keys = [
    "guide.whatsminer.open",
    "guide.whatsminer.find",
    "guide.whatsminer.fill",
    "guide.whatsminer.works",
];
const EPIC: Keys = ["guide.epic.open", "guide.epic.find", "guide.epic.fill", "guide.epic.works"];
const USB_STICK: Keys = [
    "guide.usb-stick.install",
    "guide.usb-stick.stop",
    "guide.usb-stick.start",
    "guide.usb-stick.works",
];
const NERDMINER: Keys = [
    "guide.nerdminer.join",
    "guide.nerdminer.open",
    "guide.nerdminer.fill",
    "guide.nerdminer.works",
];
const OTHER: Keys =
    ["guide.other.open", "guide.other.find", "guide.other.fill", "guide.other.works"];

/// The third step of every guide is the one with the values.
fn steps([first, second, fill, works]: Keys, values: &'static [CopyValue]) -> [Step; 4] {
    let step = |key| Step { key, values: &[] };
    [step(first), step(second), Step { key: fill, values }, step(works)]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_text_has_a_key_of_its_own() {
        let mut keys = BTreeSet::new();
        for guide in Guide::ALL {
            let page = guide.instructions();
            for key in page.steps.iter().map(|step| step.key).chain([page.title]) {
                assert!(keys.insert(key), "{key} stands twice");
                assert!(key.starts_with(page.title), "{key} stands under {}", page.title);
            }
        }
        assert_eq!(keys.len(), 60);
    }

    #[test]
    fn every_guide_gives_the_values_once() {
        for guide in Guide::ALL {
            let steps = guide.instructions().steps;
            let with_values: Vec<&Step> = steps.iter().filter(|s| !s.values.is_empty()).collect();
            assert_eq!(with_values.len(), 1, "{guide:?}");
        }
        let bitaxe = Guide::Bitaxe.instructions().steps[2].values;
        assert!(bitaxe.contains(&CopyValue::Host) && !bitaxe.contains(&CopyValue::Url));
    }
}
