//! A token: without it, nothing is there.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::fs;
use std::sync::Arc;

use serve::{Client, Layer, ServerOptions, SiteOptions, Token};

use common::{Running, counter};

const TOKEN: &str = "Zm9yLXRlc3Rz_0123456789";
const CHUNK: &str = "/zarr3/mask/s0/c/0/0/0/0";

fn server() -> Running {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("index.html"), "<html>").unwrap();
    let options = SiteOptions {
        token: Some(TOKEN.parse().unwrap()),
        client: Some(Client::open(folder.path()).unwrap()),
        ..SiteOptions::default()
    };
    let masks = Layer::new("mask", Arc::new(counter(Some(2), [8, 8, 8])));
    Running::with(vec![masks], options, ServerOptions::default())
}

#[test]
fn everything_is_behind_the_token() {
    let server = server();
    let open = Running::new(vec![Layer::new("mask", Arc::new(counter(Some(2), [8, 8, 8])))]);
    for path in
        ["/zarr3/zarr.json", "/zarr3/mask/s0/zarr.json", "/zarr2/.zmetadata", CHUNK, "/healthz"]
    {
        let (behind, plain) = (server.get(&format!("/{TOKEN}{path}")), open.get(path));
        assert_eq!((behind.status, behind.body), (200, plain.body), "{path}");
    }
    assert_eq!(server.get(&format!("/{TOKEN}/v/1/")).text(), "<html>");
    for page in [format!("/{TOKEN}/"), format!("/{TOKEN}"), format!("/{TOKEN}/?query")] {
        let link = format!("href=\"/{TOKEN}/zarr3/mask/zarr.json\"");
        assert!(server.get(&page).text().contains(&link), "{page}");
    }
    assert_eq!(server.get(&format!("/{TOKEN}/zarr3/../zarr.json")).status, 400);
    assert_eq!(server.ask("POST", &format!("/{TOKEN}/"), &[]).status, 405);
    assert_eq!(server.ask("OPTIONS", &format!("/{TOKEN}{CHUNK}"), &[]).status, 204);
    // No other site is told where a page was that links to it.
    assert_eq!(server.get(&format!("/{TOKEN}/")).header("referrer-policy"), Some("no-referrer"));
}

#[test]
fn without_the_token_everything_is_like_what_is_not_there() {
    let server = server();
    let nothing = server.get(&format!("/{TOKEN}/nothing"));
    let wrong = TOKEN.replace('Z', "z");
    let paths = [
        "/".to_owned(),
        "/healthz".to_owned(),
        "/events/1".to_owned(),
        "/v/1/".to_owned(),
        CHUNK.to_owned(),
        "/zarr3/../zarr.json".to_owned(),
        format!("/{wrong}{CHUNK}"),
        format!("/{}{CHUNK}", &TOKEN[1..]),
        format!("/{TOKEN}0{CHUNK}"),
        format!("//{TOKEN}{CHUNK}"),
        format!("/x/{TOKEN}{CHUNK}"),
        format!("/%5A{}{CHUNK}", &TOKEN[1..]),
        format!("/{CHUNK}?token={TOKEN}"),
    ];
    for path in paths {
        for method in ["GET", "HEAD", "OPTIONS", "POST", "TRACE"] {
            let answer = server.ask(method, &path, &[]);
            assert_eq!(answer.status, 404, "{method} {path}");
            for name in ["content-length", "content-type", "cache-control", "allow", "etag", "vary"]
            {
                assert_eq!(answer.header(name), nothing.header(name), "{method} {path} {name}");
            }
            if method != "HEAD" {
                assert_eq!(answer.body, nothing.body, "{method} {path}");
            }
        }
        let answer = server.ask("POST", &path, &[("Content-Length", "5")]);
        assert_eq!((answer.status, answer.body), (404, nothing.body.clone()), "{path}");
    }
}

#[test]
fn a_token_is_not_shown_by_what_has_it() {
    let token: Token = TOKEN.parse().unwrap();
    let options = SiteOptions { token: Some(token), ..SiteOptions::default() };
    assert!(!format!("{options:?}").contains(TOKEN));
    assert!(!format!("{:?}", server().site).contains(TOKEN));
}
