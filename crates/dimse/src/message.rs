//! Puts messages together from fragments (PS3.7, 6.3 and PS3.8, annex E).
//!
//! Commands are gathered, since they are short; data sets are handed on as they come. Pure.

use crate::command::CommandSet;
use crate::fragment::{Fragment, Part};
use crate::violation::Violation;

/// The longest command that is gathered. One of storage has a few hundred bytes.
const LONGEST_COMMAND: usize = 65_536;

/// What a fragment amounts to.
pub(crate) enum Event<'a> {
    /// A command is complete.
    Command { context: u8, command: CommandSet },
    /// More of the data set of the last command.
    Data { bytes: &'a [u8], is_last: bool },
}

/// What has come of a message.
#[derive(Default)]
pub(crate) struct Assembler {
    command: Vec<u8>,
    state: State,
}

/// What may come next.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum State {
    #[default]
    Between,
    Command(u8),
    Data(u8),
}

impl Assembler {
    /// Whether no message is under way.
    pub(crate) fn is_between(&self) -> bool {
        self.state == State::Between
    }

    /// Takes the next fragment.
    ///
    /// # Errors
    /// A [`Violation`] where the fragment has no place there.
    pub(crate) fn take<'a>(
        &mut self,
        fragment: Fragment<'a>,
    ) -> Result<Option<Event<'a>>, Violation> {
        match (self.state, fragment.part) {
            (State::Between, Part::Data) => Err(Violation::DataBeforeCommand),
            (State::Command(_), Part::Data) => Err(Violation::DataBeforeCommand),
            (State::Data(_), Part::Command) => Err(Violation::CommandWithinData),
            (State::Command(context) | State::Data(context), _) if context != fragment.context => {
                Err(Violation::OtherContext)
            }
            (State::Between | State::Command(_), Part::Command) => self.gather(fragment),
            (State::Data(_), Part::Data) => {
                if fragment.is_last {
                    self.state = State::Between;
                }
                Ok(Some(Event::Data {
                    bytes: fragment.bytes,
                    is_last: fragment.is_last,
                }))
            }
        }
    }

    /// Takes a fragment of a command.
    fn gather<'a>(&mut self, fragment: Fragment<'_>) -> Result<Option<Event<'a>>, Violation> {
        if self.command.len() + fragment.bytes.len() > LONGEST_COMMAND {
            return Err(Violation::LongCommand);
        }
        let context = fragment.context;
        self.state = State::Command(context);
        self.command.extend_from_slice(fragment.bytes);
        if !fragment.is_last {
            return Ok(None);
        }
        let command = CommandSet::parse(&self.command)?;
        self.command = Vec::new();
        self.state = match command.announces_data()? {
            true => State::Data(context),
            false => State::Between,
        };
        Ok(Some(Event::Command { context, command }))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::command::field;

    fn fragment(context: u8, part: Part, is_last: bool, bytes: &[u8]) -> Fragment<'_> {
        Fragment {
            context,
            part,
            is_last,
            bytes,
        }
    }

    fn store() -> Vec<u8> {
        CommandSet::new(field::C_STORE).with_data_set().encode()
    }

    fn violation(fragments: &[Fragment<'_>]) -> Option<Violation> {
        let mut assembler = Assembler::default();
        fragments.iter().find_map(|f| assembler.take(*f).err())
    }

    #[test]
    fn fragments_out_of_turn_are_violations() {
        let store = store();
        let command = fragment(1, Part::Command, true, &store);
        let data = fragment(1, Part::Data, false, b"..");
        assert_eq!(violation(&[data]), Some(Violation::DataBeforeCommand));
        let two = [command, command];
        assert_eq!(violation(&two), Some(Violation::CommandWithinData));
        let other = Fragment { context: 3, ..data };
        assert_eq!(violation(&[command, other]), Some(Violation::OtherContext));
        let open = fragment(1, Part::Command, false, &store);
        let wrong = [open, data];
        assert_eq!(violation(&wrong), Some(Violation::DataBeforeCommand));
        assert_eq!(violation(&[command, data, data]), None);
    }

    #[test]
    fn a_command_without_an_end_is_given_up() {
        let block = vec![0; 16_384];
        let part = fragment(1, Part::Command, false, &block);
        assert_eq!(violation(&[part; 4]), None);
        assert_eq!(violation(&[part; 5]), Some(Violation::LongCommand));
    }

    /// What a message is, however it was cut.
    fn message(pieces: &[Fragment<'_>]) -> (Option<CommandSet>, Vec<u8>, bool) {
        let mut assembler = Assembler::default();
        let (mut found, mut data) = (None, Vec::new());
        for piece in pieces {
            match assembler.take(*piece).expect("in turn") {
                Some(Event::Command { command, .. }) => found = Some(command),
                Some(Event::Data { bytes, .. }) => data.extend_from_slice(bytes),
                None => {}
            }
        }
        (found, data, assembler.is_between())
    }

    proptest! {
        #[test]
        fn a_message_is_the_same_however_it_is_cut(data in proptest::collection::vec(any::<u8>(), 0..300), room in 1usize..64) {
            let command = store();
            let pieces: Vec<_> = crate::fragment::pieces(5, Part::Command, &command, room)
                .chain(crate::fragment::pieces(5, Part::Data, &data, room))
                .collect();
            let (found, joined, is_between) = message(&pieces);
            prop_assert!(found == CommandSet::parse(&command).ok());
            prop_assert_eq!(joined, data);
            prop_assert!(is_between);
        }
    }
}
