//! Bytes of a peer that is not ours: PDUs by hand, right and wrong.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::memory::{EXPLICIT, NM};
use crate::VERIFICATION;

/// Context numbers of [`request`].
pub(super) const ECHO: u8 = 1;
pub(super) const STORE: u8 = 3;

/// A sub-item of a PDU (PS3.8, 9.3.2).
pub(super) fn item(kind: u8, contents: &[u8]) -> Vec<u8> {
    let length = u16::try_from(contents.len()).unwrap().to_be_bytes();
    [&[kind, 0], &length[..], contents].concat()
}

/// A PDU.
pub(super) fn pdu(kind: u8, contents: &[u8]) -> Vec<u8> {
    let length = u32::try_from(contents.len()).unwrap().to_be_bytes();
    [&[kind, 0], &length[..], contents].concat()
}

/// A presentation context that is proposed.
pub(super) fn context(id: u8, class: &str, syntaxes: &[&str]) -> Vec<u8> {
    let syntaxes = syntaxes.iter().flat_map(|uid| item(0x40, uid.as_bytes()));
    let syntaxes: Vec<u8> = syntaxes.collect();
    let class = item(0x30, class.as_bytes());
    item(0x20, &[&[id, 0, 0, 0], &class[..], &syntaxes].concat())
}

/// A request for an association with any contexts, and items of the user.
pub(super) fn request_of(calling: &str, contexts: &[Vec<u8>], user: &[u8]) -> Vec<u8> {
    let application = item(0x10, crate::APPLICATION_CONTEXT.as_bytes());
    let titles = format!("{:16}{calling:16}", "ATTRIUM");
    let contents = [
        &[0, 1, 0, 0],
        titles.as_bytes(),
        &[0; 32],
        &application,
        &contexts.concat(),
        &item(0x50, user),
    ];
    pdu(1, &contents.concat())
}

/// A request for verification and for bone scans.
pub(super) fn request() -> Vec<u8> {
    let contexts = [
        context(ECHO, VERIFICATION, &["1.2.840.10008.1.2"]),
        context(STORE, NM, &[EXPLICIT]),
    ];
    let user = [item(0x51, &16_384u32.to_be_bytes()), item(0x52, b"1.2.3")];
    request_of("RAW", &contexts, &user.concat())
}

/// A fragment (PS3.8, 9.3.5.1): control 1 for a command, plus 2 for the last.
pub(super) fn fragment(context: u8, control: u8, bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len() + 2).unwrap().to_be_bytes();
    [&length[..], &[context, control], bytes].concat()
}

/// A PDU with one fragment.
pub(super) fn data(context: u8, control: u8, bytes: &[u8]) -> Vec<u8> {
    pdu(4, &fragment(context, control, bytes))
}

/// An element of a command.
pub(super) fn element(number: u16, value: &[u8]) -> Vec<u8> {
    let length = u32::try_from(value.len()).unwrap().to_le_bytes();
    [&[0, 0], &number.to_le_bytes()[..], &length, value].concat()
}

/// A command with a field, a message's number and whether data follow.
pub(super) fn command(field: u16, id: u16, has_data: bool) -> Vec<u8> {
    let kind: u16 = if has_data { 0 } else { 0x0101 };
    [
        element(0x0100, &field.to_le_bytes()),
        element(0x0110, &id.to_le_bytes()),
        element(0x0800, &kind.to_le_bytes()),
    ]
    .concat()
}

/// A C-STORE request.
pub(super) fn store(class: &str, instance: &str) -> Vec<u8> {
    let uid = |number, uid: &str| element(number, uid.as_bytes());
    [uid(2, class), command(1, 9, true), uid(0x1000, instance)].concat()
}

/// A peer on a socket.
pub(super) struct Raw(pub TcpStream);

impl Raw {
    pub(super) async fn connect(address: SocketAddr) -> Self {
        Self(TcpStream::connect(address).await.unwrap())
    }

    /// A peer with an association.
    pub(super) async fn associated(address: SocketAddr) -> Self {
        let mut raw = Self::connect(address).await;
        raw.send(&request()).await;
        assert_eq!(raw.receive().await.unwrap().0, 2);
        raw
    }

    pub(super) async fn send(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).await.unwrap();
    }

    /// The next PDU; none where the connection ends.
    pub(super) async fn receive(&mut self) -> Option<(u8, Vec<u8>)> {
        let receive = async {
            let mut header = [0; 6];
            self.0.read_exact(&mut header).await.ok()?;
            let length = u32::from_be_bytes(header[2..].try_into().unwrap());
            let mut contents = vec![0; usize::try_from(length).unwrap()];
            self.0.read_exact(&mut contents).await.ok()?;
            Some((header[0], contents))
        };
        let within = Duration::from_secs(15);
        timeout(within, receive).await.expect("an answer or an end")
    }

    /// The field and the status of the next response, and the number of the message that it is of.
    pub(super) async fn response(&mut self) -> (u16, u16, u16) {
        let (kind, contents) = self.receive().await.expect("a response");
        assert_eq!(kind, 4, "{contents:?}");
        let command = crate::command::CommandSet::parse(&contents[6..]).unwrap();
        let number = |element| command.number(element).unwrap();
        (number(0x0100), number(0x0900), number(0x0120))
    }

    /// Source and reason of the abort that has to come next, and then the end.
    pub(super) async fn abort(&mut self) -> (u8, u8) {
        let (kind, contents) = self.receive().await.expect("an abort");
        assert_eq!(kind, 7, "{contents:?}");
        assert_eq!(self.receive().await, None);
        (contents[2], contents[3])
    }
}
