//! What a station tells of itself and of its studies, to programs and to the page: no identifier.

use std::sync::atomic::Ordering;

use serde::{Deserialize, Serialize};

use crate::clock;
use crate::shared::{ALERT, DESTINATION, Shared};
use crate::study::{Finding, State, Study};
use attrium_spool::{IndexError, OutboxItem, Review, ReviewRow, Session, StudyRow};
use attrium_types::text::causes;

/// How a station is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Overview {
    /// Its name.
    pub station: String,
    /// Live or Silent.
    pub mode: String,
    /// The model's digest.
    pub model: String,
    /// Positive is called where the probability is at least this.
    pub threshold: f64,
    /// Whether the model was trained on phantoms.
    pub synthetic_model: bool,
    /// Why nothing is taken in, if nothing is.
    pub stopped: Option<String>,
    /// Studies that were opened today.
    pub studies_today: usize,
    /// Of those the positive ones.
    pub positives_today: usize,
    /// Positive studies of the last 30 days that nobody has acknowledged.
    pub unacknowledged: usize,
    /// Results and messages that wait.
    pub pending: u64,
    /// Results and messages that were refused or given up.
    pub undelivered: u64,
    /// For how many seconds the oldest of those that wait has waited.
    pub oldest_pending_seconds: Option<i64>,
    /// When the last object was kept since the process began.
    pub last_object: Option<String>,
    /// Associations that are open.
    pub associations: usize,
    /// Objects that were kept since the process began.
    pub kept: u64,
    /// Objects that were not taken since then.
    pub refused: u64,
    /// Objects that were acknowledged and not kept since then.
    pub discarded: u64,
    /// Callers that are no senders since then.
    pub strangers: u64,
    /// Connections that were no associations since then.
    pub noise: u64,
}

/// A study, as it is told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StudyView {
    /// What people call it.
    pub number: u64,
    /// A word for what it is in.
    pub state: String,
    /// How often it was opened.
    pub revision: u32,
    /// When its first object was kept.
    pub opened_at: String,
    /// When it last changed.
    pub changed_at: String,
    /// positive or negative; none where nothing was decided.
    pub decision: Option<String>,
    /// The probability of a positive.
    pub probability: Option<f64>,
    /// Whether it is of a phantom.
    pub synthetic: bool,
    /// How many images differ of which nothing tells which stands for it, where there are several.
    pub ambiguous: Option<usize>,
    /// What came of its objects, in the order of their arrival.
    pub objects: Vec<ObjectView>,
    /// Objects that came again, byte for byte.
    pub repeats: u64,
    /// Results and messages.
    pub deliveries: Vec<DeliveryView>,
    /// What people have said.
    pub reviews: Vec<ReviewView>,
}

/// An object of a study.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ObjectView {
    /// The number of its arrival.
    pub arrival: u64,
    /// positive, negative, other-view, replaced, waiting or unusable.
    pub finding: String,
    /// The probability of a positive.
    pub probability: Option<f64>,
    /// Why it is not used.
    pub reason: Option<String>,
}

/// A result or a message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeliveryView {
    /// Who it is for, such as destination/pacs.
    pub target: String,
    /// Report, Image, or the event that is told of.
    pub item: String,
    /// Of which revision.
    pub revision: u32,
    /// pending, done, refused, given-up or superseded.
    pub state: String,
    /// How often it was tried.
    pub attempts: u32,
    /// What was last said of it.
    pub detail: Option<String>,
}

/// What somebody has said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReviewView {
    /// Who.
    pub who: String,
    /// When.
    pub at: String,
    /// Of which revision.
    pub revision: u32,
    /// That it was seen, for this reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acknowledged: Option<String>,
    /// The grade that was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grade: Option<u8>,
}

/// A study with its rows.
pub(crate) struct Whole {
    pub row: StudyRow,
    pub study: Study,
    pub items: Vec<OutboxItem>,
    pub reviews: Vec<ReviewRow>,
}

const DAY: i64 = 86_400_000;

impl Shared {
    /// A study with all that is known of it.
    pub(crate) fn whole(&self, number: u64) -> Result<Option<Whole>, IndexError> {
        self.index.read(|session| match session.study(number)? {
            Some(row) => whole(session, row).map(Some),
            None => Ok(None),
        })
    }

    /// The studies that were opened since an instant, the last first.
    pub(crate) fn studies(&self, since: i64, most: u32) -> Result<Vec<Whole>, IndexError> {
        self.index.read(|session| {
            let rows = session.studies_since(since, most)?;
            rows.into_iter().map(|row| whole(session, row)).collect()
        })
    }

    /// How the station is.
    pub(crate) fn overview(&self) -> Result<Overview, IndexError> {
        let now = clock::now();
        let today = clock::start_of_day(now);
        let recent = self.studies(now - 30 * DAY, 100_000)?;
        let is_positive = |it: &&Whole| it.study.decision.as_ref().is_some_and(|it| it.positive);
        let is_of_today = |it: &&Whole| it.row.opened_at >= today;
        let [results, messages] = [DESTINATION, ALERT]
            .map(|targets| self.index.read(|session| session.outbox_counts(targets)));
        let (results, messages) = (results?, messages?);
        let oldest = [results.oldest_pending, messages.oldest_pending];
        let model = &self.screener.model;
        let counters = &self.counters;
        let count = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
        let last = i64::try_from(count(&counters.last_object)).unwrap_or_default();
        Ok(Overview {
            station: self.manifest.name().to_owned(),
            mode: format!("{:?}", self.rules.mode),
            model: model.digest.clone(),
            threshold: self.screener.threshold,
            synthetic_model: model.manifest.synthetic,
            stopped: self.spool.accepts().err().map(|error| causes(&error)),
            studies_today: recent.iter().filter(is_of_today).count(),
            positives_today: recent
                .iter()
                .filter(is_of_today)
                .filter(is_positive)
                .count(),
            unacknowledged: recent
                .iter()
                .filter(is_positive)
                .filter(|it| !it.is_acknowledged())
                .count(),
            pending: results.pending + messages.pending,
            undelivered: results.failed + messages.failed,
            oldest_pending_seconds: oldest
                .into_iter()
                .flatten()
                .min()
                .map(|at| (now - at) / 1000),
            last_object: (last > 0).then(|| clock::text(last)),
            associations: self.associations.count(),
            kept: count(&counters.kept),
            refused: count(&counters.refused),
            discarded: count(&counters.discarded),
            strangers: count(&counters.strangers),
            noise: count(&counters.noise),
        })
    }
}

fn whole(session: &Session<'_>, row: StudyRow) -> attrium_spool::database::Result<Whole> {
    Ok(Whole {
        study: Shared::study(&row)?,
        items: session.items_of(row.number)?,
        reviews: session.reviews(Some(row.number))?,
        row,
    })
}

impl Whole {
    /// Whether somebody has said that they have seen the study as it is.
    pub(crate) fn is_acknowledged(&self) -> bool {
        self.reviews.iter().any(|row| {
            row.revision == self.study.revision && matches!(row.review, Review::Acknowledged(_))
        })
    }

    /// The study as it is told.
    pub(crate) fn view(&self) -> StudyView {
        let decision = self
            .study
            .decision
            .as_ref()
            .filter(|_| self.study.state != State::Open);
        StudyView {
            number: self.row.number,
            state: self.study.state.word().to_owned(),
            revision: self.study.revision,
            opened_at: clock::text(self.row.opened_at),
            changed_at: clock::text(self.row.changed_at),
            decision: decision.map(|it| word(it.positive).to_owned()),
            probability: decision.map(|it| it.probability),
            synthetic: self.study.decided().any(|(_, image)| image.synthetic),
            ambiguous: decision.map(|it| it.candidates).filter(|count| *count > 1),
            objects: self.study.findings.iter().map(object).collect(),
            repeats: self.study.repeats,
            deliveries: self.items.iter().map(delivery).collect(),
            reviews: self.reviews.iter().map(review).collect(),
        }
    }
}

/// The word for a decision.
pub(crate) const fn word(positive: bool) -> &'static str {
    if positive { "positive" } else { "negative" }
}

fn object((arrival, finding): (&u64, &Finding)) -> ObjectView {
    let (word, probability, reason) = match finding {
        Finding::Decided(image) => (word(image.positive), Some(image.probability), None),
        Finding::OtherView => ("other-view", None, None),
        Finding::Replaced => ("replaced", None, None),
        Finding::Waiting => ("waiting", None, None),
        Finding::Unusable { reason, sentence } => {
            ("unusable", None, Some(format!("{reason}: {sentence}")))
        }
    };
    ObjectView {
        arrival: *arrival,
        finding: word.to_owned(),
        probability,
        reason,
    }
}

fn delivery(item: &OutboxItem) -> DeliveryView {
    DeliveryView {
        target: item.item.target.clone(),
        item: item.item.item.clone(),
        revision: item.item.revision,
        state: item.state.word().to_owned(),
        attempts: item.attempts,
        detail: item.detail.clone(),
    }
}

fn review(row: &ReviewRow) -> ReviewView {
    let (acknowledged, grade) = match &row.review {
        Review::Acknowledged(reason) => (Some(reason.clone()), None),
        Review::Grade(grade) => (None, Some(*grade)),
    };
    ReviewView {
        who: row.who.clone(),
        at: clock::text(row.at),
        revision: row.revision,
        acknowledged,
        grade,
    }
}
