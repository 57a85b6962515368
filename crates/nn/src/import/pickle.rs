//! What a pickle would have Python call, found without calling anything.
//!
//! A pickle is a program that names functions and calls them. A file of tensors needs only those
//! that put tensors together. Any other is a reason to refuse the file, although nothing here would
//! run it: a user who trusts the file may open it in Python next.

/// The pickles that a file may hold one after another: three in the header of a legacy file, the
/// object, and the list of its storages.
const PICKLES: usize = 5;

/// The first function or class that pickles name and that no file of tensors needs.
///
/// Bytes that are not a pickle are passed over: it is the reader that reports a damaged file.
pub(super) fn foreign_name(mut bytes: &[u8]) -> Option<String> {
    for _ in 0..PICKLES {
        loop {
            match opcode(&mut bytes)? {
                Opcode::Names(name) if !is_of_tensors(&name) => return Some(name),
                Opcode::End => break,
                Opcode::Names(_) | Opcode::Other => {}
            }
        }
    }
    None
}

/// Opcodes without arguments that name nothing.
const WITHOUT_ARGUMENTS: &[u8] =
    b"(012NRQb]l}daesu)to\x81\x85\x86\x87\x88\x89\x8f\x90\x91\x92\x94\x97\x98";

enum Opcode {
    /// `module.name`
    Names(String),
    End,
    Other,
}

/// Takes one opcode with its arguments (`pickletools` of Python lists them); `None` where there is
/// none.
fn opcode(bytes: &mut &[u8]) -> Option<Opcode> {
    let [code] = take(bytes, 1)? else { return None };
    match code {
        b'.' => return Some(Opcode::End),
        b'c' | b'i' => {
            let [module, name] = [line(bytes)?, line(bytes)?];
            return Some(Opcode::Names(format!("{module}.{name}")));
        }
        // The name is on the stack, where it need not be spelled out; torch.save never does that.
        0x93 => return Some(Opcode::Names("a name that is put together".to_owned())),
        // The extension registry.
        0x82..=0x84 => return Some(Opcode::Names("an extension".to_owned())),
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
        _ if WITHOUT_ARGUMENTS.contains(code) => {}
        _ => return None,
    }
    Some(Opcode::Other)
}

fn take<'a>(bytes: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
    let (taken, rest) = bytes.split_at_checked(count)?;
    *bytes = rest;
    Some(taken)
}

fn skip(bytes: &mut &[u8], count: usize) -> Option<()> {
    take(bytes, count).map(|_| ())
}

/// The text up to the end of the line.
fn line(bytes: &mut &[u8]) -> Option<String> {
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    let text = String::from_utf8_lossy(take(bytes, end)?).into_owned();
    skip(bytes, 1)?;
    Some(text)
}

/// Skips an argument that begins with its length, in `width` bytes.
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
