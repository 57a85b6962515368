//! How a run shows its progress: bars on a terminal, plain lines anywhere else.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::rate::{Rate, in_words};
use attrium_workflow::{TaskRef, TaskSpec};

/// Where progress is shown: bars on a terminal, plain lines anywhere else.
pub(crate) struct Display(DisplayMode);

enum DisplayMode {
    Bars(Bars),
    Lines(Lines),
}

impl Display {
    /// Bars where standard error is a terminal, else lines there.
    pub(crate) fn stderr() -> Self {
        if io::stderr().is_terminal() {
            Self(DisplayMode::Bars(Bars::new()))
        } else {
            Self::lines(Box::new(io::stderr()))
        }
    }

    /// Plain lines to a writer.
    pub(crate) fn lines(writer: Box<dyn Write + Send>) -> Self {
        Self(DisplayMode::Lines(Lines {
            writer: Mutex::new(writer),
            told: Mutex::default(),
        }))
    }

    /// Says something about the run as a whole.
    pub(crate) fn say(&self, text: &str) {
        match &self.0 {
            DisplayMode::Bars(bars) => bars.say(text),
            DisplayMode::Lines(lines) => lines.say(text),
        }
    }

    pub(super) fn started(&self, task: &TaskSpec) {
        match &self.0 {
            DisplayMode::Bars(bars) => bars.started(task),
            DisplayMode::Lines(lines) => lines.started(task),
        }
    }

    pub(super) fn progressed(&self, task: &TaskSpec, rate: &Rate, now: Instant) {
        match &self.0 {
            DisplayMode::Bars(bars) => bars.progressed(task.id, rate, now),
            DisplayMode::Lines(lines) => lines.progressed(task, rate, now),
        }
    }

    /// A task has ended; `how` says how in a sentence.
    pub(super) fn ended(&self, task: &TaskSpec, elapsed: Duration, how: &str) {
        let text = match how {
            "" => format!("{}: done in {}", task.work, in_words(elapsed)),
            how => format!("{}: {how} ({})", task.work, in_words(elapsed)),
        };
        match &self.0 {
            DisplayMode::Bars(bars) => bars.ended(task.id, &text),
            DisplayMode::Lines(lines) => lines.ended(task.id, &text),
        }
    }

    /// The whole run: the share that is done, and how long the rest takes.
    pub(super) fn overall(&self, share: f64, remaining: Option<Duration>) {
        if let DisplayMode::Bars(bars) = &self.0 {
            bars.overall(share, remaining);
        }
    }

    pub(super) fn clear(&self) {
        if let DisplayMode::Bars(bars) = &self.0 {
            bars.clear();
        }
    }
}

/// A bar has so many steps.
const STEPS: u64 = 1000;

struct Bars {
    all: MultiProgress,
    overall: Mutex<Option<ProgressBar>>,
    tasks: Mutex<BTreeMap<TaskRef, ProgressBar>>,
}

impl Bars {
    fn new() -> Self {
        Self {
            all: MultiProgress::new(),
            overall: Mutex::default(),
            tasks: Mutex::default(),
        }
    }

    fn say(&self, text: &str) {
        // A terminal that is gone is no reason to stop.
        let _ = self.all.println(text);
    }

    fn started(&self, task: &TaskSpec) {
        let bar = ProgressBar::new(STEPS);
        bar.set_style(style("{prefix:32} {wide_bar} {percent:>3} % {msg:44}"));
        bar.set_prefix(task.work.to_string());
        let bar = match &*locked(&self.overall) {
            Some(overall) => self.all.insert_before(overall, bar),
            None => self.all.add(bar),
        };
        locked(&self.tasks).insert(task.id, bar);
    }

    fn progressed(&self, task: TaskRef, rate: &Rate, now: Instant) {
        if let Some(bar) = locked(&self.tasks).get(&task) {
            bar.set_position(steps(rate.share()));
            bar.set_message(rate.describe(now));
        }
    }

    fn ended(&self, task: TaskRef, text: &str) {
        if let Some(bar) = locked(&self.tasks).remove(&task) {
            bar.finish_and_clear();
        }
        self.say(text);
    }

    fn overall(&self, share: f64, remaining: Option<Duration>) {
        let mut overall = locked(&self.overall);
        let bar = overall.get_or_insert_with(|| {
            let bar = self.all.add(ProgressBar::new(STEPS));
            bar.set_style(style("{prefix:32} {wide_bar} {percent:>3} % {msg:44}"));
            bar.set_prefix("all tasks");
            bar
        });
        bar.set_position(steps(share));
        bar.set_message(
            remaining
                .map(|it| format!("{} left", in_words(it)))
                .unwrap_or_default(),
        );
    }

    fn clear(&self) {
        for bar in std::mem::take(&mut *locked(&self.tasks)).into_values() {
            bar.finish_and_clear();
        }
        if let Some(bar) = locked(&self.overall).take() {
            bar.finish_and_clear();
        }
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template)
        .expect("should be a template")
        .progress_chars("=> ")
}

fn steps(share: f64) -> u64 {
    (share * STEPS as f64) as u64
}

/// The least time between two lines about one task.
const QUIET: Duration = Duration::from_secs(10);

struct Lines {
    writer: Mutex<Box<dyn Write + Send>>,
    /// When the last line about each running task was written.
    told: Mutex<BTreeMap<TaskRef, Instant>>,
}

impl Lines {
    fn say(&self, text: &str) {
        // A reader that is gone is no reason to stop.
        let _ = writeln!(locked(&self.writer), "{text}");
    }

    fn started(&self, task: &TaskSpec) {
        locked(&self.told).insert(task.id, Instant::now());
        self.say(&format!("{}: started", task.work));
    }

    fn progressed(&self, task: &TaskSpec, rate: &Rate, now: Instant) {
        if let Some(told) = locked(&self.told).get_mut(&task.id)
            && now.duration_since(*told) >= QUIET
        {
            *told = now;
            let mut told = format!("{} %", (rate.share() * 100.0) as u64);
            let how = rate.describe(now);
            if !how.is_empty() {
                told = format!("{told}, {how}");
            }
            self.say(&format!("{}: {told}", task.work));
        }
    }

    fn ended(&self, task: TaskRef, text: &str) {
        locked(&self.told).remove(&task);
        self.say(text);
    }
}

/// What a lock guards. It only shows progress, so that it may be used after a panic.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
