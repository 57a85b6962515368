//! Programs run as a person runs them: arguments in, exit code and texts out.

use std::ffi::OsStr;
use std::io::Write as _;
use std::process::{Command, Stdio};

use crate::cluster;

/// What a program has said.
pub(crate) struct Ended {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
    line: String,
}

impl Ended {
    /// Its output, once it has ended well.
    pub(crate) fn ok(self) -> String {
        let Self { code, line, .. } = &self;
        assert_eq!(*code, Some(0), "{line}: {}{}", self.stdout, self.stderr);
        self.stdout
    }

    /// Whether it has ended well.
    pub(crate) fn is_ok(&self) -> bool {
        self.code == Some(0)
    }

    /// Its error, once it has failed.
    pub(crate) fn refused(self) -> String {
        assert_ne!(self.code, Some(0), "{} did not fail", self.line);
        self.stderr
    }
}

/// Runs a command to its end.
pub(crate) fn finish(mut command: Command, input: &str) -> Ended {
    let line = format!("{command:?}");
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{line}: {error}"));
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(input.as_bytes()).unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    Ended {
        code: output.status.code(),
        stdout: text(&output.stdout),
        stderr: text(&output.stderr),
        line,
    }
}

/// Runs kubectl as the cluster's administrator.
pub(crate) fn kubectl<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Ended {
    kubectl_with(arguments, "")
}

/// Runs kubectl with a text on its standard input.
pub(crate) fn kubectl_with<S: AsRef<OsStr>>(
    arguments: impl IntoIterator<Item = S>,
    input: &str,
) -> Ended {
    let mut command = Command::new("kubectl");
    command.args(arguments);
    finish(command, input)
}

/// Runs helm.
pub(crate) fn helm<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Ended {
    let mut command = Command::new("helm");
    command.args(arguments);
    finish(command, "")
}

/// Runs one of the scripts beside this file.
pub(crate) fn script(name: &str, arguments: &[&str]) -> Ended {
    let mut command = Command::new(cluster::scripts().join(name));
    command.args(arguments);
    finish(command, "")
}
