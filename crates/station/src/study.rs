//! What a study is in: pure, with no clock, no file and no socket.
//!
//! | state | event | becomes |
//! |---|---|---|
//! | none | its first object is kept | Open, revision 1 |
//! | Open | an object is kept | Open; the object is screened; positive, and told at the first positive: an alert |
//! | Open | it is complete and something was decided | Settled: one image decides, results are queued |
//! | Open | it is complete and nothing was decided | Unusable |
//! | Settled, Undelivered | all results have arrived | Delivered |
//! | Settled | a result was refused or given up | Undelivered: an alert |
//! | Undelivered | the results are sent again | Settled |
//! | any but Open | another object is kept | Open, of the next revision |
//! | Settled without results, Delivered, Unusable, Undelivered | retention | Expired: the files are gone |
//!
//! Whoever was told that a study is positive is told when it is not any more, and nobody is told twice of the same.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use attrium_api::{AlertAt, AlertEvent, StationMode, SyntheticScans};
use attrium_dataset::{Preference, Standing, select};
use attrium_types::PreferredAcquisition;

/// What a study is in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum State {
    /// Objects arrive.
    #[default]
    Open,
    /// It was decided on.
    Settled,
    /// It was decided on, and every result has arrived.
    Delivered,
    /// It was decided on, and a result could not be stored.
    Undelivered,
    /// None of its objects can be decided on.
    Unusable,
    /// Its files are gone.
    Expired,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Open,
        Self::Settled,
        Self::Delivered,
        Self::Undelivered,
        Self::Unusable,
        Self::Expired,
    ];

    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Open => "Open",
            Self::Settled => "Settled",
            Self::Delivered => "Delivered",
            Self::Undelivered => "Undelivered",
            Self::Unusable => "Unusable",
            Self::Expired => "Expired",
        }
    }
}

/// What is known of an object of a study.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Finding {
    /// It waits to be screened.
    Waiting,
    /// It was decided on.
    Decided(DecidedImage),
    /// It shows another view.
    OtherView,
    /// Another object of the same SOP Instance UID came after it, and counts.
    Replaced,
    /// It cannot be decided on.
    Unusable {
        /// A short stable word.
        reason: String,
        /// Why, in one sentence.
        sentence: String,
    },
}

/// An image with its decision.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DecidedImage {
    /// Whether it is positive.
    pub positive: bool,
    /// The probability of a positive.
    pub probability: f64,
    /// Whether the object says that it shows a phantom.
    pub synthetic: bool,
    /// What it is chosen by among the images of its study.
    #[serde(with = "preference")]
    pub preference: Preference,
}

/// The decision on a study.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// The image that stands for it, by the number of its arrival.
    pub arrival: u64,
    /// Whether it is positive.
    pub positive: bool,
    /// The probability of a positive.
    pub probability: f64,
    /// Whether it is of a phantom.
    pub synthetic: bool,
    /// How many images differ of which nothing tells which stands for the study; 1 where something does.
    pub candidates: usize,
    /// The digest of the model that has decided.
    pub model: String,
}

/// What results were made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reported {
    /// The revision.
    pub revision: u32,
    /// Whether it was positive.
    pub positive: bool,
}

/// What a station is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Whether anybody is told.
    pub mode: StationMode,
    /// When a positive is told of.
    pub alert_at: AlertAt,
    /// Whether phantoms are told of.
    pub synthetic: SyntheticScans,
    /// Which image stands for a study that has both kinds.
    pub prefer: PreferredAcquisition,
}

/// What has to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// An object is to be screened.
    Screen(u64),
    /// Whoever asked for such is to be told.
    Tell(AlertEvent),
    /// The results of the revision are to be made, and stored where they are wanted.
    Deliver {
        /// What the results before them were made of.
        previous: Option<Reported>,
    },
}

/// A study.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Study {
    /// What it is in.
    pub state: State,
    /// How often it was opened.
    pub revision: u32,
    /// What is known of its objects, by the numbers of their arrivals.
    pub findings: BTreeMap<u64, Finding>,
    /// The last decision on it.
    pub decision: Option<Decision>,
    /// What results were last made of.
    pub reported: Option<Reported>,
    /// Whether somebody was told that it is positive, and not yet that it is not.
    pub told_positive: bool,
    /// Objects that came again, byte for byte.
    pub repeats: u64,
}

impl Study {
    /// Takes in an object that was kept, which may take the place of earlier ones of its SOP Instance UID.
    pub fn keep(&mut self, arrival: u64, replaces: &[u64]) -> Vec<Effect> {
        if self.state == State::Expired {
            self.findings.clear();
        }
        for earlier in replaces {
            if let Some(finding) = self.findings.get_mut(earlier) {
                *finding = Finding::Replaced;
            }
        }
        if self.revision == 0 || self.state != State::Open {
            self.revision += 1;
        }
        self.state = State::Open;
        self.findings.insert(arrival, Finding::Waiting);
        vec![Effect::Screen(arrival)]
    }

    /// Counts an object whose very bytes are kept already.
    pub fn repeat(&mut self) {
        self.repeats += 1;
    }

    /// Takes in what came of an object.
    pub fn screened(&mut self, arrival: u64, finding: Finding, rules: &Rules) -> Vec<Effect> {
        let Some(known) = self.findings.get_mut(&arrival) else {
            return Vec::new();
        };
        if *known == Finding::Replaced {
            return Vec::new();
        }
        *known = finding;
        let Some(Finding::Decided(image)) = self.findings.get(&arrival) else {
            return Vec::new();
        };
        let is_first = rules.alert_at == AlertAt::FirstPositive && self.state == State::Open;
        if is_first && image.positive && rules.tells(image.synthetic) && !self.told_positive {
            self.told_positive = true;
            return vec![Effect::Tell(AlertEvent::Positive)];
        }
        Vec::new()
    }

    /// Whether an object waits to be screened.
    pub fn is_waiting(&self) -> bool {
        self.waiting().next().is_some()
    }

    /// The objects that wait to be screened.
    pub fn waiting(&self) -> impl Iterator<Item = u64> {
        let waits = |(arrival, finding): (&u64, &Finding)| {
            matches!(finding, Finding::Waiting).then_some(*arrival)
        };
        self.findings.iter().filter_map(waits)
    }

    /// Decides, once nothing more is expected; nothing happens while an object waits to be screened.
    pub fn complete(&mut self, model: &str, rules: &Rules) -> Vec<Effect> {
        if self.state != State::Open || self.is_waiting() {
            return Vec::new();
        }
        let Some(decision) = self.choose(model, rules) else {
            self.state = State::Unusable;
            return self.amend(false, rules);
        };
        self.state = State::Settled;
        let tells = rules.tells(decision.synthetic);
        let positive = decision.positive && tells;
        self.decision = Some(decision);
        let mut effects = self.amend(positive, rules);
        if tells {
            let previous = self.reported.replace(Reported {
                revision: self.revision,
                positive,
            });
            effects.push(Effect::Deliver { previous });
        }
        effects
    }

    /// Tells of what has changed for whoever was told.
    fn amend(&mut self, positive: bool, rules: &Rules) -> Vec<Effect> {
        let event = match (self.told_positive, positive) {
            (false, true) => AlertEvent::Positive,
            (true, false) => AlertEvent::Amended,
            _ => return Vec::new(),
        };
        self.told_positive = positive;
        if rules.mode == StationMode::Silent {
            return Vec::new();
        }
        vec![Effect::Tell(event)]
    }

    /// The decision of the image that stands for the study; of several of which nothing tells which does, the one with
    /// the greatest probability.
    fn choose(&self, model: &str, rules: &Rules) -> Option<Decision> {
        let images: Vec<(u64, &DecidedImage)> = self.decided().collect();
        let preferences: Vec<_> = images.iter().map(|(_, image)| image.preference).collect();
        let standings = select(&preferences, |_, _| false, rules.prefer);
        let stands =
            |standing: &Standing| matches!(standing, Standing::Used | Standing::Ambiguous(_));
        let standing = images.iter().zip(&standings);
        let candidates: Vec<_> = standing
            .filter_map(|(image, standing)| stands(standing).then_some(image))
            .collect();
        let count = candidates.len();
        let by_probability = |image: &&&(u64, &DecidedImage)| image.1.probability;
        let (arrival, image) = candidates
            .iter()
            .max_by(|a, b| by_probability(a).total_cmp(&by_probability(b)))?;
        Some(Decision {
            arrival: *arrival,
            positive: image.positive,
            probability: image.probability,
            synthetic: image.synthetic,
            candidates: count,
            model: model.to_owned(),
        })
    }

    /// The images that were decided on, in the order of their arrival.
    pub fn decided(&self) -> impl Iterator<Item = (u64, &DecidedImage)> {
        self.findings
            .iter()
            .filter_map(|(arrival, finding)| match finding {
                Finding::Decided(image) => Some((*arrival, image)),
                _ => None,
            })
    }

    /// Takes in that the results of the revision could not be made.
    pub fn not_composed(&mut self) -> Vec<Effect> {
        self.delivery(0, 1)
    }

    /// Takes in how the results of the revision stand.
    pub fn delivery(&mut self, pending: usize, failed: usize) -> Vec<Effect> {
        match self.state {
            State::Settled if failed > 0 => {
                self.state = State::Undelivered;
                vec![Effect::Tell(AlertEvent::Undelivered)]
            }
            State::Undelivered if failed == 0 && pending > 0 => {
                self.state = State::Settled;
                Vec::new()
            }
            State::Settled | State::Undelivered if failed == 0 && pending == 0 => {
                self.state = State::Delivered;
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    /// Whether its files may go once they are old enough.
    pub fn may_expire(&self, pending: usize) -> bool {
        let is_done = match self.state {
            State::Open | State::Expired => false,
            State::Settled | State::Delivered | State::Undelivered | State::Unusable => true,
        };
        is_done && pending == 0
    }

    /// Takes in that its files are gone.
    pub fn expire(&mut self) {
        self.state = State::Expired;
    }
}

impl Rules {
    /// Whether anybody is told, and given, anything of a scan.
    fn tells(&self, synthetic: bool) -> bool {
        self.mode == StationMode::Live && (!synthetic || self.synthetic == SyntheticScans::Tell)
    }
}

/// A preference as the columns that tables have of it.
mod preference {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use attrium_dataset::Preference;

    pub(super) fn serialize<S: Serializer>(it: &Preference, to: S) -> Result<S::Ok, S::Error> {
        it.columns().serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Preference, D::Error> {
        let columns = <[String; 5]>::deserialize(from)?;
        let columns = columns.each_ref().map(String::as_str);
        Preference::parse(columns).ok_or_else(|| D::Error::custom("no preference"))
    }
}

#[cfg(test)]
mod tests;
