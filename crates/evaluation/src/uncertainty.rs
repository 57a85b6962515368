//! Whether a single decision is uncertain, and why.

use std::fmt;

/// What speaks against trusting a single decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Doubt {
    /// Among the decisions that its training had predicted this is one of those that are wrong most often: the
    /// probability lies near the threshold.
    NearThreshold,
    /// A quarter or more of the ensemble's networks decide otherwise, each by its own probability.
    MembersDisagree,
    /// The image differs more from those of the training than these do among themselves.
    UnlikeTraining,
}

impl Doubt {
    /// All of them, in the order of a table's words.
    pub const ALL: [Self; 3] = [
        Self::NearThreshold,
        Self::MembersDisagree,
        Self::UnlikeTraining,
    ];

    /// The word in a table, which never changes.
    pub const fn word(self) -> &'static str {
        match self {
            Self::NearThreshold => "near-threshold",
            Self::MembersDisagree => "members-disagree",
            Self::UnlikeTraining => "unlike-training",
        }
    }

    /// The doubt in plain words.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::NearThreshold => {
                "the probability is close to the threshold, where decisions are wrong most often"
            }
            Self::MembersDisagree => "the model’s networks do not agree on the decision",
            Self::UnlikeTraining => "the image is unlike those that the model was trained on",
        }
    }
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// Whether a decision is uncertain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Uncertainty {
    /// Nobody can tell: the bundle is from before it had limits, or something could not be looked at.
    #[default]
    Unknown,
    /// Nothing speaks against it. That is no promise: it may be wrong all the same.
    NotFlagged,
    /// It is uncertain for these reasons, at least one.
    Flagged(Vec<Doubt>),
}

impl Uncertainty {
    /// That of a decision of which each doubt was found, was not, or could not be looked for (`None`). One that is
    /// found is enough; without any, one that is not known leaves all unknown.
    pub fn of(found: impl Fn(Doubt) -> Option<bool>) -> Self {
        let doubts = Doubt::ALL.into_iter();
        let is_found = |doubt: &Doubt| found(*doubt) == Some(true);
        let doubts: Vec<_> = doubts.filter(is_found).collect();
        match doubts.as_slice() {
            [] if Doubt::ALL.into_iter().any(|doubt| found(doubt).is_none()) => Self::Unknown,
            [] => Self::NotFlagged,
            _ => Self::Flagged(doubts),
        }
    }

    /// Whether it is flagged; `None` where nobody can tell.
    pub const fn is_flagged(&self) -> Option<bool> {
        match self {
            Self::Unknown => None,
            Self::NotFlagged => Some(false),
            Self::Flagged(_) => Some(true),
        }
    }

    /// The reasons; none where it is not flagged, and where nobody can tell.
    pub fn doubts(&self) -> &[Doubt] {
        match self {
            Self::Unknown | Self::NotFlagged => &[],
            Self::Flagged(doubts) => doubts,
        }
    }

    /// The cells of a table: `true`, `false` or nothing, and the words of the reasons, parted by blanks.
    pub fn cells(&self) -> [String; 2] {
        let flagged = self.is_flagged();
        let words = self.doubts().iter().map(|doubt| doubt.word());
        [
            flagged.map_or(String::new(), |flagged| flagged.to_string()),
            words.collect::<Vec<_>>().join(" "),
        ]
    }

    /// Reads [`cells`](Self::cells); `None` where they hold anything else.
    pub fn parse([flagged, words]: [&str; 2]) -> Option<Self> {
        let find = |word: &str| Doubt::ALL.into_iter().find(|doubt| doubt.word() == word);
        let doubts: Vec<_> = words.split_whitespace().map(find).collect::<Option<_>>()?;
        match (flagged, doubts.is_empty()) {
            ("", true) => Some(Self::Unknown),
            ("false", true) => Some(Self::NotFlagged),
            ("true", false) => Some(Self::Flagged(doubts)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_doubt_is_enough_and_without_any_all_have_to_be_known() {
        let of = |near, members, unlike| {
            Uncertainty::of(|doubt| match doubt {
                Doubt::NearThreshold => near,
                Doubt::MembersDisagree => members,
                Doubt::UnlikeTraining => unlike,
            })
        };
        let (yes, no) = (Some(true), Some(false));
        assert_eq!(of(no, no, no), Uncertainty::NotFlagged);
        assert_eq!(of(no, no, None), Uncertainty::Unknown);
        assert_eq!(of(None, None, None), Uncertainty::Unknown);
        let near = Uncertainty::Flagged(vec![Doubt::NearThreshold]);
        assert_eq!(of(yes, no, None), near);
        assert_eq!(of(yes, yes, yes), Uncertainty::Flagged(Doubt::ALL.to_vec()));
    }

    #[test]
    fn a_table_tells_apart_what_is_flagged_what_is_not_and_what_nobody_knows() {
        let flagged = Uncertainty::Flagged(vec![Doubt::NearThreshold, Doubt::UnlikeTraining]);
        for (uncertainty, expected) in [
            (Uncertainty::Unknown, ["", ""]),
            (Uncertainty::NotFlagged, ["false", ""]),
            (flagged, ["true", "near-threshold unlike-training"]),
        ] {
            assert_eq!(uncertainty.cells(), expected);
            assert_eq!(Uncertainty::parse(expected), Some(uncertainty));
        }
        for cells in [
            ["true", ""],
            ["false", "near-threshold"],
            ["", "other"],
            ["no", ""],
        ] {
            assert_eq!(Uncertainty::parse(cells), None, "{cells:?}");
        }
    }
}
