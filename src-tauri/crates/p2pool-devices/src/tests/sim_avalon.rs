//! An Avalon Nano 3S: three pools behind a login, which count after a reboot.

use std::sync::{Arc, Mutex, MutexGuard};

use serde_json::{Value, json};

use super::clock::{OUR_PORT, OUR_USER, Sim, US, client};
use super::server::{Answer, Server};
use crate::client::{DeviceClient, Ports};
use crate::{Dialect, DoorCount};

const RESTART_S: u64 = 100;

pub(crate) type Pool = [String; 3];

pub(crate) struct State {
    pub(crate) model: &'static str,
    /// URL, user, password; what counts after the next start.
    pub(crate) stored: [Pool; 3],
    shown: [Pool; 3],
    pub(crate) heard: Vec<Value>,
    pub(crate) never_returns: bool,
    pub(crate) keeps_nothing: bool,
    restarting_s: u64,
    is_gone: bool,
    connected_s: Option<u64>,
    door: DoorCount,
}

pub(crate) struct Avalon {
    server: Server,
    other: Server,
    state: Arc<Mutex<State>>,
}

impl Avalon {
    pub(crate) async fn start() -> Self {
        let pool = |url: &str, user: &str, password: &str| [url, user, password].map(str::to_owned);
        let stored = [
            pool("stratum+tcp://solo.example.org:3333", "bc1qold.nano", "old-secret"),
            pool("", "", ""),
            pool("stratum+tcp://third.example.org:3333", "bc1qold.third", "y"),
        ];
        let state = State {
            model: "Avalon Nano3s",
            shown: stored.clone(),
            stored,
            heard: Vec::new(),
            never_returns: false,
            keeps_nothing: false,
            restarting_s: 0,
            is_gone: false,
            connected_s: None,
            door: DoorCount::default(),
        };
        let state = Arc::new(Mutex::new(state));
        let shared = Arc::clone(&state);
        let server = Server::commands(move |command| shared.lock().unwrap().answer(&command)).await;
        Self { server, other: Server::nobody().await, state }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Names of the commands that change something, with their parameters.
    pub(crate) fn changes(&self) -> Vec<String> {
        let state = self.state();
        let with = state.heard.iter().filter_map(|heard| {
            Some(format!("{} {}", heard["command"].as_str()?, heard["parameter"].as_str()?))
        });
        with.collect()
    }
}

impl Sim for Avalon {
    fn time_passes(&self, seconds: u64) {
        let mut state = self.state();
        if state.restarting_s > 0 {
            state.restarting_s = state.restarting_s.saturating_sub(seconds);
            if state.restarting_s == 0 && !state.is_gone {
                state.shown = state.stored.clone();
                let us = US.map(|byte| byte.to_string()).join(".");
                let [url, user, _] = &state.shown[0];
                if *url == format!("stratum+tcp://{us}:{OUR_PORT}") && user == OUR_USER {
                    state.door.logins += 1;
                    state.connected_s = Some(0);
                }
            }
        } else if let Some(connected_s) = &mut state.connected_s {
            *connected_s += seconds;
            if *connected_s == 3 {
                state.door.results += 1;
            }
        }
    }

    fn door(&self) -> DoorCount {
        self.state().door
    }

    fn client(&self) -> DeviceClient {
        client(Ports { http: self.other.port, cgminer: self.server.port })
    }

    fn dialect(&self) -> Dialect {
        Dialect::Cgminer
    }
}

impl State {
    /// What is stored has counted since the last start.
    pub(crate) fn show_stored(&mut self) {
        self.shown = self.stored.clone();
    }

    fn answer(&mut self, command: &Value) -> Answer {
        self.heard.push(command.clone());
        if self.restarting_s > 0 || self.is_gone {
            return Answer::Drop;
        }
        let parameter = command["parameter"].as_str().unwrap_or_default();
        let body = match command["command"].as_str().unwrap() {
            "version" => json!({"VERSION": [{
                "CGMiner": "4.11.1", "API": "3.7", "PROD": self.model, "MODEL": "Nano3s",
                "HWTYPE": "N_MM1v1_X1", "MAC": "e0e1a90c0406", "DNA": "0201000000000000",
            }]}),
            "summary" => json!({"SUMMARY": [{
                "Elapsed": 60, "MHS av": 6_000_000.0, "MHS 5s": 6_100_000.0, "Accepted": 9,
                "Rejected": 1,
            }]}),
            "pools" => {
                let list = self.shown.iter().zip(0..).map(|([url, user, _], index)| {
                    json!({"POOL": index, "URL": url, "User": user, "Status": "Alive",
                        "Priority": index, "Stratum Active": index == 0})
                });
                json!({"POOLS": list.collect::<Value>()})
            }
            "estats" => json!({"STATS": [{
                "ID": "AVA100", "MM ID0": "Ver[Nano3s-25021401] TMax[84] TAvg[80] Fan1[1500] FanR[38%]",
            }]}),
            "setpool" => return said(&self.set_pool(parameter)),
            "ascset" if parameter == "0,reboot,0" => {
                self.restarting_s = RESTART_S;
                self.is_gone = self.never_returns;
                self.connected_s = None;
                // It has no time left to say so.
                return Answer::Drop;
            }
            _ => return said(&Err("Invalid command")),
        };
        let mut reply = json!({"STATUS": [{"STATUS": "S", "Code": 22, "Msg": "ok"}], "id": 1});
        reply.as_object_mut().unwrap().append(&mut body.as_object().unwrap().clone());
        Answer::Raw([reply.to_string().as_bytes(), b"\0"].concat())
    }

    fn set_pool(&mut self, parameter: &str) -> Result<(), &'static str> {
        let values: Vec<&str> = parameter.split(',').collect();
        let [user, password, index, url, worker, worker_password] = values[..] else {
            return Err("Missing parameter");
        };
        if user != "root" {
            return Err("username err");
        }
        if password != "device-secret" {
            return Err("userpass err");
        }
        if !self.keeps_nothing {
            let index: usize = index.parse().map_err(|_| "Invalid index")?;
            self.stored[index] = [url, worker, worker_password].map(str::to_owned);
        }
        Ok(())
    }
}

pub(crate) fn said(result: &Result<(), &'static str>) -> Answer {
    let status = match result {
        Ok(()) => json!({"STATUS": "S", "Code": 118, "Msg": "success, please reboot"}),
        Err(words) => json!({"STATUS": "E", "Code": 14, "Msg": words}),
    };
    Answer::Raw([json!({"STATUS": [status], "id": 1}).to_string().as_bytes(), b"\0"].concat())
}
