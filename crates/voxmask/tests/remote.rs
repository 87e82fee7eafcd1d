//! What lies on servers is masked, shown and checked as what lies in a folder, and no credentials are told.
//!
//! `VOXMASK_NGINX` and `VOXMASK_S3_SERVER` name the servers. A test whose server is not named says so and
//! ends, unless `VOXMASK_REQUIRE_PEERS` is set.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod common;
#[path = "../../zarr-source/tests/remote/servers.rs"]
#[expect(dead_code, reason = "the tests of the store use more of it")]
mod servers;

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use array_core::Array;
use common::crop_groups::CropGroup;
use common::{Crop, GROUPS_TOML, IDS, Run, Sandbox, assert_voxels, bytes_of, labels, typed};
use serde_json::{Value, json};
use servers::{ACCESS_KEY, Nginx, S3Server, SECRET_KEY};
use zarr_source::{ZarrArray, ZarrFormat};

/// What the servers are given; they know it by this name.
mod support {
    use std::path::Path;

    /// Puts a fixture of the store into a folder, under a name.
    pub(crate) fn put(fixture: &str, folder: &Path, name: &str) {
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../zarr-source/tests/fixtures");
        super::copy(&fixtures.join(fixture), &folder.join(name));
    }
}

fn copy(from: &Path, to: &Path) {
    for (name, bytes) in common::listing(from) {
        let target = to.join(name);
        fs::create_dir_all(if bytes.is_some() { target.parent().unwrap() } else { &target })
            .unwrap();
        if let Some(bytes) = bytes {
            fs::write(target, bytes).unwrap();
        }
    }
}

/// A folder with `crop.zarr` (labels `all`) and `group.zarr` (the crop group `crop1`).
fn local() -> Sandbox {
    let sandbox = Sandbox::new();
    let crop = Crop { format: ZarrFormat::V3, ..Crop::default() };
    crop.store(&sandbox.path("crop.zarr"), &typed::<u8>(&labels(&[10, 12, 9], &IDS)));
    CropGroup::usual(ZarrFormat::V3).store(&sandbox.path("group.zarr"));
    sandbox.write("groups.toml", GROUPS_TOML);
    sandbox
}

const SECRETS: [&str; 4] = [ACCESS_KEY, SECRET_KEY, "secretPassword", "wrongSecret"];

#[track_caller]
fn assert_no_secret(text: &str) {
    for secret in SECRETS {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
}

/// Runs the binary with nothing of the environment but `variables`, as loud as it can be.
fn run(sandbox: &Sandbox, args: &[&str], variables: &[(&str, &str)]) -> Run {
    let mut command = sandbox.command();
    command.env_clear().env("HOME", "/nowhere").envs(variables.iter().copied());
    let run = common::run_of(&command.args(args).arg("-vv").output().unwrap());
    assert_no_secret(&run.stdout);
    assert_no_secret(&run.stderr);
    run
}

#[track_caller]
fn succeeds(sandbox: &Sandbox, args: &[&str], variables: &[(&str, &str)]) -> Run {
    let run = run(sandbox, args, variables);
    assert_eq!(run.code, Some(0), "{args:?} fails: {}", run.stderr);
    run
}

/// Holds mask and target of the labels and of the crop group at `base` against those of the local ones, and
/// what is said of both.
fn assert_same(sandbox: &Sandbox, base: &str, options: &[&str], variables: &[(&str, &str)]) {
    let cases = [("crop.zarr/all/s0", &["--groups", "groups.toml"][..]), ("group.zarr/crop1", &[])];
    for (index, (path, groups)) in cases.into_iter().enumerate() {
        let url = format!("{base}/{path}");
        let (here, there) = (format!("here{index}.zarr"), format!("there{index}.zarr"));
        let write = |source: &str, out: &str, options: &[&str]| {
            let args = ["mask", source, "--targets", "--overwrite", "-o", out];
            succeeds(sandbox, &[&args[..], groups, options].concat(), variables).stdout
        };
        let (local, remote) = (write(path, &here, &[]), write(&url, &there, options));
        // The last line names the output.
        let table = |text: &str| {
            text.lines().filter(|l| !l.starts_with("wrote")).map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(table(&remote), table(&local));
        for part in ["mask/s0", "target/s0"] {
            let of = |out: &str| sandbox.path(out).join(part);
            assert_voxels(&bytes_of(&of(&there)), &bytes_of(&of(&here)));
            let grid = |out: &str| *ZarrArray::open(of(out)).unwrap().info().grid();
            assert_eq!(grid(&there), grid(&here));
        }
        let written = common::listing(&sandbox.path(&there));
        for bytes in written.values().flatten() {
            assert_no_secret(&String::from_utf8_lossy(bytes));
        }
        let source =
            common::crop_groups::attrs_v3(&sandbox.path(&there))["voxmask"]["source"].clone();
        assert!(source.as_str().unwrap().ends_with(path), "{source}");

        let inspect = |source: &str, options: &[&str]| -> Value {
            let args = [&["inspect", source, "--json"], options].concat();
            serde_json::from_str(&succeeds(sandbox, &args, variables).stdout).unwrap()
        };
        let (local, remote) = (inspect(path, &[]), inspect(&url, options));
        for key in ["shape", "voxel_size", "offset", "units", "axes", "labels", "class_names"] {
            assert_eq!(remote[key], local[key], "{key} of {url}");
        }
        let check = |source: &str, options: &[&str]| {
            let run = run(sandbox, &[&["check", source, "--json"], options].concat(), variables);
            let mut found: Value = serde_json::from_str(&run.stdout).unwrap();
            found["sources"][0]["source"] = Value::Null;
            (run.code, found)
        };
        assert_eq!(check(&url, options), check(path, &[]));
    }
}

#[test]
fn a_static_server_is_as_good_as_a_folder() {
    let Some(nginx) = Nginx::start("") else { return };
    let sandbox = local();
    copy(sandbox.root(), &nginx.root());
    assert_same(&sandbox, nginx.url("").trim_end_matches('/'), &[], &[]);
    let gone = nginx.url("crop.zarr/none");
    let before = sandbox.listing();
    let run = run(&sandbox, &["mask", &gone, "--group", "g=1", "-o", "no.zarr"], &[]);
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    assert!(run.stderr.contains("crop.zarr/none"), "{}", run.stderr);
    sandbox.assert_unchanged(&before);
}

#[test]
fn a_password_in_a_url_opens_the_door_and_is_told_to_nobody() {
    let Some(nginx) = Nginx::start("auth_basic voxmask; auth_basic_user_file users;") else {
        return;
    };
    let sandbox = local();
    copy(sandbox.root(), &nginx.root());
    let base = format!("http://me:secretPassword@127.0.0.1:{}", nginx.port());
    assert_same(&sandbox, &base, &[], &[]);
    // A config may hold such a URL, too.
    let config = json!({"kind": "zarr", "path": format!("{base}/crop.zarr/all")});
    sandbox.write("gt.json", &config.to_string());
    succeeds(&sandbox, &["mask", "gt.json", "--group", "g=1", "-o", "config.zarr"], &[]);
    succeeds(&sandbox, &["inspect", "gt.json"], &[]);
    for command in [&["inspect"][..], &["check"], &["mask", "--group", "g=1", "-o", "no.zarr"]] {
        let url = format!("http://me:wrongSecret@127.0.0.1:{}/crop.zarr/all/s0", nginx.port());
        let run = run(&sandbox, &[command, &[&url]].concat(), &[]);
        assert_eq!(run.code, Some(1));
        let text = format!("{}{}", run.stdout, run.stderr);
        assert!(text.contains("access denied (401"), "{text}");
    }
}

#[test]
fn a_bucket_is_as_good_as_a_folder() {
    let Some(server) = S3Server::start(false) else { return };
    let sandbox = local();
    copy(sandbox.root(), &server.bucket());
    let endpoint = server.endpoint();
    let options = ["--endpoint", &endpoint, "--region", "eu-west-1", "--anonymous"];
    assert_same(&sandbox, "s3://crops", &options, &[]);
    // A bucket is listed, as a folder of containers is.
    let text =
        succeeds(&sandbox, &[&["inspect", "s3://crops/group.zarr"], &options[..]].concat(), &[]);
    assert!(text.stdout.contains("crop of 7 classes"), "{}", text.stdout);
}

#[test]
fn keys_of_the_environment_are_used_and_told_to_nobody() {
    let Some(server) = S3Server::start(true) else { return };
    let sandbox = local();
    copy(sandbox.root(), &server.bucket());
    let endpoint = server.endpoint();
    let keys = [("AWS_ACCESS_KEY_ID", ACCESS_KEY), ("AWS_SECRET_ACCESS_KEY", SECRET_KEY)];
    assert_same(&sandbox, "s3://crops", &["--endpoint", &endpoint], &keys);
    // With --anonymous they are not sent; a wrong one is refused.
    let wrong = [("AWS_ACCESS_KEY_ID", ACCESS_KEY), ("AWS_SECRET_ACCESS_KEY", "wrongSecret")];
    for (anonymous, variables) in [(true, &keys), (false, &wrong)] {
        let args = ["inspect", "s3://crops/crop.zarr/all/s0", "--endpoint", &endpoint];
        let more = if anonymous { &["--anonymous"][..] } else { &[] };
        let run = run(&sandbox, &[&args[..], more].concat(), variables);
        assert_eq!(run.code, Some(1), "{}", run.stdout);
        assert!(run.stderr.contains("access denied"), "{}", run.stderr);
        assert!(run.stderr.contains("s3://crops/crop.zarr/all/s0"), "{}", run.stderr);
    }
}

/// A server that answers every request with `answer`, or never if there is none; and how often it was asked.
fn server(answer: Option<&'static str>) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let url = format!("http://{}/crop.zarr/s0", listener.local_addr().unwrap());
    let requests = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&requests);
    // It ends with the process.
    std::thread::spawn(move || {
        let mut silent = Vec::new();
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = [0; 4096];
            let length = stream.read(&mut request).unwrap_or(0);
            counted.fetch_add(usize::from(length > 0), Ordering::SeqCst);
            match answer {
                Some(answer) => {
                    // Whoever asked may have gone.
                    let _ = stream.write_all(answer.as_bytes());
                }
                None => silent.push(stream),
            }
        }
    });
    (url, requests)
}

#[test]
fn a_request_takes_no_longer_than_the_user_allows() {
    let (url, _) = server(None);
    let sandbox = Sandbox::new();
    let begun = Instant::now();
    let run = run(&sandbox, &["inspect", &url, "--timeout", "1", "--retries", "0"], &[]);
    assert_eq!(run.code, Some(1));
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    assert!(run.stderr.contains("crop.zarr/s0"), "{}", run.stderr);
    sandbox.refuses(&["inspect", &url, "--timeout", "0"], 2, &["--timeout"]);
    sandbox.refuses(&["inspect", &url, "--retries", "many"], 2, &["--retries"]);
}

#[test]
fn a_request_is_repeated_as_often_as_the_user_says() {
    let answer = "HTTP/1.1 500 Oops\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    let sandbox = Sandbox::new();
    let asked = |retries: &str| {
        let (url, requests) = server(Some(answer));
        let run = run(&sandbox, &["inspect", &url, "--retries", retries], &[]);
        assert_eq!(run.code, Some(1), "{}", run.stdout);
        assert!(run.stderr.contains("500"), "{}", run.stderr);
        requests.load(Ordering::SeqCst)
    };
    let once = asked("0");
    assert!(once > 0);
    assert_eq!(asked("2"), 3 * once);
}
