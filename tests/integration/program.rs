//! The binary under test, run as a user would run it.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// How long anything may take before a test gives up: the machine may be busy.
const PATIENCE: Duration = Duration::from_secs(1200);

/// A process that has ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// Its exit code; `None` if a signal ended it.
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Ended {
    /// Its standard output, once it has ended well.
    pub(crate) fn ok(self) -> String {
        assert_eq!(self.code, Some(0), "{}", self.stderr);
        self.stdout
    }

    /// The error that it ended with: what follows `error: ` on standard error.
    pub(crate) fn error(&self) -> &str {
        let (_, error) = self.stderr.rsplit_once("error: ").unwrap_or_else(|| {
            panic!("no error was told:\n{}", self.stderr);
        });
        error.trim_end()
    }

    /// Asserts that it failed with an exit code and one sentence that has all these words.
    pub(crate) fn fails_with(&self, code: i32, words: &[&str]) {
        assert_eq!(self.code, Some(code), "{}", self.stderr);
        let error = self.error();
        for word in words {
            assert!(error.contains(word), "no {word:?} in: {error}");
        }
        let causes: Vec<&str> = error.split(": ").collect();
        for (place, cause) in causes.iter().enumerate() {
            let again = causes[place + 1..].contains(cause);
            assert!(!again, "{cause:?} is told twice in: {error}");
        }
        for backtrace in [
            "panicked",
            "stack backtrace",
            "RUST_BACKTRACE",
            "Os {",
            "Err(",
        ] {
            assert!(!self.stderr.contains(backtrace), "{}", self.stderr);
        }
    }
}

/// The binary with arguments, silent about anything but warnings.
pub(crate) fn command<I: AsRef<OsStr>>(arguments: impl IntoIterator<Item = I>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_attrium"));
    command.args(arguments).env_remove("ATTRIUM_LOG");
    command
}

/// Runs the binary to its end.
pub(crate) fn attrium<I: AsRef<OsStr>>(arguments: impl IntoIterator<Item = I>) -> Ended {
    finish(&mut command(arguments))
}

/// Runs a command to its end.
pub(crate) fn finish(command: &mut Command) -> Ended {
    let output = command.stdin(Stdio::null()).output().expect("should start");
    Ended {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).expect("should be text"),
        stderr: String::from_utf8(output.stderr).expect("should be text"),
    }
}

/// Runs manifests.
pub(crate) fn run(manifests: &[&Path]) -> Ended {
    attrium(run_arguments(manifests))
}

/// The arguments of `attrium run` for manifests.
pub(crate) fn run_arguments<'a>(manifests: &[&'a Path]) -> Vec<&'a OsStr> {
    let files = manifests
        .iter()
        .flat_map(|path| [OsStr::new("-f"), path.as_os_str()]);
    [OsStr::new("run")].into_iter().chain(files).collect()
}

/// A process that is running, with its standard error in a file.
pub(crate) struct Running {
    child: Child,
    log: PathBuf,
}

impl Running {
    /// Starts the binary; `log` is where its standard error goes.
    pub(crate) fn start<I: AsRef<OsStr>>(
        arguments: impl IntoIterator<Item = I>,
        log: &Path,
    ) -> Self {
        let child = command(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(log).expect("should be created"))
            .spawn()
            .expect("should start");
        let log = log.to_owned();
        Self { child, log }
    }

    /// What it has written to standard error so far.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).expect("should be text")
    }

    /// Waits until something is so; the process must not end before.
    pub(crate) fn wait_until(&mut self, what: &str, is_so: impl Fn(&Self) -> bool) {
        let start = Instant::now();
        while !is_so(self) {
            let ended = self.child.try_wait().expect("should be a child");
            assert!(ended.is_none(), "it ended before {what}:\n{}", self.log());
            assert!(start.elapsed() < PATIENCE, "waited too long for {what}");
            thread::sleep(Duration::from_millis(2));
        }
    }

    /// Kills it with SIGKILL; returns whether that came before its own end.
    pub(crate) fn kill(mut self) -> bool {
        self.child.kill().expect("should be killed");
        let status = self.child.wait().expect("should end");
        status.signal() == Some(9)
    }

    /// Sends it a signal by its name and waits for its end; returns its exit code.
    pub(crate) fn signal(mut self, name: &str) -> Option<i32> {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &pid]).status();
        assert!(sent.expect("should start").success());
        self.child.wait().expect("should end").code()
    }
}

/// A process that never ends by itself, such as a station, ends with its test.
impl Drop for Running {
    fn drop(&mut self) {
        // One that has ended cannot be killed any more.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
