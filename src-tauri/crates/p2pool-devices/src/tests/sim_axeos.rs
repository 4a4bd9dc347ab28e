//! Bitaxe before and since slots, and NerdQAxe.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use serde_json::{Map, Value, json};

use super::clock::{OUR_PORT, OUR_USER, Sim, US, client};
use super::server::{Answer, Heard, Server};
use crate::Dialect;
use crate::client::{DeviceClient, Ports};
use crate::progress::DoorCount;

/// Whose firmware it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Bitaxe214,
    Bitaxe215,
    NerdQAxe,
}

/// Seconds of a restart.
const RESTART_S: u64 = 20;
/// Seconds from the login to the first result.
const RESULT_S: u64 = 7;

/// What the device stores, does, and was told.
pub(crate) struct State {
    pub(crate) kind: Kind,
    /// All that survives a restart, secrets included.
    pub(crate) stored: Map<String, Value>,
    pub(crate) slots: BTreeMap<u8, Map<String, Value>>,
    pub(crate) heard: Vec<Heard>,
    pub(crate) restarts: u32,
    /// Says yes to every write and does nothing.
    pub(crate) keeps_nothing: bool,
    /// Keeps the first so many writes to itself.
    pub(crate) forgets_writes: u32,
    /// Is not heard of again after a restart.
    pub(crate) never_returns: bool,
    /// Works for its backup pool although set up otherwise.
    pub(crate) cannot_reach_us: bool,
    /// Logs in and finds nothing.
    pub(crate) finds_nothing: bool,
    /// Takes no settings from this address.
    pub(crate) refuses: bool,
    /// Demands a login for everything: the header that lets in.
    pub(crate) demands: Option<String>,
    /// The code that its authenticator shows.
    pub(crate) one_time_code: Option<&'static str>,
    /// Gives no answer to the next so many requests.
    pub(crate) drops: u32,
    restarting_s: u64,
    is_gone: bool,
    /// Host, port and user that it works with since the last start.
    running: (String, u64, String),
    connected_s: Option<u64>,
    door: DoorCount,
}

pub(crate) struct AxeOs {
    pub(crate) server: Server,
    other: Server,
    state: Arc<Mutex<State>>,
}

impl AxeOs {
    pub(crate) async fn start(kind: Kind) -> Self {
        Self::start_with(kind, factory()).await
    }

    /// Starts a device that other firmware has left its settings to.
    pub(crate) async fn start_with(kind: Kind, stored: Map<String, Value>) -> Self {
        let state = Arc::new(Mutex::new(State::new(kind, stored)));
        let shared = Arc::clone(&state);
        let server = Server::http(move |heard| shared.lock().unwrap().answer(&heard)).await;
        Self { server, other: Server::nobody().await, state }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Every byte that the device keeps over a restart.
    pub(crate) fn stored_bytes(&self) -> String {
        let state = self.state();
        serde_json::to_string(&(&state.stored, &state.slots)).unwrap()
    }

    /// Requests that change something, in order.
    pub(crate) fn changes(&self) -> Vec<Heard> {
        let state = self.state();
        state.heard.iter().filter(|heard| heard.method != "GET").cloned().collect()
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.changes().iter().map(Heard::line).collect()
    }
}

impl Sim for AxeOs {
    fn time_passes(&self, seconds: u64) {
        self.state().time_passes(seconds);
    }

    fn door(&self) -> DoorCount {
        self.state().door
    }

    fn client(&self) -> DeviceClient {
        client(Ports { http: self.server.port, cgminer: self.other.port })
    }

    fn dialect(&self) -> Dialect {
        Dialect::AxeOs
    }
}

impl State {
    fn new(kind: Kind, mut stored: Map<String, Value>) -> Self {
        let mut slots = BTreeMap::new();
        if kind == Kind::Bitaxe215 {
            stored.insert("primaryPoolIndex".into(), 0.into());
            stored.insert("secondaryPoolIndex".into(), 1.into());
            for (id, prefix) in [(0, "stratum"), (1, "fallbackStratum")] {
                let at = |key: &str| stored[&format!("{prefix}{key}")].clone();
                let slot = slot(&json!({
                    "stratumURL": at("URL"), "stratumPort": at("Port"), "stratumUser": at("User"),
                    "stratumPassword": at("Password"), "stratumSuggestedDifficulty": 1000,
                }));
                slots.insert(id, slot);
            }
        }
        if kind == Kind::NerdQAxe {
            stored.insert("coinbaseVerifyMode".into(), 0.into());
            stored.insert("coinbaseVerifyForce".into(), false.into());
        }
        let mut state = Self {
            kind,
            stored,
            slots,
            heard: Vec::new(),
            restarts: 0,
            keeps_nothing: false,
            forgets_writes: 0,
            never_returns: false,
            cannot_reach_us: false,
            finds_nothing: false,
            refuses: false,
            demands: None,
            one_time_code: None,
            drops: 0,
            restarting_s: 0,
            is_gone: false,
            running: (String::new(), 0, String::new()),
            connected_s: None,
            door: DoorCount::default(),
        };
        state.connect();
        state
    }

    /// Begins to work with the stored settings.
    fn connect(&mut self) {
        let stored = match self.kind {
            Kind::Bitaxe215 => {
                let id = self.stored["primaryPoolIndex"].as_u64().unwrap();
                self.slots[&u8::try_from(id).unwrap()].clone()
            }
            Kind::Bitaxe214 | Kind::NerdQAxe => self.stored.clone(),
        };
        let text = |key: &str| stored[key].as_str().unwrap().to_owned();
        let port = stored["stratumPort"].as_u64().unwrap();
        self.running = (text("stratumURL"), port, text("stratumUser"));
        let us = (US.map(|byte| byte.to_string()).join("."), u64::from(OUR_PORT), OUR_USER.into());
        let is_blocked = self.stored.get("coinbaseVerifyForce") == Some(&true.into());
        self.connected_s = None;
        if self.running == us && !self.cannot_reach_us && !is_blocked {
            self.door.logins += 1;
            self.connected_s = Some(0);
        }
    }

    fn time_passes(&mut self, seconds: u64) {
        if self.restarting_s > 0 {
            self.restarting_s = self.restarting_s.saturating_sub(seconds);
            if self.restarting_s == 0 && !self.is_gone {
                self.connect();
            }
        } else if let Some(connected_s) = &mut self.connected_s {
            let before = *connected_s;
            *connected_s += seconds;
            if (before + 1..=*connected_s).contains(&RESULT_S) && !self.finds_nothing {
                self.door.results += 1;
            }
        }
    }

    /// The user turns it on again.
    pub(crate) fn is_turned_on(&mut self) {
        self.is_gone = false;
        self.never_returns = false;
        self.connect();
    }

    fn answer(&mut self, heard: &Heard) -> Answer {
        self.heard.push(heard.clone());
        assert_eq!(heard.header("origin"), None, "devices refuse strangers' pages");
        if self.drops > 0 {
            self.drops -= 1;
            return Answer::Drop;
        }
        if self.restarting_s > 0 || self.is_gone {
            return Answer::Drop;
        }
        if self.demands.is_some() && heard.header("authorization") != self.demands.as_deref() {
            let headers = "WWW-Authenticate: Basic realm=\"axeos\"\r\n";
            return Answer::Http { status: 401, headers, body: b"Unauthorized".to_vec() };
        }
        if self.refuses && heard.method != "GET" {
            return Answer::status(401, "Unauthorized");
        }
        let slot = heard.path.strip_prefix("/api/system/pools/").map(|id| id.parse().unwrap());
        match (heard.method.as_str(), heard.path.as_str(), slot) {
            ("GET", "/api/system/info", _) => Answer::ok(self.info().to_string()),
            ("GET", "/api/system/asic", _) => {
                Answer::ok(r#"{"ASICModel":"BM1370","deviceModel":"Gamma"}"#)
            }
            ("POST", "/api/system/restart", _) => {
                self.restarts += 1;
                self.is_gone = self.never_returns;
                self.restarting_s = RESTART_S;
                self.connected_s = None;
                Answer::ok("System will restart shortly.")
            }
            ("POST", "/api/system/identify", _) => Answer::ok("{}"),
            ("PATCH", "/api/system", _) => self.patch(heard),
            ("PUT", _, Some(id)) if self.kind == Kind::Bitaxe215 => self.put(id, &heard.json()),
            ("DELETE", _, Some(id)) if self.kind == Kind::Bitaxe215 => self.delete(id),
            _ => Answer::status(404, "<title>404</title>"),
        }
    }

    fn info(&self) -> Value {
        let mut info = json!({
            "ASICModel": "BM1370", "version": "v2.14.0", "macAddr": "E0:E1:A9:0C:04:05",
            "hashRate": 1210.5, "power": 17.3, "temp": 58.2, "wifiRSSI": -61, "uptimeSeconds": 7,
            "sharesAccepted": 5, "sharesRejected": 0, "bestDiff": "1.23M",
            "isUsingFallbackStratum": u8::from(self.cannot_reach_us),
        });
        let is_secret = |key: &str| key.to_lowercase().contains("pass");
        for (key, value) in self.stored.iter().filter(|(key, _)| !is_secret(key)) {
            info[key] = value.clone();
        }
        match self.kind {
            Kind::Bitaxe214 => info["boardVersion"] = "601".into(),
            Kind::NerdQAxe => {
                info["deviceModel"] = "NerdQAxe++".into();
                info["version"] = "v1.0.38".into();
                info["asicCount"] = 4.into();
                info["hostip"] = "192.168.1.58".into();
                info["otp"] = self.one_time_code.is_some().into();
            }
            Kind::Bitaxe215 => {
                info["boardVersion"] = "601".into();
                info["version"] = "v2.15.0".into();
                let shown = self.slots.iter().map(|(id, slot)| {
                    let mut slot = Value::Object(slot.clone());
                    slot["id"] = (*id).into();
                    slot["stratumPassword"] = "*****".into();
                    slot
                });
                info["pools"] = shown.collect();
                let primary = self.stored["primaryPoolIndex"].as_u64().unwrap();
                let primary = &self.slots[&u8::try_from(primary).unwrap()];
                for key in ["stratumURL", "stratumPort", "stratumUser"] {
                    info[key] = primary[key].clone();
                }
            }
        }
        info
    }

    fn patch(&mut self, heard: &Heard) -> Answer {
        if self.one_time_code.is_some_and(|code| heard.header("x-totp") != Some(code)) {
            return Answer::status(401, "OTP/Session required");
        }
        if self.forgets_writes > 0 {
            self.forgets_writes -= 1;
            return Answer::ok("");
        }
        if self.keeps_nothing {
            return Answer::ok("");
        }
        for (key, value) in heard.json().as_object().unwrap() {
            let is_pool_key = key.contains("tratum") && self.kind == Kind::Bitaxe215;
            let known = self.stored.get(key);
            let has_type = known.is_some_and(|known| {
                (known.is_string(), known.is_number(), known.is_boolean())
                    == (value.is_string(), value.is_number(), value.is_boolean())
            });
            // Ignored without a word: pool keys since slots, wrong types on a NerdQAxe.
            if has_type && !is_pool_key {
                self.stored.insert(key.clone(), value.clone());
            }
        }
        if self.kind == Kind::NerdQAxe {
            self.connect();
        }
        Answer::ok("")
    }

    fn put(&mut self, id: u8, value: &Value) -> Answer {
        if id > 7 || !value["stratumURL"].is_string() || !value["stratumPort"].is_u64() {
            return Answer::status(400, "Invalid pool configuration payload");
        }
        if self.keeps_nothing {
            return Answer::ok("");
        }
        let mut put = slot(value);
        if put["stratumPassword"] == "*****" {
            let kept = self.slots.get(&id).map(|slot| slot["stratumPassword"].clone());
            put.insert("stratumPassword".into(), kept.unwrap_or_else(|| "".into()));
        }
        self.slots.insert(id, put);
        Answer::ok("")
    }

    fn delete(&mut self, id: u8) -> Answer {
        let is_used = |key: &str| self.stored[key].as_u64() == Some(u64::from(id));
        if is_used("primaryPoolIndex") || is_used("secondaryPoolIndex") {
            return Answer::status(400, "Pool is in use");
        }
        self.slots.remove(&id);
        Answer::ok("")
    }
}

/// Settings of a device that has worked elsewhere.
fn factory() -> Map<String, Value> {
    let stored = json!({
        "hostname": "bitaxe", "ssid": "home", "wifiPass": "secret", "frequency": 525,
        "coreVoltage": 1150, "stratumURL": "solo.example.org", "stratumPort": 3333,
        "stratumUser": "bc1qold.bitaxe", "stratumPassword": "old-secret",
        "fallbackStratumURL": "backup.example.org", "fallbackStratumPort": 3334,
        "fallbackStratumUser": "bc1qold.backup", "fallbackStratumPassword": "backup-secret",
        "useFallbackStratum": 0,
    });
    stored.as_object().unwrap().clone()
}

/// A slot is stored whole: what is left out gets its default.
fn slot(given: &Value) -> Map<String, Value> {
    let defaults = json!({
        "stratumURL": "", "stratumPort": 0, "stratumUser": "", "stratumPassword": "",
        "stratumProtocol": "SV1", "stratumTLS": 0, "stratumExtranonceSubscribe": false,
        "stratumSuggestedDifficulty": 0, "stratumDecodeCoinbase": false,
    });
    let Value::Object(mut slot) = defaults else { panic!("an object is written above") };
    for (key, value) in &mut slot {
        if let Some(given) = given.get(key) {
            *value = given.clone();
        }
    }
    slot
}
