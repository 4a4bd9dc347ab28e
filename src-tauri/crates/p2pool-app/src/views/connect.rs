//! Where miners connect, and what is known of devices that do not yet.

use p2pool_devices::{Device, DeviceId};
use qrcode::{Color, EcLevel, QrCode};

use crate::api::UnixSeconds;
use crate::api::pages::{
    Connect, DeviceOffer, DoorState, FoundDevice, MinerAddress, NetworkChoice, QrPicture,
};
use crate::devices::{DeskState, TargetPlace, family_of, offer_of};

/// Squares without anything around a code.
const QUIET: usize = 4;

/// The door as it is: where miners are told to connect, and whether they can.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Door {
    pub(crate) state: DoorState,
    /// Where miners are told to connect; the payout address may be missing still.
    pub(crate) place: Option<TargetPlace>,
    pub(crate) phone_seen_at: Option<UnixSeconds>,
}

/// All that the page of miners and the set-up show about connecting.
pub(crate) fn connect(desk: &DeskState, door: &Door) -> Connect {
    let here = door.place.as_ref().map(|place| format!("{}:{}", place.host, place.port));
    let chosen = desk.network().map(|network| network.address);
    let networks = desk.networks.iter().map(|network| NetworkChoice {
        name: network.name.clone(),
        address: network.address.to_string(),
        is_virtual: network.is_virtual,
        is_chosen: Some(network.address) == chosen,
    });
    let mut found: Vec<(u32, FoundDevice)> = desk
        .found
        .iter()
        .map(|(id, entry)| {
            let identity = &entry.identity;
            let text = |text: &p2pool_devices::DeviceText| text.as_str().to_owned();
            let device = FoundDevice {
                id: id.clone(),
                mac: match identity.id {
                    DeviceId::Mac(mac) => Some(mac.to_string()),
                    DeviceId::Address(_) => None,
                },
                ip: identity.address.to_string(),
                family: family_of(identity.family),
                model: text(&identity.model),
                name: text(&identity.name),
                firmware: text(&identity.firmware),
                hashrate_hps: entry.hashrate_hps,
                pool: entry.pool.clone(),
                offer: offer_of(identity, &entry.pool, here.as_deref()),
                can_identify: Device::can_greet(identity),
                change: desk.changes.get(id).cloned(),
            };
            (identity.address.ip().into(), device)
        })
        .collect();
    found.sort_by_key(|(ip, _)| *ip);
    let found: Vec<FoundDevice> = found.into_iter().map(|(_, device)| device).collect();
    let by_click = found.iter().filter(|device| device.offer == DeviceOffer::UseHere).count();
    Connect {
        door: door.state,
        address: door.place.as_ref().map(address),
        networks: networks.collect(),
        phone_seen_at: door.phone_seen_at,
        search: desk.search.clone(),
        can_use_all: by_click >= 2 && door.state == DoorState::Open && !desk.is_rolling,
        found,
        plan: desk.plan.clone(),
    }
}

fn address(place: &TargetPlace) -> MinerAddress {
    let TargetPlace { host, port, payout } = place;
    let hello_url = format!("http://{host}:{port}/hello");
    MinerAddress {
        url: format!("stratum+tcp://{host}:{port}"),
        host: host.to_string(),
        port: port.get(),
        user: if payout.is_empty() { String::new() } else { format!("{payout}.miner1") },
        code: picture(&hello_url),
        hello_url,
    }
}

/// A code as a path of unit squares, a run of dark ones at a time.
fn picture(text: &str) -> QrPicture {
    let code = QrCode::with_error_correction_level(text, EcLevel::M)
        .expect("an address is far shorter than the longest code");
    let (width, colors) = (code.width(), code.to_colors());
    let mut path = String::new();
    for (y, line) in colors.chunks(width).enumerate() {
        let mut x = 0;
        for run in line.chunk_by(|one, other| one == other) {
            if run.first() == Some(&Color::Dark) {
                path.push_str(&format!(
                    "M{} {}h{}v1h-{}z",
                    x + QUIET,
                    y + QUIET,
                    run.len(),
                    run.len()
                ));
            }
            x += run.len();
        }
    }
    QrPicture { size: super::count(width + 2 * QUIET), path }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::pages::SearchState;

    fn place(payout: &str) -> TargetPlace {
        TargetPlace {
            host: [192, 168, 1, 20].into(),
            port: 9332.try_into().unwrap(),
            payout: payout.to_owned(),
        }
    }

    /// Acceptance 13: the picture says what the page for phones is called.
    #[test]
    fn picture_decodes_to_the_page_for_phones() {
        let url = address(&place("bc1qme")).hello_url;
        assert_eq!(url, "http://192.168.1.20:9332/hello");
        let picture = picture(&url);
        let size = usize::try_from(picture.size).unwrap();
        let mut dark = vec![vec![false; size]; size];
        for square in picture.path.split('M').filter(|square| !square.is_empty()) {
            let (at, rest) = square.split_once('h').unwrap();
            let (x, y) = at.split_once(' ').unwrap();
            let (run, _) = rest.split_once('v').unwrap();
            let (x, y): (usize, usize) = (x.parse().unwrap(), y.parse().unwrap());
            let run: usize = run.parse().unwrap();
            dark[y][x..x + run].fill(true);
        }
        let grid = rqrr::SimpleGrid::from_func(size - 2 * QUIET, |x, y| dark[y + QUIET][x + QUIET]);
        let (_, text) = rqrr::Grid::new(grid).decode().unwrap();
        assert_eq!(text, url);
    }

    #[test]
    fn address_is_that_of_the_door_and_never_this_computers_own_name() {
        let door = Door {
            state: DoorState::Open,
            place: Some(place("bc1qme")),
            phone_seen_at: Some(UnixSeconds(7)),
        };
        let connect = connect(&DeskState::default(), &door);
        let address = connect.address.unwrap();
        assert_eq!((address.host.as_str(), address.port), ("192.168.1.20", 9332));
        assert_eq!(address.url, "stratum+tcp://192.168.1.20:9332");
        assert_eq!(address.user, "bc1qme.miner1");
        assert_eq!(
            (connect.search, connect.phone_seen_at),
            (SearchState::Idle, Some(UnixSeconds(7)))
        );
    }
}
