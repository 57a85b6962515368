//! What a pickle asks Python for, without doing any of it.
//!
//! A pickle is a program that names functions and calls them. A file of tensors needs only those
//! that put tensors together; any other is a reason to refuse the file, although nothing here
//! would run it: who trusts such a file may open it in Python next.

/// Pickles that a file may hold one after another: three of a legacy file's header, the object and
/// the list of its storages.
const PICKLES: usize = 5;

/// The first function or class that pickles name and that no file of tensors needs.
///
/// What is no pickle is passed over: to find that a file is damaged is the reader's part.
pub(super) fn foreign_name(mut bytes: &[u8]) -> Option<String> {
    for _ in 0..PICKLES {
        loop {
            match step(&mut bytes)? {
                Step::Names(name) if !is_of_tensors(&name) => return Some(name),
                Step::End => break,
                Step::Names(_) | Step::Other => {}
            }
        }
    }
    None
}

enum Step {
    /// `module.name`
    Names(String),
    End,
    Other,
}

/// Takes one instruction with its arguments (Python's `pickletools` lists them); nothing where
/// there is none.
fn step(bytes: &mut &[u8]) -> Option<Step> {
    let [code] = take(bytes, 1)? else { return None };
    match code {
        b'.' => return Some(Step::End),
        b'c' | b'i' => {
            let [module, name] = [line(bytes)?, line(bytes)?];
            return Some(Step::Names(format!("{module}.{name}")));
        }
        // Names are on the stack, where they need not be written out; torch.save has no need of it.
        0x93 => return Some(Step::Names("a name that is put together".to_owned())),
        // The extension registry.
        0x82..=0x84 => return Some(Step::Names("an extension".to_owned())),
        b'F' | b'I' | b'L' | b'S' | b'V' | b'P' | b'g' | b'p' => {
            line(bytes)?;
        }
        b'K' | b'q' | b'h' | 0x80 => skip(bytes, 1)?,
        b'M' => skip(bytes, 2)?,
        b'J' | b'r' | b'j' => skip(bytes, 4)?,
        b'G' | 0x95 => skip(bytes, 8)?,
        b'U' | b'C' | 0x8a | 0x8c => counted(bytes, 1)?,
        b'T' | b'B' | b'X' | 0x8b => counted(bytes, 4)?,
        0x8d | 0x8e | 0x96 => counted(bytes, 8)?,
        b'('
        | b'0'
        | b'1'
        | b'2'
        | b'N'
        | b'R'
        | b'Q'
        | b'b'
        | b']'
        | b'l'
        | b'}'
        | b'd'
        | b'a'
        | b'e'
        | b's'
        | b'u'
        | b')'
        | b't'
        | b'o'
        | 0x81
        | 0x85..=0x89
        | 0x8f..=0x92
        | 0x94
        | 0x97
        | 0x98 => {}
        _ => return None,
    }
    Some(Step::Other)
}

fn take<'a>(bytes: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
    let (taken, rest) = bytes.split_at_checked(count)?;
    *bytes = rest;
    Some(taken)
}

fn skip(bytes: &mut &[u8], count: usize) -> Option<()> {
    take(bytes, count).map(|_| ())
}

/// Text up to the end of its line.
fn line(bytes: &mut &[u8]) -> Option<String> {
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    let text = String::from_utf8_lossy(take(bytes, end)?).into_owned();
    skip(bytes, 1)?;
    Some(text)
}

/// Passes over an argument that begins with its length, in so many bytes.
fn counted(bytes: &mut &[u8], width: usize) -> Option<()> {
    let length = take(bytes, width)?.iter().rev();
    let length = length.fold(0, |sum: u64, byte| (sum << 8) | u64::from(*byte));
    skip(bytes, usize::try_from(length).ok()?)
}

fn is_of_tensors(name: &str) -> bool {
    match name.rsplit_once('.') {
        Some(("collections", name)) => name == "OrderedDict",
        Some(("torch" | "torch.storage", name)) => name.ends_with("Storage"),
        Some(("torch._utils", name)) => name.starts_with("_rebuild_"),
        Some(("torch.nn.parameter", name)) => name == "Parameter",
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_after_arguments_of_every_width() {
        let before: &[u8] = b"\x80\x02}q\x00(X\x03\x00\x00\x00c.iq\x01K\x01M\x01\x00J\x01\x00\x00\x00\
            G\x00\x00\x00\x00\x00\x00\x00\x00\x8a\x01\x05\x8c\x02cc\x8e\x01\x00\x00\x00\x00\x00\x00\x00cI5\n";
        let with = |end: &[u8]| foreign_name(&[before, end].concat());
        assert_eq!(with(b"ccollections\nOrderedDict\nR."), None);
        assert_eq!(
            with(b"ctorch\nFloatStorage\nctorch._utils\n_rebuild_tensor_v2\n."),
            None
        );
        for (end, expected) in [
            (&b"cposix\nsystem\n(X"[..], "posix.system"),
            (&b"(iposix\nsystem\n."[..], "posix.system"),
            (&b"ctorch\nload\n."[..], "torch.load"),
            (&b".\x80\x02cbuiltins\neval\n"[..], "builtins.eval"),
            (
                &b"\x8c\x05posix\x8c\x06system\x93"[..],
                "a name that is put together",
            ),
        ] {
            assert_eq!(with(end).as_deref(), Some(expected));
        }
    }
}
