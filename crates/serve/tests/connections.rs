//! Connections: limits, and the end.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serve::{Layer, ServeError, Server, ServerOptions, SiteOptions};

use common::{PATIENCE, Running, counter, wait_until};

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

#[test]
fn more_clients_than_the_limit_wait_for_their_turn() {
    let server_options = ServerOptions { max_connections: 2, ..options() };
    let server = Running::with(vec![masks()], SiteOptions::default(), server_options);
    let idle: Vec<_> = (0..2).map(|_| TcpStream::connect(server.address).unwrap()).collect();
    // The idle ones have been taken before the next one comes.
    std::thread::sleep(Duration::from_millis(200));
    let mut third = server.begin("GET", "/healthz", &[]);
    third.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    let waits = third.read(&mut [0]).unwrap_err();
    assert!(matches!(waits.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{waits}");
    drop(idle);
    third.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut answer = Vec::new();
    third.read_to_end(&mut answer).unwrap();
    assert_eq!(common::Answer::parse(&answer).status, 200);
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
