//! The task itself: deeds and facts come in, work goes on beside it, its state is shown.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use p2pool_devices::{ClientConfig, DeviceClient, DoorCount, Identity, Interface, Rollout};
use p2pool_store::StoreError;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior};

use super::book::{Book, Remembered};
use super::changes::LastChange;
use super::plans::Pending;
use super::polls::Turn;
use super::state::{Deed, DeskState, Network, Surroundings};
use crate::api::UnixSeconds;
use crate::api::pages::DeviceChange;
use crate::host::Host;

/// Deeds under way; they are clicks of a person.
const DEEDS_QUEUE: usize = 32;
/// News of work beside the task: a search tells two for each of its thousand addresses at most.
const NEWS_QUEUE: usize = 4096;
const TICK: Duration = Duration::from_secs(1);
/// How often this computer's networks are looked at. Sends nothing.
const NETWORKS_EVERY: Duration = Duration::from_secs(10);
/// Something that work beside the task found out.
pub(super) type News = Box<dyn FnOnce(&mut Desk) + Send>;

/// See the module's documentation.
pub(crate) struct Desk {
    pub(super) host: Arc<dyn Host>,
    pub(super) client: DeviceClient,
    pub(super) book: Option<Book>,
    deeds: mpsc::Receiver<Deed>,
    surroundings: watch::Receiver<Surroundings>,
    shown: watch::Sender<Arc<DeskState>>,
    pub(super) news: mpsc::Sender<News>,
    heard: mpsc::Receiver<News>,
    pub(super) jobs: JoinSet<Option<News>>,
    pub(super) state: DeskState,
    pub(super) around: Surroundings,
    /// Cancels the search that goes on.
    pub(super) search: Option<oneshot::Sender<()>>,
    /// What the open plan would do.
    pub(super) pending: Option<Pending>,
    pub(super) rollout: Option<Rollout<String>>,
    /// What waiting longer and putting back need.
    pub(super) last: BTreeMap<String, LastChange>,
    /// Devices that are asked or changed now.
    pub(super) turns: BTreeMap<String, Turn>,
    /// What devices being changed bring to the door.
    pub(super) doors: BTreeMap<String, (Ipv4Addr, watch::Sender<DoorCount>)>,
    networks_at: Option<Instant>,
}

impl std::fmt::Debug for Desk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Desk").field("state", &self.state).finish_non_exhaustive()
    }
}

/// The controller's ends.
#[derive(Debug)]
pub(crate) struct DeskHandle {
    deeds: mpsc::Sender<Deed>,
    surroundings: watch::Sender<Surroundings>,
    state: watch::Receiver<Arc<DeskState>>,
}

impl DeskHandle {
    /// Asks for a deed; `false` if too much is asked at once.
    pub(crate) fn ask(&self, deed: Deed) -> bool {
        self.deeds.try_send(deed).is_ok()
    }

    /// Tells what is around.
    pub(crate) fn tell(&self, surroundings: Surroundings) {
        self.surroundings.send_if_modified(|old| {
            let is_new = *old != surroundings;
            *old = surroundings;
            is_new
        });
    }

    /// What it shows now.
    pub(crate) fn state(&self) -> Arc<DeskState> {
        Arc::clone(&self.state.borrow())
    }
}

impl Desk {
    /// Makes the task and its handle; `None` if the system refuses what it takes to call devices.
    pub(crate) fn new(host: Arc<dyn Host>) -> (DeskHandle, Option<Self>) {
        let (deed, deeds) = mpsc::channel(DEEDS_QUEUE);
        let (tell, surroundings) = watch::channel(Surroundings::default());
        let (shown, state) = watch::channel(Arc::default());
        let (news, heard) = mpsc::channel(NEWS_QUEUE);
        let handle = DeskHandle { deeds: deed, surroundings: tell, state };
        let config: ClientConfig = host.device_client();
        let client = match DeviceClient::new(&config) {
            Ok(client) => client,
            Err(error) => {
                tracing::error!(%error, "devices cannot be called");
                return (handle, None);
            }
        };
        let desk = Self {
            host,
            client,
            book: None,
            deeds,
            surroundings,
            shown,
            news,
            heard,
            jobs: JoinSet::new(),
            state: DeskState::default(),
            around: Surroundings::default(),
            search: None,
            pending: None,
            rollout: None,
            last: BTreeMap::new(),
            turns: BTreeMap::new(),
            doors: BTreeMap::new(),
            networks_at: None,
        };
        (handle, Some(desk))
    }

    /// Runs until the handle is gone.
    pub(crate) async fn run(mut self) {
        self.open().await;
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                deed = self.deeds.recv() => match deed {
                    Some(deed) => self.carry_out(deed),
                    None => return,
                },
                Ok(()) = self.surroundings.changed() => self.look_around(),
                Some(news) = self.heard.recv() => news(&mut self),
                Some(done) = self.jobs.join_next() => match done {
                    // What it told on its way comes before its end.
                    Ok(done) => {
                        while let Ok(news) = self.heard.try_recv() {
                            news(&mut self);
                        }
                        if let Some(news) = done {
                            news(&mut self);
                        }
                    }
                    Err(error) => tracing::error!(%error, "work on a device failed"),
                },
                _ = tick.tick() => self.pass(),
            }
            self.shown.send_replace(Arc::new(self.state.clone()));
        }
    }

    async fn open(&mut self) {
        let host = Arc::clone(&self.host);
        let opened = tokio::task::spawn_blocking(move || -> Result<_, String> {
            let dir: &Path = host.data_dir();
            let book = Book::open(dir, host.now()).map_err(|error| error.to_string())?;
            let remembered = book.read().map_err(|error| error.to_string())?;
            Ok((book, remembered))
        });
        match opened.await {
            Ok(Ok((book, remembered))) => {
                self.book = Some(book);
                self.remember(remembered);
            }
            Ok(Err(error)) => tracing::warn!(error, "records of devices not read"),
            Err(error) => tracing::error!(%error, "records of devices not read"),
        }
    }

    fn remember(&mut self, remembered: Remembered) {
        self.state.devices = remembered.devices.into_iter().collect();
        self.state.chosen = remembered.chosen;
        self.state.cpu_hps = remembered.cpu_hps;
        self.state.labels =
            remembered.labels.into_iter().map(|label| (label.subject.clone(), label)).collect();
    }

    fn carry_out(&mut self, deed: Deed) {
        match deed {
            Deed::Look { range } => self.look(&range),
            Deed::StopLooking => self.stop_looking(),
            Deed::AddAddress { address } => self.add_address(address),
            Deed::Learn { ip } => self.learn(ip),
            Deed::Plan { device, keeps_old, slot, tries_other_way } => {
                self.plan(&device, keeps_old, slot, tries_other_way);
            }
            Deed::PlanUndo { device, change } => self.plan_undo(&device, change),
            Deed::ClosePlan => self.close_plan(),
            Deed::Apply { secrets } => self.apply(secrets),
            Deed::UseAll { devices } => self.use_all(devices),
            Deed::WaitLonger { device } => self.wait_longer(&device),
            Deed::PutBack { device } => self.put_back(&device, None),
            Deed::DismissChange { device, forgets_undo } => {
                self.dismiss_change(&device, forgets_undo);
            }
            Deed::Identify { device } => self.identify(&device),
            Deed::Restart { device } => self.restart(&device),
            Deed::Label(label) => {
                self.state.labels.insert(label.subject.clone(), label.clone());
                self.write(move |book| book.put_label(&label), |_| {});
            }
            Deed::Forget { device } => self.forget(&device),
            Deed::ChooseNetwork { address } => {
                self.state.chosen = Some(address);
                self.write(move |book| book.choose_network(address), |_| {});
            }
            Deed::Check { address } => self.check(address),
            Deed::NoteCpuRate { hps } => {
                self.state.cpu_hps = Some(hps);
                self.write(move |book| book.note_cpu_rate(hps), |_| {});
            }
        }
    }

    fn look_around(&mut self) {
        self.around = self.surroundings.borrow_and_update().clone();
        for (ip, door) in self.doors.values() {
            let arrivals = self.around.arrivals.get(&(*ip).into()).copied().unwrap_or_default();
            let count = DoorCount { logins: arrivals.logins, results: arrivals.results };
            door.send_if_modified(|old| std::mem::replace(old, count) != count);
        }
        self.watch();
    }

    fn pass(&mut self) {
        let is_due = self.networks_at.is_none_or(|at| at.elapsed() >= NETWORKS_EVERY);
        if is_due {
            self.networks_at = Some(Instant::now());
            let host = Arc::clone(&self.host);
            self.jobs.spawn(async move {
                let networks = tokio::task::spawn_blocking(move || networks(host.as_ref())).await;
                let networks = networks.ok()?;
                Some(Box::new(move |desk: &mut Self| desk.state.networks = networks) as News)
            });
        }
        self.poll_devices();
    }

    fn forget(&mut self, device: &str) {
        self.state.devices.remove(device);
        self.state.changes.remove(device);
        self.last.remove(device);
        let device = device.to_owned();
        self.write(move |book| book.forget(&device), |_| {});
    }

    /// Writes to the records beside the task; a failure is logged, for what is done goes on.
    pub(super) fn write<T: Send + 'static>(
        &mut self,
        deed: impl FnOnce(&Book) -> Result<T, StoreError> + Send + 'static,
        then: impl FnOnce(&mut Self) + Send + 'static,
    ) {
        let Some(book) = self.book.clone() else { return };
        self.jobs.spawn(async move {
            match tokio::task::spawn_blocking(move || deed(&book)).await {
                Ok(Ok(_)) => Some(Box::new(then) as News),
                Ok(Err(error)) => {
                    tracing::warn!(%error, "record of a device not written");
                    None
                }
                Err(error) => {
                    tracing::error!(%error, "record of a device not written");
                    None
                }
            }
        });
    }

    /// Keeps a device from now on.
    pub(super) fn keep(&mut self, identity: &Identity) {
        let id = identity.id.folder();
        let entry = self.state.devices.entry(id);
        let entry = entry.or_insert_with(|| super::DeviceEntry::new(identity.clone()));
        entry.identity = identity.clone();
        let (identity, now) = (identity.clone(), self.host.now());
        self.write(move |book| book.put_device(&identity, now), |_| {});
    }

    /// Renews what is shown of a change.
    pub(super) fn show_change(&mut self, device: &str, change: DeviceChange) {
        self.state.changes.insert(device.to_owned(), change);
    }

    pub(super) fn now(&self) -> UnixSeconds {
        self.host.now()
    }
}

/// This computer's networks, the one that leads to the world first, made-up ones last.
fn networks(host: &dyn Host) -> Vec<Network> {
    let found = match host.interfaces() {
        Ok(found) => found,
        Err(error) => {
            tracing::warn!(%error, "networks of this computer not read");
            return Vec::new();
        }
    };
    let usual = host.lan_address();
    let mut networks: Vec<Network> = found
        .into_iter()
        .map(|Interface { name, address, prefix, is_virtual }| Network {
            name,
            address,
            prefix,
            is_virtual,
        })
        .collect();
    networks.sort_by_key(|network| (network.is_virtual, Some(network.address) != usual));
    networks
}
