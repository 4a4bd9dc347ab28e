//! *It doesn't connect…*: what may be in the way, tested in order.

use std::net::SocketAddr;
use std::time::Duration;

use p2pool_devices::{DeviceClient, FirstLook, Secrets};
use tokio::net::TcpStream;

use super::desk::{Desk, News};
use super::state::TargetPlace;
use crate::api::pages::{CheckTest, CheckedPoint, MinerCheck};

/// This computer answers itself within this time or not at all.
const OWN_ANSWER_WITHIN: Duration = Duration::from_secs(2);

impl Desk {
    /// Tests what can be tested from here; `typed` is where the miner is, if that is known.
    pub(super) fn check(&mut self, typed: String) {
        if self.state.check.as_ref().is_some_and(|check| check.is_running) {
            return;
        }
        let target = self.around.target.clone();
        let own: Vec<_> = self.state.networks.iter().map(|network| network.address).collect();
        let is_own = target.as_ref().map(|place| own.contains(&place.host));
        let place = target.as_ref().map(|place| format!("{}:{}", place.host, place.port));
        let point = |test, is_good, detail: Option<String>| CheckedPoint {
            test,
            is_good,
            detail: detail.unwrap_or_default(),
        };
        let host = target.as_ref().map(|place| place.host.to_string());
        let phone = self.around.phone_seen_at.map(|_| true);
        let mut tests = vec![
            point(CheckTest::Listening, Some(target.is_some()), place.clone()),
            point(CheckTest::Network, is_own.or(Some(false)), host),
        ];
        self.state.check = Some(MinerCheck { is_running: true, tests: tests.clone() });
        let client = self.client.clone();
        self.jobs.spawn(async move {
            if let Some(place) = &target {
                let answers = answers(place).await;
                tests.push(point(CheckTest::OwnAddress, Some(answers), place_text(place)));
            }
            tests.push(point(CheckTest::Phone, phone, None));
            if !typed.trim().is_empty() {
                tests.extend(ask_device(&client, typed.trim(), place.as_deref()).await);
            }
            let check = MinerCheck { is_running: false, tests };
            Some(Box::new(move |desk: &mut Self| desk.state.check = Some(check)) as News)
        });
    }
}

fn place_text(place: &TargetPlace) -> Option<String> {
    Some(format!("{}:{}", place.host, place.port))
}

async fn answers(place: &TargetPlace) -> bool {
    let address = SocketAddr::from((place.host, place.port.get()));
    let connected = tokio::time::timeout(OWN_ANSWER_WITHIN, TcpStream::connect(address)).await;
    connected.is_ok_and(|stream| stream.is_ok())
}

/// Whether the device can be reached from here, and whether it is set to this computer.
async fn ask_device(client: &DeviceClient, typed: &str, here: Option<&str>) -> Vec<CheckedPoint> {
    let looked = match client.resolve(typed).await {
        Ok(address) => match client.device(address) {
            Ok(mut device) => device.look(&Secrets::default()).await.ok(),
            Err(_) => None,
        },
        Err(_) => None,
    };
    let detail = typed.to_owned();
    let reached =
        CheckedPoint { test: CheckTest::DeviceReachable, is_good: Some(looked.is_some()), detail };
    let pool = looked.as_ref().and_then(|look| match look {
        FirstLook::Read(reading) => Some(super::searches::pool_of(&reading.document)),
        FirstLook::Only(_) => None,
    });
    let set = pool.map(|pool| CheckedPoint {
        test: CheckTest::DevicePool,
        is_good: here.map(|here| pool.ends_with(here)),
        detail: pool,
    });
    std::iter::once(reached).chain(set).collect()
}
