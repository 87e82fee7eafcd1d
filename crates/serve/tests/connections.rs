//! Connections: limits, and the end.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

use array_core::DType;
use geometry::Window;
use zarr_source::Compression;

use serve::{Layer, ServeError, Server, ServerOptions, SiteOptions};

use common::{Computed, PATIENCE, Running, counter, info, wait_until};

fn masks() -> Layer {
    Layer::new("mask", Arc::new(counter(Some(2), [8, 8, 8])))
}

fn options() -> ServerOptions {
    ServerOptions::default()
}

/// What a client that sends `bytes` is answered until the server closes the connection.
fn raw(server: &Running, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(server.address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    // The server may close before it has read everything.
    let _ = stream.write_all(bytes);
    let mut answer = Vec::new();
    match stream.read_to_end(&mut answer) {
        Ok(_) => {}
        Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset, "{error}"),
    }
    answer
}

#[test]
fn a_head_that_does_not_end_is_given_up() {
    let server_options = ServerOptions { head_timeout: Duration::from_millis(200), ..options() };
    let server = Running::with(vec![masks()], SiteOptions::default(), server_options);
    let begin = Instant::now();
    raw(&server, b"GET / HTTP/1.1\r\nHost: a\r\n");
    raw(&server, b"");
    assert!(begin.elapsed() < PATIENCE);
    assert_eq!(server.get("/healthz").status, 200);
}

#[test]
fn what_is_no_http_or_too_long_is_refused() {
    let server = Running::new(vec![masks()]);
    let long = format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", "a".repeat(64 << 10));
    let many = format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "X: a\r\n".repeat(1000));
    let path = format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "a".repeat(70 << 10));
    for bytes in [
        b"hello\r\n\r\n".as_slice(),
        b"GET / HTTP/9.9\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"GET / \xff\xfe HTTP/1.1\r\nHost: a\r\n\r\n",
        long.as_bytes(),
        many.as_bytes(),
        path.as_bytes(),
    ] {
        let answer = raw(&server, bytes);
        assert!(!answer.starts_with(b"HTTP/1.1 2"), "{}", String::from_utf8_lossy(&answer));
        assert_eq!(server.get("/healthz").status, 200);
    }
}

#[test]
fn requests_that_come_at_once_are_answered_in_order() {
    let server = Running::new(vec![masks()]);
    let request = |path: &str, more: &str| format!("GET {path} HTTP/1.1\r\nHost: a\r\n{more}\r\n");
    let all = [
        request("/healthz", ""),
        request("/zarr3/mask/s0/c/0/0/0/0", ""),
        request("/nothing", ""),
        request("/healthz", "Connection: close\r\n"),
    ];
    let answer = raw(&server, all.concat().as_bytes());
    let text = String::from_utf8_lossy(&answer);
    let statuses: Vec<&str> =
        text.match_indices("HTTP/1.1 ").map(|(at, _)| &text[at + 9..at + 12]).collect();
    assert_eq!(statuses, ["200", "200", "404", "200"]);
}

/// A connection on which nothing is asked.
fn idle(server: &Running) -> TcpStream {
    let stream = TcpStream::connect(server.address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// Whether the server has ended a connection on which it had nothing to say.
fn is_ended(mut stream: &TcpStream) -> bool {
    stream.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    match stream.read(&mut [0]) {
        Ok(count) => count == 0,
        Err(error) => error.kind() == ErrorKind::ConnectionReset,
    }
}

#[test]
fn one_client_more_than_the_limit_takes_the_place_of_the_one_that_idles_longest() {
    let server_options = ServerOptions { max_connections: 3, ..options() };
    let server = Running::with(vec![masks()], SiteOptions::default(), server_options);
    let first = idle(&server);
    wait_until("the first is older", || !is_ended(&first));
    let mut second = idle(&server);
    wait_until("the second is older", || !is_ended(&second));
    let events = server.begin("GET", "/events/1", &[]);
    assert_eq!(server.get("/healthz").status, 200);
    wait_until("the first has gone", || is_ended(&first));
    assert!(!is_ended(&second) && !is_ended(&events));
    // What is in use is not idle.
    second.write_all(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    second.read_exact(&mut [0; 12]).unwrap();
    let many: Vec<TcpStream> = (0..40).map(|_| idle(&server)).collect();
    wait_until("all but three have gone", || {
        many.iter().filter(|stream| !is_ended(stream)).count() <= 3
    });
    assert_eq!(server.get("/healthz").status, 200);
}

#[test]
fn who_waits_for_an_answer_is_not_sent_away() {
    let (open, opened) = mpsc::channel::<()>();
    let opened = Mutex::new(opened);
    let visit = move |_: &Window| {
        opened.lock().unwrap().recv().unwrap();
        Ok(None)
    };
    let (array, visits) = Computed::new(info(DType::U8, None, [8; 3], 8), visit);
    let server_options = ServerOptions { max_connections: 1, ..options() };
    let layer = Layer::new("labels", array);
    let server = Running::with(vec![layer], SiteOptions::default(), server_options);
    let answered = |mut stream: TcpStream| {
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        common::Answer::parse(&answer).status
    };
    let first = server.begin("GET", "/zarr3/labels/s0/c/0/0/0", &[]);
    wait_until("the work begins", || visits.load(Ordering::SeqCst) > 0);
    let mut second = server.begin("GET", "/healthz", &[]);
    second.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
    let waits = second.read(&mut [0]).unwrap_err();
    assert!(matches!(waits.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{waits}");
    second.set_read_timeout(Some(PATIENCE)).unwrap();
    open.send(()).unwrap();
    assert_eq!((answered(first), answered(second)), (200, 200));
}

/// A server of a chunk that is larger than what a system keeps for a connection.
fn large(server_options: ServerOptions) -> Running {
    let (array, _) = Computed::new(info(DType::U8, None, [256; 3], 256), |_: &Window| Ok(None));
    let layer = Layer::new("raw", array).with_chunk_shape(&[256; 3]);
    let layer = layer.with_compression(Compression::None);
    Running::with(vec![layer], SiteOptions::default(), server_options)
}

const LARGE: &str = "/zarr3/raw/s0/c/0/0/0";

#[test]
fn a_client_that_reads_nothing_is_given_up() {
    let server = large(ServerOptions { write_timeout: Duration::from_millis(200), ..options() });
    let whole = server.get(LARGE).body.len();
    assert_eq!(whole, 256 * 256 * 256);
    let mut stream = server.begin("GET", LARGE, &[]);
    wait_until("it is given up", || stream.take_error().unwrap().is_some());
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    assert!(answer.len() < whole);
    assert_eq!(server.get("/healthz").status, 200);
}

#[test]
fn a_client_that_reads_slowly_gets_all_of_it() {
    let server = large(ServerOptions { write_timeout: Duration::from_secs(1), ..options() });
    let mut stream = server.begin("GET", LARGE, &[]);
    let (mut answer, mut buffer) = (Vec::new(), vec![0; 2 << 20]);
    loop {
        let count = stream.read(&mut buffer).unwrap();
        if count == 0 {
            break;
        }
        answer.extend_from_slice(&buffer[..count]);
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(common::Answer::parse(&answer).body.iter().all(|&byte| byte == 7));
}

#[test]
fn a_client_that_reads_nothing_makes_room_for_one_that_does() {
    let server = large(ServerOptions { max_connections: 1, ..options() });
    let stuck = server.begin("GET", LARGE, &[]);
    wait_until("the answer begins", || stuck.peek(&mut [0]).unwrap() > 0);
    assert_eq!(server.get("/healthz").status, 200);
}

#[test]
fn clients_that_read_nothing_take_the_room_of_those_who_do_for_a_moment_only() {
    let server = large(ServerOptions { max_sent_bytes: 40 << 20, ..options() });
    let mut idle = idle(&server);
    let stuck: Vec<TcpStream> = (0..5).map(|_| server.begin("GET", LARGE, &[])).collect();
    stuck.iter().for_each(|stream| stream.set_nonblocking(true).unwrap());
    // There is room for two answers, and the others wait.
    wait_until("two answers begin", || {
        stuck.iter().filter(|stream| stream.peek(&mut [0]).is_ok()).count() >= 2
    });
    assert_eq!(server.get("/healthz").status, 200);
    assert_eq!(server.get(LARGE).body.len(), 256 * 256 * 256);
    assert!(stuck.iter().any(|stream| stream.take_error().unwrap().is_some()));
    // Who only idles has no part in it.
    idle.write_all(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    idle.read_exact(&mut [0; 12]).unwrap();
}

#[test]
fn an_answer_larger_than_all_room_is_sent_alone() {
    let server = large(ServerOptions { max_sent_bytes: 1 << 20, ..options() });
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| assert_eq!(server.get(LARGE).body.len(), 256 * 256 * 256));
        }
    });
    assert_eq!(server.ask("HEAD", LARGE, &[]).status, 200);
}

#[test]
fn the_limits_of_a_head_are_answered_by_their_names() {
    let server = Running::new(vec![masks()]);
    let status = |text: &str| common::Answer::parse(&raw(&server, text.as_bytes())).status;
    let head = |more: &str| format!("GET /healthz HTTP/1.1\r\nHost: a\r\n{more}\r\n");
    let close = "Connection: close\r\n";
    assert_eq!(status(&head(&format!("{close}{}", "X: a\r\n".repeat(98)))), 200);
    assert_eq!(status(&head(&format!("{close}{}", "X: a\r\n".repeat(99)))), 431);
    assert_eq!(status(&head(&format!("{close}X: {}\r\n", "a".repeat(15 << 10)))), 200);
    assert_eq!(status(&head(&format!("X: {}\r\n", "a".repeat(17 << 10)))), 431);
    assert_eq!(status(&format!("GET /{} HTTP/1.1\r\n", "a".repeat(70 << 10))), 431);
}

#[test]
fn a_body_is_refused_and_nothing_behind_it_is_taken_for_a_request() {
    let server = Running::new(vec![masks()]);
    let inner = "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n";
    let len = inner.len();
    let outer = |method: &str, more: &str, body: &str| {
        format!("{method} /healthz HTTP/1.1\r\nHost: a\r\n{more}\r\n{body}{inner}")
    };
    for (text, expected) in [
        (outer("GET", &format!("Content-Length: {len}\r\n"), inner), "413"),
        (outer("POST", &format!("Content-Length: {len}\r\n"), inner), "405"),
        (outer("OPTIONS", "Transfer-Encoding: chunked\r\n", "0\r\n\r\n"), "413"),
        (outer("GET", "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n", "0\r\n\r\n"), "413"),
        (outer("GET", "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), "413"),
        (outer("GET", "Content-Length: 4\r\nContent-Length: 5\r\n", "abcd"), "400"),
        (outer("GET", "Content-Length: 4, 5\r\n", "abcd"), "400"),
        (outer("GET", "Content-Length: +4\r\n", "abcd"), "400"),
        (outer("GET", "Content-Length: -1\r\n", "abcd"), "400"),
        (outer("GET", "Content-Length : 4\r\n", "abcd"), "400"),
        (outer("GET", "Transfer-Encoding: identity, chunked, x\r\n", "abcd"), "400"),
        (outer("GET", "Transfer-Encoding: xchunked\r\n", "0\r\n\r\n"), "400"),
        (outer("GET", " Transfer-Encoding: chunked\r\n", "0\r\n\r\n"), "400"),
    ] {
        let answer = raw(&server, text.as_bytes());
        let answer = String::from_utf8_lossy(&answer);
        let statuses: Vec<&str> =
            answer.match_indices("HTTP/1.1 ").map(|(at, _)| &answer[at + 9..at + 12]).collect();
        assert_eq!(statuses, [expected], "{text:?} {answer}");
    }
    // What is announced and never sent is not waited for.
    let endless = outer("GET", "Content-Length: 9223372036854775807\r\n", "");
    assert!(raw(&server, endless.as_bytes()).starts_with(b"HTTP/1.1 413"));
    let asks = outer("GET", "Expect: 100-continue\r\nContent-Length: 9\r\n", "");
    assert!(raw(&server, asks.as_bytes()).starts_with(b"HTTP/1.1 413"));
}

#[test]
fn a_thousand_requests_at_once_are_answered_in_order() {
    let server = Running::new(vec![masks()]);
    let paths = ["/healthz", "/zarr3/mask/s0/c/0/0/0/0", "/nothing", "/zarr3/mask/../"];
    let mut text: String = (0..1000)
        .map(|number| format!("GET {} HTTP/1.1\r\nHost: a\r\n\r\n", paths[number % 4]))
        .collect();
    text.push_str("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    let answer = raw(&server, text.as_bytes());
    let answer = String::from_utf8_lossy(&answer);
    let statuses: Vec<&str> =
        answer.match_indices("HTTP/1.1 ").map(|(at, _)| &answer[at + 9..at + 12]).collect();
    let expected: Vec<&str> =
        (0..1000).map(|number| ["200", "200", "404", "400"][number % 4]).chain(["200"]).collect();
    assert_eq!(statuses, expected);
}

#[test]
fn the_end_waits_for_requests_but_not_for_idle_clients() {
    let server_options = ServerOptions { drain_timeout: PATIENCE * 2, ..options() };
    let server = Running::with(vec![masks()], SiteOptions::default(), server_options);
    let address = server.address;
    let mut kept = TcpStream::connect(address).unwrap();
    kept.set_read_timeout(Some(PATIENCE)).unwrap();
    kept.write_all(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    let mut begin = [0; 12];
    kept.read_exact(&mut begin).unwrap();
    assert_eq!(&begin, b"HTTP/1.1 200");
    let events = server.begin("GET", "/events/1", &[]);
    let begun = Instant::now();
    server.end();
    // Nobody had to be given up.
    assert!(begun.elapsed() < PATIENCE);
    drop((kept, events));
    wait_until("nobody listens any more", || TcpStream::connect(address).is_err());
}

#[test]
fn a_port_that_is_taken_is_an_error_with_the_address() {
    let server = Running::new(vec![masks()]);
    let error = Server::bind(server.address, options()).unwrap_err();
    assert!(matches!(error, ServeError::Bind { .. }));
    assert!(error.to_string().contains(&server.address.to_string()), "{error}");
}
