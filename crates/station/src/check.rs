//! What is wrong before a scanner is pointed at a station: everything is greeted, and nothing stored or told.

use std::time::Instant;

use crate::admission::Senders;
use crate::secrets::Secrets;
use crate::station::{self, StationError};
use attrium_api::ScreeningStation;
use attrium_types::text::causes;

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// What, such as `destination pacs`.
    pub what: String,
    /// What was found: well, or else why not.
    pub found: Result<String, String>,
}

/// Looks at everything that a station needs.
pub async fn check(manifest: &ScreeningStation, secrets: &Secrets) -> Vec<Check> {
    let spec = &manifest.spec;
    let mut checks = vec![senders(manifest), spool(manifest)];
    for destination in &spec.destinations {
        let archive = station::archive(destination, &spec.listener.ae_title, secrets);
        let found = match archive {
            Ok(archive) => archive.greet().await,
            Err(error) => Err(causes(&error)),
        };
        checks.push(Check {
            what: format!("destination {}", destination.name),
            found: found.map(|()| "it answers, and takes reports and images".to_owned()),
        });
    }
    for alert in &spec.alerts {
        let found = match station::messenger(alert, secrets) {
            Ok(messenger) => messenger.greet().await,
            Err(error) => Err(causes(&error)),
        };
        checks.push(Check {
            what: format!("alert {}", alert.name),
            found: found.map(|()| "its address answers".to_owned()),
        });
    }
    checks
}

fn senders(manifest: &ScreeningStation) -> Check {
    let listener = &manifest.spec.listener;
    let found = match Senders::new(&listener.senders) {
        Ok(_) if listener.tls.is_some() => Ok("known by name, address and certificate".to_owned()),
        Ok(_) => Ok("without TLS, known by name and address alone".to_owned()),
        Err(error) => Err(error.to_string()),
    };
    Check {
        what: "senders".to_owned(),
        found,
    }
}

/// How long an object takes to be kept, which every sender waits for.
fn spool(manifest: &ScreeningStation) -> Check {
    let keep = || {
        let spool = station::open_spool(manifest)?;
        spool.accepts()?;
        let begin = Instant::now();
        spool.probe()?;
        Ok::<_, StationError>(begin.elapsed())
    };
    let found = match keep() {
        Ok(time) => Ok(format!("a file is on the disk in {} ms", time.as_millis())),
        Err(error) => Err(causes(&error)),
    };
    Check {
        what: "spool".to_owned(),
        found,
    }
}
