//! PDUs on a stream: one is read at a time, as its bytes arrive, and never more than was agreed on.
//!
//! dicom-ul reads and writes the PDUs that open and close an association. The stream is read here, since its
//! associations take a PDU's claimed length from anyone and know one deadline for any number of reads; and so are
//! P-DATA PDUs, in place.
//!
//! Never: what a peer claims is there before it is.

use std::io;
use std::time::Duration;

use dicom_ul::Pdu;
use dicom_ul::pdu::{AbortRQSource, AssociationRJ, read_pdu, write_pdu};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::time::timeout;

use crate::fragment::{P_DATA, PDU_HEADER, Part, pieces, write_pdu_of};
use crate::violation::Violation;

/// The longest PDU that is taken of those which open an association, and the longest that can be agreed on.
/// 128 contexts of 30 transfer syntaxes have 115 kB.
pub(crate) const LONGEST_PDU: u32 = 262_138;

/// By how much the buffer of a PDU grows before its bytes are there.
const STEP: usize = 65_536;

/// How long a peer has to take leave, and how much it may still say (PS3.8, 9.1.5: the ARTIM timer).
const LEAVE: Duration = Duration::from_secs(1);
const LEAVE_BYTES: u64 = 4 << 20;

/// What arrived.
pub(crate) enum Received {
    /// A P-DATA-TF PDU, whose fragments are in the buffer behind its header.
    Data,
    /// Any other PDU.
    Pdu(Pdu),
}

/// Why nothing arrived, or nothing could be sent.
#[derive(Debug)]
pub(crate) enum Broken {
    /// The peer closed the connection at the end of a PDU.
    Closed,
    /// The connection failed.
    Lost(io::Error),
    /// A deadline passed.
    Late,
    /// The peer did what the protocol forbids.
    Violation(Violation),
}

impl From<Violation> for Broken {
    fn from(violation: Violation) -> Self {
        Self::Violation(violation)
    }
}

impl From<io::Error> for Broken {
    fn from(error: io::Error) -> Self {
        Self::Lost(error)
    }
}

/// A stream with PDUs on it.
pub(crate) struct Wire<S> {
    stream: BufReader<S>,
    outgoing: Vec<u8>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Wire<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self {
            stream: BufReader::new(stream),
            outgoing: Vec::new(),
        }
    }

    /// Waits for the first byte of a PDU, its type. Nothing is lost where the wait is given up.
    pub(crate) async fn peek(&mut self) -> Result<u8, Broken> {
        let bytes = self.stream.fill_buf().await?;
        bytes.first().copied().ok_or(Broken::Closed)
    }

    /// Receives a PDU of at most `limit` bytes that is complete within a time.
    pub(crate) async fn receive(
        &mut self,
        buffer: &mut Vec<u8>,
        limit: u32,
        within: Duration,
    ) -> Result<Received, Broken> {
        let read = timeout(within, self.read(buffer, limit));
        read.await.map_err(|_| Broken::Late)??;
        if buffer.first() == Some(&P_DATA) {
            return Ok(Received::Data);
        }
        match read_pdu(&buffer[..], LONGEST_PDU, true) {
            Ok(Some(pdu)) => Ok(Received::Pdu(pdu)),
            Ok(None) | Err(_) => Err(Violation::MalformedPdu.into()),
        }
    }

    /// Reads a PDU into the buffer, with its header.
    async fn read(&mut self, buffer: &mut Vec<u8>, limit: u32) -> Result<(), Broken> {
        // The type says whether this is DICOM at all; noise may end after it.
        let kind = self.peek().await?;
        if !(1..=7).contains(&kind) {
            return Err(Violation::UnknownPdu.into());
        }
        let mut header = [0; PDU_HEADER];
        self.stream.read_exact(&mut header).await?;
        let [_, _, l0, l1, l2, l3] = header;
        let length = u32::from_be_bytes([l0, l1, l2, l3]);
        let limit = if kind == P_DATA { limit } else { LONGEST_PDU };
        if length > limit {
            return Err(Violation::LongPdu { length, limit }.into());
        }
        buffer.clear();
        buffer.extend_from_slice(&header);
        self.fill(buffer, length).await
    }

    /// Appends that many bytes to the buffer, which grows as they arrive.
    async fn fill(&mut self, buffer: &mut Vec<u8>, length: u32) -> Result<(), Broken> {
        let mut missing = u64::from(length);
        while missing > 0 {
            buffer.reserve(usize::try_from(missing).unwrap_or(STEP).min(STEP));
            let read = (&mut self.stream).take(missing).read_buf(buffer).await?;
            if read == 0 {
                return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
            }
            missing = missing.saturating_sub(u64::try_from(read).unwrap_or(missing));
        }
        Ok(())
    }

    /// Sends a PDU other than P-DATA-TF.
    pub(crate) async fn send(&mut self, pdu: &Pdu, within: Duration) -> Result<(), Broken> {
        self.outgoing.clear();
        let written = write_pdu(&mut self.outgoing, pdu);
        // What is sent is made here: titles and identifiers of checked lengths.
        written.map_err(|error| Broken::Lost(io::Error::other(error)))?;
        self.write(within).await
    }

    /// Sends a command or a data set in PDUs with `room` for that much of it; each has that much time.
    pub(crate) async fn send_part(
        &mut self,
        (context, part): (u8, Part),
        bytes: &[u8],
        room: usize,
        within: Duration,
    ) -> Result<(), Broken> {
        for piece in pieces(context, part, bytes, room) {
            write_pdu_of(&piece, &mut self.outgoing);
            self.write(within).await?;
        }
        Ok(())
    }

    /// Writes what was encoded.
    async fn write(&mut self, within: Duration) -> Result<(), Broken> {
        let write = async {
            self.stream.write_all(&self.outgoing).await?;
            self.stream.flush().await
        };
        Ok(timeout(within, write).await.map_err(|_| Broken::Late)??)
    }

    /// Rejects an association and closes the connection.
    pub(crate) async fn reject(mut self, reject: AssociationRJ) {
        let _ = self.send(&Pdu::AssociationRJ(reject), LEAVE).await;
        self.close().await;
    }

    /// Aborts an association, or what was to become one, and closes the connection.
    pub(crate) async fn abort(mut self, source: AbortRQSource) {
        let _ = self.send(&Pdu::AbortRQ { source }, LEAVE).await;
        self.close().await;
    }

    /// Closes the connection, and waits a little until the peer has.
    ///
    /// A socket that is dropped with bytes unread resets the connection, and the peer may lose what it was told last.
    pub(crate) async fn close(mut self) {
        let leave = async {
            self.stream.shutdown().await?;
            let mut rest = self.stream.take(LEAVE_BYTES);
            tokio::io::copy_buf(&mut rest, &mut tokio::io::sink()).await
        };
        let _ = timeout(LEAVE, leave).await;
    }
}
