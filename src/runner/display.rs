use std::collections::BTreeMap;
use std::io::{self, IsTerminal, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::rate::{Pace, in_words};
use attrium_workflow::{TaskRef, TaskSpec};

/// Where progress is shown: bars on a terminal, plain lines anywhere else.
pub struct Display(Kind);

enum Kind {
    Bars(Bars),
    Lines(Lines),
    Silent,
}

impl Display {
    /// Bars where standard error is a terminal, else lines there.
    pub fn stderr() -> Self {
        if io::stderr().is_terminal() {
            Self(Kind::Bars(Bars::new()))
        } else {
            Self::lines(Box::new(io::stderr()))
        }
    }

    /// Plain lines to a writer.
    pub fn lines(writer: Box<dyn Write + Send>) -> Self {
        Self(Kind::Lines(Lines {
            writer: Mutex::new(writer),
            told: Mutex::default(),
        }))
    }

    /// Nothing is shown.
    pub fn silent() -> Self {
        Self(Kind::Silent)
    }

    /// Says something about the run as a whole.
    pub fn say(&self, text: &str) {
        match &self.0 {
            Kind::Bars(bars) => bars.say(text),
            Kind::Lines(lines) => lines.say(text),
            Kind::Silent => {}
        }
    }

    pub(super) fn started(&self, task: &TaskSpec) {
        match &self.0 {
            Kind::Bars(bars) => bars.started(task),
            Kind::Lines(lines) => lines.started(task),
            Kind::Silent => {}
        }
    }

    pub(super) fn progressed(&self, task: &TaskSpec, pace: &Pace, now: Instant) {
        match &self.0 {
            Kind::Bars(bars) => bars.progressed(task.id, pace, now),
            Kind::Lines(lines) => lines.progressed(task, pace, now),
            Kind::Silent => {}
        }
    }

    /// A task has ended; `how` says how in a sentence.
    pub(super) fn ended(&self, task: &TaskSpec, elapsed: Duration, how: &str) {
        let text = match how {
            "" => format!("{}: done in {}", task.work, in_words(elapsed)),
            how => format!("{}: {how} ({})", task.work, in_words(elapsed)),
        };
        match &self.0 {
            Kind::Bars(bars) => bars.ended(task.id, &text),
            Kind::Lines(lines) => lines.ended(task.id, &text),
            Kind::Silent => {}
        }
    }

    /// The whole run: the share that is done, and how long the rest takes.
    pub(super) fn overall(&self, share: f64, remaining: Option<Duration>) {
        if let Kind::Bars(bars) = &self.0 {
            bars.overall(share, remaining);
        }
    }

    /// Takes the bars away.
    pub(super) fn clear(&self) {
        if let Kind::Bars(bars) = &self.0 {
            bars.clear();
        }
    }
}

/// The steps of a bar.
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
        // Where the terminal is gone there is nobody to tell.
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

    fn progressed(&self, task: TaskRef, pace: &Pace, now: Instant) {
        if let Some(bar) = locked(&self.tasks).get(&task) {
            bar.set_position(steps(pace.share()));
            bar.set_message(pace.describe(now));
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

/// How long a task is not told of again.
const QUIET: Duration = Duration::from_secs(10);

struct Lines {
    writer: Mutex<Box<dyn Write + Send>>,
    /// When each running task was last told of.
    told: Mutex<BTreeMap<TaskRef, Instant>>,
}

impl Lines {
    fn say(&self, text: &str) {
        // Where nobody reads there is nobody to tell.
        let _ = writeln!(locked(&self.writer), "{text}");
    }

    fn started(&self, task: &TaskSpec) {
        locked(&self.told).insert(task.id, Instant::now());
        self.say(&format!("{}: started", task.work));
    }

    fn progressed(&self, task: &TaskSpec, pace: &Pace, now: Instant) {
        if let Some(told) = locked(&self.told).get_mut(&task.id)
            && now.duration_since(*told) >= QUIET
        {
            *told = now;
            let mut told = format!("{} %", (pace.share() * 100.0) as u64);
            let how = pace.describe(now);
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

/// What a lock guards; it is a picture of progress, and good enough after a panic.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
