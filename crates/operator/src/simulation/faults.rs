//! What goes wrong: with processes, with their watches and clocks, and with the whole cluster.

use std::mem;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::Instant;

use super::Simulation;

impl Simulation {
    /// Something goes wrong, or somebody does something.
    pub(super) fn disturb(&mut self) {
        let what = match self.draw(10) {
            0..=2 => self.cluster.ask(&self.manifests, &mut self.random),
            3..=5 => self.cluster.meddle(&mut self.random),
            _ => self.fail(),
        };
        self.tell(what);
    }

    /// Something goes wrong with a process, with its watches, or with the whole cluster.
    fn fail(&mut self) -> String {
        let number = self.processes.len();
        if number < 2 || self.draw(12) == 0 && number < 3 {
            self.start_process();
            return format!("the process {} starts", self.started);
        }
        let chosen = self.draw(number);
        match self.draw(24) {
            0..=5 => self.disturb_process(chosen),
            6..=16 => self.disturb_watch(chosen),
            17 => self.set_clock(chosen),
            18 if self.draw(3) == 0 => self.restore(),
            _ => {
                self.cluster.back_up();
                "a backup is made".to_owned()
            }
        }
    }

    fn disturb_process(&mut self, chosen: usize) -> String {
        let (kind, seconds) = (self.draw(6), self.draw(40) as u64);
        let until = Some(Instant::now() + Duration::from_secs(seconds));
        let process = &mut self.processes[chosen];
        let number = process.number;
        match kind {
            0 => {
                self.processes.remove(chosen).crash();
                format!("the process {number} crashes")
            }
            1 => {
                process.stop();
                format!("the process {number} is told to stop")
            }
            2..=3 => {
                process.frozen = until;
                format!("the process {number} stands still for {seconds} s")
            }
            _ => {
                process.cut_off = until;
                format!("the process {number} is cut off for {seconds} s")
            }
        }
    }

    fn disturb_watch(&mut self, chosen: usize) -> String {
        let (watch, is_broken, changes) = (self.draw(4), self.draw(2) == 0, self.draw(5));
        let process = &mut self.processes[chosen];
        let number = process.number;
        if is_broken {
            process.break_watch(watch);
            format!("the watch {watch} of the process {number} breaks")
        } else {
            process.repeat(watch, changes);
            format!("the watch {watch} of the process {number} tells {changes} changes again")
        }
    }

    fn set_clock(&mut self, chosen: usize) -> String {
        let ahead = [0, 2, -2, 3600, -3600][self.draw(5)];
        let process = &self.processes[chosen];
        process.clock.ahead.store(ahead, Ordering::Relaxed);
        format!("the clock of {} is {ahead} s ahead", process.number)
    }

    /// A backup of etcd is restored: what was under way is cut, and every watch lists anew.
    fn restore(&mut self) -> String {
        if !self.cluster.restore() {
            return "there is no backup".to_owned();
        }
        self.restored = Some(Instant::now());
        self.checks.restored(&self.cluster);
        let on_their_way = self.network.with(mem::take);
        for mut request in on_their_way {
            request.answer = None;
            request.arrive();
        }
        for process in &mut self.processes {
            for number in 0..4 {
                process.break_watch(number);
            }
        }
        "a backup is restored".to_owned()
    }
}
