//! What a task ends with that has not ended well: exit codes, the reasons of conditions, and which of
//! several failures weighs most. They are stated here and nowhere else.

use super::StageKind;
use attrium_api::reasons;

/// How a task ends that has not ended well.
///
/// The variants are in the order of their severity, the gravest first. Of several failures the gravest
/// gives the run its exit code, its reason and its sentence, so that the three always agree, and
/// whoever reads them knows what to do next:
///
/// 1. [`BadConfiguration`](Self::BadConfiguration): nothing can become better before the manifest is
///    mended.
/// 2. [`Interrupted`](Self::Interrupted): nothing is known to be wrong yet; run again, it goes on.
/// 3. [`Retry`](Self::Retry): running it again may mend it.
/// 4. [`Incomplete`](Self::Incomplete): running it again does what was left out; the results are there
///    already, so that it can wait.
/// 5. [`BadData`](Self::BadData): no try mends it. It is the last, so that "another try is of no use" is
///    only said where that is true of everything that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TaskExit {
    /// The configuration is bad, for every task of the run.
    BadConfiguration,
    /// It was asked to stop, and goes on when it is run again.
    Interrupted,
    /// It failed for what another try may mend.
    Retry,
    /// All its results are there, and something that was asked for beside them was not done.
    Incomplete,
    /// Its data is bad: another try is of no use.
    BadData,
}

impl TaskExit {
    /// Every way, the gravest first.
    pub const ALL: [Self; 5] = [
        Self::BadConfiguration,
        Self::Interrupted,
        Self::Retry,
        Self::Incomplete,
        Self::BadData,
    ];

    /// The exit code of a process that ends so.
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::BadConfiguration => 43,
            Self::Interrupted => 130,
            Self::Retry | Self::Incomplete => 1,
            Self::BadData => 42,
        }
    }

    /// What the exit code of a failed process says. Any code that is not attrium's own, such as that of
    /// a process that was killed, is one that another try may mend.
    pub fn from_exit_code(code: i32) -> Self {
        let mut all = Self::ALL.into_iter();
        all.find(|exit| i32::from(exit.exit_code()) == code)
            .unwrap_or(Self::Retry)
    }

    /// The reason of the condition that tells of it.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::BadConfiguration => reasons::BAD_CONFIGURATION,
            Self::Interrupted => reasons::INTERRUPTED,
            Self::Retry | Self::Incomplete => reasons::TASK_FAILED,
            Self::BadData => reasons::BAD_DATA,
        }
    }

    /// What a task of a stage ends with that has written its results and could not do all that was
    /// asked.
    ///
    /// An evaluation that cannot publish lacks a fold that has failed. No other try of the evaluation
    /// mends that; whether one of the fold does is told by the fold's own failure, which may weigh
    /// more.
    pub const fn of_shortfall(stage: StageKind) -> Self {
        match stage {
            StageKind::Evaluate => Self::BadData,
            _ => Self::Incomplete,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_and_reasons_are_those_that_users_rely_on() {
        let table = TaskExit::ALL.map(|exit| (exit.exit_code(), exit.reason()));
        let expected = [
            (43, "BadConfiguration"),
            (130, "Interrupted"),
            (1, "TaskFailed"),
            (1, "TaskFailed"),
            (42, "BadData"),
        ];
        assert_eq!(table, expected);
        assert!(TaskExit::ALL.is_sorted());
    }

    #[test]
    fn an_exit_code_leads_back_to_its_reason() {
        for exit in TaskExit::ALL {
            let read = TaskExit::from_exit_code(exit.exit_code().into());
            assert_eq!(read.reason(), exit.reason());
        }
        for killed in [2, 137, 139, -1] {
            assert_eq!(TaskExit::from_exit_code(killed), TaskExit::Retry);
        }
    }
}
