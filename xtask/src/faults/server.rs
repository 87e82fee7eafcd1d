//! A server of files on this machine, some of whose answers are wrong.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::Context;

/// How an answer is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// The server fails.
    Status(u16),
    /// Half of the body, although the header announces all of it.
    Truncated,
    /// Half of the body, as if that were all.
    Short,
    /// Half of the body, and then nothing for a long time.
    Stalled,
    /// No answer.
    Closed,
    /// The chunk of another place, with a tag of its own, from now on.
    Changed,
    /// It is not there, from now on.
    Gone,
}

/// Which answers about chunks are wrong.
#[derive(Clone, Copy)]
pub(super) struct Plan {
    pub(super) fault: Fault,
    /// The number of the first.
    pub(super) first: usize,
    /// How many of them follow each other.
    pub(super) times: usize,
}

/// A server of the files in a folder.
pub(super) struct Server {
    port: u16,
    shared: Arc<Shared>,
}

struct Shared {
    folder: PathBuf,
    plan: Mutex<Option<Plan>>,
    asked: AtomicUsize,
    hit: AtomicUsize,
    // Files that are others since a request for them.
    changed: Mutex<Vec<(PathBuf, Fault)>>,
    ended: AtomicBool,
}

impl Server {
    pub(super) fn start(folder: &Path) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).context("listening")?;
        let port = listener.local_addr().context("listening")?.port();
        let shared = Arc::new(Shared {
            folder: folder.to_owned(),
            plan: Mutex::default(),
            asked: AtomicUsize::default(),
            hit: AtomicUsize::default(),
            changed: Mutex::default(),
            ended: AtomicBool::default(),
        });
        let theirs = Arc::clone(&shared);
        thread::spawn(move || {
            for client in listener.incoming() {
                if theirs.ended.load(Ordering::Relaxed) {
                    return;
                }
                let shared = Arc::clone(&theirs);
                // Who goes away in between is none of our business.
                thread::spawn(move || {
                    client.ok().and_then(|client| serve(&client, &shared));
                });
            }
        });
        Ok(Self { port, shared })
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}/{path}", self.port)
    }

    /// Lets answers be wrong from now on, or all of them right; how many requests for chunks there were before,
    /// and how many of them were answered wrongly.
    pub(super) fn follow(&self, plan: Option<Plan>) -> (usize, usize) {
        *lock(&self.shared.plan) = plan;
        lock(&self.shared.changed).clear();
        let hit = self.shared.hit.swap(0, Ordering::Relaxed);
        (self.shared.asked.swap(0, Ordering::Relaxed), hit)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::Relaxed);
        // The thread waits for one more.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

/// Answers one request; none if the connection ends early.
fn serve(client: &TcpStream, shared: &Shared) -> Option<()> {
    let mut reader = BufReader::new(client);
    let (mut first, mut range, mut tag) = (String::new(), None, None);
    reader.read_line(&mut first).ok()?;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        match name.to_ascii_lowercase().as_str() {
            "range" => range = Some(value.to_owned()),
            "if-match" => tag = Some(value.to_owned()),
            _ => {}
        }
    }
    let mut words = first.split(' ');
    let (method, path) = (words.next()?, words.next()?);
    let mut file = shared.folder.join(path.trim_start_matches('/'));
    let is_chunk = file.file_name()?.to_str()?.bytes().all(|byte| byte.is_ascii_digit());
    let fault = if is_chunk { fault_of(shared, &file) } else { None };
    let mut client = client;
    let mut marked = "";
    match fault {
        Some(Fault::Status(status)) => {
            let head = format!(
                "HTTP/1.1 {status} Told To\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            );
            return client.write_all(head.as_bytes()).ok();
        }
        Some(Fault::Closed) => return client.shutdown(Shutdown::Both).ok(),
        Some(Fault::Gone) => file = shared.folder.join("no such file"),
        Some(Fault::Changed) => {
            // The chunk beside it.
            let name: usize = file.file_name()?.to_str()?.parse().ok()?;
            file.set_file_name(if name == 0 { "1" } else { "0" });
            marked = "changed-";
        }
        _ => {}
    }
    let bytes = fs::read(&file).ok().filter(|_| file.is_file());
    let close = "Accept-Ranges: bytes\r\nConnection: close\r\n\r\n";
    let Some(bytes) = bytes else {
        let head = format!("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n{close}");
        return client.write_all(head.as_bytes()).ok();
    };
    // As that of servers of files: the length and the name are enough here.
    let own_tag = format!("\"{marked}{}-{}\"", bytes.len(), file.display().to_string().len());
    if tag.is_some_and(|tag| tag != own_tag) {
        let head = format!("HTTP/1.1 412 Precondition Failed\r\nContent-Length: 0\r\n{close}");
        return client.write_all(head.as_bytes()).ok();
    }
    let (start, stop) =
        range.map_or(Some((0, bytes.len())), |range| bounds(&range, bytes.len()))?;
    let part = bytes.get(start..stop)?;
    let (status, place) = if (start, stop) == (0, bytes.len()) {
        ("200 OK", String::new())
    } else {
        let last = stop.saturating_sub(1);
        ("206 Partial Content", format!("Content-Range: bytes {start}-{last}/{}\r\n", bytes.len()))
    };
    let half = part.len() / 2;
    let length = if fault == Some(Fault::Short) { half } else { part.len() };
    let head = format!(
        "HTTP/1.1 {status}\r\nETag: {own_tag}\r\nContent-Length: {length}\r\n{place}{close}"
    );
    client.write_all(head.as_bytes()).ok()?;
    if method == "HEAD" {
        return Some(());
    }
    match fault {
        Some(Fault::Truncated | Fault::Short) => client.write_all(part.get(..half)?).ok()?,
        Some(Fault::Stalled) => {
            client.write_all(part.get(..half)?).ok()?;
            thread::sleep(Duration::from_secs(5));
        }
        _ => client.write_all(part).ok()?,
    }
    client.shutdown(Shutdown::Both).ok()
}

/// What is wrong with the answer to this request.
fn fault_of(shared: &Shared, file: &Path) -> Option<Fault> {
    let number = shared.asked.fetch_add(1, Ordering::Relaxed);
    let mut changed = lock(&shared.changed);
    if let Some((_, fault)) = changed.iter().find(|(known, _)| known == file) {
        return Some(*fault);
    }
    let plan = (*lock(&shared.plan))?;
    let is_hit = (plan.first..plan.first.saturating_add(plan.times)).contains(&number);
    if is_hit {
        shared.hit.fetch_add(1, Ordering::Relaxed);
        if matches!(plan.fault, Fault::Changed | Fault::Gone) {
            changed.push((file.to_owned(), plan.fault));
        }
    }
    is_hit.then_some(plan.fault)
}

/// The part that a header asks for, if it lies inside.
fn bounds(range: &str, size: usize) -> Option<(usize, usize)> {
    let (start, stop) = range.strip_prefix("bytes=")?.split_once('-')?;
    match (start, stop) {
        ("", length) => Some((size.saturating_sub(length.parse().ok()?), size)),
        (start, "") => Some((start.parse().ok()?, size)),
        (start, last) => {
            Some((start.parse().ok()?, last.parse::<usize>().ok()?.saturating_add(1).min(size)))
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
