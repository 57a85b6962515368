//! Sends objects to a station as its first sender does: to try the whole way before a scanner is pointed at it.

use snafu::{OptionExt, ResultExt, Snafu, ensure};

use attrium_api::ScreeningStation;
use attrium_dimse as dimse;
use attrium_dimse::{Association, DestinationDeadlines, NotSendable, StoredFile};

/// Why an object was not kept.
#[derive(Debug, Snafu)]
pub enum SendError {
    /// A file is none that can be sent.
    #[snafu(display("file {number} cannot be sent"))]
    NotSendable {
        /// Its place, from 1.
        number: usize,
        /// The reason.
        source: NotSendable,
    },
    /// The station speaks TLS, and this does not.
    #[snafu(display(
        "the station takes images by TLS alone: send with a client that has a certificate"
    ))]
    Tls,
    /// There is no sender whose name could be used.
    #[snafu(display("the station has no sender"))]
    NoSender,
    /// The association.
    #[snafu(display("the station cannot be sent to: is it running, and may this machine send?"))]
    Association {
        /// The reason.
        source: dimse::Error,
    },
    /// The station's answer.
    #[snafu(display("the station answered file {number} with status {status:04X}"))]
    Refused {
        /// Its place, from 1.
        number: usize,
        /// The status.
        status: u16,
    },
}

/// Sends objects over one association.
///
/// # Errors
/// [`SendError`]; what came before it is kept.
pub async fn send(manifest: &ScreeningStation, objects: &[Vec<u8>]) -> Result<(), SendError> {
    let listener = &manifest.spec.listener;
    ensure!(listener.tls.is_none(), TlsSnafu);
    let files = (1_usize..).zip(objects).map(|(number, object)| {
        let file = StoredFile::read(object).context(NotSendableSnafu { number })?;
        Ok((number, file, object))
    });
    let files: Vec<_> = files.collect::<Result<_, SendError>>()?;
    let pairs: Vec<(&str, [&str; 1])> = files
        .iter()
        .map(|(_, file, _)| (&*file.sop_class_uid, [&*file.transfer_syntax_uid]))
        .collect();
    let mut contexts: Vec<(&str, &[&str])> = pairs
        .iter()
        .map(|(class, syntax)| (*class, &syntax[..]))
        .collect();
    contexts.sort_unstable();
    contexts.dedup();
    let sender = listener.senders.first().context(NoSenderSnafu)?;
    let destination = dimse::Destination {
        host: listener
            .address
            .clone()
            .unwrap_or_else(|| "localhost".to_owned()),
        port: listener.port,
        called_ae_title: listener.ae_title.clone(),
        calling_ae_title: sender.ae_title.clone(),
        tls: None,
        deadlines: DestinationDeadlines::default(),
    };
    let association = Association::request(&destination, &contexts).await;
    let mut association = association.context(AssociationSnafu)?;
    for (number, file, object) in &files {
        let stored = association.store(&file.object(object)).await;
        let status = stored.context(AssociationSnafu)?;
        ensure!(
            status == 0,
            RefusedSnafu {
                number: *number,
                status
            }
        );
    }
    association.release().await.context(AssociationSnafu)
}
