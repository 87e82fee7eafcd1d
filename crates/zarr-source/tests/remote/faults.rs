//! Servers that answer wrongly.

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use array_core::ArrayExt;
use zarr_source::{OpenOptions, ZarrArray, ZarrError};

use crate::proxy::{Fault, Proxy};
use crate::s3::{READ, process};
use crate::servers::{Nginx, S3Server};
use crate::support::{assert_same, chain, io_kind, local, put, quick, read_error};

/// A static server with `crop.zarr`, behind a proxy.
fn served(fixture: &str) -> Option<(Nginx, Proxy)> {
    let nginx = Nginx::start("")?;
    put(fixture, &nginx.root(), "crop.zarr");
    let proxy = Proxy::start(nginx.port());
    Some((nginx, proxy))
}

fn open(proxy: &Proxy, retries: usize) -> ZarrArray {
    ZarrArray::open_with(proxy.url("crop.zarr/s0"), &quick(retries)).unwrap()
}

/// What reading gives when all requests for the first chunk go wrong.
fn chunk_error(proxy: &Proxy, fault: Fault) -> ZarrError {
    let array = open(proxy, 1);
    proxy.fail("GET", "/s0/0.0.0", fault, usize::MAX);
    let error = read_error(&array);
    let text = chain(&error);
    assert!(text.contains(&proxy.url("crop.zarr/s0/0.0.0")), "{text}");
    error
}

#[test]
fn a_chunk_that_is_not_found_is_not_stored() {
    let Some((_nginx, proxy)) = served("v2_raw.zarr") else { return };
    let array = open(&proxy, 1);
    proxy.fail("GET", "/s0/0.0.0", Fault::Status(404, ""), 1);
    assert_ne!(array.data().unwrap(), local("v2_raw.zarr").data().unwrap());
    assert_same(&array, "v2_raw.zarr");
}

#[test]
fn a_chunk_that_is_forbidden_is_an_error() {
    let Some((_nginx, proxy)) = served("v2_raw.zarr") else { return };
    let body = "<Error><Code>AccessDenied</Code><AWSAccessKeyId>SECRET</AWSAccessKeyId></Error>";
    let error = chunk_error(&proxy, Fault::Status(403, body));
    assert_eq!(io_kind(&error), Some(ErrorKind::PermissionDenied));
    let text = format!("{} {error:?}", chain(&error));
    assert!(text.contains("access denied (403 Forbidden, AccessDenied)"), "{text}");
    assert!(!text.contains("SECRET"), "{text}");
    // It is not asked for again.
    assert_eq!(proxy.requests().iter().filter(|line| line.ends_with("/0.0.0")).count(), 1);
}

#[test]
fn metadata_that_are_forbidden_are_an_error() {
    let Some((_nginx, proxy)) = served("v2_raw.zarr") else { return };
    proxy.fail("GET", "/crop.zarr/s0/.zarray", Fault::Status(403, ""), usize::MAX);
    let error = ZarrArray::open_with(proxy.url("crop.zarr/s0"), &quick(0)).unwrap_err();
    assert_eq!(io_kind(&error), Some(ErrorKind::PermissionDenied));
    assert!(chain(&error).contains("/crop.zarr/s0/.zarray"), "{}", chain(&error));
}

#[test]
fn a_container_ends_where_access_is_denied() {
    let Some(nginx) = Nginx::start("") else { return };
    put("v3_bytes.zarr", &nginx.root(), "team/crop");
    let proxy = Proxy::start(nginx.port());
    proxy.fail("GET", "/team/zarr.json", Fault::Status(403, ""), usize::MAX);
    proxy.fail("GET", "/team/.zgroup", Fault::Status(403, ""), usize::MAX);
    let array = ZarrArray::open_with(proxy.url("team/crop/s0"), &quick(0)).unwrap();
    assert_eq!(array.metadata().container().to_str(), Some(&proxy.url("team/crop")[..]));
    // However near that is; the array itself must be readable.
    proxy.fail("GET", "/team/crop/zarr.json", Fault::Status(403, ""), usize::MAX);
    let options = quick(0);
    let array = ZarrArray::open_with(proxy.url("team/crop/s0"), &options).unwrap();
    assert_eq!(array.metadata().container().to_str(), Some(&proxy.url("team/crop/s0")[..]));
    proxy.fail("GET", "/team/crop/s0/zarr.json", Fault::Status(403, ""), usize::MAX);
    let error = ZarrArray::open_with(proxy.url("team/crop/s0"), &options).unwrap_err();
    assert_eq!(io_kind(&error), Some(ErrorKind::PermissionDenied), "{}", chain(&error));
}

#[test]
fn a_server_that_fails_once_is_asked_again() {
    let Some((_nginx, proxy)) = served("v2_raw.zarr") else { return };
    let array = open(&proxy, 3);
    let faults = [
        Fault::Status(500, "oops"),
        Fault::Status(503, ""),
        Fault::Status(429, ""),
        Fault::Closed,
        Fault::Truncated,
    ];
    for fault in faults {
        proxy.fail("GET", "/s0/0.0.0", fault, 1);
        proxy.requests();
        assert_same(&array, "v2_raw.zarr");
        assert_eq!(proxy.requests().iter().filter(|line| line.ends_with("/0.0.0")).count(), 2);
    }
}

#[test]
fn a_server_that_goes_on_failing_is_told() {
    let Some((_nginx, proxy)) = served("v2_raw.zarr") else { return };
    let error = chunk_error(&proxy, Fault::Status(500, "a page with SECRET things"));
    let text = format!("{} {error:?}", chain(&error));
    assert!(text.contains("the server failed (500 Internal Server Error)"), "{text}");
    assert!(!text.contains("SECRET"), "{text}");
    assert!(error.is_io());
    assert_eq!(proxy.requests().iter().filter(|line| line.ends_with("/0.0.0")).count(), 2);
}

#[test]
fn a_slow_server_is_not_waited_for() {
    let Some((_nginx, proxy)) = served("v2_raw.zarr") else { return };
    let begun = Instant::now();
    let error = chunk_error(&proxy, Fault::Slow(Duration::from_secs(60)));
    assert_eq!(io_kind(&error), Some(ErrorKind::TimedOut));
    assert!(chain(&error).contains("did not answer within 1.5s"), "{}", chain(&error));
    assert!(begun.elapsed() < Duration::from_secs(20));
}

#[test]
fn an_answer_that_is_cut_short_is_an_error() {
    for fault in [Fault::Truncated, Fault::Closed] {
        let Some((_nginx, proxy)) = served("v2_raw.zarr") else { return };
        let error = chunk_error(&proxy, fault);
        assert_eq!(io_kind(&error), Some(ErrorKind::ConnectionAborted), "{}", chain(&error));
    }
    // Nor is a shard corrupt because a connection is.
    let Some((_nginx, proxy)) = served("v3_sharded.zarr") else { return };
    let array = open(&proxy, 0);
    proxy.fail("GET", "/s0/c/0/0/0", Fault::Truncated, usize::MAX);
    let error = read_error(&array);
    assert_eq!(io_kind(&error), Some(ErrorKind::ConnectionAborted), "{}", chain(&error));
}

#[test]
fn secrets_in_urls_are_not_logged_whatever_goes_wrong() {
    let settings = "auth_basic voxmask; auth_basic_user_file users;";
    let Some(nginx) = Nginx::start(settings) else { return };
    put("v3_sharded_missing.zarr", &nginx.root(), "crop.zarr");
    let proxy = Proxy::start(nginx.port());
    let url = |user: &str| {
        format!("http://{user}@127.0.0.1:{}/crop.zarr/s0?sig=secretSignature", proxy.port())
    };
    let document = "/crop.zarr/zarr.json?sig=secretSignature";
    for fault in [Fault::Status(500, ""), Fault::Closed, Fault::Truncated] {
        proxy.fail("GET", document, fault.clone(), 1);
        let text = process(&url("me:secretPassword"), &[]);
        assert!(text.contains(READ) && text.contains("Encountered "), "{text}");
        proxy.fail("GET", document, fault, 9);
        let text = process(&url("me:secretPassword"), &[]);
        assert!(text.contains("crop.zarr/zarr.json") && !text.contains(READ), "{text}");
        proxy.forget();
    }
    let text = process(&url("me:wrongSecret"), &[]);
    assert!(text.contains("access denied"), "{text}");
    proxy.fail("GET", document, Fault::Status(302, ""), 9);
    let text = process(&url("me:secretPassword"), &[]);
    assert!(!text.contains(READ), "{text}");
}

#[test]
fn parts_of_the_wrong_length_are_an_error() {
    let Some((_nginx, proxy)) = served("v3_sharded.zarr") else { return };
    let array = open(&proxy, 0);
    proxy.fail("GET", "/s0/c/0/0/0", Fault::Short, usize::MAX);
    let error = read_error(&array);
    assert!(chain(&error).contains("cut short: 66 bytes instead of 132"), "{}", chain(&error));
}

#[test]
fn a_server_that_does_not_tell_sizes_is_asked_for_the_whole() {
    let Some((_nginx, proxy)) = served("v3_sharded_missing.zarr") else { return };
    let array = open(&proxy, 0);
    proxy.fail("HEAD", "", Fault::Status(405, ""), usize::MAX);
    assert_same(&array, "v3_sharded_missing.zarr");
}

#[test]
fn answers_need_no_length() {
    for fixture in ["v2_missing.zarr", "v3_sharded_missing.zarr"] {
        let Some((_nginx, proxy)) = served(fixture) else { return };
        for method in ["GET", "HEAD"] {
            proxy.fail(method, "", Fault::NoLength, usize::MAX);
        }
        assert_same(&open(&proxy, 0), fixture);
    }
}

#[test]
fn a_request_that_the_server_does_not_know_is_no_missing_chunk() {
    let Some((_nginx, proxy)) = served("v2_raw.zarr") else { return };
    let error = chunk_error(&proxy, Fault::Status(405, ""));
    assert_eq!(io_kind(&error), Some(ErrorKind::Unsupported), "{}", chain(&error));
}

#[test]
fn s3_errors_are_told_by_their_codes() {
    let Some(server) = S3Server::start(false) else { return };
    server.put("v2_raw.zarr");
    let proxy = Proxy::start(server.port());
    let mut options: OpenOptions = quick(1);
    options.store.endpoint = Some(format!("http://127.0.0.1:{}", proxy.port()));
    let url = "s3://crops/v2_raw.zarr/s0";
    let array = ZarrArray::open_with(url, &options).unwrap();
    for (status, body, kind, text) in [
        (
            403,
            "<Error><Code>AccessDenied</Code></Error>",
            ErrorKind::PermissionDenied,
            "access denied",
        ),
        (404, "<Error><Code>NoSuchBucket</Code></Error>", ErrorKind::NotFound, "no such bucket"),
        (503, "<Error><Code>SlowDown</Code></Error>", ErrorKind::Other, "SlowDown"),
        (301, "<Error><Code>PermanentRedirect</Code></Error>", ErrorKind::InvalidInput, "region"),
    ] {
        proxy.fail("GET", "/s0/0.0.0", Fault::Status(status, body), 2);
        let error = read_error(&array);
        assert_eq!(io_kind(&error), Some(kind), "{}", chain(&error));
        let told = chain(&error);
        assert!(told.contains(text) && told.contains(&format!("{url}/0.0.0")), "{told}");
        proxy.forget();
    }
    proxy.fail("GET", "/s0/0.0.0", Fault::Status(404, "<Error><Code>NoSuchKey</Code></Error>"), 1);
    assert_ne!(array.data().unwrap(), local("v2_raw.zarr").data().unwrap());
    assert_same(&array, "v2_raw.zarr");
}
