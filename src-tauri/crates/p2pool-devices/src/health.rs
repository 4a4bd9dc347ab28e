//! How a device is doing, by its own word.

use serde_json::Value;

use crate::cgminer::{Pools, bracketed, parse_reply, section};
use crate::error::CallError;
use crate::info::{Info, truth};
use crate::request::Key;
use crate::text::DeviceText;

/// Reasons for refused work that are kept.
const REASONS_MAX: usize = 16;
/// Wireless reception below this is weak.
pub const WEAK_WIFI_DBM: f64 = -75.0;

const HASHES_PER_MEGAHASH: f64 = 1e6;
const HASHES_PER_GIGAHASH: f64 = 1e9;

/// A device's own figures. Each is missing where the device does not tell it, or tells nonsense.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Health {
    /// Hashes per second.
    pub hashrate_hps: Option<f64>,
    /// Hashes per second that the device should reach.
    pub expected_hashrate_hps: Option<f64>,
    /// Of the chip, in degrees Celsius.
    pub temperature_celsius: Option<f64>,
    /// Of the voltage regulator, in degrees Celsius.
    pub regulator_celsius: Option<f64>,
    /// Drawn power.
    pub power_watts: Option<f64>,
    /// Fan, in percent of its most.
    pub fan_percent: Option<f64>,
    /// Fan, in turns per minute.
    pub fan_rpm: Option<f64>,
    /// Wireless reception.
    pub wifi_dbm: Option<f64>,
    /// Since its start.
    pub uptime_s: Option<f64>,
    /// Work that the pool took.
    pub accepted: Option<f64>,
    /// Work that the pool refused.
    pub rejected: Option<f64>,
    /// Why it refused, in the pool's words, with how often.
    pub rejected_reasons: Vec<(DeviceText, f64)>,
    /// Best difficulty ever reached.
    pub best_difficulty: Option<f64>,
    /// Host and port of the pool the device is set to.
    pub pool: Option<DeviceText>,
    /// User name there.
    pub user: Option<DeviceText>,
    /// Whether it works for its backup pool.
    pub is_on_backup_pool: Option<bool>,
    /// Whether it was told to pause.
    pub is_paused: Option<bool>,
    /// Part of the next block's reward that would go to the device's user, 0 to 1, read by the
    /// device from its own work.
    pub own_part: Option<f64>,
    /// What the device complains about.
    pub faults: Vec<Fault>,
}

/// A complaint of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// It slowed down or stopped because it is too hot.
    Overheated,
    /// Its power supply fails.
    Power,
    /// Its hardware fails.
    Hardware,
}

impl Health {
    /// Reads the figures out of the document of the AxeOS family.
    pub fn of_info(info: &Info) -> Self {
        let within = |key: &str, least: f64, most: f64| {
            info.number(key).filter(|number| (least..=most).contains(number))
        };
        // 0 and -1 stand for a sensor that is missing.
        let celsius = |key: &str| within(key, 0.1, 200.0);
        let gigahashes =
            |key: &str| within(key, 0.0, 1e9).map(|number| number * HASHES_PER_GIGAHASH);
        let count = |key: &str| within(key, 0.0, 1e15);
        let text = |key: Key| info.setting(key).and_then(Value::as_str).map(DeviceText::clean);
        let pool = text(Key::StratumUrl).map(|host| {
            let port = info.setting(Key::StratumPort).and_then(Value::as_u64);
            port.map_or(host.clone(), |port| DeviceText::clean(&format!("{host}:{port}")))
        });
        let on_backup = info.value("isUsingFallbackStratum");
        let on_backup = on_backup.or_else(|| info.in_stratum("usingFallback"));
        Self {
            hashrate_hps: gigahashes("hashRate"),
            expected_hashrate_hps: gigahashes("expectedHashrate"),
            temperature_celsius: celsius("temp"),
            regulator_celsius: celsius("vrTemp"),
            power_watts: within("power", 0.0, 20_000.0),
            fan_percent: within("fanspeed", 0.0, 100.0),
            fan_rpm: within("fanrpm", 0.0, 100_000.0),
            wifi_dbm: within("wifiRSSI", -130.0, -1.0),
            uptime_s: within("uptimeSeconds", 0.0, 1e10),
            accepted: count("sharesAccepted"),
            rejected: count("sharesRejected"),
            rejected_reasons: reasons(info),
            best_difficulty: info.value("bestDiff").and_then(difficulty),
            pool,
            user: text(Key::StratumUser),
            is_on_backup_pool: on_backup.and_then(truth),
            is_paused: info.flag("miningPaused"),
            own_part: own_part(info),
            faults: faults(info),
        }
    }

    /// Reads the figures out of replies of the cgminer API: `summary`, `pools`, and of an Avalon
    /// also `estats`.
    ///
    /// # Errors
    /// What is no reply, and what is one and says no.
    pub fn of_replies(
        summary: &[u8],
        pools: &[u8],
        details: Option<&[u8]>,
    ) -> Result<Self, CallError> {
        let summary = parse_reply(summary)?;
        let summary = section(&summary, "SUMMARY");
        let summary = summary.ok_or(CallError::NotUnderstood("no SUMMARY in it"))?;
        let within = |key: &str, most: f64| {
            summary.get(key)?.as_f64().filter(|number| (0.0..=most).contains(number))
        };
        let megahashes = |key: &str| within(key, 1e12).map(|number| number * HASHES_PER_MEGAHASH);
        let mut health = Self {
            hashrate_hps: megahashes("MHS 5s").or_else(|| megahashes("MHS av")),
            uptime_s: within("Elapsed", 1e10),
            accepted: within("Accepted", 1e15),
            rejected: within("Rejected", 1e15),
            ..Self::default()
        };
        let pools = Pools::parse(pools)?;
        if let Some(first) = pools.first() {
            health.pool = Some(DeviceText::clean(&first.url));
            health.user = Some(DeviceText::clean(&first.user));
            let active = pools.list().iter().find(|pool| pool.is_active);
            health.is_on_backup_pool = active.map(|active| active.index != first.index);
        }
        if let Some(details) = details {
            health.add_details(&parse_reply(details)?);
        }
        Ok(health)
    }

    /// An Avalon's details stand in one long text of pairs.
    fn add_details(&mut self, reply: &serde_json::Map<String, Value>) {
        let lists = reply.values().filter_map(Value::as_array).flatten();
        let texts = lists.filter_map(Value::as_object).flat_map(|section| section.values());
        let Some(text) = texts.filter_map(Value::as_str).find(|text| text.contains("TAvg[")) else {
            return;
        };
        let number = |key: &str, most: f64| {
            let number: f64 = bracketed(text, key)?.trim().trim_end_matches('%').parse().ok()?;
            (0.1..=most).contains(&number).then_some(number)
        };
        self.temperature_celsius = number("TMax", 200.0).or_else(|| number("TAvg", 200.0));
        self.fan_rpm = number("Fan1", 100_000.0);
        self.fan_percent = number("FanR", 100.0);
    }
}

/// `1230000`, or `"1.23M"` on older firmware.
fn difficulty(value: &Value) -> Option<f64> {
    let number = match value.as_str() {
        None => value.as_f64()?,
        Some(text) => {
            let text = text.trim();
            let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
            let (digits, unit) = text.split_at_checked(end)?;
            let factor = match unit.trim() {
                "" => 1.0,
                "k" | "K" => 1e3,
                "M" => 1e6,
                "G" => 1e9,
                "T" => 1e12,
                "P" => 1e15,
                "E" => 1e18,
                _ => return None,
            };
            digits.parse::<f64>().ok()? * factor
        }
    };
    (0.0..=1e30).contains(&number).then_some(number)
}

fn reasons(info: &Info) -> Vec<(DeviceText, f64)> {
    let read = info.objects("sharesRejectedReasons").filter_map(|reason| {
        let words = DeviceText::clean(reason.get("message")?.as_str()?);
        Some((words, reason.get("count")?.as_f64().filter(|count| *count >= 0.0)?))
    });
    read.take(REASONS_MAX).collect()
}

fn own_part(info: &Info) -> Option<f64> {
    let total = info.number("coinbaseValueTotalSatoshis").filter(|total| *total > 0.0)?;
    let own = info.number("coinbaseValueUserSatoshis")?;
    Some(own / total).filter(|part| (0.0..=1.0).contains(part))
}

fn faults(info: &Info) -> Vec<Fault> {
    let complains = |key: &str| {
        info.value(key).is_some_and(|value| match value.as_str() {
            Some(words) => !words.trim().is_empty(),
            None => truth(value).unwrap_or(false),
        })
    };
    let known = [
        ("overheat_mode", Fault::Overheated),
        ("power_fault", Fault::Power),
        ("hardware_fault", Fault::Hardware),
    ];
    known.into_iter().filter(|(key, _)| complains(key)).map(|(_, fault)| fault).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn health(json: &str) -> Health {
        Health::of_info(&Info::parse(json.as_bytes()).unwrap())
    }

    #[test]
    fn a_bitaxe_tells_its_figures() {
        let health = health(
            r#"{"ASICModel":"BM1370","hashRate":1210.5,"expectedHashrate":1224,"temp":58.2,
            "vrTemp":61,"power":17.3,"fanspeed":45,"fanrpm":4100,"wifiRSSI":-61,
            "uptimeSeconds":86400,"sharesAccepted":100,"sharesRejected":3,"bestDiff":"1.23M",
            "sharesRejectedReasons":[{"message":"Stale","count":2},{"message":3}],
            "stratumURL":"solo.example","stratumPort":3333,"stratumUser":"bc1q.b",
            "isUsingFallbackStratum":1,"miningPaused":false,"overheat_mode":1,"power_fault":"",
            "hardware_fault":"ASIC",
            "coinbaseValueTotalSatoshis":312500000,"coinbaseValueUserSatoshis":3125000}"#,
        );
        assert_eq!(health.hashrate_hps, Some(1.2105e12));
        assert_eq!(health.temperature_celsius, Some(58.2));
        assert_eq!((health.power_watts, health.wifi_dbm), (Some(17.3), Some(-61.0)));
        assert_eq!(health.best_difficulty, Some(1.23e6));
        assert_eq!(health.pool.unwrap().as_str(), "solo.example:3333");
        assert_eq!((health.is_on_backup_pool, health.is_paused), (Some(true), Some(false)));
        assert_eq!(health.own_part, Some(0.01));
        assert_eq!(health.rejected_reasons, [(DeviceText::clean("Stale"), 2.0)]);
        assert_eq!(health.faults, [Fault::Overheated, Fault::Hardware]);
    }

    #[test]
    fn a_missing_sensor_and_nonsense_are_left_out() {
        let health = health(
            r#"{"ASICModel":"x","temp":-1,"vrTemp":0,"power":-5,"hashRate":"fast","wifiRSSI":0,
            "fanspeed":900,"bestDiff":"1.2Q","isUsingFallbackStratum":"x",
            "coinbaseValueTotalSatoshis":1,"coinbaseValueUserSatoshis":2}"#,
        );
        assert_eq!(health, Health::default());
    }

    #[test]
    fn a_nerdqaxe_tells_its_backup_in_a_nested_object() {
        let json =
            r#"{"ASICModel":"x","deviceModel":"NerdQAxe++","stratum":{"usingFallback":true}}"#;
        assert_eq!(health(json).is_on_backup_pool, Some(true));
    }

    #[test]
    fn difficulties_are_read_in_both_spellings() {
        for (json, expected) in
            [("\"1.23M\"", 1.23e6), ("\"512\"", 512.0), ("4.5e9", 4.5e9), ("\"2.5 G\"", 2.5e9)]
        {
            assert_eq!(difficulty(&serde_json::from_str(json).unwrap()), Some(expected), "{json}");
        }
        for json in ["\"\"", "\"M\"", "\"1.2.3\"", "-1", "null", "\"1é\""] {
            assert_eq!(difficulty(&serde_json::from_str(json).unwrap()), None, "{json}");
        }
    }

    #[test]
    fn an_avalon_tells_its_figures_in_three_replies() {
        let ok = r#""STATUS":[{"STATUS":"S"}]"#;
        let summary = format!(
            r#"{{{ok},"SUMMARY":[{{"MHS 5s":6100000.0,"Accepted":9,"Rejected":1,"Elapsed":60}}]}}"#
        );
        let pools = format!(
            r#"{{{ok},"POOLS":[{{"POOL":0,"URL":"stratum+tcp://a:1","User":"u","Priority":0}},
            {{"POOL":1,"URL":"stratum+tcp://b:1","User":"v","Priority":1,"Stratum Active":true}}]}}"#
        );
        let details = format!(
            r#"{{{ok},"STATS":[{{"ID":"AVA0","MM ID0":"Ver[x] TMax[84] TAvg[80] Fan1[1500] FanR[38%]"}}]}}"#
        );
        let health =
            Health::of_replies(summary.as_bytes(), pools.as_bytes(), Some(details.as_bytes()));
        let health = health.unwrap();
        assert_eq!(health.hashrate_hps, Some(6.1e12));
        assert_eq!(health.is_on_backup_pool, Some(true));
        assert_eq!(health.temperature_celsius, Some(84.0));
        assert_eq!((health.fan_rpm, health.fan_percent), (Some(1500.0), Some(38.0)));
    }
}
