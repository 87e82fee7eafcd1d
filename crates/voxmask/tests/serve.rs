//! `voxmask serve`: what a browser and other readers find, and how it ends.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod common;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use array_core::{Array, ArrayExt};
use common::crop_groups::CropGroup;
use common::{Crop, FRACTIONS, GROUPS_TOML, IDS, Sandbox, chunk_files, labels, typed};
use serde_json::{Value, json};
use zarr_source::{ZarrArray, ZarrFormat};

const SERVE: [&str; 4] = ["serve", "crop.zarr/all/s0", "--groups", "groups.toml"];

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    let crop = Crop { place: FRACTIONS, ..Crop::default() };
    crop.store(&sandbox.path("crop.zarr"), &typed::<u8>(&labels(&[10, 12, 9], &IDS)));
    sandbox.write("groups.toml", GROUPS_TOML);
    sandbox
}

/// A server of the binary, which is killed in the end if it has not ended.
struct Serving {
    child: Child,
    told: Value,
}

impl Serving {
    fn new(sandbox: &Sandbox, args: &[&str]) -> Self {
        Self::with(&mut Command::new(env!("CARGO_BIN_EXE_voxmask")), sandbox, args)
    }

    fn with(program: &mut Command, sandbox: &Sandbox, args: &[&str]) -> Self {
        let mut child = program
            .current_dir(sandbox.root())
            .args(args)
            .arg("--json")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let told = serde_json::from_str(&line).unwrap_or_else(|error| {
            let mut text = String::new();
            child.stderr.take().unwrap().read_to_string(&mut text).unwrap();
            panic!("{args:?} prints no JSON: {error}\n{text}");
        });
        Self { child, told }
    }

    fn url(&self) -> &str {
        self.told["url"].as_str().unwrap()
    }

    /// The first line and the body of an answer.
    fn get(&self, path: &str) -> (String, Vec<u8>) {
        let (host, _) = self.url().strip_prefix("http://").unwrap().split_once('/').unwrap();
        let mut stream = TcpStream::connect(host).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let end = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
        let head = String::from_utf8(answer[..end].to_vec()).unwrap();
        (head.lines().next().unwrap().to_owned(), answer[end + 4..].to_vec())
    }

    /// The state in the link.
    fn state(&self) -> Value {
        let link = self.told["neuroglancer_url"].as_str().unwrap();
        let (_, encoded) = link.split_once("#!").unwrap();
        let (mut bytes, mut rest) = (Vec::new(), encoded.bytes());
        while let Some(byte) = rest.next() {
            if byte != b'%' {
                bytes.push(byte);
                continue;
            }
            let digits = [rest.next().unwrap(), rest.next().unwrap()];
            bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap());
        }
        serde_json::from_slice(&bytes).unwrap()
    }

    /// Ends it as Ctrl-C does, and gives the exit code and what it has said.
    #[cfg(unix)]
    fn interrupt(mut self) -> (Option<i32>, String) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
        let mut text = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut text).unwrap();
        (self.child.wait().unwrap().code(), text)
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Compares what is served with what `voxmask mask` writes.
fn compare(sandbox: &Sandbox, serving: &Serving) {
    for name in ["mask", "target"] {
        let written = ZarrArray::open(sandbox.path(&format!("masks.zarr/{name}/s0"))).unwrap();
        for format in ["zarr2", "zarr3"] {
            let url = format!("{}{format}/{name}/s0", serving.url());
            let served = ZarrArray::open(url.as_str()).unwrap();
            assert_eq!(served.data().unwrap(), written.data().unwrap(), "{url}");
            assert_eq!(served.info().grid(), written.info().grid(), "{url}");
            assert_eq!(served.unit(), written.unit(), "{url}");
            assert_eq!(served.channels(), written.channels(), "{url}");
            assert_eq!(served.attrs()["kept"], written.attrs()["kept"], "{url}");
        }
    }
}

#[test]
fn what_is_served_is_what_would_be_written() {
    let sandbox = sandbox();
    sandbox.succeeds(&["mask", SERVE[1], SERVE[2], SERVE[3], "-o", "masks.zarr", "--targets"]);
    let before = sandbox.listing();
    let serving = Serving::new(&sandbox, &SERVE);
    compare(&sandbox, &serving);
    let served = ZarrArray::open(format!("{}zarr3/labels/s0", serving.url()).as_str()).unwrap();
    let own = ZarrArray::open(sandbox.path("crop.zarr/all/s0")).unwrap();
    assert_eq!(served.data().unwrap(), own.data().unwrap());
    assert_eq!(served.attrs()["labels"], own.attrs()["labels"]);
    sandbox.assert_unchanged(&before);
}

#[test]
fn a_crop_group_is_served_without_labels() {
    let sandbox = Sandbox::new();
    CropGroup::usual(ZarrFormat::V2).store(&sandbox.path("crop.zarr"));
    let source = "crop.zarr/crop1";
    sandbox.succeeds(&["mask", source, "-o", "masks.zarr", "--targets"]);
    let serving = Serving::new(&sandbox, &["serve", source]);
    let names: Vec<&Value> =
        serving.told["layers"].as_array().unwrap().iter().map(|layer| &layer["name"]).collect();
    assert_eq!(names, ["mask", "target"]);
    compare(&sandbox, &serving);
}

#[test]
fn one_line_tells_where_everything_is() {
    let sandbox = sandbox();
    let args = [&SERVE[..], &["--raw", "crop.zarr/all"]].concat();
    let serving = Serving::new(&sandbox, &args);
    let url = serving.url();
    let layer = |name: &str, kind: &str| json!({"name": name, "source": format!("zarr3://{url}zarr3/{name}"), "kind": kind});
    let expected = json!([
        layer("raw", "image"),
        layer("labels", "segmentation"),
        layer("mask", "mask"),
        layer("target", "target"),
    ]);
    assert_eq!(serving.told["layers"], expected);
    let state = serving.state();
    let shown = state["layers"].as_array().unwrap();
    assert_eq!(shown.len(), 2 + 5 + 5);
    let visible: Vec<&Value> =
        shown.iter().filter(|layer| layer["visible"] == true).map(|layer| &layer["name"]).collect();
    assert_eq!(visible, ["raw", "labels", "mask mito", "target mito"]);
    assert_eq!(state["dimensions"]["z"], json!([2.62e-9, "m"]));
    for layer in shown {
        let source = layer["source"].as_str().unwrap();
        let path = source.strip_prefix(&format!("zarr3://{}", url.trim_end_matches('/'))).unwrap();
        assert_eq!(serving.get(&format!("{path}/zarr.json")).0, "HTTP/1.1 200 OK");
    }
}

#[test]
fn a_client_of_ones_own_needs_no_internet() {
    let sandbox = sandbox();
    let client = sandbox.path("client");
    fs::create_dir(&client).unwrap();
    fs::write(client.join("index.html"), "<html>").unwrap();
    let serving = Serving::new(&sandbox, &[&SERVE[..], &["--client", "client"]].concat());
    let link = serving.told["neuroglancer_url"].as_str().unwrap();
    assert!(link.starts_with(&format!("{}v/1/#!", serving.url())), "{link}");
    assert_eq!(serving.get("/v/1/"), ("HTTP/1.1 200 OK".to_owned(), b"<html>".to_vec()));
    assert_eq!(serving.get("/v/1/../crop.zarr/.zgroup").0, "HTTP/1.1 400 Bad Request");
}

#[test]
fn a_damaged_chunk_is_told_to_the_log_and_not_to_the_client() {
    let sandbox = sandbox();
    for chunk in chunk_files(&sandbox.path("crop.zarr/all/s0")) {
        fs::write(chunk, "no chunk").unwrap();
    }
    let serving = Serving::new(&sandbox, &SERVE);
    let (status, body) = serving.get("/zarr3/target/s0/c/0/0/0/0");
    assert_eq!(status, "HTTP/1.1 500 Internal Server Error");
    assert!(!String::from_utf8(body).unwrap().contains("crop.zarr"));
    assert_eq!(serving.get("/healthz").0, "HTTP/1.1 200 OK");
    #[cfg(unix)]
    {
        let (code, said) = serving.interrupt();
        assert_eq!(code, Some(0));
        assert!(said.contains("target") && said.contains("crop.zarr/all/s0"), "{said}");
    }
}

#[cfg(unix)]
#[test]
fn an_interrupt_ends_it_without_an_error() {
    let sandbox = sandbox();
    let serving = Serving::new(&sandbox, &SERVE);
    let (code, said) = serving.interrupt();
    assert_eq!((code, said.as_str()), (Some(0), ""));
}

#[cfg(unix)]
#[test]
fn whoever_listens_to_others_is_told_who_can_read_and_where() {
    let sandbox = sandbox();
    let others = |more: &[&'static str]| {
        Serving::new(&sandbox, &[&SERVE[..], &["--bind", "0.0.0.0"], more].concat())
    };
    let serving = others(&[]);
    assert_eq!(serving.get("/healthz").0, "HTTP/1.1 200 OK");
    // A machine with a network is found by others where its link says, and not at 127.0.0.1.
    let outward = UdpSocket::bind("0.0.0.0:0").unwrap();
    if outward.connect("192.0.2.1:9").is_ok() {
        let ip = outward.local_addr().unwrap().ip();
        assert!(serving.url().starts_with(&format!("http://{ip}:")), "{}", serving.url());
        let link = serving.told["neuroglancer_url"].as_str().unwrap();
        assert!(link.contains(&ip.to_string()) && !link.contains("127.0.0.1"), "{link}");
    }
    let (_, said) = serving.interrupt();
    for part in ["can read the layers", "there is no password", "--token", "--client"] {
        assert!(said.contains(part), "{said}");
    }
    let (_, said) = others(&["--token"]).interrupt();
    assert!(said.contains("whoever has the link") && !said.contains("no password"), "{said}");
}

#[cfg(unix)]
#[test]
fn with_a_token_only_those_find_something_who_have_the_link() {
    let sandbox = sandbox();
    let serve = |more: &[&'static str]| Serving::new(&sandbox, &[&SERVE[..], more].concat());
    let tokens =
        [&["--token"][..], &["--token"], &["--token=0123456789abcdef", "-vv"]].map(|more| {
            let serving = serve(more);
            let (_, path) = serving.url().split_once("//").unwrap().1.split_once('/').unwrap();
            let token = path.trim_end_matches('/').to_owned();
            assert_eq!(serving.get(&format!("/{token}/healthz")).0, "HTTP/1.1 200 OK");
            for path in ["/", "/healthz", "/zarr3/mask/zarr.json", "/0123456789abcdee/healthz"] {
                assert_eq!(serving.get(path).0, "HTTP/1.1 404 Not Found", "{path}");
            }
            assert_eq!(serving.get(&format!("/x{token}/healthz")).0, "HTTP/1.1 404 Not Found");
            // The link finds what it shows, and readers of Zarr what is listed.
            for layer in serving.state()["layers"].as_array().unwrap() {
                let source = layer["source"].as_str().unwrap();
                assert!(source.contains(&format!("/{token}/zarr3/")), "{source}");
            }
            let source = serving.told["layers"][1]["source"].as_str().unwrap();
            let mask = ZarrArray::open(format!("{}/s0", source.strip_prefix("zarr3://").unwrap()));
            assert_eq!(mask.unwrap().info().shape()[0], 5);
            let (_, said) = serving.interrupt();
            assert!(!said.contains(&token), "{said}");
            assert!(!more.contains(&"-vv") || said.contains("/healthz"), "{said}");
            token
        });
    assert_eq!(tokens[2], "0123456789abcdef");
    assert!(tokens[0] != tokens[1] && tokens[0].len() == 32, "{tokens:?}");
}

#[cfg(unix)]
#[test]
fn idle_clients_do_not_use_up_the_open_files() {
    let sandbox = sandbox();
    let serving = Serving::with(
        Command::new("sh").args([
            "-c",
            "ulimit -n 64 && exec \"$0\" \"$@\"",
            env!("CARGO_BIN_EXE_voxmask"),
        ]),
        &sandbox,
        &SERVE,
    );
    let host = serving.url().strip_prefix("http://").unwrap().trim_end_matches('/').to_owned();
    let idle: Vec<TcpStream> = (0..200).map(|_| TcpStream::connect(&host).unwrap()).collect();
    assert_eq!(serving.get("/zarr3/target/s0/c/0/0/0/0").0, "HTTP/1.1 200 OK");
    drop(idle);
    let (code, said) = serving.interrupt();
    assert_eq!(code, Some(0));
    assert!(said.contains("no more than 32 clients") && said.contains("ulimit -n"), "{said}");
    assert!(!said.contains("error"), "{said}");
}

#[test]
fn what_cannot_be_served_is_refused_before_anybody_listens() {
    let sandbox = sandbox();
    let serve = |more: &[&'static str]| [&SERVE[..], more].concat();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let args = [&SERVE[..], &["--port", &port]].concat();
    sandbox.refuses(&args, 1, &["cannot listen at 127.0.0.1:", &port, "in use"]);
    sandbox.refuses(&serve(&["--port", "70000"]), 2, &["70000"]);
    sandbox.refuses(&serve(&["--bind", "localhost"]), 2, &["localhost"]);
    sandbox.refuses(&serve(&["--cache", "some"]), 2, &["some"]);
    sandbox.refuses(&serve(&["--token=guess"]), 2, &["--token", "16 to 128", "one is made up"]);
    sandbox.refuses(&serve(&["--token=../0123456789abcdef"]), 2, &["--token", "letters, digits"]);
    sandbox.refuses(&serve(&["--cache", "9 parsecs"]), 2, &["parsecs", "MiB"]);
    sandbox.refuses(&serve(&["--raw", "nothing.zarr"]), 1, &["cannot open nothing.zarr"]);
    sandbox.refuses(&serve(&["--raw", "crop.zarr"]), 1, &["cannot open crop.zarr"]);
    sandbox.refuses(&serve(&["--client", "nothing"]), 1, &["cannot read nothing"]);
    sandbox.refuses(&serve(&["--client", "crop.zarr"]), 1, &["crop.zarr", "no index.html"]);
    sandbox.refuses(&SERVE[..2], 2, &["no channels"]);
    sandbox.refuses(&["serve", "crop.zarr", "--group", "a=1"], 1, &["neither a label array nor"]);
}
