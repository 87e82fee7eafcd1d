//! A server in front of another that answers wrongly when it is told to.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// What becomes of a request.
#[derive(Clone)]
pub(crate) enum Fault {
    /// Another answer.
    Status(u16, &'static str),
    /// The right answer, after some time.
    Slow(Duration),
    /// Half of the body, although the header announces all of it.
    Truncated,
    /// No answer.
    Closed,
    /// Half of what was asked for, as if that were all.
    Short,
    /// All of it, without its length.
    NoLength,
}

/// Which requests go wrong, and how often.
#[derive(Clone)]
struct Rule {
    method: &'static str,
    path: String,
    fault: Fault,
    times: usize,
}

pub(crate) struct Proxy {
    port: u16,
    rules: Arc<Mutex<Vec<Rule>>>,
    requests: Arc<Mutex<Vec<String>>>,
    ended: Arc<AtomicBool>,
}

impl Proxy {
    /// A proxy in front of the server on a port of this machine.
    pub(crate) fn start(upstream: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let (rules, requests) =
            (Arc::<Mutex<Vec<Rule>>>::default(), Arc::<Mutex<Vec<String>>>::default());
        let ended = Arc::new(AtomicBool::new(false));
        let (their_rules, their_requests, has_ended) =
            (Arc::clone(&rules), Arc::clone(&requests), Arc::clone(&ended));
        thread::spawn(move || {
            for client in listener.incoming() {
                if has_ended.load(Ordering::Relaxed) {
                    return;
                }
                let (rules, requests) = (Arc::clone(&their_rules), Arc::clone(&their_requests));
                // Who goes away in between is none of our business.
                thread::spawn(move || {
                    client.ok().and_then(|client| serve(client, upstream, &rules, &requests))
                });
            }
        });
        Self { port, rules, requests, ended }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}/{path}", self.port)
    }

    /// Lets requests of a method, whose paths end so, go wrong some times.
    pub(crate) fn fail(&self, method: &'static str, path: &str, fault: Fault, times: usize) {
        let rule = Rule { method, path: path.to_owned(), fault, times };
        self.rules.lock().unwrap().push(rule);
    }

    /// Lets everything go right again.
    pub(crate) fn forget(&self) {
        self.rules.lock().unwrap().clear();
    }

    /// The requests since the last time: method and path.
    pub(crate) fn requests(&self) -> Vec<String> {
        std::mem::take(&mut self.requests.lock().unwrap())
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        // The thread waits for one more.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

/// Answers one request; none if a connection ends early.
fn serve(
    mut client: TcpStream,
    upstream: u16,
    rules: &Mutex<Vec<Rule>>,
    requests: &Mutex<Vec<String>>,
) -> Option<()> {
    let mut head = Vec::new();
    let mut reader = BufReader::new(client.try_clone().ok()?);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if line == "\r\n" {
            break;
        }
        head.push(line);
    }
    let mut words = head.first()?.split(' ');
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    requests.lock().unwrap().push(format!("{method} {path}"));
    let fault = rules.lock().unwrap().iter_mut().find_map(|rule| {
        let fits = rule.method == method && path.ends_with(&rule.path) && rule.times > 0;
        fits.then(|| {
            rule.times -= 1;
            rule.fault.clone()
        })
    });
    match &fault {
        Some(Fault::Status(status, body)) => {
            let length = body.len();
            let body = if method == "HEAD" { "" } else { body };
            let answer = format!(
                "HTTP/1.1 {status} Told To\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
            );
            return client.write_all(answer.as_bytes()).ok();
        }
        Some(Fault::Closed) => return client.shutdown(Shutdown::Both).ok(),
        Some(Fault::Slow(time)) => thread::sleep(*time),
        _ => {}
    }
    let mut server = TcpStream::connect(("127.0.0.1", upstream)).ok()?;
    for line in head.iter().filter(|line| !line.to_ascii_lowercase().starts_with("connection:")) {
        server.write_all(line.as_bytes()).ok()?;
    }
    server.write_all(b"Connection: close\r\n\r\n").ok()?;
    let mut answer = Vec::new();
    server.read_to_end(&mut answer).ok()?;
    let body = answer.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let half = body + (answer.len() - body) / 2;
    match fault {
        Some(Fault::Truncated) => client.write_all(&answer[..half]).ok()?,
        Some(Fault::Short) => {
            let head = String::from_utf8_lossy(&answer[..body]).into_owned();
            let lines: Vec<String> = head
                .lines()
                .map(|line| match line.split_once(": ") {
                    Some((name, _)) if name.eq_ignore_ascii_case("content-length") => {
                        format!("{name}: {}", half - body)
                    }
                    _ => line.to_owned(),
                })
                .collect();
            client.write_all(format!("{}\r\n", lines.join("\r\n")).as_bytes()).ok()?;
            client.write_all(&answer[body..half]).ok()?;
        }
        Some(Fault::NoLength) => {
            let head = String::from_utf8_lossy(&answer[..body]).into_owned();
            let is_length = |line: &&str| line.to_ascii_lowercase().starts_with("content-length");
            let lines: Vec<&str> = head.lines().filter(|line| !is_length(line)).collect();
            client.write_all(format!("{}\r\n", lines.join("\r\n")).as_bytes()).ok()?;
            client.write_all(&answer[body..]).ok()?;
        }
        _ => client.write_all(&answer).ok()?,
    }
    client.shutdown(Shutdown::Both).ok()
}
