//! Paths that lead out of what is served, in all spellings: none of them does.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use serve::{Client, Layer, ServerOptions, SiteOptions};

use common::{PATIENCE, Running, counter};

/// One target of a request in each line.
const TARGETS: &str = include_str!("traversal.txt");
const SECRET: &str = "what nobody may read";

/// A server with a client, beside whose folder lie secrets.
fn server(folder: &std::path::Path) -> Running {
    let dir = folder.join("client");
    fs::create_dir(&dir).unwrap();
    fs::write(dir.join("index.html"), "<html>").unwrap();
    for name in ["secret", "passwd", "index.html"] {
        fs::write(folder.join(name), SECRET).unwrap();
    }
    let options =
        SiteOptions { client: Some(Client::open(&dir).unwrap()), ..SiteOptions::default() };
    let masks = Layer::new("mask", Arc::new(counter(Some(2), [8, 8, 8])));
    Running::with(vec![masks], options, ServerOptions::default())
}

/// All that comes back for the target of a request, byte by byte as it is.
fn answer(server: &Running, target: &[u8]) -> String {
    let mut stream = TcpStream::connect(server.address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let request = [b"GET ", target, b" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"].concat();
    // It may answer and close before it has read everything.
    let _ = stream.write_all(&request);
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}

fn is_refused(server: &Running, target: &[u8], folder: &str) {
    let answer = answer(server, target);
    let target = String::from_utf8_lossy(target);
    let status: u16 = answer.get(9..12).unwrap_or_default().parse().unwrap_or_default();
    assert!((400..500).contains(&status), "{target}: {answer}");
    for private in [SECRET, "root:", folder, "/etc/passwd", env!("CARGO_MANIFEST_DIR")] {
        assert!(!answer.contains(private), "{target}: {answer}");
    }
    assert!(!answer.to_lowercase().contains("x-injected"), "{target}: {answer}");
}

#[test]
fn no_spelling_of_a_path_leads_out_of_what_is_served() {
    let folder = tempfile::tempdir().unwrap();
    let server = server(folder.path());
    let name = folder.path().to_str().unwrap();
    assert!(TARGETS.lines().count() > 100);
    for target in TARGETS.lines() {
        is_refused(&server, target.as_bytes(), name);
        // The same below the client, whose files lie in a folder.
        let below = format!("/v/1{}", target.strip_prefix("/v/1").unwrap_or(target));
        if target.starts_with('/') {
            is_refused(&server, below.as_bytes(), name);
        }
    }
    let real = format!("/v/1/..{name}/secret");
    is_refused(&server, real.as_bytes(), name);
    is_refused(&server, format!("/v/1/{name}/secret").as_bytes(), "nothing");
    assert!(answer(&server, b"/v/1/index.html").ends_with("<html>"));
}

#[test]
fn no_byte_of_a_path_is_taken_for_another_one() {
    let folder = tempfile::tempdir().unwrap();
    let server = server(folder.path());
    let name = folder.path().to_str().unwrap();
    for byte in (0..=u8::MAX).filter(|byte| !b"\r\n ?#".contains(byte)) {
        for target in [
            [b"/v/1/..", &[byte][..], b"secret"].concat(),
            [b"/v/1/.", &[byte][..], b"./secret"].concat(),
            [b"/", &[byte][..], b"../secret"].concat(),
        ] {
            is_refused(&server, &target, name);
        }
    }
    for long in [1 << 10, 8 << 10, 15 << 10, 64 << 10] {
        is_refused(&server, "/..".repeat(long / 3).as_bytes(), name);
        is_refused(&server, format!("/{}", "a".repeat(long)).as_bytes(), name);
    }
    assert_eq!(server.get("/healthz").status, 200);
}
