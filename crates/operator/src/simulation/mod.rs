//! A simulation of the operator: its real code, several processes of it, and a model of the cluster around
//! them, in one thread and in an order that follows from a seed.
//!
//! Whatever can go wrong on the way between a process, the API server and the other controllers does, in any
//! order; after each step the invariants are checked. Then all faults cease, and every resource has to come to
//! its end. A failure tells its seed, and its last steps; the same seed fails in the same way.

mod checks;
mod cluster;
mod faults;
mod job_controller;
mod kubelet;
mod network;
mod people;
mod process;
mod rules;
mod server;

use std::collections::{BTreeMap, VecDeque};
use std::env;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::time::Duration;

use attrium_types::random::{ChaCha8Rng, below, named};
use k8s_openapi::jiff::Timestamp;
use tokio::runtime::Builder;
use tokio::task::yield_now;
use tokio::time::{Instant, advance};

use crate::clock::simulated::Clock;
use checks::Checks;
use cluster::{Cluster, Type};
use network::{Answered, Network, OnItsWay};
use people::Manifests;
use process::Process;

/// How many steps are taken unless `ATTRIUM_SIMULATION_STEPS` says so.
const STEPS: u64 = 100_000;
/// How many steps of an episode have faults.
const STEPS_WITH_FAULTS: u64 = 3000;
/// Within how many steps everything comes to its end once faults have ceased.
const STEPS_TO_THE_END: u64 = 20_000;
/// How many of the last steps a failure tells of.
const TOLD: usize = 60;
/// How long after a restored backup two processes may believe to lead.
const DOUBT: Duration = Duration::from_secs(20);

/// A cluster, the processes of attrium in it, and the dice.
struct Simulation {
    random: ChaCha8Rng,
    manifests: Arc<Manifests>,
    began: (Instant, Timestamp),
    cluster: Cluster,
    checks: Checks,
    network: Network,
    processes: Vec<Process>,
    started: u64,
    is_calm: bool,
    restored: Option<Instant>,
    steps: u64,
    told: VecDeque<String>,
}

impl Simulation {
    fn new(seed: u64, manifests: Arc<Manifests>) -> Self {
        let now: Timestamp = "2026-11-24T10:00:00Z".parse().expect("a time");
        let mut simulation = Self {
            random: named(seed, "simulation"),
            manifests,
            began: (Instant::now(), now),
            cluster: Cluster::new(now),
            checks: Checks::default(),
            network: Network::default(),
            processes: Vec::new(),
            started: 0,
            is_calm: false,
            restored: None,
            steps: 0,
            told: VecDeque::new(),
        };
        simulation.start_process();
        simulation.start_process();
        for _ in 0..4 {
            let asked = simulation
                .cluster
                .ask(&simulation.manifests, &mut simulation.random);
            simulation.tell(asked);
        }
        simulation
    }

    fn draw(&mut self, bound: usize) -> usize {
        below(&mut self.random, bound)
    }

    fn start_process(&mut self) {
        self.started += 1;
        let ahead = Arc::<AtomicI64>::default();
        let clock = Clock {
            began: self.began,
            ahead,
        };
        let process = Process::start(self.started, &self.network, clock);
        self.processes.push(process);
    }

    /// Something happens.
    async fn step(&mut self) {
        self.steps += 1;
        match self.draw(100) {
            0..=24 => self.carry(),
            25..=44 => self.watch(),
            45..=54 => self.reconcile(),
            55..=84 => self.control(),
            85..=92 => self.pass_time().await,
            _ if self.is_calm => self.pass_time().await,
            _ => self.disturb(),
        }
        for _ in 0..4 {
            yield_now().await;
        }
        self.check();
    }

    fn tell(&mut self, what: String) {
        if self.told.len() == TOLD {
            self.told.pop_front();
        }
        let passed = self.began.0.elapsed().as_secs_f32();
        self.told
            .push_back(format!("{} ({passed:.1} s) {what}", self.steps));
    }

    fn process(&mut self, number: u64) -> Option<&mut Process> {
        self.processes.iter_mut().find(|it| it.number == number)
    }

    /// A request, or its answer, goes on.
    fn carry(&mut self) {
        let number = self.network.with(|it| it.len());
        if number == 0 {
            return;
        }
        let chosen = self.draw(number);
        let process = self.network.with(|it| it[chosen].process);
        let (is_frozen, is_cut_off) = self
            .process(process)
            .map_or((false, false), |it| (it.is_frozen(), it.is_cut_off()));
        if is_frozen {
            return;
        }
        let mut request = self.network.with(|it| it.remove(chosen));
        if request.answer.is_none() {
            let fate = if self.is_calm { 99 } else { self.draw(100) };
            self.meet_fate(&mut request, fate, is_cut_off);
        }
        // An answer may take its time, but for one that nobody waits for.
        if request.is_given_up() || self.is_calm || self.draw(3) > 0 {
            request.arrive();
        } else {
            self.network.with(|it| it.push(request));
        }
    }

    /// What becomes of a request at the server, and of its answer.
    fn meet_fate(&mut self, request: &mut OnItsWay, fate: usize, is_cut_off: bool) {
        let (process, method, path) = (
            request.process,
            request.method.clone(),
            request.path.clone(),
        );
        // What is about to be deleted may go before, and something else have its name.
        let is_delete = request.method == "DELETE";
        if !self.is_calm
            && ((11..=13).contains(&fate) || is_delete && fate > 60)
            && let Some(key) = server::object_of(&self.cluster, request)
        {
            self.cluster.replace(&key);
            self.tell(format!("{key:?} goes, and something else has its name"));
        }
        let answer = match fate {
            _ if is_cut_off => None,
            0..=2 => None,
            3 => Some(server::failure(500, "InternalError")),
            4 => Some(server::failure(429, "TooManyRequests")),
            5 if method != "GET" => Some(server::failure(403, "Forbidden")),
            6 if method == "POST" => Some(server::failure(422, "Denied")),
            _ => Some(server::serve(&mut self.cluster, &mut self.checks, request)),
        };
        let code = answer.as_ref().map(|(code, _)| *code);
        let date = self
            .cluster
            .now
            .strftime("%a, %d %b %Y %H:%M:%S GMT")
            .to_string();
        // It may have been done all the same.
        let is_lost = (7..=10).contains(&fate);
        self.tell(format!(
            "{process}: {method} {path}: {code:?}, lost: {is_lost}"
        ));
        let answer = answer.filter(|_| !is_lost);
        request.answer = Some(answer.map(|(code, body)| Answered { code, body, date }));
    }

    /// A watch of a process goes on.
    fn watch(&mut self) {
        if self.processes.is_empty() {
            return;
        }
        let (chosen, number) = (self.draw(self.processes.len()), self.draw(4));
        let times = 1 + self.draw(4);
        let process = &mut self.processes[chosen];
        if process.is_frozen() || process.is_cut_off() {
            return;
        }
        let mut told = 0;
        for number in (number..number + 4).map(|it| it % 4) {
            while told < times && process.watch(&self.cluster, number) {
                told += 1;
            }
        }
        let process = process.number;
        if told > 0 {
            self.tell(format!(
                "{process}: {told} of the watch {number}, or of the next"
            ));
        }
    }

    fn reconcile(&mut self) {
        for chosen in 0..self.processes.len() {
            let process = &mut self.processes[chosen];
            if !process.is_frozen() && process.reconcile() {
                let number = process.number;
                self.tell(format!("{number}: reconciliations begin or end"));
            }
        }
    }

    /// A controller of the cluster does something.
    fn control(&mut self) {
        let kinds = [
            Type::Job,
            Type::Job,
            Type::Job,
            Type::Pod,
            Type::Pod,
            Type::Pod,
            Type::ConfigMap,
        ];
        let kind = kinds[self.draw(kinds.len())];
        let keys = self.cluster.with_work(kind);
        if !self.cluster.terminating.is_empty() {
            self.cluster.empty(&mut self.random);
        }
        if keys.is_empty() {
            return;
        }
        let key = keys[self.draw(keys.len())].clone();
        self.cluster.collect(&key);
        match kind {
            Type::Job if self.draw(6) == 0 => self.cluster.admit(&key),
            Type::Job => self.cluster.sync_job(&key),
            Type::Pod => self.cluster.step_pod(&key, &mut self.random, self.is_calm),
            _ => {}
        }
    }

    async fn pass_time(&mut self) {
        let passed = match self.draw(40) {
            0 if !self.is_calm => 5000 + self.draw(30_000),
            1..=6 => self.draw(5000),
            _ => self.draw(800),
        };
        advance(Duration::from_millis(passed as u64)).await;
        let passed = self.began.0.elapsed();
        self.cluster.now = self.began.1 + passed;
    }

    /// Faults cease.
    fn calm(&mut self) {
        self.is_calm = true;
        self.tell("all is calm".to_owned());
        self.cluster.leave_alone();
        for process in self.processes.drain(..) {
            process.crash();
        }
        self.start_process();
        self.start_process();
    }

    fn check(&mut self) {
        self.checks.note(&self.cluster);
        for process in &mut self.processes {
            for event in process.published() {
                self.checks.event(process.number, &event);
            }
        }
        let leaders = self.processes.iter().filter(|it| it.leads()).count();
        let is_in_doubt = self.restored.is_some_and(|it| it.elapsed() < DOUBT);
        if leaders > 1 && !is_in_doubt {
            self.checks
                .complain(format!("{leaders} processes believe to lead"));
        }
    }

    /// What is wrong, if anything is.
    fn wrong(&self) -> Option<String> {
        let complaints = &self.checks.complaints;
        (!complaints.is_empty()).then(|| complaints.join("\n"))
    }

    /// Faults for a while, and then none until everything has come to its end. Returns what was wrong, if
    /// anything was.
    async fn run(&mut self) -> Option<String> {
        while self.steps < STEPS_WITH_FAULTS {
            self.step().await;
            if let Some(wrong) = self.wrong() {
                return Some(wrong);
            }
        }
        self.calm();
        let last = self.steps + STEPS_TO_THE_END;
        while self.steps < last {
            self.step().await;
            if let Some(wrong) = self.wrong() {
                return Some(wrong);
            }
            if self.steps.is_multiple_of(50) && self.cluster.unfinished().is_none() {
                return None;
            }
        }
        let unfinished = self.cluster.unfinished();
        unfinished.map(|it| format!("after {STEPS_TO_THE_END} calm steps {it}"))
    }
}

/// What an episode came to.
#[derive(Debug, Default, PartialEq)]
struct Outcome {
    steps: u64,
    /// How often a status said what.
    said: BTreeMap<String, u64>,
}

/// Runs an episode.
fn episode(seed: u64, manifests: &Arc<Manifests>) -> Outcome {
    let runtime = Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build();
    runtime.expect("a runtime").block_on(async {
        let mut simulation = Simulation::new(seed, manifests.clone());
        if let Some(wrong) = simulation.run().await {
            let told: Vec<String> = simulation.told.into();
            panic!(
                "step {} of ATTRIUM_SIMULATION_SEED={seed}:\n{}\n\n{wrong}",
                simulation.steps,
                told.join("\n")
            );
        }
        Outcome {
            steps: simulation.steps,
            said: simulation.checks.said,
        }
    })
}

fn number(variable: &str) -> Option<u64> {
    let text = env::var(variable).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{variable} should be a number: {text}")),
    )
}

/// What statuses have to say now and then: a simulation in which it does not come to that shows nothing.
const SAID: [&str; 12] = [
    "Failed BadConfiguration",
    "Failed BadData",
    "Failed ModelUnavailable",
    "Failed TaskFailed",
    "Pending NameTaken",
    "Pending PodPending",
    "Pending Retrying",
    "Pending WaitingForModel",
    "Queued Queued",
    "Succeeded Completed",
    "Suspended Suspended",
    "Suspended SuspendedByOthers",
];

#[test]
fn whatever_goes_wrong_the_invariants_hold_and_every_resource_comes_to_its_end() {
    let manifests = Arc::new(Manifests::new());
    if let Some(seed) = number("ATTRIUM_SIMULATION_SEED") {
        episode(seed, &manifests);
        return;
    }
    let steps = number("ATTRIUM_SIMULATION_STEPS").unwrap_or(STEPS);
    let mut all = Outcome::default();
    for seed in 1.. {
        let outcome = episode(seed, &manifests);
        all.steps += outcome.steps;
        for (said, times) in outcome.said {
            *all.said.entry(said).or_default() += times;
        }
        if all.steps >= steps {
            break;
        }
    }
    for said in SAID {
        assert!(all.said.contains_key(said), "{said} is not in {all:?}");
    }
}

#[test]
fn the_same_seed_takes_the_same_steps() {
    let manifests = Arc::new(Manifests::new());
    assert_eq!(episode(7, &manifests), episode(7, &manifests));
}
