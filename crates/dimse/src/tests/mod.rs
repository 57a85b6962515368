//! Both ends, against each other and against hostile bytes.

mod hostile;
mod memory;
mod pair;
mod peer;
mod raw;

use proptest::prelude::*;

/// What a well-behaved sender says, in the order it says it.
fn talk() -> Vec<u8> {
    let command = raw::store(memory::NM, "2.25.1");
    [
        raw::request(),
        raw::data(raw::ECHO, 3, &raw::command(0x30, 5, false)),
        raw::data(raw::STORE, 3, &command),
        raw::data(raw::STORE, 2, b"\x08\0\x05\0CS\0\0"),
        raw::pdu(5, &[0; 4]),
    ]
    .concat()
}

#[test]
fn a_fuzzers_door_opens_for_what_is_right() {
    assert!(crate::fuzzing::association(&talk()));
    assert!(!crate::fuzzing::association(b"GET / HTTP/1.1"));
    assert!(crate::fuzzing::command(&raw::store(memory::NM, "2.25.1")));
}

proptest! {
    #[test]
    fn damaged_talk_makes_nothing_panic(at in 0usize..600, bytes in proptest::collection::vec(any::<u8>(), 1..4), cut in 0usize..600) {
        let mut talk = talk();
        let at = at % talk.len();
        for (byte, new) in talk[at..].iter_mut().zip(&bytes) {
            *byte = *new;
        }
        crate::fuzzing::association(&talk);
        talk.truncate(cut % talk.len());
        crate::fuzzing::association(&talk);
    }
}
