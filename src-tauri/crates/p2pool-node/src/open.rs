//! Opening what a node needs before it starts: its folder and database, its ports.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use p2pool_engine::{Loaded, LoadedShare};
use p2pool_sharechain::time::UnixTime;
use p2pool_sharechain::{CheckedShare, Params};
use p2pool_store::{HostBan, OpenError, Opened, PeerAddress, Store};
use tokio::net::TcpListener;

use crate::books::Recorder;
use crate::handle::StartError;
use crate::settings::Settings;

/// Own shares and blocks taken from storage.
const OWN_LOADED_MAX: u32 = 20_000;
const BLOCKS_LOADED_MAX: u32 = 500;

/// Names a network and its identifier, so that data of two never mix.
pub(crate) fn network_id(params: &Params) -> String {
    let identifier: String = params.identifier.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{} {identifier}", params.name)
}

pub(crate) fn open_store(dir: &Path, network: &str, now: UnixTime) -> Result<Opened, StartError> {
    if let Err(error) = std::fs::create_dir_all(dir) {
        return Err(StartError::DataFolder { path: dir.to_owned(), reason: error.to_string() });
    }
    Store::open(dir, network, env!("CARGO_PKG_VERSION"), now).map_err(|error| {
        let (path, reason) = (dir.to_owned(), error.to_string());
        match error {
            OpenError::Locked { .. } => StartError::DataLocked { path },
            OpenError::OtherNetwork { .. } | OpenError::TooNew { .. } => {
                StartError::DataOfOther { path, reason }
            }
            OpenError::Unwritable { .. }
            | OpenError::Foreign { .. }
            | OpenError::Damaged { .. }
            | OpenError::Store { .. }
            | _ => StartError::DataFolder { path, reason },
        }
    })
}

pub(crate) fn open_recorder(settings: &Settings) -> Result<Option<Recorder>, StartError> {
    if !settings.record_shares {
        return Ok(None);
    }
    let folder = settings.data_dir.join("recorded");
    match Recorder::open(&folder) {
        Ok(recorder) => Ok(Some(recorder)),
        Err(error) => Err(StartError::DataFolder { path: folder, reason: error.to_string() }),
    }
}

/// Reads what is stored, and checks every share again as if it came from a stranger.
pub(crate) fn load(store: &Store, settings: &Settings) -> Result<Loaded, StartError> {
    let unreadable = |error: &dyn std::fmt::Display| StartError::DataFolder {
        path: settings.data_dir.clone(),
        reason: error.to_string(),
    };
    let mut shares = Vec::new();
    for stored in store.load_shares() {
        let stored = stored.map_err(|error| unreadable(&error))?;
        match CheckedShare::parse(&stored.raw, &settings.params) {
            Ok(share) => {
                shares.push(LoadedShare { share: Arc::new(share), is_verified: stored.verified })
            }
            Err(error) => tracing::warn!(hash = %stored.hash, %error, "stored share left out"),
        }
    }
    Ok(Loaded {
        shares,
        own: store.load_own_shares(OWN_LOADED_MAX).map_err(|error| unreadable(&error))?,
        blocks: store.load_blocks(BLOCKS_LOADED_MAX).map_err(|error| unreadable(&error))?,
    })
}

/// What is stored of other nodes. Without it they are found anew.
pub(crate) fn load_members(store: &Store, now: UnixTime) -> (Vec<PeerAddress>, Vec<HostBan>) {
    let addresses = store.load_peers().unwrap_or_else(|error| {
        tracing::warn!(%error, "addresses of other nodes are not readable; they are found anew");
        Vec::new()
    });
    let bans = store.load_bans(now).unwrap_or_else(|error| {
        tracing::warn!(%error, "bans are not readable; nobody is avoided");
        Vec::new()
    });
    (addresses, bans)
}

pub(crate) async fn bind(address: SocketAddr) -> Result<(TcpListener, SocketAddr), StartError> {
    let taken = |error: std::io::Error| StartError::PortTaken {
        port: address.port(),
        reason: error.to_string(),
    };
    let listener = TcpListener::bind(address).await.map_err(taken)?;
    let address = listener.local_addr().map_err(taken)?;
    Ok((listener, address))
}
