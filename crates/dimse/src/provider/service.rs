//! What a station makes of what arrives.

use std::net::IpAddr;

use async_trait::async_trait;

use super::{AssociationId, Closed, ObjectHeader, Peer, Refusal, StoreStatus, TurnedAway};
use crate::commitment::CommitmentReport;

/// What a station makes of what arrives.
///
/// Every function is called by the task of one connection. What is not `async` has to be immediate; what is may wait
/// for a disk, and the peer waits with it.
#[async_trait]
pub trait StorageService: Send + Sync + 'static {
    /// Whether the peer may have an association. It is asked before anything is accepted, and before limits are.
    ///
    /// # Errors
    /// The [`Refusal`] that the peer is told.
    fn admit(&self, peer: &Peer) -> Result<(), Refusal>;

    /// An object is announced; gives what takes its bytes.
    ///
    /// # Errors
    /// The [`StoreStatus`] that the peer is answered after its bytes were read and dropped.
    async fn begin(
        &self,
        peer: &Peer,
        association: AssociationId,
        object: &ObjectHeader,
    ) -> Result<Box<dyn Receiving>, StoreStatus>;

    /// An association was accepted.
    fn opened(&self, association: AssociationId, peer: &Peer) {
        let _ = (association, peer);
    }

    /// An association that was opened has ended.
    fn closed(&self, association: AssociationId, how: Closed) {
        let _ = (association, how);
    }

    /// A connection never became an association.
    fn turned_away(&self, address: IpAddr, why: TurnedAway);

    /// A peer reports what became of a request for storage commitment (PS3.4, J.3.3); gives whether that was taken.
    ///
    /// Where it was not, the peer is answered a failure (0110), and may report again.
    async fn committed(&self, peer: &Peer, report: CommitmentReport) -> bool {
        let _ = (peer, report);
        false
    }
}

/// What takes the bytes of an object: a DICOM file (PS3.10), whose data set is as it came.
///
/// It is dropped without [`finish`](Self::finish) where the object does not arrive completely, is too long, or
/// [`write`](Self::write) failed.
#[async_trait]
pub trait Receiving: Send {
    /// Takes the next bytes of the file.
    ///
    /// # Errors
    /// The [`StoreStatus`] that the peer is answered after the rest was read and dropped.
    async fn write(&mut self, bytes: &[u8]) -> Result<(), StoreStatus>;

    /// Everything has arrived. What was written has to last when this gives [`StoreStatus::Success`]: the peer is
    /// told so, and may forget its object.
    async fn finish(self: Box<Self>) -> StoreStatus;
}
