//! `attrium station`: questions to a station that runs on this machine.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use snafu::{OptionExt, ResultExt, Snafu};
use tokio::runtime::Builder;

use super::output::{self, Format};
use super::serve;
use attrium_station::{
    Control, ControlError, DeliveryView, Labels, Overview, Role, SendError, Share, StudyView,
    Trial, send, user_line,
};
use attrium_types::text;
use attrium_workflow::TaskExit;

/// Asks a station that runs on this machine, and makes lines for its users.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  attrium station list -f examples/station/station.yaml -o json")]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// How the station is: what it takes in, what waits, and whom it has refused.
    Status(Question),
    /// The studies that it knows, the last first.
    List(Question),
    /// One study, with its images, results and messages.
    Show(OfStudy),
    /// Sends the results and messages of a study again that were refused or given up.
    Resend(OfStudy),
    /// Writes the grades that readers gave as labels.csv, for a training or a validation. It identifies studies: the
    /// file is for its owner alone.
    Labels(Labelling),
    /// What the decisions were worth by these grades: sensitivity, predictive value and alerts, with 95 % intervals.
    /// Where readers grade positives sooner than negatives, sensitivity comes out too high.
    Evaluate(Question),
    /// Sends files to the station as its first sender does, to try the whole way from this machine.
    Send(Sending),
    /// A line for the file `users` of the page's secret; the token is read from standard input.
    User(User),
}

#[derive(Debug, clap::Args)]
struct Question {
    /// The station's manifest.
    #[arg(short, long, value_name = "FILE")]
    file: PathBuf,
    /// How the answer is printed.
    #[arg(short, long, value_enum, default_value_t)]
    output: Format,
}

#[derive(Debug, clap::Args)]
struct OfStudy {
    /// The study's number, as the page and messages have it.
    study: u64,
    #[command(flatten)]
    question: Question,
}

#[derive(Debug, clap::Args)]
struct Labelling {
    /// The station's manifest.
    #[arg(short = 'f', long = "file", value_name = "FILE")]
    manifest: PathBuf,
    /// The table to write, which must not be there yet.
    #[arg(long, value_name = "FILE", default_value = "labels.csv")]
    out: PathBuf,
}

#[derive(Debug, clap::Args)]
struct Sending {
    /// DICOM files.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The station's manifest.
    #[arg(short = 'f', long = "file", value_name = "FILE")]
    manifest: PathBuf,
}

#[derive(Debug, clap::Args)]
struct User {
    /// The user's name: letters, digits, '.', '-' and '_'.
    name: String,
    /// What the user may do: Technician sees and acknowledges, Reader grades too, Administrator sends again too.
    #[arg(long)]
    role: Role,
}

/// Why there is no answer.
#[derive(Debug, Snafu)]
pub(super) enum Error {
    #[snafu(transparent)]
    Manifest { source: serve::Error },
    #[snafu(transparent)]
    Control { source: ControlError },
    #[snafu(display("the process cannot be started"))]
    Start { source: io::Error },
    #[snafu(display("cannot read {}", path.display()))]
    Read { path: PathBuf, source: io::Error },
    #[snafu(display("cannot write {}: is it there already?", path.display()))]
    Write { path: PathBuf, source: io::Error },
    #[snafu(display("the table cannot be written as CSV"))]
    Csv { source: csv::Error },
    #[snafu(transparent)]
    Send { source: SendError },
    #[snafu(display("the token cannot be read from standard input"))]
    Token { source: io::Error },
    #[snafu(display("{name} is no name of a user: use letters, digits, '.', '-' and '_'"))]
    Name { name: String },
    #[snafu(display(
        "the token is shorter than 16 characters: make one with `openssl rand -hex 16`"
    ))]
    ShortToken,
    #[snafu(display("cannot write to standard output"))]
    Print { source: io::Error },
}

impl Error {
    /// What the process ends with.
    pub(super) fn exit(&self) -> TaskExit {
        match self {
            Self::Manifest { source } => source.exit(),
            Self::Read { .. }
            | Self::Write { .. }
            | Self::Control {
                source: ControlError::NoStudy { .. },
            }
            | Self::Name { .. }
            | Self::ShortToken => TaskExit::BadConfiguration,
            Self::Control { .. }
            | Self::Csv { .. }
            | Self::Send { .. }
            | Self::Start { .. }
            | Self::Token { .. }
            | Self::Print { .. } => TaskExit::Retry,
        }
    }
}

/// Asks, and prints the answer.
///
/// # Errors
/// Why there is none.
pub(super) fn run(args: &Args) -> Result<(), Error> {
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.context(StartSnafu)?;
    match &args.command {
        Command::Status(question) => {
            let overview = runtime.block_on(control(question)?.status())?;
            output::print_as(question.output, &overview, status)
        }
        Command::List(question) => {
            let studies = runtime.block_on(control(question)?.studies())?;
            output::print_as(question.output, &studies, |studies| list(studies))
        }
        Command::Show(of) => {
            let study = runtime.block_on(control(&of.question)?.study(of.study))?;
            output::print_as(of.question.output, &study, show)
        }
        Command::Resend(of) => {
            let count = runtime.block_on(control(&of.question)?.resend(of.study))?;
            output::print(&format!("{count} are sent again\n"))
        }
        Command::Labels(labelling) => {
            let control = control_of(&labelling.manifest)?;
            let labels = runtime.block_on(control.labels())?;
            let path = &labelling.out;
            output::write_new(path, &table_of(&labels)?).context(WriteSnafu { path })?;
            output::print(&format!(
                "{} studies, {} left out whose files are gone\n",
                labels.rows.len(),
                labels.without_files
            ))
        }
        Command::Evaluate(question) => {
            let studies = runtime.block_on(control(question)?.studies())?;
            output::print_as(question.output, &Trial::of(&studies), trial)
        }
        Command::Send(sending) => {
            let count = runtime.block_on(send_files(sending))?;
            output::print(&format!("{count} are kept\n"))
        }
        Command::User(user) => output::print(&line(user)?),
    }
    .context(PrintSnafu)
}

async fn send_files(sending: &Sending) -> Result<usize, Error> {
    let manifest = serve::read(&sending.manifest)?;
    let mut objects = Vec::new();
    for path in &sending.files {
        objects.push(fs::read(path).context(ReadSnafu { path })?);
    }
    send(&manifest, &objects).await?;
    Ok(objects.len())
}

/// Labels as a table of a TrainingRun.
fn table_of(labels: &Labels) -> Result<Vec<u8>, Error> {
    let mut table = csv::Writer::from_writer(Vec::new());
    let header = ["study", "grade", "reader2"];
    table.write_record(header).context(CsvSnafu)?;
    for row in &labels.rows {
        let reader2 = row.reader2.map_or(String::new(), |grade| grade.to_string());
        let cells = [row.study.clone(), row.grade.to_string(), reader2];
        table.write_record(cells).context(CsvSnafu)?;
    }
    let written = table.into_inner();
    written
        .map_err(|error| csv::Error::from(error.into_error()))
        .context(CsvSnafu)
}

fn trial(trial: &Trial) -> String {
    let share = |share: Option<Share>, digits: usize| match share {
        Some(Share {
            part,
            whole,
            value,
            low,
            high,
        }) => format!("{value:.digits$} ({low:.digits$} to {high:.digits$}), {part} of {whole}"),
        None => "-, nothing to tell it by".to_owned(),
    };
    let graded = format!(
        "{} of {} positive, {} of {} negative",
        trial.graded_positives,
        trial.positives,
        trial.graded_negatives,
        trial.studies - trial.positives
    );
    let row = |name: &str, value: String| vec![name.to_owned(), value];
    let rows = [
        row("decided", trial.studies.to_string()),
        row("graded", graded),
        row("graded before", trial.graded_before.to_string()),
        row("phantoms left out", trial.synthetic.to_string()),
        row("sensitivity", share(trial.sensitivity, 3)),
        row("specificity", share(trial.specificity, 3)),
        row("PPV", share(trial.positive_predictive_value, 3)),
        row("alerts per 1,000", share(trial.alerts_per_thousand, 1)),
    ];
    text::table(&rows, 2) + output::RESEARCH
}

fn control(question: &Question) -> Result<Control, Error> {
    control_of(&question.file)
}

fn control_of(path: &Path) -> Result<Control, Error> {
    let manifest = serve::read(path)?;
    Ok(Control::new(Path::new(&manifest.spec.spool.path))?)
}

fn line(user: &User) -> Result<String, Error> {
    let mut token = String::new();
    io::stdin().read_line(&mut token).context(TokenSnafu)?;
    let token = token.trim_end_matches(['\r', '\n']);
    snafu::ensure!(token.chars().count() >= 16, ShortTokenSnafu);
    let name = &user.name;
    let line = user_line(name, user.role, token).context(NameSnafu { name })?;
    Ok(format!("{line}\n"))
}

fn status(overview: &Overview) -> String {
    let row = |name: &str, value: String| vec![name.to_owned(), value];
    let last = overview.last_object.clone();
    let mut rows = vec![
        row("station", overview.station.clone()),
        row("mode", overview.mode.clone()),
        row("model", overview.model.clone()),
        row("positive from", format!("{:.3}", overview.threshold)),
        row(
            "takes in",
            overview.stopped.clone().unwrap_or_else(|| "yes".to_owned()),
        ),
        row("studies today", overview.studies_today.to_string()),
        row("positive today", overview.positives_today.to_string()),
        row("not acknowledged", overview.unacknowledged.to_string()),
        row("on the way", overview.pending.to_string()),
        row("not delivered", overview.undelivered.to_string()),
        row(
            "last image",
            last.unwrap_or_else(|| "none since the start".to_owned()),
        ),
        row("callers refused", overview.strangers.to_string()),
    ];
    if overview.synthetic_model {
        rows.push(row(
            "note",
            "the model was trained on synthetic scans".to_owned(),
        ));
    }
    text::table(&rows, 2) + output::RESEARCH
}

fn list(studies: &[StudyView]) -> String {
    let header = [
        "STUDY",
        "OPENED",
        "STATE",
        "REVISION",
        "DECISION",
        "P(POSITIVE)",
    ];
    let header = header.map(str::to_owned).to_vec();
    let rows = studies.iter().map(|study| {
        vec![
            study.number.to_string(),
            study.opened_at.clone(),
            study.state.clone(),
            study.revision.to_string(),
            study.decision.clone().unwrap_or_else(|| "-".to_owned()),
            probability(study.probability),
        ]
    });
    let rows: Vec<_> = std::iter::once(header).chain(rows).collect();
    text::table(&rows, 2) + output::RESEARCH
}

fn probability(value: Option<f64>) -> String {
    value.map_or("-".to_owned(), |value| format!("{value:.3}"))
}

fn show(study: &StudyView) -> String {
    let mut text = list(std::slice::from_ref(study)).replace(output::RESEARCH, "");
    let header = |words: &[&str]| words.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>();
    let objects = study.objects.iter().map(|object| {
        vec![
            object.arrival.to_string(),
            object.finding.clone(),
            probability(object.probability),
            object.reason.clone().unwrap_or_default(),
        ]
    });
    let rows = std::iter::once(header(&["IMAGE", "FINDING", "P(POSITIVE)", "WHY"])).chain(objects);
    text.push('\n');
    text.push_str(&text::table(&rows.collect::<Vec<_>>(), 2));
    let deliveries = study.deliveries.iter().map(delivery);
    let first = header(&["FOR", "WHAT", "REVISION", "STATE", "TRIES", "LAST ANSWER"]);
    text.push('\n');
    let rows: Vec<_> = std::iter::once(first).chain(deliveries).collect();
    text.push_str(&text::table(&rows, 2));
    text + output::RESEARCH
}

fn delivery(delivery: &DeliveryView) -> Vec<String> {
    vec![
        delivery.target.clone(),
        delivery.item.clone(),
        delivery.revision.to_string(),
        delivery.state.clone(),
        delivery.attempts.to_string(),
        delivery.detail.clone().unwrap_or_default(),
    ]
}
