//! The second driver of the machine: real requests to a simulated device, made-up time.

use std::path::Path;
use std::time::Duration;

use crate::client::{ClientConfig, Device, DeviceClient, Ports};
use crate::error::DeviceProblem;
use crate::progress::{DoorCount, Ending, Phase};
use crate::script::Script;
use crate::transaction::{Fact, Now, Output, Transaction};
use crate::{
    Backup, Dialect, Plan, PlanError, Reach, ReadyChange, Secrets, Target, Wishes, plan_change,
    plan_undo,
};

/// A device that lives on made-up time.
pub(crate) trait Sim {
    fn time_passes(&self, seconds: u64);
    fn door(&self) -> DoorCount;
    fn client(&self) -> DeviceClient;
    fn dialect(&self) -> Dialect;
}

/// How a script ended.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) result: Result<Ending, DeviceProblem>,
    pub(crate) phases: Vec<Phase>,
    pub(crate) took: Duration,
}

impl Run {
    pub(crate) fn code(&self) -> Option<&'static str> {
        self.result.as_ref().err().and_then(DeviceProblem::code)
    }
}

pub(crate) const US: [u8; 4] = [192, 168, 1, 20];
pub(crate) const OUR_PORT: u16 = 9332;
pub(crate) const OUR_USER: &str = "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4.m1";

pub(crate) fn wishes() -> Wishes {
    let port = OUR_PORT.try_into().unwrap();
    Wishes::usual(Target::new(US.into(), port, OUR_USER).unwrap())
}

pub(crate) fn client(ports: Ports) -> DeviceClient {
    let user_agent = "P2Pool Desktop/0.1.0 (local miner setup)".to_owned();
    let config = ClientConfig { user_agent, reach: Reach::PrivateAndLoopback, ports };
    DeviceClient::new(&config).unwrap()
}

pub(crate) fn device(sim: &impl Sim) -> Device {
    let client = sim.client();
    client.device(client.address([127, 0, 0, 1].into()).unwrap()).unwrap()
}

/// Reads the device and plans.
pub(crate) async fn plan(sim: &impl Sim, wishes: &Wishes) -> Result<Plan, PlanError> {
    let reading = device(sim).read(sim.dialect(), &Secrets::default()).await.unwrap();
    plan_change(&reading, wishes)
}

/// A plan whose backup is saved.
pub(crate) async fn ready(sim: &impl Sim, wishes: &Wishes, folder: &Path) -> ReadyChange {
    ReadyChange::save(plan(sim, wishes).await.unwrap(), folder, 1_790_000_000).unwrap()
}

/// Carries out a change.
pub(crate) async fn change(sim: &impl Sim, ready: &ReadyChange, secrets: &Secrets) -> Run {
    run(Transaction::new(ready.script().clone(), sim.door()), sim, secrets).await
}

/// Reads the backup from the disk, reads the device, plans and carries out the undoing.
pub(crate) async fn undo(sim: &impl Sim, path: &Path, secrets: &Secrets) -> Run {
    let script = undo_script(sim, path).await;
    run(Transaction::new(script, DoorCount::default()), sim, secrets).await
}

pub(crate) async fn undo_script(sim: &impl Sim, path: &Path) -> Script {
    let backup = Backup::load(path).unwrap();
    let now = device(sim).read(sim.dialect(), &Secrets::default()).await.unwrap();
    plan_undo(&backup, &now).unwrap().script
}

pub(crate) async fn run(mut machine: Transaction, sim: &impl Sim, secrets: &Secrets) -> Run {
    let mut device = device(sim);
    let mut phases = Vec::new();
    let mut elapsed = Duration::ZERO;
    loop {
        let output = machine.poll().expect("the machine asks for something until it ends");
        let fact = match output {
            Output::Phase(phase) => {
                phases.push(phase);
                continue;
            }
            Output::End(result) => {
                assert_eq!(machine.poll(), None, "nothing comes after the end");
                return Run { result, phases, took: elapsed };
            }
            Output::Read => Fact::Read(device.read(sim.dialect(), secrets).await),
            Output::Send(request) => Fact::Sent(device.send(&request, secrets).await),
            Output::Wait(pause) => {
                let before = sim.door();
                let until = elapsed + pause;
                while elapsed < until && sim.door() == before {
                    sim.time_passes(1);
                    elapsed += Duration::from_secs(1);
                }
                Fact::Nothing
            }
        };
        machine.handle(Now { elapsed, door: sim.door() }, fact);
    }
}
