//! cgminer on a computer: pools can be added, switched and removed while it runs.

use std::sync::{Arc, Mutex, MutexGuard};

use serde_json::{Value, json};

use super::clock::{OUR_PORT, OUR_USER, Sim, US, client};
use super::server::{Answer, Server};
use crate::client::{DeviceClient, Ports};
use crate::{Dialect, DoorCount};

pub(crate) struct State {
    /// URL and user, in the order of their numbers.
    pub(crate) pools: Vec<[String; 2]>,
    /// Numbers, the one used first in front.
    pub(crate) order: Vec<usize>,
    /// Lets this caller only read.
    pub(crate) is_read_only: bool,
    /// Adds pools, but does not switch.
    pub(crate) never_switches: bool,
    pub(crate) changes: Vec<String>,
    door: DoorCount,
}

pub(crate) struct Cgminer {
    server: Server,
    other: Server,
    state: Arc<Mutex<State>>,
}

impl Cgminer {
    pub(crate) async fn start() -> Self {
        let pool = |url: &str, user: &str| [url, user].map(str::to_owned);
        let state = State {
            pools: vec![
                pool("stratum+tcp://a.example.org:3333", "u.a"),
                pool("stratum+tcp://b.example.org:3333", "u.b"),
            ],
            order: vec![1, 0],
            is_read_only: false,
            never_switches: false,
            changes: Vec::new(),
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

    /// Pools and their order.
    pub(crate) fn listing(&self) -> (Vec<[String; 2]>, Vec<usize>) {
        let state = self.state();
        (state.pools.clone(), state.order.clone())
    }
}

impl Sim for Cgminer {
    fn time_passes(&self, _seconds: u64) {
        let mut state = self.state();
        let us = format!("stratum+tcp://{}:{OUR_PORT}", US.map(|byte| byte.to_string()).join("."));
        if state.pools[state.order[0]] == [us, OUR_USER.to_owned()] {
            if state.door.logins == 0 {
                state.door.logins = 1;
            } else {
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
    fn answer(&mut self, command: &Value) -> Answer {
        let parameter = command["parameter"].as_str().unwrap_or_default();
        let name = command["command"].as_str().unwrap();
        let ok = json!([{"STATUS": "S", "Code": 7, "Msg": "ok"}]);
        let reply = match name {
            "version" => json!({"STATUS": ok, "VERSION": [{"CGMiner": "4.12.1", "API": "3.7"}]}),
            "pools" => {
                let list = self.pools.iter().enumerate().map(|(index, [url, user])| {
                    let priority = self.order.iter().position(|known| *known == index);
                    json!({"POOL": index, "URL": url, "User": user, "Priority": priority,
                        "Stratum Active": priority == Some(0)})
                });
                json!({"STATUS": ok, "POOLS": list.collect::<Value>()})
            }
            "summary" => json!({"STATUS": ok, "SUMMARY": [{"MHS av": 90000.0}]}),
            _ if self.is_read_only => {
                json!({"STATUS": [{"STATUS": "E", "Code": 45, "Msg": "Access denied"}]})
            }
            _ => {
                self.changes.push(format!("{name} {parameter}"));
                self.change(name, parameter);
                json!({"STATUS": ok})
            }
        };
        Answer::Raw(reply.to_string().into_bytes())
    }

    fn change(&mut self, name: &str, parameter: &str) {
        match name {
            "addpool" => {
                let values: Vec<&str> = parameter.split(',').collect();
                self.order.push(self.pools.len());
                self.pools.push([values[0], values[1]].map(str::to_owned));
            }
            "switchpool" if !self.never_switches => {
                let index: usize = parameter.parse().unwrap();
                self.order.retain(|known| *known != index);
                self.order.insert(0, index);
            }
            "removepool" => {
                let index: usize = parameter.parse().unwrap();
                assert_eq!(index, self.pools.len() - 1, "the last one leaves no gap");
                self.pools.pop();
                self.order.retain(|known| *known != index);
            }
            _ => {}
        }
    }
}
