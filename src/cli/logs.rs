//! Log lines on standard error: for people, or as JSON for what collects a pod's logs.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::io::{self, IsTerminal, Write};
use std::panic::{self, PanicHookInfo};
use std::sync::OnceLock;

use serde_json::{Map, Value};
use tracing_subscriber::EnvFilter;

/// Whether lines are JSON.
static JSON: OnceLock<bool> = OnceLock::new();
/// What every JSON line of this process is about: fields, without braces.
static SUBJECT: OnceLock<String> = OnceLock::new();

/// Libraries that quote the object in their warnings: these are never shown, whatever is asked for.
const SILENT: [&str; 3] = [
    "dicom_object",
    "dicom_parser",
    "dicom_transfer_syntax_registry",
];

/// Starts logging; `ATTRIUM_LOG` says how much.
///
/// A service logs everything that matters afterwards, as JSON unless standard error is a terminal; any
/// other command only warns.
pub(super) fn start(is_service: bool) {
    panic::set_hook(Box::new(tell_panic));
    let usual = if is_service {
        "attrium=info,warn"
    } else {
        "warn"
    };
    let asked = EnvFilter::try_from_env("ATTRIUM_LOG");
    let filter = without_objects_text(asked.unwrap_or_else(|_| EnvFilter::new(usual)));
    let json = *JSON.get_or_init(|| is_service && !io::stderr().is_terminal());
    let logs = tracing_subscriber::fmt().with_env_filter(filter);
    // A process logs from its start to its end; a second start changes nothing.
    let _ = if json {
        let logs = logs.with_writer(|| Lines).json();
        logs.flatten_event(true).with_span_list(false).try_init()
    } else {
        let logs = logs.with_writer(io::stderr);
        logs.without_time().with_target(false).try_init()
    };
}

/// Says of a panic where it happened, and with `RUST_BACKTRACE` by which way, but not what it says: libraries
/// quote the object that they cannot read.
fn tell_panic(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map(ToString::to_string);
    let place = place.unwrap_or_else(|| "a place that is not known".to_owned());
    let message =
        format!("attrium broke off at {place}; its words are left out, as they may quote an image");
    let backtrace = Backtrace::capture();
    let has_backtrace = backtrace.status() == BacktraceStatus::Captured;
    if JSON.get().copied().unwrap_or_default() {
        let backtrace = has_backtrace.then(|| backtrace.to_string());
        tracing::warn!(backtrace, "{message}");
    } else {
        eprintln!("warning: {message}");
        if has_backtrace {
            eprintln!("{backtrace}");
        }
    }
}

/// A filter that lets no line through that holds text of a DICOM object.
fn without_objects_text(filter: EnvFilter) -> EnvFilter {
    SILENT.iter().fold(filter, |filter, library| {
        let silent = format!("{library}=off");
        filter.add_directive(silent.parse().expect("a directive"))
    })
}

/// Says what every JSON line of this process is about from here on, whichever thread writes it.
pub(super) fn about(fields: &[(&str, &str)]) {
    let fields = fields
        .iter()
        .map(|(name, value)| ((*name).to_owned(), Value::from(*value)));
    let object = Value::Object(Map::from_iter(fields)).to_string();
    // A process is about one thing: the first one.
    let _ = SUBJECT.set(object[1..object.len() - 1].to_owned());
}

/// Says why the command has failed: once, with all causes.
pub(super) fn failure(causes: &str) {
    if JSON.get().copied().unwrap_or_default() {
        tracing::error!("{causes}");
    } else {
        eprintln!("error: {causes}");
    }
}

/// Writes an object that is no log line, but stands among them.
pub(super) fn object(object: &Value) {
    // As with a log line, standard error that is gone is no reason to stop.
    let _ = Lines.write_all(format!("{object}\n").as_bytes());
}

/// Standard error for JSON lines: each gets the subject's fields.
struct Lines;

impl Write for Lines {
    /// A line is written whole, by one call, so that threads' lines do not mix.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let subject = SUBJECT.get().map(String::as_str);
        io::stderr().write_all(&with_subject(line, subject))?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

/// A JSON object with more fields in front of its own.
fn with_subject(line: &[u8], subject: Option<&str>) -> Vec<u8> {
    match (line.strip_prefix(b"{"), subject) {
        (Some(fields), Some(subject)) => [b"{", subject.as_bytes(), b",", fields].concat(),
        _ => line.to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use dicom_core::{DataElement, VR};
    use dicom_dictionary_std::tags;

    use super::*;

    /// Lines that are kept.
    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, line: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("no panic").extend_from_slice(line);
            Ok(line.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What is logged under a filter while an object is read whose character set does not exist.
    fn logged(filter: EnvFilter, read: impl FnOnce(&[u8])) -> String {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/data/explicit-little.dcm"
        );
        let mut object = dicom_object::open_file(path).expect("should be in tests/data");
        let secret = DataElement::new(tags::SPECIFIC_CHARACTER_SET, VR::CS, "DOE8751");
        object.put(secret);
        let mut bytes = Vec::new();
        object.write_all(&mut bytes).expect("should be written");
        let kept = Kept::default();
        let lines = kept.clone();
        let logs = tracing_subscriber::fmt()
            .with_env_filter(filter)
            .with_writer(move || lines.clone())
            .finish();
        tracing::subscriber::with_default(logs, || {
            read(&bytes);
            tracing::warn!("a warning of attrium's own");
        });
        String::from_utf8_lossy(&kept.0.lock().expect("no panic")).into_owned()
    }

    #[test]
    fn no_line_holds_text_of_an_object_however_much_is_asked_for() {
        for asked in [
            "attrium=info,warn",
            "warn",
            "trace",
            "dicom_parser=warn,attrium=warn",
        ] {
            let asked = || EnvFilter::new(asked);
            let by_library = |bytes: &[u8]| {
                dicom_object::from_reader(bytes).expect("should be read");
            };
            assert!(logged(asked(), by_library).contains("DOE8751"));
            let silenced = logged(without_objects_text(asked()), by_library);
            let by_attrium = |bytes: &[u8]| {
                attrium_imaging::read_anterior(bytes, attrium_types::LossyPolicy::Quarantine)
                    .expect("should be read");
            };
            for lines in [silenced, logged(asked(), by_attrium)] {
                assert!(lines.contains("of attrium's own"), "{lines}");
                assert!(!lines.contains("DOE8751"), "{lines}");
            }
        }
    }

    #[test]
    fn every_line_names_what_it_is_about() {
        let line = with_subject(b"{\"level\":\"INFO\"}\n", Some("\"task\":\"train/3\""));
        assert_eq!(line, b"{\"task\":\"train/3\",\"level\":\"INFO\"}\n");
        assert_eq!(with_subject(b"{\"level\":1}\n", None), b"{\"level\":1}\n");
        assert_eq!(with_subject(b"text\n", Some("\"a\":1")), b"text\n");
    }

    /// Set for the process of which a test looks at the last words.
    const BREAKS_OFF: &str = "ATTRIUM_TEST_BREAKS_OFF";

    #[test]
    fn the_words_of_a_panic_are_not_written_and_its_place_is() {
        if std::env::var_os(BREAKS_OFF).is_some() {
            start(false);
            panic!("DOE8751");
        }
        let name = "cli::logs::tests::the_words_of_a_panic_are_not_written_and_its_place_is";
        let program = std::env::current_exe().expect("a program");
        let mut command = std::process::Command::new(program);
        let command = command.args(["--exact", name, "--nocapture"]);
        let ended = command.env(BREAKS_OFF, "1").output().expect("should run");
        assert!(!ended.status.success());
        let said = [ended.stdout, ended.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        assert!(
            said.contains("attrium broke off at src/cli/logs.rs:"),
            "{said}"
        );
        assert!(!said.contains("DOE8751"), "{said}");
    }
}
