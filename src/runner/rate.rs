//! The rate of a task: how fast it is, how long it will take, and how to say so.

use std::time::{Duration, Instant};

use attrium_tasks::Progress;

/// A task's progress as seen from outside.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rate {
    began: Instant,
    /// What was done already at its first progress, of a task that goes on.
    first: Option<u64>,
    /// What was last heard.
    pub(super) progress: Progress,
}

impl Rate {
    /// The rate of a task that begins now.
    pub(super) fn new(now: Instant) -> Self {
        Self {
            began: now,
            first: None,
            progress: Progress::default(),
        }
    }

    pub(super) fn update(&mut self, progress: Progress) {
        self.first.get_or_insert(progress.done);
        self.progress = progress;
    }

    pub(super) fn elapsed(&self, now: Instant) -> Duration {
        now.duration_since(self.began)
    }

    pub(super) fn share(&self) -> f64 {
        share(self.progress.done, self.progress.total)
    }

    /// How long it still takes, if it goes on as it has.
    pub(super) fn remaining(&self, now: Instant) -> Option<Duration> {
        let Progress { done, total, .. } = self.progress;
        let since = done.checked_sub(self.first?).filter(|since| *since > 0)?;
        let left = total.checked_sub(done).filter(|_| total > 0)?;
        let seconds = self.elapsed(now).as_secs_f64() * left as f64 / since as f64;
        Duration::try_from_secs_f64(seconds).ok()
    }

    /// The progress in words: epoch, losses, rate, remaining time.
    pub(super) fn describe(&self, now: Instant) -> String {
        let progress = &self.progress;
        let mut parts = Vec::new();
        if let (Some(epoch), Some(epochs)) = (progress.epoch, progress.epochs) {
            parts.push(format!("epoch {epoch}/{epochs}"));
        }
        if let Some(loss) = progress.loss {
            parts.push(format!("loss {loss:.4}"));
        }
        if let Some(loss) = progress.validation_loss {
            parts.push(format!("validation {loss:.4}"));
        }
        parts.extend(self.rate(now));
        if let Some(remaining) = self.remaining(now) {
            parts.push(format!("{} left", in_words(remaining)));
        }
        parts.join(", ")
    }

    fn rate(&self, now: Instant) -> Option<String> {
        if let Some(images) = self.progress.images_per_second {
            return Some(format!("{} images/s", number(images)));
        }
        let since = self.progress.done.checked_sub(self.first?)?;
        let rate = since as f64 / self.elapsed(now).as_secs_f64().max(1e-3);
        (since > 0).then(|| format!("{} {}/s", number(rate), self.progress.unit.name()))
    }
}

/// A share, 0 where the whole is not known.
fn share(done: u64, total: u64) -> f64 {
    if total == 0 {
        0.0
    } else {
        (done as f64 / total as f64).clamp(0.0, 1.0)
    }
}

/// A rate with as many digits as mean something.
fn number(rate: f64) -> String {
    if rate >= 9.95 {
        format!("{rate:.0}")
    } else {
        format!("{rate:.1}")
    }
}

/// A duration in words: `45 s`, `3 min 20 s`, `1 h 5 min`.
pub(super) fn in_words(duration: Duration) -> String {
    let seconds = duration.as_secs_f64().round() as u64;
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use attrium_tasks::Unit;

    fn at(start: Instant, seconds: u64) -> Instant {
        start + Duration::from_secs(seconds)
    }

    #[test]
    fn remaining_time_follows_from_what_was_done_since_the_task_was_started() {
        let start = Instant::now();
        let mut rate = Rate::new(start);
        assert_eq!(rate.remaining(at(start, 1)), None);
        let progress = |done| Progress {
            done,
            total: 100,
            ..Progress::default()
        };
        rate.update(progress(50));
        assert_eq!(rate.remaining(at(start, 10)), None);
        rate.update(progress(60));
        assert_eq!(rate.remaining(at(start, 20)), Some(Duration::from_secs(80)));
        assert_eq!(rate.share(), 0.6);
    }

    #[test]
    fn progress_is_told_with_epoch_losses_rate_and_remaining_time() {
        let start = Instant::now();
        let mut rate = Rate::new(start);
        rate.update(Progress {
            unit: Unit::Batches,
            ..Progress::default()
        });
        rate.update(Progress {
            done: 30,
            total: 100,
            unit: Unit::Batches,
            epoch: Some(3),
            epochs: Some(10),
            loss: Some(0.31234),
            validation_loss: Some(0.5),
            images_per_second: Some(812.4),
        });
        let told = rate.describe(at(start, 90));
        let expected = "epoch 3/10, loss 0.3123, validation 0.5000, 812 images/s, 3 min 30 s left";
        assert_eq!(told, expected);
    }

    #[test]
    fn a_task_without_images_is_told_in_its_own_unit() {
        let start = Instant::now();
        let mut rate = Rate::new(start);
        rate.update(Progress::default());
        rate.update(Progress {
            done: 20,
            total: 40,
            ..Progress::default()
        });
        assert_eq!(rate.describe(at(start, 4)), "5.0 objects/s, 4 s left");
        assert_eq!(Rate::new(start).describe(start), "");
    }

    #[test]
    fn durations_have_the_two_units_that_matter() {
        let words = |seconds| in_words(Duration::from_secs(seconds));
        assert_eq!(words(45), "45 s");
        assert_eq!(words(200), "3 min 20 s");
        assert_eq!(words(3900), "1 h 5 min");
    }
}
