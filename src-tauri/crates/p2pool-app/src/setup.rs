//! The set-up as a state machine: what was answered, which step is shown, what may be done next.
//!
//! It takes [`SetupRequest`]s, the results of its [`Job`]s and the time, and gives [`Effect`]s:
//! jobs to run beside it and settings to put into force. What it is not: a window, or anything
//! that touches disk or network itself.
//!
//! *Invariant:* answers are kept after every change; no secret is among them.

mod address;
mod answers;
mod found;
mod job;
mod network;
mod node;
mod view;

use std::path::Path;

use bitcoin::Network;
use p2pool_bitcoind::Secret;
use p2pool_bitcoind::local::NewLogin;
use p2pool_node::{NodeSnapshot, RawSettings};
use p2pool_sharechain::Params;
use p2pool_sharechain::versions::ShareVersion;

use crate::api::{
    AddressVerdict, ComputerStep, KeepChoice, LoginChoice, MinersStep, NodePlace, SetupNodeRequest,
    SetupRequest, SetupStep, SetupView, TypedText, UnixSeconds,
};
use address::AddressWork;
pub(crate) use answers::Answers;
use job::Owner;
pub(crate) use job::{Job, JobDone};
use network::member;
use node::{NodeWork, TurnedJob};

/// See the module's documentation.
#[derive(Debug)]
pub(crate) struct Setup {
    answers: Answers,
    is_open: bool,
    can_leave: bool,
    params: Params,
    node: NodeWork,
    address: AddressWork,
    /// What is wrong with a member or proxy that was named.
    mistake: String,
    /// The answers are being put into force; and whether they have to be once more, with or
    /// without mining.
    applying: Option<Option<bool>>,
    is_saving: bool,
    /// The answers as they were written last.
    saved: Option<Answers>,
    not_saved: Option<String>,
}

/// Something that has to be done for the set-up.
#[derive(Debug)]
pub(crate) enum Effect {
    /// A job, with the turn that its result is handed back with.
    Run(u32, Box<Job>),
    /// The answers are to be put into the settings, and the node to run with them.
    Apply,
    /// The same; then mining starts when everything is ready.
    Start,
}

/// What the set-up shows beside its own answers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sight<'a> {
    /// The live node, if it runs.
    pub(crate) node: Option<&'a NodeSnapshot>,
    /// Whether it is being started.
    pub(crate) is_starting: bool,
    /// This computer's address in its network.
    pub(crate) own_ip: Option<std::net::Ipv4Addr>,
    /// Average time to a pool block in seconds.
    pub(crate) pool_block_secs: Option<f64>,
}

impl Sight<'_> {
    /// The share type in force, as far as it is known.
    fn version(&self) -> ShareVersion {
        ShareVersion::NEWEST
    }
}

impl Setup {
    /// The set-up of an application that has just started with these settings.
    pub(crate) fn new(data_dir: &Path, raw: &RawSettings, computer: ComputerStep) -> Self {
        let is_set_up = raw.run.address.is_some()
            || raw.run.chain().is_ok_and(|chain| chain != Network::Bitcoin);
        let kept = Answers::read(data_dir);
        let is_open = match &kept {
            Some(answers) => !answers.is_finished,
            None => !is_set_up,
        };
        let chain = raw.run.chain().unwrap_or(Network::Bitcoin);
        let answers = match kept {
            Some(answers) if is_open => answers,
            Some(_) | None => Answers::of_settings(raw, computer),
        };
        Self {
            saved: Some(answers.clone()).filter(|_| is_open),
            answers,
            is_open,
            can_leave: is_set_up && !is_open,
            params: address::params(chain),
            node: NodeWork::new(chain, data_dir),
            address: AddressWork::default(),
            mistake: String::new(),
            applying: None,
            is_saving: false,
            not_saved: None,
        }
    }

    /// Whether the window shows the set-up.
    pub(crate) fn is_open(&self) -> bool {
        self.is_open
    }

    /// Whether the node may run with what was answered so far.
    pub(crate) fn answers(&self) -> &Answers {
        &self.answers
    }

    /// The password that was tested last, for this run.
    pub(crate) fn given(&self) -> Option<&Secret> {
        self.node.given.as_ref()
    }

    /// What an address is, by the rules in force. A pure question.
    pub(crate) fn judge(&self, text: &TypedText, sight: Sight<'_>) -> AddressVerdict {
        address::judge(text.expose(), &self.params, sight.version())
    }

    /// Does what the person asked for.
    pub(crate) fn request(
        &mut self,
        request: &SetupRequest,
        raw: &RawSettings,
        sight: Sight<'_>,
        now: UnixSeconds,
    ) -> Vec<Effect> {
        let before = self.answers.clone();
        let mut effects = self.handle(request, raw, sight, now);
        let is_running = self.answers.reached >= SetupStep::Network;
        let has_changed = before.port != self.answers.port
            || before.members != self.answers.members
            || before.proxy != self.answers.proxy;
        if is_running && has_changed {
            effects.push(Effect::Apply);
        }
        effects.extend(self.save());
        effects
    }

    /// Takes in what came of a job.
    pub(crate) fn done(&mut self, turn: u32, done: JobDone, now: UnixSeconds) -> Vec<Effect> {
        let mut effects = match done {
            JobDone::Saved(result) => {
                self.is_saving = false;
                self.not_saved = result.err();
                Vec::new()
            }
            JobDone::Wallets { names, owner } => {
                self.address.wallets = names;
                self.address.owner = owner;
                Vec::new()
            }
            JobDone::Address(result) => self.take_wallet_address(result),
            JobDone::Node(done) => run(self.node.done(turn, done, now, &mut self.answers)),
        };
        effects.extend(self.ask_wallets());
        effects.extend(self.save());
        effects
    }

    /// Time has passed.
    pub(crate) fn tick(&mut self, now: UnixSeconds) -> Vec<Effect> {
        if !self.is_open || self.answers.step != SetupStep::Node {
            return Vec::new();
        }
        run(self.node.tick(now, &self.answers))
    }

    /// Whether the answers may be put into force now; else they are when the present attempt is
    /// over.
    pub(crate) fn begins_to_apply(&mut self, starts: bool) -> bool {
        match &mut self.applying {
            Some(again) => {
                *again = Some(starts || again.unwrap_or(false));
                false
            }
            None => {
                self.applying = Some(None);
                true
            }
        }
    }

    /// The answers were put into force. Gives whether they have to be once more, and if so whether
    /// mining starts then.
    pub(crate) fn has_applied(&mut self) -> Option<bool> {
        self.applying.take().flatten()
    }

    /// What the window shows.
    pub(crate) fn view(&self, sight: Sight<'_>) -> SetupView {
        let own_ip = sight.own_ip.map(|ip| ip.to_string());
        SetupView {
            step: self.answers.step,
            reached: self.reached(sight),
            can_go_on: self.can_go_on(self.answers.step, sight),
            can_leave: self.can_leave,
            pool_block_secs: sight.pool_block_secs,
            node: self.node.view(&self.answers, own_ip),
            address: self.address.view(&self.answers, &self.params, sight.version()),
            network: network::view(&self.answers, &self.params, &self.mistake, sight),
            miners: self.miners(sight),
            connect: None,
            computer: self.answers.computer,
            node_place: self
                .answers
                .connection
                .as_ref()
                .map_or_else(String::new, |connection| connection.url.clone()),
            not_saved: self.not_saved.clone(),
        }
    }

    fn miners(&self, sight: Sight<'_>) -> MinersStep {
        let url = sight
            .node
            .zip(sight.own_ip)
            .map(|(node, ip)| format!("stratum+tcp://{ip}:{}", node.stratum_address.port()));
        let address = self.answers.address.clone().unwrap_or_default();
        MinersStep { url, user: format!("{address}.miner1") }
    }

    fn handle(
        &mut self,
        request: &SetupRequest,
        raw: &RawSettings,
        sight: Sight<'_>,
        now: UnixSeconds,
    ) -> Vec<Effect> {
        match request {
            SetupRequest::Open => return self.open(raw, now),
            SetupRequest::Leave => {
                if self.can_leave {
                    self.is_open = false;
                    self.answers.is_finished = true;
                }
            }
            SetupRequest::GoTo { step } => return self.go_to(*step, sight, now),
            SetupRequest::JudgeAddress { .. } => {}
            SetupRequest::UseAddress { text } => {
                let verdict = self.judge(text, sight);
                self.use_address(verdict);
                return self.ask_wallets();
            }
            SetupRequest::CheckAddress { is_checked } => {
                self.answers.is_address_checked = *is_checked && self.answers.address.is_some();
            }
            SetupRequest::NewAddress => return self.new_address(),
            SetupRequest::ChoosePort { choice } => self.answers.port = *choice,
            SetupRequest::AddMember { member: text } => {
                let added = member(text, &self.params, &self.answers.members);
                self.take(added, |answers, members| answers.members = members);
            }
            SetupRequest::UseProxy { proxy } => {
                let proxy = network::proxy(proxy);
                self.take(proxy, |answers, proxy| answers.proxy = proxy);
            }
            SetupRequest::ChooseComputer { choices } => self.answers.computer = *choices,
            SetupRequest::Start => {
                if self.can_go_on(SetupStep::Start, sight) {
                    self.answers.is_finished = true;
                    self.is_open = false;
                    return vec![Effect::Start];
                }
            }
            SetupRequest::Node { request } => return run(self.handle_node(request, now)),
        }
        Vec::new()
    }

    /// Deeds of the node step.
    fn handle_node(&mut self, request: &SetupNodeRequest, now: UnixSeconds) -> Vec<TurnedJob> {
        if self.node.is_busy() {
            return Vec::new();
        }
        let (node, answers) = (&mut self.node, &mut self.answers);
        match request {
            SetupNodeRequest::LookAgain => {
                node.begin_anew();
                node.look(now, answers)
            }
            SetupNodeRequest::ChoosePlace { place } => {
                if answers.place == *place {
                    return Vec::new();
                }
                answers.place = *place;
                answers.connection = None;
                node.begin_anew();
                node.typed = None;
                match place {
                    NodePlace::Here => node.look(now, answers),
                    NodePlace::Elsewhere => {
                        node.made_up = NewLogin::generate().ok();
                        Vec::new()
                    }
                }
            }
            SetupNodeRequest::ChooseNode { folder } => {
                answers.folder = Some(folder.into());
                answers.login = None;
                answers.connection = None;
                node.begin_anew();
                node.choose_login(answers);
                node.test(answers)
            }
            SetupNodeRequest::ChooseLogin { login } => self.choose_login(*login),
            SetupNodeRequest::TestNode => node.test(answers),
            SetupNodeRequest::TestLogin { host, port, user, password, allows_public } => {
                answers.form = answers::Form {
                    host: host.clone(),
                    port: *port,
                    user: user.clone(),
                    allows_public: *allows_public,
                };
                answers.connection = None;
                if !password.expose().is_empty() {
                    node.typed = Some(Secret::new(password.expose().to_owned()));
                }
                node.test_typed(user, answers)
            }
            SetupNodeRequest::ReviewChange { may_switch_server_on } => {
                node.plan(answers, *may_switch_server_on)
            }
            SetupNodeRequest::CancelChange => {
                node.begin_anew();
                Vec::new()
            }
            SetupNodeRequest::ConfirmChange => node.confirm(),
            SetupNodeRequest::KeepPassword { choice: KeepChoice::Cookie } => {
                self.choose_login(LoginChoice::Cookie)
            }
            SetupNodeRequest::KeepPassword { choice } => node.keep_elsewhere(*choice),
            SetupNodeRequest::RestartNode => node.restart(answers),
            SetupNodeRequest::StartNode => node.start(answers),
        }
    }

    fn choose_login(&mut self, login: LoginChoice) -> Vec<TurnedJob> {
        self.answers.login = Some(login);
        self.answers.connection = None;
        self.node.begin_anew();
        self.node.test(&self.answers)
    }

    fn take<T>(&mut self, result: Result<T, String>, keep: impl FnOnce(&mut Answers, T)) {
        match result {
            Ok(value) => {
                self.mistake.clear();
                keep(&mut self.answers, value);
            }
            Err(mistake) => self.mistake = mistake,
        }
    }

    fn open(&mut self, raw: &RawSettings, now: UnixSeconds) -> Vec<Effect> {
        if self.is_open {
            return Vec::new();
        }
        self.can_leave = true;
        self.is_open = true;
        self.answers = Answers::of_settings(raw, self.answers.computer);
        self.node.begin_anew();
        self.node.found = None;
        run(self.node.look(now, &self.answers))
    }

    /// Goes to a step that is reached, or to the next one.
    fn go_to(&mut self, step: SetupStep, sight: Sight<'_>, now: UnixSeconds) -> Vec<Effect> {
        if step > self.reached(sight) {
            return Vec::new();
        }
        self.answers.step = step;
        self.answers.reached = self.answers.reached.max(step);
        let mut effects = Vec::new();
        if step == SetupStep::Node && self.node.found.is_none() {
            effects.extend(run(self.node.look(now, &self.answers)));
        }
        if step > SetupStep::Address {
            effects.push(Effect::Apply);
        }
        effects.extend(self.ask_wallets());
        effects
    }

    /// The last step that can be gone to: the one after the last that is answered.
    fn reached(&self, sight: Sight<'_>) -> SetupStep {
        let mut reached = SetupStep::Welcome;
        for pair in SetupStep::ALL.windows(2) {
            let &[step, next] = pair else { break };
            let was_there = self.answers.reached > step || self.answers.step == step;
            if !was_there || !self.can_go_on(step, sight) {
                break;
            }
            reached = next;
        }
        reached.max(self.answers.step)
    }

    fn can_go_on(&self, step: SetupStep, sight: Sight<'_>) -> bool {
        let node = || self.node.is_ready(&self.answers);
        let address = || {
            let text = self.answers.address.as_deref().unwrap_or_default();
            let verdict = address::judge(text, &self.params, sight.version());
            self.answers.is_address_checked && matches!(verdict, AddressVerdict::Good { .. })
        };
        match step {
            SetupStep::Welcome | SetupStep::Network | SetupStep::Miners | SetupStep::Computer => {
                true
            }
            SetupStep::Node => node(),
            SetupStep::Address => address(),
            SetupStep::Start => node() && address(),
        }
    }

    fn use_address(&mut self, verdict: AddressVerdict) {
        let address = match verdict {
            AddressVerdict::Good { address, .. } => Some(address),
            AddressVerdict::Empty | AddressVerdict::Bad { .. } => None,
        };
        if self.answers.address != address {
            self.answers.address = address;
            self.answers.is_address_checked = false;
            self.address.owner = Owner::Unknown;
        }
        self.address.wallet_trouble.clear();
    }

    /// Asks the node once for each address, when the address step is shown.
    fn ask_wallets(&mut self) -> Vec<Effect> {
        if self.answers.step != SetupStep::Address {
            return Vec::new();
        }
        let Some(exam) = &self.node.exam else { return Vec::new() };
        if self.address.asked.as_ref() == Some(&self.answers.address) {
            return Vec::new();
        }
        self.address.asked = Some(self.answers.address.clone());
        let job = Job::AskWallets { rpc: exam.rpc.clone(), address: self.answers.address.clone() };
        vec![Effect::Run(0, Box::new(job))]
    }

    fn new_address(&mut self) -> Vec<Effect> {
        let (Some(exam), Some(wallet)) = (&self.node.exam, self.address.wallets.first()) else {
            return Vec::new();
        };
        if std::mem::replace(&mut self.address.is_asking_wallet, true) {
            return Vec::new();
        }
        let job = Job::NewAddress { rpc: exam.rpc.clone(), wallet: wallet.clone() };
        vec![Effect::Run(0, Box::new(job))]
    }

    fn take_wallet_address(&mut self, result: Result<String, String>) -> Vec<Effect> {
        self.address.is_asking_wallet = false;
        match result {
            Ok(text) => {
                let verdict = address::judge(&text, &self.params, ShareVersion::NEWEST);
                self.use_address(verdict);
            }
            Err(reason) => self.address.wallet_trouble = reason,
        }
        Vec::new()
    }

    /// Writes the answers down, one writer at a time.
    fn save(&mut self) -> Option<Effect> {
        if self.is_saving || self.saved.as_ref() == Some(&self.answers) {
            return None;
        }
        self.is_saving = true;
        self.saved = Some(self.answers.clone());
        let job = Job::Save { answers: Box::new(self.answers.clone()) };
        Some(Effect::Run(0, Box::new(job)))
    }
}

fn run(jobs: Vec<TurnedJob>) -> Vec<Effect> {
    jobs.into_iter().map(|(turn, job)| Effect::Run(turn, Box::new(job))).collect()
}

#[cfg(test)]
mod tests;
