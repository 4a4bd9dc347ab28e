//! The document of `GET /api/system/info`, read with suspicion: any field may be missing or of
//! another type, on old firmware as on hostile devices.

use serde_json::{Map, Value};

use crate::address::DeviceAddress;
use crate::error::CallError;
use crate::identity::{DeviceId, Family, Identity};
use crate::request::{Key, SlotId};
use crate::text::DeviceText;

/// More entries of a list than a device has are not read.
const LIST_MAX: usize = 64;

/// What a device of the AxeOS family tells about itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Info {
    raw: String,
    fields: Map<String, Value>,
}

impl Info {
    /// Reads the document.
    ///
    /// # Errors
    /// Anything but a JSON object with an `ASICModel`, which is this family's mark.
    pub fn parse(bytes: &[u8]) -> Result<Self, CallError> {
        let fields: Map<String, Value> = serde_json::from_slice(bytes)
            .map_err(|_| CallError::NotUnderstood("not a JSON object"))?;
        if !fields.get("ASICModel").is_some_and(Value::is_string) {
            return Err(CallError::NotUnderstood("no ASICModel in it"));
        }
        let raw = String::from_utf8(bytes.to_owned())
            .map_err(|_| CallError::NotUnderstood("not UTF-8"))?;
        Ok(Self { raw, fields })
    }

    /// The document as it came.
    pub fn raw(&self) -> &str {
        &self.raw
    }

    /// Who the device says it is.
    pub fn identity(&self, address: DeviceAddress) -> Identity {
        let shown = |key: &str| DeviceText::clean(self.text(key).unwrap_or_default());
        let family = self.family();
        let mac = self.text("macAddr").and_then(|text| text.parse().ok());
        let model = match (self.text("deviceModel").or(self.text("minerModel")), family) {
            (Some(model), _) => DeviceText::clean(model),
            (None, Family::Bitaxe) => {
                let board = self.text("boardVersion").unwrap_or_default();
                DeviceText::clean(&format!("Bitaxe {board}"))
            }
            (None, _) => shown("ASICModel"),
        };
        Identity {
            id: mac.map_or(DeviceId::Address(address), DeviceId::Mac),
            address,
            family,
            model,
            name: shown("hostname"),
            firmware: shown("version"),
        }
    }

    fn family(&self) -> Family {
        let Some(model) = self.text("deviceModel") else {
            let is_bitaxe =
                self.text("minerModel").is_none() && self.text("boardVersion").is_some();
            return if is_bitaxe { Family::Bitaxe } else { Family::AxeOsFork };
        };
        let model = model.to_ascii_lowercase();
        // NerdAxe, NerdQAxe+, NerdOctaxe, NerdEKO, Q137x: one firmware. Others may say anything.
        let is_nerd = model.starts_with("nerd") || model.starts_with("q1");
        if is_nerd { Family::NerdAxe } else { Family::AxeOsFork }
    }

    /// A field as it came.
    pub(crate) fn value(&self, key: &str) -> Option<&Value> {
        self.fields.get(key)
    }

    /// A setting as it came.
    pub(crate) fn setting(&self, key: Key) -> Option<&Value> {
        self.fields.get(key.name())
    }

    /// A field that holds a text.
    pub(crate) fn text(&self, key: &str) -> Option<&str> {
        self.fields.get(key)?.as_str()
    }

    /// A field that holds a finite number.
    pub(crate) fn number(&self, key: &str) -> Option<f64> {
        self.fields.get(key)?.as_f64().filter(|number| number.is_finite())
    }

    /// A field that says yes or no, as a JSON truth value or as a number.
    pub(crate) fn flag(&self, key: &str) -> Option<bool> {
        self.fields.get(key).and_then(truth)
    }

    /// A field of the nested `stratum` object of the NerdAxe family.
    pub(crate) fn in_stratum(&self, key: &str) -> Option<&Value> {
        self.fields.get("stratum")?.get(key)
    }

    /// A list of objects; not more of them than a device can have.
    pub(crate) fn objects(&self, key: &str) -> impl Iterator<Item = &Map<String, Value>> {
        let list = self.fields.get(key).and_then(Value::as_array);
        list.into_iter().flatten().take(LIST_MAX).filter_map(Value::as_object)
    }

    /// Whether the firmware keeps pools in slots.
    pub(crate) fn has_slots(&self) -> bool {
        self.fields.get("pools").is_some_and(Value::is_array)
            && self.setting(Key::PrimaryPoolIndex).is_some_and(Value::is_number)
            && self.setting(Key::SecondaryPoolIndex).is_some_and(Value::is_number)
    }

    /// The slots in use with what they hold; of two with one number the first.
    pub(crate) fn slots(&self) -> Vec<(SlotId, &Map<String, Value>)> {
        let mut slots: Vec<(SlotId, &Map<String, Value>)> = Vec::new();
        for fields in self.objects("pools") {
            let Some(id) = fields.get("id").and_then(SlotId::from_value) else { continue };
            if slots.iter().all(|(known, _)| *known != id) {
                slots.push((id, fields));
            }
        }
        slots
    }

    /// What a slot holds.
    pub(crate) fn slot(&self, id: SlotId) -> Option<&Map<String, Value>> {
        self.slots().into_iter().find(|(known, _)| *known == id).map(|(_, fields)| fields)
    }
}

/// Yes or no, as a JSON truth value or as a number.
pub(crate) fn truth(value: &Value) -> Option<bool> {
    value.as_bool().or_else(|| value.as_f64().map(|number| number != 0.0))
}

/// The model in the document of `GET /api/system/asic`.
///
/// # Errors
/// Anything but a JSON object with a `deviceModel`.
pub(crate) fn model_in_asic(bytes: &[u8]) -> Result<DeviceText, CallError> {
    let fields: Map<String, Value> =
        serde_json::from_slice(bytes).map_err(|_| CallError::NotUnderstood("not a JSON object"))?;
    let model = fields.get("deviceModel").and_then(Value::as_str);
    let model = model.ok_or(CallError::NotUnderstood("no deviceModel in it"))?;
    Ok(DeviceText::clean(model))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::Reach;

    fn address() -> DeviceAddress {
        DeviceAddress::new([192, 168, 1, 57].into(), Reach::Private).unwrap()
    }

    fn identity(json: &str) -> Identity {
        Info::parse(json.as_bytes()).unwrap().identity(address())
    }

    #[test]
    fn families_are_told_apart_by_their_marks() {
        let bitaxe = identity(
            r#"{"ASICModel":"BM1370","boardVersion":"601","version":"v2.15.0",
                "hostname":"bitaxe","macAddr":"E0:E1:A9:0C:04:05"}"#,
        );
        assert_eq!((bitaxe.family, bitaxe.model.as_str()), (Family::Bitaxe, "Bitaxe 601"));
        assert_eq!(bitaxe.id.folder(), "e0-e1-a9-0c-04-05");
        assert_eq!(bitaxe.name.as_str(), "bitaxe");
        for model in ["NerdAxe", "NerdQAxe++", "NerdOctaxe", "NerdEKO", "Q1370"] {
            let json = format!(r#"{{"ASICModel":"BM1370","deviceModel":"{model}"}}"#);
            assert_eq!(identity(&json).family, Family::NerdAxe, "{model}");
        }
        for json in [
            r#"{"ASICModel":"BM1366","boardVersion":"1","minerModel":"LV07"}"#,
            r#"{"ASICModel":"BM1366","deviceModel":"Other"}"#,
            r#"{"ASICModel":"BM1366"}"#,
        ] {
            assert_eq!(identity(json).family, Family::AxeOsFork, "{json}");
        }
    }

    #[test]
    fn a_device_without_hardware_address_is_known_by_its_place() {
        let id = identity(r#"{"ASICModel":"BM1366","macAddr":"no"}"#).id;
        assert_eq!(id, DeviceId::Address(address()));
    }

    #[test]
    fn what_is_no_such_document_is_refused() {
        for bytes in [&b""[..], b"<html>", b"[]", b"{}", br#"{"ASICModel":1}"#, b"\xff\xfe"] {
            assert!(Info::parse(bytes).is_err(), "{bytes:?}");
        }
    }

    #[test]
    fn slots_with_impossible_numbers_are_left_out() {
        let info = Info::parse(
            br#"{"ASICModel":"x","pools":[{"id":0,"a":1},{"id":0,"a":2},{"id":8},{"id":-1},{"id":"1"},3]}"#,
        )
        .unwrap();
        let slots = info.slots();
        assert_eq!(slots.len(), 1);
        assert_eq!(slots[0].1["a"], 1);
        assert!(!info.has_slots());
    }
}
