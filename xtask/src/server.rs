//! Servers that are started for a measurement.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use serde_json::Value;

/// A server that is up, until it is dropped.
pub(crate) struct Server {
    pub(crate) name: &'static str,
    pub(crate) url: String,
    process: Child,
}

impl Server {
    /// Starts a program that prints where it is: a URL, or JSON with one.
    ///
    /// # Errors
    ///
    /// If it cannot be started, or says something else.
    pub(crate) fn start(name: &'static str, command: &mut Command) -> anyhow::Result<Self> {
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut process = command.spawn().with_context(|| format!("starting {name}"))?;
        let mut line = String::new();
        if let Some(printed) = process.stdout.take() {
            let read = BufReader::new(printed).read_line(&mut line);
            read.with_context(|| format!("waiting for {name}"))?;
        }
        let json: Option<Value> = serde_json::from_str(&line).ok();
        let url = json.as_ref().and_then(|json| json["url"].as_str()).unwrap_or(line.trim());
        let (url, is_up) = (url.to_owned(), url.starts_with("http://"));
        let server = Self { name, url, process };
        if is_up { Ok(server) } else { bail!("{name} did not start: {line:?}") }
    }

    /// A server that runs already, at a known address.
    pub(crate) fn running(name: &'static str, url: String, process: Child) -> Self {
        Self { name, url, process }
    }

    /// The number of its process.
    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// The most memory that the server, with the processes that it started, ever had.
    ///
    /// # Errors
    ///
    /// If the system does not tell.
    pub(crate) fn peak_mb(&self) -> anyhow::Result<f64> {
        let id = self.process.id();
        let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children"));
        let children = children.unwrap_or_default();
        let children = children.split_whitespace().filter_map(|id| id.parse().ok());
        let all = children.chain([id]).map(|id| memory_mb(id, "VmHWM"));
        all.sum()
    }

    /// Asks the server to end, as Ctrl-C does, and waits until it has; kills it if it does not.
    ///
    /// # Errors
    ///
    /// If it had to be killed.
    pub(crate) fn interrupt(&mut self) -> anyhow::Result<()> {
        if self.ends_by("-INT") {
            return Ok(());
        }
        bail!("{} does not end when it is interrupted", self.name)
    }

    /// Whether it ends by a signal, within some seconds.
    fn ends_by(&mut self, signal: &str) -> bool {
        let id = self.process.id().to_string();
        let asked = Command::new("kill").args([signal, &id]).status();
        let end = Instant::now() + Duration::from_secs(10);
        while asked.as_ref().is_ok_and(|status| status.success()) && Instant::now() < end {
            if !matches!(self.process.try_wait(), Ok(None)) {
                return true;
            }
            thread::sleep(Duration::from_millis(20));
        }
        false
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if !matches!(self.process.try_wait(), Ok(None)) {
            return;
        }
        // nginx ends its workers when it is asked to end, and not when it is killed.
        if !self.ends_by("-TERM") {
            // One that has ended meanwhile cannot be killed, and need not be.
            drop(self.process.kill());
            drop(self.process.wait());
        }
    }
}

/// A size that the system tells of a process, such as `VmRSS`, in megabytes.
///
/// # Errors
///
/// If there is no such process, or the system does not tell.
#[expect(clippy::cast_precision_loss, reason = "measurements have a few digits")]
pub(crate) fn memory_mb(id: u32, name: &str) -> anyhow::Result<f64> {
    let file = format!("/proc/{id}/status");
    let status = fs::read_to_string(&file).with_context(|| format!("reading {file}"))?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    let kilobytes = kilobytes.with_context(|| format!("{file} tells no {name}"))?;
    Ok(kilobytes as f64 * 1024.0 / 1e6)
}
