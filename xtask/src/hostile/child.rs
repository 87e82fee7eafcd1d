//! A command in a process of its own, with a limit on its memory and a clock.

use std::ffi::OsString;
use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use anyhow::Context;
use wait4::Wait4;

/// When a command that has not ended is killed.
const PATIENCE: Duration = Duration::from_secs(10);
/// The address space that a command has, in KiB: whoever takes it for granted fails to get more.
const ADDRESS_SPACE: u64 = 4 << 20;
/// Nobody writes that much about one container.
const MAX_TEXT: u64 = 1 << 26;

/// How a command ended.
pub(super) struct Outcome {
    /// None if a signal ended it.
    pub(super) code: Option<i32>,
    /// The time of the processors, and whether it was killed.
    pub(super) time: Duration,
    pub(super) was_killed: bool,
    /// The most memory that it had, in bytes.
    pub(super) peak: u64,
    /// What it wrote to standard output, and to standard error.
    pub(super) printed: String,
    pub(super) told: String,
}

impl Outcome {
    /// The first lines of what it told.
    pub(super) fn message(&self) -> String {
        let told = without_colours(&self.told);
        let is_error = |line: &&str| line.starts_with("error") || line.starts_with("thread");
        let mut lines = told.lines().skip_while(|line| !is_error(line)).take(3).map(str::trim);
        let message = [lines.next(), lines.next(), lines.next()].map(Option::unwrap_or_default);
        message.join(" ").trim_end().escape_debug().to_string()
    }
}

/// Runs a program to its end, as nobody if that is asked for.
pub(super) fn run(
    program: &Path,
    arguments: &[OsString],
    as_nobody: bool,
) -> anyhow::Result<Outcome> {
    // A process begins with the peak of the one that started it, and this one has made bombs: 5 sets it back.
    fs::write("/proc/self/clear_refs", "5").context("setting back the peak of the memory")?;
    // The shell has the only way to set a limit that needs no other program and no unsafe code.
    let limits = format!("ulimit -c 0; ulimit -v {ADDRESS_SPACE}; exec \"$0\" \"$@\"");
    let mut command = Command::new(if as_nobody { "setpriv" } else { "sh" });
    if as_nobody {
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups", "sh"]);
    }
    let mut child = command
        .args(["-c", &limits])
        .arg(program)
        .args(arguments)
        .env("RUST_BACKTRACE", "0")
        // As on a terminal, where names could do harm.
        .env("CLICOLOR_FORCE", "1")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("starting the command")?;
    let printed = child.stdout.take().map(|pipe| thread::spawn(|| text_of(pipe)));
    let told = child.stderr.take().map(|pipe| thread::spawn(|| text_of(pipe)));
    let id = child.id().to_string();
    let (ended, has_ended) = mpsc::channel::<()>();
    let clock = thread::spawn(move || {
        let is_late = has_ended.recv_timeout(PATIENCE) == Err(mpsc::RecvTimeoutError::Timeout);
        if is_late {
            drop(Command::new("kill").args(["-9", &id]).status());
        }
        is_late
    });
    let used = child.wait4().context("waiting for the command")?;
    drop(ended);
    let join = |reader: Option<thread::JoinHandle<String>>| {
        reader.and_then(|reader| reader.join().ok()).unwrap_or_default()
    };
    Ok(Outcome {
        code: used.status.code(),
        time: used.rusage.utime + used.rusage.stime,
        was_killed: clock.join().unwrap_or(true),
        peak: used.rusage.maxrss,
        printed: join(printed),
        told: join(told),
    })
}

fn text_of(pipe: impl Read) -> String {
    let mut bytes = Vec::new();
    // A pipe that breaks has told what it had to tell.
    let _ = pipe.take(MAX_TEXT).read_to_end(&mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}

/// What a terminal shows of a text with colours.
pub(super) fn without_colours(text: &str) -> String {
    let mut parts = text.split("\u{1b}[");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.trim_start_matches(|letter: char| letter.is_ascii_digit() || letter == ';');
        match rest.strip_prefix('m') {
            Some(rest) => plain.push_str(rest),
            None => plain.extend(["\u{1b}[", part]),
        }
    }
    plain
}
