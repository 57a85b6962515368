//! Marker segments, which headers of JPEG and of JPEG 2000 are made of (T.81, B.1.1.4; T.800, A.1).

/// The marker segment at the front: its kind, its parameters, and what follows it.
pub(super) fn segment(data: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let &[0xFF, kind, high, low, ref tail @ ..] = data else {
        return None;
    };
    let length = usize::from(u16::from_be_bytes([high, low])).checked_sub(2)?;
    let (parameters, after) = tail.split_at_checked(length)?;
    Some((kind, parameters, after))
}
