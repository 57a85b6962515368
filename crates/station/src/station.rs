//! A station: opened once, run until it is told to stop.

use std::fs;
use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use snafu::{OptionExt, ResultExt, Snafu};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::admission::{NotANetwork, Senders};
use crate::archive::{Archive, ArchiveError};
use crate::email::{EmailError, Mailer};
use crate::intake::{Intake, NUCLEAR_MEDICINE};
use crate::outbox::{Courier, Messenger, Receiver};
use crate::secrets::{SecretError, Secrets};
use crate::shared::{ALERT, Associations, Counters, DESTINATION, Shared};
use crate::study::Rules;
use crate::webhook::{WebhookClient, WebhookError};
use crate::{clock, coordinator, janitor, journal, web};
use attrium_api::{
    ClientCertificates, Destination, OtherObjects, ScreeningStation, StationAlert, StationMode,
};
use attrium_dimse as dimse;
use attrium_dimse::ListenerDeadlines;
use attrium_spool as spool;
use attrium_spool::audit::{Audit, AuditError, AuditEvent};
use attrium_spool::{Found, Index, IndexError, RealDisk, Spool, SpoolOptions};
use attrium_tasks::Screener;

/// How many objects may wait to be looked at before whoever looks has to find them by itself.
const WAITING: usize = 4096;

/// How long tasks may take to end what they are at, once the station is told to stop.
const GRACE: Duration = Duration::from_secs(5);

/// Why a station does not start.
#[derive(Debug, Snafu)]
pub enum StationError {
    /// The spool's folder.
    #[snafu(display("the station's spool cannot be used"), context(false))]
    Spool {
        /// The reason.
        source: spool::Error,
    },
    /// The index in it.
    #[snafu(transparent)]
    Index {
        /// The reason.
        source: IndexError,
    },
    /// The size of the spool.
    #[snafu(display("spool.size is {text}, which is no number of bytes: use one such as 50Gi"))]
    Size {
        /// What stands there.
        text: String,
    },
    /// The audit in it.
    #[snafu(display("the audit of the station cannot be used"), context(false))]
    Audit {
        /// The reason.
        source: AuditError,
    },
    /// A sender's address.
    #[snafu(transparent)]
    Sender {
        /// The reason.
        source: NotANetwork,
    },
    /// A secret.
    #[snafu(transparent)]
    Secret {
        /// The reason.
        source: SecretError,
    },
    /// The listener's certificates.
    #[snafu(display("the certificates of listener.tls cannot be used"))]
    Tls {
        /// The reason.
        source: dimse::tls::Error,
    },
    /// An archive.
    #[snafu(display("the destination {name} cannot be used"))]
    Destination {
        /// Its name.
        name: String,
        /// The reason.
        #[snafu(source(from(ArchiveError, Box::new)))]
        source: Box<ArchiveError>,
    },
    /// An address that is told.
    #[snafu(display("the alert {name} cannot be used"))]
    Alert {
        /// Its name.
        name: String,
        /// The reason.
        #[snafu(source(from(AlertError, Box::new)))]
        source: Box<AlertError>,
    },
    /// An address of the machine.
    #[snafu(display("{text} is no address of a machine: use one such as 127.0.0.1 or ::"))]
    Address {
        /// What stands there.
        text: String,
    },
    /// A port that cannot be listened on.
    #[snafu(display("nothing can be listened for on {address}: is another process there?"))]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The reason.
        source: io::Error,
    },
    /// The page.
    #[snafu(transparent)]
    Web {
        /// The reason.
        source: web::WebError,
    },
}

/// Somebody who cannot be told.
#[derive(Debug, Snafu)]
pub enum AlertError {
    /// By a web address.
    #[snafu(transparent)]
    Webhook {
        /// The reason.
        source: WebhookError,
    },
    /// By mail.
    #[snafu(transparent)]
    Email {
        /// The reason.
        source: EmailError,
    },
}

impl StationError {
    /// Whether another try may do without a change of the manifest or its surroundings.
    pub const fn is_transient(&self) -> bool {
        matches!(self, Self::Listen { .. } | Self::Index { .. })
    }
}

/// A station that is ready to run.
pub struct Station {
    shared: Arc<Shared>,
    senders: Senders,
    listener: TcpListener,
    options: dimse::ListenerOptions,
    couriers: Vec<Courier>,
    web: web::Web,
}

impl Station {
    /// Opens a station: its spool, its certificates, its ports. Nothing is taken in yet.
    ///
    /// # Errors
    /// [`StationError`].
    pub async fn open(
        manifest: ScreeningStation,
        screener: Screener,
        secrets: &Secrets,
    ) -> Result<Self, StationError> {
        let spec = &manifest.spec;
        let senders = Senders::new(&spec.listener.senders)?;
        let options = listener_options(&manifest, secrets)?;
        let web = web::Web::bind(&spec.web, secrets).await?;
        let listener = listen(spec.listener.address.as_deref(), spec.listener.port).await?;
        let spool = open_spool(&manifest)?;
        let (index, found) = open_index(&spool)?;
        let audit = open_audit(&spool, &found)?;
        let shared = Arc::new(Shared {
            rules: Rules {
                mode: spec.mode,
                alert_at: spec.studies.alert_at,
                synthetic: spec.studies.synthetic,
                prefer: spec.prefer,
            },
            page: web.url(&spec.web),
            spool,
            index,
            audit,
            screener,
            counters: Counters::default(),
            associations: Associations::default(),
            outbox: tokio::sync::Notify::new(),
            manifest,
        });
        let couriers = couriers(&shared, secrets)?;
        let known: Vec<&str> = couriers.iter().map(|courier| &*courier.target).collect();
        withdraw_unknown(&shared, &known)?;
        Ok(Self {
            shared,
            senders,
            listener,
            options,
            couriers,
            web,
        })
    }

    /// Where images are sent to.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Where people open the page.
    pub fn page(&self) -> &str {
        &self.shared.page
    }

    /// Runs until it is told to stop; what was acknowledged is kept, and what is unfinished goes on the next time.
    pub async fn run(self, stop: impl Future<Output = ()> + Send) {
        let (stopping, _) = watch::channel(false);
        let stopped = |stopping: &watch::Sender<bool>| {
            let mut told = stopping.subscribe();
            async move {
                // A sender that is gone has stopped too.
                let _ = told.wait_for(|stopped| *stopped).await;
            }
        };
        let (kept, receiver) = mpsc::channel(WAITING);
        let intake = Arc::new(Intake {
            shared: self.shared.clone(),
            senders: self.senders,
            kept,
        });
        let mut tasks = JoinSet::new();
        tasks.spawn(coordinator::run(
            self.shared.clone(),
            receiver,
            stopped(&stopping),
        ));
        tasks.spawn(janitor::run(self.shared.clone(), stopped(&stopping)));
        tasks.spawn(self.web.serve(self.shared.clone(), stopped(&stopping)));
        let is_live = self.shared.rules.mode == StationMode::Live;
        for courier in self.couriers.into_iter().filter(|_| is_live) {
            tasks.spawn(courier.run(stopped(&stopping)));
        }
        dimse::serve(self.listener, self.options, intake, stop).await;
        stopping.send_replace(true);
        let end = Instant::now() + GRACE;
        while let Ok(Some(_)) = tokio::time::timeout_at(end, tasks.join_next()).await {}
        self.shared
            .journal(&[journal::record(AuditEvent::Stopped, None, None)]);
    }
}

/// Opens the spool of a manifest.
pub(crate) fn open_spool(manifest: &ScreeningStation) -> Result<Spool, StationError> {
    let spec = &manifest.spec.spool;
    let text = &spec.size;
    let options = SpoolOptions {
        size: bytes(text).context(SizeSnafu { text })?,
        keep_free_percent: spec.keep_free_percent,
        ..SpoolOptions::default()
    };
    Ok(Spool::open(
        Arc::new(RealDisk),
        Path::new(&spec.path),
        options,
    )?)
}

/// Opens the index in a spool; one that is broken is made anew, which the log tells.
fn open_index(spool: &Spool) -> Result<(Index, Found), StationError> {
    let (index, found) = Index::open(&spool.root().join("station.db"))?;
    if let Found::Broken(name) = &found {
        tracing::error!(
            "The index was broken, and lies beside as {name}: a new one is made of the objects. What people had said of \
             studies is in the broken one alone"
        );
    }
    Ok((index, found))
}

/// Opens the audit, and writes down what was found on the way.
fn open_audit(spool: &Spool, found: &Found) -> Result<Audit, StationError> {
    let (audit, cut) = Audit::open(spool)?;
    let cut = cut.map(|_| journal::record(AuditEvent::AuditCut, None, None));
    let rebuilt = matches!(found, Found::Broken(_));
    let rebuilt = rebuilt.then(|| journal::record(AuditEvent::IndexRebuilt, None, None));
    let started = journal::record(AuditEvent::Started, None, None);
    let records: Vec<_> = cut.into_iter().chain(rebuilt).chain([started]).collect();
    audit.append_all(&records)?;
    Ok(audit)
}

/// A Kubernetes quantity as a whole number.
fn bytes(text: &str) -> Option<u64> {
    let digits = text
        .find(|it: char| !it.is_ascii_digit() && it != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let number: f64 = number.parse().ok()?;
    let factor = match unit {
        "" => 1.0,
        "k" => 1e3,
        "M" => 1e6,
        "G" => 1e9,
        "T" => 1e12,
        "P" => 1e15,
        "Ki" => 1024.0,
        "Mi" => 1_048_576.0,
        "Gi" => 1_073_741_824.0,
        "Ti" => 1_099_511_627_776.0,
        "Pi" => 1_125_899_906_842_624.0,
        _ => return None,
    };
    let bytes = number * factor;
    (1.0..9e18).contains(&bytes).then_some(bytes as u64)
}

/// Binds a port of an address; of none in particular, all of the machine's, IPv4 alone where there is no IPv6.
async fn listen(address: Option<&str>, port: u16) -> Result<TcpListener, StationError> {
    let address = match address {
        Some(text) => SocketAddr::new(text.parse().ok().context(AddressSnafu { text })?, port),
        None => SocketAddr::new(IpAddr::V6(Ipv6Addr::UNSPECIFIED), port),
    };
    let bound = TcpListener::bind(address).await;
    match bound {
        Err(error) if address.ip() == Ipv6Addr::UNSPECIFIED && has_no_ipv6(&error) => {
            let address = SocketAddr::from(([0, 0, 0, 0], port));
            TcpListener::bind(address)
                .await
                .context(ListenSnafu { address })
        }
        bound => bound.context(ListenSnafu { address }),
    }
}

fn has_no_ipv6(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::Unsupported | io::ErrorKind::AddrNotAvailable
    ) || !Path::new("/proc/net/if_inet6").exists() && fs::exists("/proc/net").unwrap_or_default()
}

/// The transfer syntaxes that pixels are decoded of.
const TRANSFER_SYNTAXES: [&str; 12] = [
    "1.2.840.10008.1.2.1",
    "1.2.840.10008.1.2",
    "1.2.840.10008.1.2.2",
    "1.2.840.10008.1.2.5",
    "1.2.840.10008.1.2.4.70",
    "1.2.840.10008.1.2.4.57",
    "1.2.840.10008.1.2.4.90",
    "1.2.840.10008.1.2.4.91",
    "1.2.840.10008.1.2.4.50",
    "1.2.840.10008.1.2.4.51",
    "1.2.840.10008.1.2.4.80",
    "1.2.840.10008.1.2.4.81",
];

/// Storage classes that senders of whole studies propose beside images of nuclear medicine (PS3.4, B.5): what they
/// bring is acknowledged and not kept where the manifest says so.
const OTHERS: [&str; 10] = [
    "1.2.840.10008.5.1.4.1.1.7",
    "1.2.840.10008.5.1.4.1.1.2",
    "1.2.840.10008.5.1.4.1.1.128",
    "1.2.840.10008.5.1.4.1.1.11.1",
    "1.2.840.10008.5.1.4.1.1.88.11",
    "1.2.840.10008.5.1.4.1.1.88.22",
    "1.2.840.10008.5.1.4.1.1.88.33",
    "1.2.840.10008.5.1.4.1.1.88.34",
    "1.2.840.10008.5.1.4.1.1.88.67",
    "1.2.840.10008.5.1.4.1.1.104.1",
];

fn listener_options(
    manifest: &ScreeningStation,
    secrets: &Secrets,
) -> Result<dimse::ListenerOptions, StationError> {
    let listener = &manifest.spec.listener;
    let limits = &listener.limits;
    let seconds = |seconds: u32| Duration::from_secs(seconds.into());
    let others: &[&str] = match listener.other_objects {
        OtherObjects::Refuse => &[],
        OtherObjects::Discard => &OTHERS,
    };
    let class = |sop_class_uid: &&str| dimse::StorageClass {
        sop_class_uid: (*sop_class_uid).to_owned(),
        transfer_syntax_uids: TRANSFER_SYNTAXES.map(str::to_owned).to_vec(),
    };
    let tls = match &listener.tls {
        None => None,
        Some(tls) => {
            let file = |name| secrets.file(&tls.secret, name);
            let ca = file("ca.crt")?;
            let clients = match tls.clients {
                ClientCertificates::Required => dimse::tls::Clients::Required(&ca),
                ClientCertificates::Optional => dimse::tls::Clients::Optional(&ca),
            };
            let (certificate_chain, key) = (file("tls.crt")?, file("tls.key")?);
            let identity = dimse::tls::Identity {
                certificate_chain: &certificate_chain,
                key: &key,
            };
            let tls = dimse::tls::server(identity, clients);
            Some(tls.context(TlsSnafu)?)
        }
    };
    Ok(dimse::ListenerOptions {
        storage: NUCLEAR_MEDICINE.iter().chain(others).map(class).collect(),
        max_associations: limits.associations as usize,
        max_associations_per_sender: limits.per_sender as usize,
        max_object_bytes: u64::from(limits.object_mib) << 20,
        deadlines: ListenerDeadlines {
            pdu: seconds(limits.pdu_seconds),
            idle: seconds(limits.idle_seconds),
            ..ListenerDeadlines::default()
        },
        tls,
        ..dimse::ListenerOptions::new(listener.ae_title.clone())
    })
}

/// Withdraws what waits for receivers that the manifest does not name any more, and says so.
fn withdraw_unknown(shared: &Shared, known: &[&str]) -> Result<(), StationError> {
    let withdrawn = shared.index.write(|session| {
        let mut withdrawn = 0;
        for item in session.pending_items()? {
            if !known.contains(&&*item.item.target) {
                session.withdraw(item.id, clock::now())?;
                withdrawn += 1;
            }
        }
        Ok(withdrawn)
    })?;
    if withdrawn > 0 {
        tracing::warn!(
            "{withdrawn} results and messages are withdrawn, whose receivers the manifest does not name any more"
        );
    }
    Ok(())
}

fn couriers(shared: &Arc<Shared>, secrets: &Secrets) -> Result<Vec<Courier>, StationError> {
    let spec = &shared.manifest.spec;
    let mut couriers = Vec::new();
    for destination in &spec.destinations {
        let name = &destination.name;
        let archive = archive(destination, &spec.listener.ae_title, secrets);
        couriers.push(Courier {
            shared: shared.clone(),
            target: format!("{DESTINATION}{name}"),
            receiver: Receiver::Archive(archive.context(DestinationSnafu { name })?),
            patience: Duration::from_secs(u64::from(destination.give_up_hours) * 3600),
        });
    }
    for alert in &spec.alerts {
        let name = &alert.name;
        let messenger = messenger(alert, secrets).context(AlertSnafu { name })?;
        let target = format!("{ALERT}{name}");
        couriers.push(Courier::of_messages(shared.clone(), target, messenger));
    }
    Ok(couriers)
}

/// Who is told, whom the schema lets be told in one way.
pub(crate) fn messenger(alert: &StationAlert, secrets: &Secrets) -> Result<Messenger, AlertError> {
    Ok(match (&alert.webhook, &alert.email) {
        (Some(webhook), _) => Messenger::Webhook(WebhookClient::new(webhook, secrets)?),
        (None, Some(email)) => Messenger::Mail(Mailer::new(email, secrets)?),
        (None, None) => unreachable!("the schema asks for one of the two"),
    })
}

/// The archive of a destination, which the schema lets have one way to be spoken to.
pub(crate) fn archive(
    destination: &Destination,
    own_ae_title: &str,
    secrets: &Secrets,
) -> Result<Archive, ArchiveError> {
    match (&destination.dicom, &destination.dicom_web) {
        (Some(dicom), _) => Archive::dicom(dicom, own_ae_title, secrets),
        (None, Some(service)) => Archive::dicom_web(service, secrets),
        (None, None) => unreachable!("the schema asks for one of the two"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_a_quantity_of_bytes() {
        assert_eq!(bytes("50Gi"), Some(50 << 30));
        assert_eq!(bytes("1.5k"), Some(1500));
        assert_eq!(bytes("7"), Some(7));
        for text in ["", "Gi", "0", "5m", "1e99", "9999999P"] {
            assert_eq!(bytes(text), None, "{text}");
        }
    }
}
