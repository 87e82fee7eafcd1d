//! Answers in HTTP.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::fs;
use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use array_core::{DType, Scalar};
use flate2::read::GzDecoder;
use serve::{Client, Layer, ServeError, ServerOptions, Site, SiteOptions};

use common::{Computed, Running, counter, info};

fn masks() -> Layer {
    Layer::new("mask", Arc::new(counter(Some(2), [17, 9, 20]))).with_chunk_shape(&[8, 8, 8])
}

#[test]
fn the_groups_say_what_is_below_them() {
    let server = Running::new(vec![masks()]);
    let root = server.get("/zarr3/zarr.json").json();
    assert_eq!(root["node_type"], "group");
    assert_eq!(root["attributes"]["layers"], serde_json::json!(["mask"]));
    let below = &root["consolidated_metadata"]["metadata"];
    assert_eq!(below["mask"], server.get("/zarr3/mask/zarr.json").json());
    assert_eq!(below["mask/s0"], server.get("/zarr3/mask/s0/zarr.json").json());
    assert_eq!(below["mask"]["attributes"]["ome"]["version"], "0.5");
    assert_eq!(server.get("/zarr2/.zgroup").json(), serde_json::json!({"zarr_format": 2}));
    let all = server.get("/zarr2/.zmetadata").json();
    for document in ["mask/.zgroup", "mask/.zattrs", "mask/s0/.zarray", "mask/s0/.zattrs"] {
        assert_eq!(all["metadata"][document], server.get(&format!("/zarr2/{document}")).json());
    }
}

#[test]
fn translations_are_centres_and_units_have_their_full_name() {
    let server = Running::new(vec![masks()]);
    let ome = &server.get("/zarr3/mask/zarr.json").json()["attributes"]["ome"]["multiscales"][0];
    assert_eq!(ome["axes"][0], serde_json::json!({"name": "c", "type": "channel"}));
    assert_eq!(ome["axes"][1]["unit"], "nanometer");
    let transformations = &ome["datasets"][0]["coordinateTransformations"];
    assert_eq!(transformations[0]["scale"], serde_json::json!([1, 2.62, 4, 4]));
    assert_eq!(transformations[1]["translation"], serde_json::json!([0, 13283.6, -2.2, 2]));
}

#[test]
fn a_page_lists_the_layers_and_hides_nothing_in_names() {
    let options = SiteOptions {
        title: "<script>alert(1)</script>".to_owned(),
        link: Some("https://example.org/#!{\"a\":1}".to_owned()),
        ..SiteOptions::default()
    };
    let server = Running::with(vec![masks()], options, ServerOptions::default());
    let page = server.get("/");
    assert!(page.header("content-type").unwrap().starts_with("text/html"));
    assert!(page.text().contains("href=\"/zarr3/mask/zarr.json\""), "{}", page.text());
    assert!(page.text().contains("https://example.org/#!{&quot;a&quot;:1}"), "{}", page.text());
    assert!(!page.text().contains("<script>"), "{}", page.text());
    assert_eq!(server.get("/healthz").text(), "ok\n");
}

#[test]
fn any_page_may_ask() {
    let server = Running::new(vec![masks()]);
    for (path, status) in [
        ("/zarr3/mask/zarr.json", 200),
        ("/zarr3/mask/s0/c/0/0/0/0", 200),
        ("/zarr3/mask/s0/c/9/0/0/0", 404),
        ("/zarr3/../zarr.json", 400),
    ] {
        let answer = server.ask("GET", path, &[("Origin", "https://example.org")]);
        assert_eq!(answer.status, status, "{path}");
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"), "{path}");
        assert!(answer.header("access-control-expose-headers").unwrap().contains("ETag"));
    }
    let wishes = [
        ("Origin", "https://example.org"),
        ("Access-Control-Request-Method", "GET"),
        ("Access-Control-Request-Headers", "range, if-none-match"),
        ("Access-Control-Request-Private-Network", "true"),
    ];
    let preflight = server.ask("OPTIONS", "/zarr3/mask/s0/c/0/0/0/0", &wishes);
    assert_eq!(preflight.status, 204);
    assert_eq!(preflight.header("access-control-allow-origin"), Some("*"));
    assert_eq!(preflight.header("access-control-allow-headers"), Some("range, if-none-match"));
    assert_eq!(preflight.header("access-control-allow-private-network"), Some("true"));
    assert!(preflight.header("access-control-allow-methods").unwrap().contains("GET"));
}

#[test]
fn what_has_not_changed_is_not_sent_again() {
    let server = Running::new(vec![masks()]);
    for path in ["/zarr3/mask/s0/c/1/0/0/1", "/zarr3/mask/zarr.json", "/"] {
        let first = server.get(path);
        let etag = first.header("etag").unwrap();
        assert_eq!(first.header("cache-control"), Some("no-cache"));
        let again = server.ask("GET", path, &[("If-None-Match", etag)]);
        assert_eq!((again.status, again.body.len()), (304, 0), "{path}");
        assert_eq!(again.header("etag"), Some(etag));
        let other = server.ask("GET", path, &[("If-None-Match", "\"other\"")]);
        assert_eq!((other.status, other.body), (200, first.body.clone()), "{path}");
    }
    // Both versions of Zarr have the same chunk, and channels have others.
    let etag = |path: &str| server.get(path).header("etag").unwrap().to_owned();
    assert_eq!(etag("/zarr2/mask/s0/1/0/0/1"), etag("/zarr3/mask/s0/c/1/0/0/1"));
    assert_ne!(etag("/zarr2/mask/s0/0/0/0/1"), etag("/zarr3/mask/s0/c/1/0/0/1"));
}

#[test]
fn a_head_is_the_answer_without_its_body() {
    let server = Running::new(vec![masks()]);
    for path in ["/zarr3/mask/s0/c/0/0/0/0", "/zarr2/mask/.zattrs", "/nothing", "/healthz", "/"] {
        let (get, head) = (server.get(path), server.ask("HEAD", path, &[]));
        assert_eq!(head.status, get.status, "{path}");
        assert!(head.body.is_empty(), "{path}");
        for name in ["content-length", "content-type", "etag", "accept-ranges"] {
            assert_eq!(head.header(name), get.header(name), "{path} {name}");
        }
        assert_eq!(get.header("content-length"), Some(get.body.len().to_string().as_str()));
    }
}

#[test]
fn parts_are_sent_alone() {
    let server = Running::new(vec![masks()]);
    let path = "/zarr3/mask/s0/c/0/0/0/0";
    let whole = server.get(path);
    let (total, etag) = (whole.body.len(), whole.header("etag").unwrap());
    assert_eq!(whole.header("accept-ranges"), Some("bytes"));
    let part = server.ask("GET", path, &[("Range", "bytes=3-9")]);
    assert_eq!((part.status, &part.body[..]), (206, &whole.body[3..10]));
    assert_eq!(part.header("content-range"), Some(format!("bytes 3-9/{total}").as_str()));
    let end = server.ask("GET", path, &[("Range", "bytes=-4")]);
    assert_eq!((end.status, &end.body[..]), (206, &whole.body[total - 4..]));
    let outside = server.ask("GET", path, &[("Range", "bytes=99999999-")]);
    assert_eq!(outside.status, 416);
    assert_eq!(outside.header("content-range"), Some(format!("bytes */{total}").as_str()));
    let same = server.ask("GET", path, &[("Range", "bytes=0-0"), ("If-Range", etag)]);
    assert_eq!(same.status, 206);
    let other = server.ask("GET", path, &[("Range", "bytes=0-0"), ("If-Range", "\"other\"")]);
    assert_eq!((other.status, other.body.len()), (200, total));
    let head = server.ask("HEAD", path, &[("Range", "bytes=3-9")]);
    assert_eq!((head.status, head.header("content-length")), (206, Some("7")));
}

#[test]
fn text_is_compressed_for_those_who_take_it_and_chunks_never() {
    let server = Running::new(vec![masks()]);
    let path = "/zarr3/zarr.json";
    let plain = server.get(path);
    assert_eq!(plain.header("content-encoding"), None);
    assert_eq!(plain.header("vary"), Some("Accept-Encoding"));
    let gzip = server.ask("GET", path, &[("Accept-Encoding", "br, gzip;q=0.5")]);
    assert_eq!(gzip.header("content-encoding"), Some("gzip"));
    assert!(gzip.body.len() < plain.body.len());
    assert_ne!(gzip.header("etag"), plain.header("etag"));
    let mut text = Vec::new();
    GzDecoder::new(&gzip.body[..]).read_to_end(&mut text).unwrap();
    assert_eq!(text, plain.body);
    let refused = server.ask("GET", path, &[("Accept-Encoding", "gzip;q=0, br")]);
    assert_eq!(refused.header("content-encoding"), None);
    let part = server.ask("GET", path, &[("Accept-Encoding", "gzip"), ("Range", "bytes=0-9")]);
    assert_eq!((part.status, &part.body[..]), (206, &plain.body[..10]));
    let chunk = server.ask("GET", "/zarr3/mask/s0/c/0/0/0/0", &[("Accept-Encoding", "gzip")]);
    assert_eq!((chunk.header("content-encoding"), chunk.header("vary")), (None, None));
}

#[test]
fn nothing_can_be_sent_or_removed() {
    let server = Running::new(vec![masks()]);
    for method in ["POST", "PUT", "DELETE", "PATCH", "TRACE", "PROPFIND", "MKCOL"] {
        let answer = server.ask(method, "/zarr3/mask/s0/c/0/0/0/0", &[("Content-Length", "0")]);
        assert_eq!(answer.status, 405, "{method}");
        assert_eq!(answer.header("allow"), Some("GET, HEAD, OPTIONS"), "{method}");
    }
}

#[test]
fn what_is_not_there_is_not_found_and_nothing_climbs() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("secret"), "secret").unwrap();
    let dir = folder.path().join("client");
    fs::create_dir(&dir).unwrap();
    fs::write(dir.join("index.html"), "<html>").unwrap();
    let options =
        SiteOptions { client: Some(Client::open(&dir).unwrap()), ..SiteOptions::default() };
    let server = Running::with(vec![masks()], options, ServerOptions::default());
    for path in [
        "/zarr3/mask/s0/c/0/3/0/0",
        "/zarr3/mask/s0/c/0/0/2/0",
        "/zarr3/mask/s0/c/0/0/0/3",
        "/zarr3/mask/s0/c/2/0/0/0",
        "/zarr3/mask/s0/c/0/0/0",
        "/zarr3/mask/s0/c/0/0/0/0/0",
        "/zarr3/mask/s1/c/0/0/0/0",
        "/zarr3/mask/s0/c/18446744073709551615/0/0/0",
        "/zarr3/mask/s0/c/18446744073709551616/0/0/0",
        "/zarr3/mask/s0/c/0/9223372036854775807/9223372036854775807/9223372036854775807",
        "/zarr3/mask/s18446744073709551615/c/0/0/0/0",
        "/zarr3/target/s0/c/0/0/0/0",
        "/zarr3/mask/s0/0/0/0/0",
        "/zarr2/mask/s0/c/0/0/0/0",
        "/v/1/secret",
        "/v/1/client/index.html",
        "/etc/passwd",
    ] {
        assert_eq!(server.get(path).status, 404, "{path}");
    }
    // What is behind the last column is not taken for the next row.
    assert_eq!(server.get("/zarr3/mask/s0/c/0/0/1/0").status, 200);
    for path in [
        "/../secret",
        "/v/1/../secret",
        "/v/1/../../secret",
        "/v/1/..%2fsecret",
        "/v/1/%2e%2e/secret",
        "/v/1/%2e%2e%2fsecret",
        "/v/1/%252e%252e%252fsecret",
        "/v/1/..%c0%afsecret",
        "/v/1/..\\secret",
        "/v/1/....//secret",
        "/v/1//secret",
        "/v/1/./secret",
        "/v/1/%00secret",
        "/v/1/index.html%00.png",
        "/zarr3/mask/../../secret",
        "/zarr3/%6dask/zarr.json",
    ] {
        let answer = server.get(path);
        assert_eq!(answer.status, 400, "{path}");
        assert!(!answer.text().contains("secret"));
    }
    assert_eq!(server.get("/v/1/").text(), "<html>");
    assert_eq!(server.get("/v/anything/index.html?query=1").text(), "<html>");
}

#[test]
fn a_stream_of_events_is_open_until_the_server_ends() {
    let server = Running::new(vec![masks()]);
    let mut stream = server.begin("GET", "/events/1", &[]);
    let mut head = Vec::new();
    while !head.ends_with(b": open\n\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        head.extend(byte);
    }
    assert!(String::from_utf8_lossy(&head).contains("text/event-stream"));
    server.end();
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).unwrap();
    assert_eq!(rest, b"\r\n0\r\n\r\n");
}

#[test]
fn layers_that_cannot_be_served_are_refused() {
    let blocks = Arc::new(array_core::BlockCache::new(0));
    let refused = |layers: Vec<Layer>| {
        let error = Site::new(layers, &blocks, SiteOptions::default()).unwrap_err();
        assert!(matches!(error, ServeError::Layer { .. }), "{error:?}");
        error.to_string()
    };
    assert!(refused(vec![masks(), masks()]).contains("twice"));
    for name in ["", "..", "a/b", "a b", "zarr.json", "ä"] {
        assert!(
            refused(vec![Layer::new(name, Arc::new(counter(None, [1, 1, 1])))]).contains("name")
        );
    }
    let array = || Arc::new(counter(None, [1, 1, 1]));
    assert!(refused(vec![Layer::new("a", array()).with_chunk_shape(&[1])]).contains("3 positive"));
    assert!(refused(vec![Layer::new("a", array()).with_chunk_shape(&[0, 1, 1])]).contains("3 pos"));
    let other: Arc<dyn array_core::Array> = Arc::new(counter(Some(2), [1, 1, 1]));
    assert!(refused(vec![Layer::new("a", array()).with_levels([other])]).contains("levels"));
}

#[test]
fn a_layer_of_chunks_larger_than_any_memory_is_refused() {
    let side = 1 << 20;
    let info = info(DType::U8, None, [side; 3], side);
    let (array, visits) = Computed::new(info, |_: &_| Ok(Some(Scalar::U8(0))));
    let layer = Layer::new("a", array).with_chunk_shape(&[side, side, side]);
    let blocks = Arc::new(array_core::BlockCache::new(0));
    let error = Site::new(vec![layer], &blocks, SiteOptions::default()).unwrap_err().to_string();
    assert!(error.contains("beyond the memory limit of"), "{error}");
    assert_eq!(visits.load(Ordering::SeqCst), 0);
}
