//! Which of a study's objects stands for it.
//!
//! Candidates are narrowed down, one question after the other, to those that answer it best; counts are no
//! question. What is still several is set aside together, since any choice would be a guess. The answer is one
//! of the set: no order in which objects are found, and no number of shards, changes it.

use std::cmp::Reverse;

use strum::Display;

use super::Preference;
use attrium_imaging::Acquisition;
use attrium_types::PreferredAcquisition;

/// Minutes by which an image has to be later than another one to be the late one of the two.
const LATER: i64 = 60;
/// Minutes beyond which two images of a study are no phases of one examination.
const LONGEST: i64 = 2 * 24 * 60;

/// What becomes of an object among those of its study.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It stands for the study.
    Used,
    /// Another one has the very same pixels.
    Duplicate,
    /// Another one stands for the study, or might.
    Superseded(Better),
    /// It is one of so many of which nothing tells which to use.
    Ambiguous(usize),
}

/// What another object of the study has.
#[derive(Clone, Copy, Debug, Display, PartialEq, Eq)]
pub enum Better {
    /// It is closer to what the camera has made.
    #[strum(to_string = "is as the camera made it, or closer to that")]
    Origin,
    /// A code or a name tells its view.
    #[strum(to_string = "has a view that its header tells, where this one's is guessed")]
    View,
    /// Its header states a delay that is surely late, or closer to it.
    #[strum(to_string = "states a time since the injection that fits a late image better")]
    Delay,
    /// It was taken an hour later or more.
    #[strum(to_string = "was taken an hour later or more")]
    Later,
    /// It is a whole-body scan or a static one, as the manifest prefers.
    #[strum(to_string = "is of the kind that the manifest's `prefer` names")]
    Acquisition,
}

impl Standing {
    /// The word for [`Self::Duplicate`].
    pub const DUPLICATE: &str = "duplicate";
    /// The word for [`Self::Superseded`].
    pub const SUPERSEDED: &str = "superseded";
    /// The word for [`Self::Ambiguous`].
    pub const AMBIGUOUS: &str = "ambiguous";
    /// Every word that [`Self::reason`] gives.
    pub const REASONS: &[&str] = &[Self::DUPLICATE, Self::SUPERSEDED, Self::AMBIGUOUS];

    /// A short stable word for why the object does not stand for its study; none where it does.
    pub fn reason(self) -> Option<&'static str> {
        Some(match self {
            Self::Used => return None,
            Self::Duplicate => Self::DUPLICATE,
            Self::Superseded(_) => Self::SUPERSEDED,
            Self::Ambiguous(_) => Self::AMBIGUOUS,
        })
    }

    /// The same as a sentence, with what to do where something has to be done.
    pub fn sentence(self) -> String {
        match self {
            Self::Used => "the object stands for its study".to_owned(),
            Self::Duplicate => {
                "another object of the study has the very same pixels and stands for both"
                    .to_owned()
            }
            Self::Superseded(better) => {
                format!("the object gives way to another one of its study, which {better}")
            }
            Self::Ambiguous(objects) => format!(
                "{objects} objects of the study differ and nothing tells which of them stands for it: leave the one to \
                 use below images, or correct Image Type, view, injection and acquisition times in their headers"
            ),
        }
    }
}

/// What becomes of each object of a study, in their order.
///
/// Of objects with the same pixels, as `same` tells them by their places, the one that answers best is looked at, and of
/// equals the first: give them in an order that follows from the objects alone.
pub fn select(
    objects: &[Preference],
    same: impl Fn(usize, usize) -> bool,
    prefer: PreferredAcquisition,
) -> Vec<Standing> {
    let mut selection = Selection {
        objects,
        standings: vec![Standing::Used; objects.len()],
        left: Vec::new(),
    };
    selection.leave_out_copies(same, prefer);
    selection.keep_least(Better::Origin, |it| it.origin);
    selection.keep_least(Better::View, |it| !it.has_known_view());
    selection.keep_least(Better::Delay, |it| it.delay);
    if selection.nothing_tells_the_delay() {
        selection.keep_latest();
    }
    selection.keep_least(Better::Acquisition, |it| !is_preferred(it, prefer));
    selection.keep_latest();
    selection.set_aside_what_is_several();
    selection.standings
}

fn is_preferred(object: &Preference, prefer: PreferredAcquisition) -> bool {
    let preferred = match prefer {
        PreferredAcquisition::WholeBody => Acquisition::WholeBody,
        PreferredAcquisition::Static => Acquisition::Static,
    };
    object.acquisition == preferred
}

/// The objects of a study while they are narrowed down.
struct Selection<'a> {
    objects: &'a [Preference],
    standings: Vec<Standing>,
    /// The places of those that may stand for the study.
    left: Vec<usize>,
}

impl Selection<'_> {
    fn leave_out_copies(
        &mut self,
        same: impl Fn(usize, usize) -> bool,
        prefer: PreferredAcquisition,
    ) {
        let mut places: Vec<usize> = (0..self.objects.len()).collect();
        places.sort_by_key(|&place| {
            let object = &self.objects[place];
            let is_known = object.has_known_view();
            let is_preferred = is_preferred(object, prefer);
            let acquired = Reverse(object.acquired);
            let last = (acquired, object.view_source, place);
            (object.origin, !is_known, object.delay, !is_preferred, last)
        });
        for place in places {
            if self.left.iter().any(|&kept| same(kept, place)) {
                self.standings[place] = Standing::Duplicate;
            } else {
                self.left.push(place);
            }
        }
    }

    /// Keeps the objects of the least value.
    fn keep_least<T: Ord>(&mut self, better: Better, value: impl Fn(&Preference) -> T) {
        let value = |place: &usize| value(&self.objects[*place]);
        if let Some(least) = self.left.iter().map(value).min() {
            let is_kept = |place: &usize| value(place) == least;
            let (kept, left_out) = self.left.iter().partition(|place| is_kept(place));
            self.narrow(kept, left_out, better);
        }
    }

    /// Leaves out what was taken an hour or more before the latest, in one examination.
    fn keep_latest(&mut self) {
        let acquired = |place: usize| self.objects[place].acquired;
        if let Some(latest) = self.left.iter().filter_map(|&place| acquired(place)).max() {
            let is_early = |&place: &usize| {
                acquired(place)
                    .is_some_and(|it| (LATER..=LONGEST).contains(&(latest.saturating_sub(it))))
            };
            let (left_out, kept) = self.left.iter().partition(|place| is_early(place));
            self.narrow(kept, left_out, Better::Later);
        }
    }

    fn narrow(&mut self, kept: Vec<usize>, left_out: Vec<usize>, better: Better) {
        self.left = kept;
        for place in left_out {
            self.standings[place] = Standing::Superseded(better);
        }
    }

    fn nothing_tells_the_delay(&self) -> bool {
        let mut left = self.left.iter();
        left.all(|&place| self.objects[place].delay == super::Delay::NotStated)
    }

    fn set_aside_what_is_several(&mut self) {
        if self.left.len() > 1 {
            for &place in &self.left {
                self.standings[place] = Standing::Ambiguous(self.left.len());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Delay;
    use attrium_imaging::{Origin, ViewSource};
    use proptest::prelude::*;

    const OBJECT: Preference = Preference {
        origin: Origin::Original,
        view_source: ViewSource::ViewCode,
        delay: Delay::NotStated,
        acquired: None,
        acquisition: Acquisition::WholeBody,
    };

    fn all(objects: &[Preference]) -> Vec<Standing> {
        select(objects, |_, _| false, PreferredAcquisition::WholeBody)
    }

    /// What becomes of two objects, in both orders.
    fn of_two(better: Preference, other: Preference) -> Standing {
        let [first, second] = [all(&[better, other]), all(&[other, better])];
        assert_eq!([first[0], first[1]], [second[1], second[0]]);
        if matches!(first[1], Standing::Superseded(_)) {
            assert_eq!(first[0], Standing::Used);
        }
        first[1]
    }

    #[test]
    fn an_original_wins_over_what_was_derived_from_it_whatever_else_is_better() {
        let derived = Preference {
            origin: Origin::Derived,
            delay: Delay::Usual,
            ..OBJECT
        };
        let guessed = Preference {
            view_source: ViewSource::Image,
            acquisition: Acquisition::Static,
            ..OBJECT
        };
        assert_eq!(
            of_two(guessed, derived),
            Standing::Superseded(Better::Origin)
        );
        let silent = Preference {
            origin: Origin::NotStated,
            ..OBJECT
        };
        assert_eq!(
            of_two(silent, derived),
            Standing::Superseded(Better::Origin)
        );
        assert_eq!(of_two(OBJECT, silent), Standing::Superseded(Better::Origin));
    }

    #[test]
    fn a_view_that_the_header_tells_wins_over_a_guessed_one_and_a_name_is_as_good_as_a_code() {
        let with = |view_source| Preference {
            view_source,
            ..OBJECT
        };
        let guessed = with(ViewSource::Image);
        for known in [
            ViewSource::ViewCode,
            ViewSource::ImageId,
            ViewSource::SeriesDescription,
            ViewSource::GePrivate,
        ] {
            assert_eq!(
                of_two(with(known), guessed),
                Standing::Superseded(Better::View)
            );
            assert_eq!(of_two(with(known), OBJECT), Standing::Ambiguous(2));
        }
    }

    #[test]
    fn what_is_surely_late_wins_over_what_may_be_early() {
        let with = |delay| Preference { delay, ..OBJECT };
        let [usual, unusual, silent] = [Delay::Usual, Delay::Unusual, Delay::NotStated].map(with);
        let expected = Standing::Superseded(Better::Delay);
        assert_eq!(of_two(usual, unusual), expected);
        assert_eq!(of_two(usual, silent), expected);
        assert_eq!(of_two(unusual, silent), expected);
    }

    #[test]
    fn of_two_that_do_not_state_an_injection_the_later_one_is_the_late_one() {
        let at = |minutes, acquisition| Preference {
            acquired: Some(minutes),
            acquisition,
            ..OBJECT
        };
        let (whole, fixed) = (Acquisition::WholeBody, Acquisition::Static);
        let expected = Standing::Superseded(Better::Later);
        assert_eq!(of_two(at(1180, whole), at(1000, whole)), expected);
        assert_eq!(of_two(at(1180, fixed), at(1000, whole)), expected);
        // A static of the thorax after the sweep is of the same phase.
        let expected = Standing::Superseded(Better::Acquisition);
        assert_eq!(of_two(at(1000, whole), at(1025, fixed)), expected);
        assert_eq!(
            of_two(at(1000, whole), at(1025, whole)),
            Standing::Ambiguous(2)
        );
        // Weeks apart, or of a time without a date: no phases of one examination.
        assert_eq!(
            of_two(at(90_000, whole), at(1000, whole)),
            Standing::Ambiguous(2)
        );
        assert_eq!(of_two(at(1000, whole), OBJECT), Standing::Ambiguous(2));
    }

    #[test]
    fn of_two_at_a_usual_time_the_kind_decides_before_the_hour() {
        let at = |minutes, acquisition| Preference {
            acquired: Some(minutes),
            delay: Delay::Usual,
            acquisition,
            ..OBJECT
        };
        let (whole, fixed) = (Acquisition::WholeBody, Acquisition::Static);
        let expected = Standing::Superseded(Better::Acquisition);
        assert_eq!(of_two(at(1000, whole), at(1070, fixed)), expected);
        let expected = Standing::Superseded(Better::Later);
        assert_eq!(of_two(at(1070, whole), at(1000, whole)), expected);
    }

    #[test]
    fn the_manifest_tells_whether_a_whole_body_scan_or_a_static_is_used() {
        let fixed = Preference {
            acquisition: Acquisition::Static,
            ..OBJECT
        };
        let superseded = Standing::Superseded(Better::Acquisition);
        let with = |prefer| select(&[OBJECT, fixed], |_, _| false, prefer);
        assert_eq!(
            with(PreferredAcquisition::WholeBody),
            [Standing::Used, superseded]
        );
        assert_eq!(
            with(PreferredAcquisition::Static),
            [superseded, Standing::Used]
        );
    }

    #[test]
    fn copies_are_one_object_and_never_make_a_study_ambiguous() {
        let derived = Preference {
            origin: Origin::Derived,
            ..OBJECT
        };
        let copies =
            |objects: &[Preference]| select(objects, |_, _| true, PreferredAcquisition::WholeBody);
        assert_eq!(
            copies(&[OBJECT, OBJECT]),
            [Standing::Used, Standing::Duplicate]
        );
        assert_eq!(
            copies(&[derived, OBJECT]),
            [Standing::Duplicate, Standing::Used]
        );
        let of_three = select(
            &[OBJECT, OBJECT, OBJECT],
            |a, b| a % 2 == b % 2,
            PreferredAcquisition::WholeBody,
        );
        let expected = [
            Standing::Ambiguous(2),
            Standing::Ambiguous(2),
            Standing::Duplicate,
        ];
        assert_eq!(of_three, expected);
    }

    #[test]
    fn every_object_that_is_not_used_has_a_word_and_a_sentence() {
        let others = [
            Standing::Duplicate,
            Standing::Superseded(Better::Later),
            Standing::Ambiguous(2),
        ];
        let reasons = others.map(|it| it.reason().expect("a word"));
        assert_eq!(reasons, ["duplicate", "superseded", "ambiguous"]);
        assert!(
            reasons
                .iter()
                .all(|reason| Standing::REASONS.contains(reason))
        );
        assert_eq!(
            Standing::Superseded(Better::Later).sentence(),
            "the object gives way to another one of its study, which was taken an hour later or more"
        );
        assert_eq!(Standing::Used.reason(), None);
    }

    fn object() -> impl Strategy<Value = (Preference, u8)> {
        let origin =
            prop::sample::select(vec![Origin::Original, Origin::NotStated, Origin::Derived]);
        let view = prop::sample::select(vec![
            ViewSource::ViewCode,
            ViewSource::ImageId,
            ViewSource::Image,
        ]);
        let delay = prop::sample::select(vec![Delay::Usual, Delay::Unusual, Delay::NotStated]);
        let acquisition = prop::sample::select(vec![Acquisition::WholeBody, Acquisition::Static]);
        let acquired = prop::option::of(0_i64..400);
        (origin, view, delay, acquired, acquisition, 0_u8..4).prop_map(
            |(origin, view_source, delay, acquired, acquisition, pixels)| {
                (
                    Preference {
                        origin,
                        view_source,
                        delay,
                        acquired,
                        acquisition,
                    },
                    pixels,
                )
            },
        )
    }

    proptest! {
        #[test]
        fn no_order_changes_what_is_chosen(
            objects in prop::collection::vec(object(), 1..7), turn in 0_usize..7,
        ) {
            let chosen = |objects: &[(Preference, u8)]| {
                let preferences: Vec<_> = objects.iter().map(|(object, _)| *object).collect();
                let same = |a: usize, b: usize| objects[a].1 == objects[b].1;
                let standings = select(&preferences, same, PreferredAcquisition::WholeBody);
                let used = standings.iter().position(|it| *it == Standing::Used);
                let by_reason = Standing::REASONS.iter().map(|reason| {
                    standings.iter().filter(|it| it.reason() == Some(reason)).count()
                });
                (used.map(|place| objects[place].1), by_reason.collect::<Vec<_>>())
            };
            let mut turned = objects.clone();
            turned.rotate_left(turn % objects.len());
            prop_assert_eq!(chosen(&objects), chosen(&turned));
            turned.reverse();
            prop_assert_eq!(chosen(&objects), chosen(&turned));
        }

        #[test]
        fn one_object_is_used_or_several_are_ambiguous(
            objects in prop::collection::vec(object(), 1..7),
        ) {
            let preferences: Vec<_> = objects.iter().map(|(object, _)| *object).collect();
            let same = |a: usize, b: usize| objects[a].1 == objects[b].1;
            let standings = select(&preferences, same, PreferredAcquisition::WholeBody);
            let used = standings.iter().filter(|it| **it == Standing::Used).count();
            let several = standings.iter().filter(|it| matches!(it, Standing::Ambiguous(_))).count();
            prop_assert!((used, several) == (1, 0) || (used == 0 && several > 1));
        }
    }
}
