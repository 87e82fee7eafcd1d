//! How many chunks of masks and targets a second are served, beside other ways to serve the same, as a table.

use std::fmt::Write;
use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::server::Server;
use crate::{peers, setup};

/// The tables of the documentation stand between these lines.
const MARKERS: [&str; 2] = ["<!-- load: begin -->", "<!-- load: end -->"];

/// The number of channels, of three ids each, as in `benches/peers/work.py`.
const CHANNELS: usize = 8;
const MAX_ID: usize = 48;

/// The extent of a chunk along each axis, in voxels.
const CHUNK: usize = 64;

/// How the server compresses chunks, so that the files are the same.
const CODEC: &str = "zstd:1";

/// What decoded labels may take in the server that has nothing else to remember, in megabytes.
const LABEL_CACHE_MB: usize = 256;

/// The first servers are ours.
const OURS: usize = 2;

/// What is asked for: how many connections, and whether chunks that are not there are among the paths.
const CASES: [(usize, bool); 4] = [(1, false), (16, false), (256, false), (16, true)];

/// What is asked for on the command line.
#[derive(Debug, PartialEq, Eq)]
struct Options {
    seconds: u32,
    side: usize,
    write: bool,
}

/// One run of wrk, as its script prints it.
#[derive(Debug, Deserialize)]
struct Measured {
    seconds: f64,
    bytes: u64,
    found: u64,
    missing: u64,
    others: u64,
    broken: u64,
    p50_ms: f64,
    p99_ms: f64,
}

/// Asks each server, prints a table, and writes it into the documentation if that is asked for.
///
/// # Errors
///
/// If an option is unknown, a server cannot be started, servers do not answer alike, or one answers with
/// an error.
pub(crate) fn run(options: &[&str]) -> anyhow::Result<()> {
    let Options { seconds, side, write } = parse(options)?;
    let document = crate::root().join("docs/benchmarks.md");
    if write {
        // Better said now than after the measurements.
        peers::around_markers(&document, MARKERS)?;
    }
    let [nginx, wrk] = setup::for_load()?;
    let python = setup::python(&crate::target().join("peers/benchmarks"), peers::PYTHON)?;
    let voxmask = crate::program()?;
    crate::cargo(&["build", "--release", "--package", "benches", "--bin", "peer"], &[])?;

    let folder = tempfile::tempdir().context("making a temporary folder")?;
    let volume = format!("{side}-u8-lz4");
    let labels = make(folder.path(), &volume, &voxmask)?;
    let keys = keys(folder.path(), side)?;
    let scripts = crate::root().join("benches/peers");
    let groups = folder.path().join("groups.json");
    let ours = |cache: &[&str]| {
        let mut serve = Command::new(&voxmask);
        serve
            .arg("serve")
            .arg(&labels)
            .arg("--groups")
            .arg(&groups)
            .args(["--json", "--port", "0"]);
        serve.args(cache);
        serve
    };
    let mut peer = Command::new(&python);
    peer.arg("-B").arg(scripts.join("serve.py")).arg(&labels).arg(LABEL_CACHE_MB.to_string());
    let servers = [
        Server::start("voxmask serve", &mut ours(&[]))?,
        Server::start("voxmask serve, nothing remembered", &mut ours(&["--cache", "0"]))?,
        nginx_of(&nginx, folder.path())?,
        Server::start("Python, TensorStore, NumPy", &mut peer)?,
    ];
    let mut same = Command::new(&python);
    same.arg("-B").arg(scripts.join("same.py")).arg(&keys.mixed);
    output(same.args(servers.iter().map(|server| &server.url)))?;

    let mut table = format!(
        "{volume}, {} chunks and {} that hold only zeros; {} processors, wrk among the load.\n\n{}",
        keys.stored,
        keys.empty,
        thread::available_parallelism().context("counting the processors")?,
        "| connections | server | requests/s | p50 ms | p99 ms | MB/s | errors | x nginx | x Python |\n\
         |--:|---|--:|--:|--:|--:|--:|--:|--:|\n",
    );
    print!("{table}");
    let mut failed = 0;
    for (connections, mixed) in CASES {
        let keys = if mixed { &keys.mixed } else { &keys.chunks };
        let ask = |server: &Server, seed: usize| {
            // Half of the time in one order of the servers, half of it in the other.
            let seconds = seconds.div_ceil(2);
            let mut wrk = Command::new(&wrk);
            wrk.arg(format!("--connections={connections}")).arg("--threads=1");
            wrk.arg(format!("--duration={seconds}s")).arg("--timeout=30s");
            wrk.arg("--script").arg(scripts.join("chunks.lua")).arg(&server.url).arg("--");
            measured(&output(wrk.arg(keys).arg(seed.to_string()))?)
        };
        let first: Vec<_> = servers.iter().map(|s| ask(s, 1)).collect::<Result<_, _>>()?;
        let second: Vec<_> = servers.iter().rev().map(|s| ask(s, 2)).collect::<Result<_, _>>()?;
        let both = first.into_iter().zip(second.into_iter().rev());
        let all: Vec<Measured> = both.map(|(first, second)| first.and(&second)).collect();
        failed += all.iter().take(OURS).map(|one| one.errors(mixed)).sum::<u64>();
        let rows = rows(connections, mixed, &servers, &all)?;
        print!("{rows}");
        table.push_str(&rows);
    }
    let mut peaks = String::from("\n| server | peak memory |\n|---|--:|\n");
    for server in &servers {
        writeln!(peaks, "| {} | {:.0} MB |", server.name, server.peak_mb()?)?;
    }
    print!("{peaks}");
    table.push_str(&peaks);
    if write {
        peers::write_between_markers(&document, MARKERS, &table)?;
    }
    if failed > 0 {
        bail!("voxmask answered {failed} requests wrongly or not at all");
    }
    Ok(())
}

fn parse(options: &[&str]) -> anyhow::Result<Options> {
    let mut parsed = Options { seconds: 20, side: 512, write: false };
    let mut rest = options;
    loop {
        rest = match rest {
            [] => return Ok(parsed),
            ["--write", rest @ ..] => {
                parsed.write = true;
                rest
            }
            ["--side", side, rest @ ..] => {
                let side = side.parse().ok().filter(|side| *side > 0 && side % CHUNK == 0);
                parsed.side =
                    side.with_context(|| format!("--side takes a multiple of {CHUNK}"))?;
                rest
            }
            [seconds, rest @ ..] => {
                let count = seconds.parse().ok().filter(|seconds| *seconds > 0);
                parsed.seconds = count.with_context(|| {
                    format!("cannot take {seconds:?}: seconds, --side N and --write are known")
                })?;
                rest
            }
        };
    }
}

/// Makes labels, groups, and the masks and targets that nginx serves; returns the place of the labels.
fn make(folder: &Path, volume: &str, voxmask: &Path) -> anyhow::Result<PathBuf> {
    let mut peer = Command::new(crate::target().join("release/peer"));
    output(peer.arg(folder).args([volume, "make"]))?;
    let group = |channel: usize| {
        let first = channel * 3 % MAX_ID + 1;
        json!([format!("g{channel}"), [first, first + 1, first + 2]])
    };
    let groups: Value = (0..CHANNELS).map(group).collect();
    let file = folder.join("groups.json");
    fs::write(&file, groups.to_string()).with_context(|| format!("writing {}", file.display()))?;
    let labels = folder.join(format!("{volume}.zarr/labels/s0"));
    let mut mask = Command::new(voxmask);
    mask.arg("mask").arg(&labels).arg("--groups").arg(&file);
    mask.args(["--targets", "--codec", CODEC, "--quiet", "-o"]);
    output(mask.arg(folder.join("zarr3")))?;
    Ok(labels)
}

/// Files with the paths that are asked for, one in each line.
struct Keys {
    chunks: PathBuf,
    mixed: PathBuf,
    stored: usize,
    empty: usize,
}

/// All chunks of masks and targets, those that are stored and those that are not.
fn keys(folder: &Path, side: usize) -> anyhow::Result<Keys> {
    let (mut stored, mut all) = (Vec::new(), Vec::new());
    let along = 0..side / CHUNK;
    for layer in ["mask", "target"] {
        for channel in 0..CHANNELS {
            for z in along.clone() {
                for (y, x) in along.clone().flat_map(|y| along.clone().map(move |x| (y, x))) {
                    let key = format!("zarr3/{layer}/s0/c/{channel}/{z}/{y}/{x}");
                    if folder.join(&key).is_file() {
                        stored.push(format!("/{key}\n"));
                    }
                    all.push(format!("/{key}\n"));
                }
            }
        }
    }
    if stored.is_empty() {
        bail!("no chunk was written");
    }
    let file = |name: &str, lines: &[String]| {
        let path = folder.join(name);
        let written = fs::write(&path, lines.concat());
        written.with_context(|| format!("writing {}", path.display())).map(|()| path)
    };
    let (chunks, mixed) = (file("chunks.txt", &stored)?, file("mixed.txt", &all)?);
    Ok(Keys { chunks, mixed, stored: stored.len(), empty: all.len() - stored.len() })
}

/// Starts nginx on the files in `folder`.
fn nginx_of(program: &Path, folder: &Path) -> anyhow::Result<Server> {
    let free = TcpListener::bind("127.0.0.1:0").context("looking for a free port")?;
    let address = free.local_addr().context("looking for a free port")?;
    drop(free);
    let (root, config) = (folder.display(), folder.join("nginx.conf"));
    let workers = thread::available_parallelism().context("counting the processors")?;
    // As a server of many small files is set up: files stay open, and nothing is logged.
    let text = format!(
        "daemon off; worker_processes {workers}; pid {root}/nginx.pid; error_log stderr;
        worker_rlimit_nofile 16384;
        events {{ worker_connections 4096; }}
        http {{
            access_log off; default_type application/octet-stream;
            sendfile on; tcp_nopush on; keepalive_requests 1000000000;
            open_file_cache max=16000 inactive=10m; open_file_cache_errors on;
            client_body_temp_path {root}/t1; proxy_temp_path {root}/t2;
            fastcgi_temp_path {root}/t3; uwsgi_temp_path {root}/t4; scgi_temp_path {root}/t5;
            server {{
                listen {address} backlog=1024; root {root};
                log_not_found off; add_header Access-Control-Allow-Origin * always;
            }}
        }}"
    );
    fs::write(&config, text).with_context(|| format!("writing {}", config.display()))?;
    let mut command = Command::new(program);
    command.arg("-c").arg(&config).arg("-p").arg(folder).args(["-e", "stderr"]);
    let process = command.stdin(Stdio::null()).spawn().context("starting nginx")?;
    let server = Server::running("nginx, written before", format!("http://{address}/"), process);
    let end = Instant::now() + Duration::from_secs(10);
    while TcpStream::connect(address).is_err() {
        if Instant::now() > end {
            bail!("nginx does not answer at {address}");
        }
        thread::sleep(Duration::from_millis(20));
    }
    Ok(server)
}

impl Measured {
    fn answers(&self) -> u64 {
        self.found + self.missing
    }

    /// Requests without the right answer. Where only chunks are asked for that are there, all must be found.
    fn errors(&self, mixed: bool) -> u64 {
        self.others + self.broken + if mixed { 0 } else { self.missing }
    }

    fn per_second(&self) -> f64 {
        rate(self.answers(), self.seconds)
    }

    /// Two runs as one; of percentiles the worse.
    fn and(&self, other: &Self) -> Self {
        Self {
            seconds: self.seconds + other.seconds,
            bytes: self.bytes + other.bytes,
            found: self.found + other.found,
            missing: self.missing + other.missing,
            others: self.others + other.others,
            broken: self.broken + other.broken,
            p50_ms: self.p50_ms.max(other.p50_ms),
            p99_ms: self.p99_ms.max(other.p99_ms),
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "measurements have a few digits")]
fn rate(count: u64, seconds: f64) -> f64 {
    count as f64 / seconds
}

/// The last line that wrk prints is that of the script.
fn measured(printed: &str) -> anyhow::Result<Measured> {
    let line = printed.lines().rfind(|line| !line.trim().is_empty()).unwrap_or_default();
    serde_json::from_str(line).with_context(|| format!("wrk printed {printed:?}"))
}

/// One row for each server.
fn rows(
    connections: usize,
    mixed: bool,
    servers: &[Server],
    all: &[Measured],
) -> anyhow::Result<String> {
    let speed = |part: &str| {
        let named = servers.iter().zip(all).find(|(server, _)| server.name.contains(part));
        named.map_or(f64::NAN, |(_, measured)| measured.per_second())
    };
    let (nginx, python) = (speed("nginx"), speed("Python"));
    let mut rows = String::new();
    for (server, one) in servers.iter().zip(all) {
        let errors = one.errors(mixed);
        if one.answers() == 0 {
            bail!("{} answered nothing: {one:?}", server.name);
        }
        let (name, speed) = (server.name, one.per_second());
        let mixed = if mixed { ", with zeros" } else { "" };
        writeln!(
            rows,
            "| {connections}{mixed} | {name} | {speed:.0} | {:.2} | {:.2} | {:.1} | {errors} | {:.2} | {:.2} |",
            one.p50_ms,
            one.p99_ms,
            rate(one.bytes, one.seconds) / 1e6,
            speed / nginx,
            speed / python,
        )?;
    }
    Ok(rows)
}

/// Runs a program to its end, and returns what it printed.
fn output(command: &mut Command) -> anyhow::Result<String> {
    let text = format!("{command:?}");
    let output = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output();
    let output = output.with_context(|| format!("starting {text}"))?;
    if !output.status.success() {
        bail!("{text} failed ({})", output.status);
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_come_in_any_order_and_bad_ones_are_named() {
        let options = parse(&["--write", "3", "--side", "256"]).unwrap();
        assert_eq!(options, Options { seconds: 3, side: 256, write: true });
        for bad in [&["0"][..], &["--side", "65"], &["--side"], &["fast"]] {
            let message = parse(bad).unwrap_err().to_string();
            assert!(message.contains(bad[0]), "{message}");
        }
    }

    #[test]
    fn two_runs_add_up_and_the_worse_percentile_counts() {
        let line = r#"{"seconds":2.0,"bytes":10,"found":6,"missing":2,"others":1,"broken":0,
            "p50_ms":1.0,"p99_ms":4.0,"max_ms":9.0}"#;
        let line = line.replace('\n', "");
        let first = measured(&format!("Running 2s test\n{line}\n")).unwrap();
        let second = Measured { p99_ms: 3.0, p50_ms: 1.5, ..measured(&line).unwrap() };
        let both = first.and(&second);
        assert_eq!((both.answers(), both.others, both.bytes), (16, 2, 20));
        assert_eq!((both.errors(true), both.errors(false)), (2, 6));
        assert_eq!((both.p50_ms, both.p99_ms, both.per_second()), (1.5, 4.0, 4.0));
        measured("unable to connect").unwrap_err();
    }
}
