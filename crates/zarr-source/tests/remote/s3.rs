//! An S3 server, for everybody and for those who have keys.

use std::fs;
use std::process::Command;

use array_core::testing::check_contract;
use zarr_source::{OpenOptions, TreeKind, ZarrArray, ZarrGroup};

use crate::servers::{ACCESS_KEY, Nginx, S3Server, SECRET_KEY, write};
use crate::support::{assert_same, chain, copy, fixture_names, fixtures, put, quick, zips};

fn at(server: &S3Server) -> OpenOptions {
    let mut options = quick(0);
    options.store.endpoint = Some(server.endpoint());
    options
}

#[test]
fn every_fixture_reads_as_from_a_folder() {
    let Some(server) = S3Server::start(false) else { return };
    copy(&fixtures(), &server.bucket());
    for name in fixture_names() {
        let url = format!("s3://crops/{name}/s0");
        let array = ZarrArray::open_with(&url, &at(&server)).unwrap();
        assert_same(&array, &name);
        assert_eq!(array.metadata().path().to_str(), Some(&url[..]));
    }
    let url = "s3://crops/v3_sharded_missing.zarr/s0";
    check_contract(&ZarrArray::open_with(url, &at(&server)).unwrap());
}

#[test]
fn buckets_are_listed() {
    let Some(server) = S3Server::start(false) else { return };
    for fixture in ["v2_missing.zarr", "v3_sharded_missing.zarr"] {
        server.put(fixture);
        let url = format!("s3://crops/{fixture}");
        let group = ZarrGroup::open_with(&url, &at(&server)).unwrap();
        let arrays = group.arrays().unwrap();
        assert_eq!(arrays.len(), 1);
        assert_eq!(arrays[0].to_str(), Some(&format!("{url}/s0")[..]));
        assert!(group.groups().unwrap().is_empty());
        let tree = group.tree(10).unwrap();
        let TreeKind::Array(array) = &tree.root.children[0].kind else { panic!("{tree:?}") };
        assert_eq!((&array.shape[..], array.stored_bytes), (&[5, 7, 6][..], None));
    }
    // What is there is told, also where no group is.
    let error = ZarrArray::open_with("s3://crops", &at(&server)).unwrap_err();
    let text = error.to_string();
    assert!(text.contains("v2_missing.zarr/s0") && text.starts_with("s3://crops is not"), "{text}");
    let error = ZarrArray::open_with("s3://crops/v2_missing.zarr/s7", &at(&server)).unwrap_err();
    assert!(error.to_string().contains("the arrays in it are s0"), "{error}");
}

#[test]
fn archives_in_buckets_are_read() {
    let Some(server) = S3Server::start(false) else { return };
    copy(&zips(), &server.bucket());
    let url = "s3://crops/zipstore_v2_deflated.zarr.zip/labels/s0";
    assert_same(&ZarrArray::open_with(url, &at(&server)).unwrap(), "v2_missing.zarr");
}

#[test]
fn a_bucket_that_is_not_there_is_told() {
    let Some(server) = S3Server::start(false) else { return };
    let error = ZarrArray::open_with("s3://none/crop.zarr/s0", &at(&server)).unwrap_err();
    let text = chain(&error);
    assert!(text.contains("s3://none/crop.zarr"), "{text}");
    assert!(text.contains("no such bucket"), "{text}");
}

/// Reads in a process of its own what its environment names: variables of a process that runs are shared by
/// all its tests.
#[test]
fn a_process_reads_what_its_environment_names() {
    let Some(url) = std::env::var_os("VOXMASK_TEST_URL") else { return };
    tracing_subscriber::fmt().with_max_level(tracing_subscriber::filter::LevelFilter::TRACE).init();
    match ZarrArray::open_with(url.to_str().unwrap(), &OpenOptions::default()) {
        Ok(array) => {
            assert_same(&array, "v3_sharded_missing.zarr");
            println!("{array:?} {:?} has been read", array.metadata());
        }
        Err(error) => println!("{} {error:?}", chain(&error)),
    }
}

/// What a process with these variables alone prints, with everything that is logged.
pub(crate) fn process(url: &str, variables: &[(&str, &str)]) -> String {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["s3::a_process_reads_what_its_environment_names", "--exact", "--nocapture"])
        .env_clear()
        .env("VOXMASK_TEST_URL", url)
        .env("HOME", "/nowhere")
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    assert!(output.status.success(), "{text}");
    // Something is logged, or the search means nothing.
    assert!(text.contains("DEBUG") || text.contains("InvalidLocation"), "{text}");
    for secret in [SECRET_KEY, "wrongSecret", "secretToken", "secretPassword", "secretSignature"] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
    text
}

const URL: &str = "s3://crops/v3_sharded_missing.zarr/s0";
pub(crate) const READ: &str = "has been read";

#[test]
fn credentials_come_from_the_environment() {
    let Some(server) = S3Server::start(true) else { return };
    server.put("v3_sharded_missing.zarr");
    let endpoint = server.endpoint();
    let keys = [("AWS_ACCESS_KEY_ID", ACCESS_KEY), ("AWS_SECRET_ACCESS_KEY", SECRET_KEY)];
    let text = process(URL, &[&[("AWS_ENDPOINT_URL", &endpoint[..])], &keys[..]].concat());
    assert!(text.contains(READ), "{text}");
    assert!(!text.contains("requests are not signed"), "{text}");
    let text = process(URL, &[&[("AWS_ENDPOINT_URL_S3", &endpoint[..])], &keys[..]].concat());
    assert!(text.contains(READ), "{text}");
}

#[test]
fn credentials_come_from_files() {
    let Some(server) = S3Server::start(true) else { return };
    server.put("v3_sharded_missing.zarr");
    let home = tempfile::tempdir().unwrap();
    let keys = format!("aws_access_key_id = {ACCESS_KEY}\naws_secret_access_key = {SECRET_KEY}\n");
    let wrong = "aws_access_key_id = X\naws_secret_access_key = wrongSecret\n";
    let credentials = home.path().join(".aws/credentials");
    write(&credentials, &format!("[default]\n{wrong}[lab]\n{keys}"));
    let config =
        format!("[profile lab]\nendpoint_url = {}\nregion = eu-west-1\n", server.endpoint());
    write(&home.path().join(".aws/config"), &config);
    let home_path = home.path().to_str().unwrap();
    let text = process(URL, &[("HOME", home_path), ("AWS_PROFILE", "lab")]);
    assert!(text.contains(READ), "{text}");

    let elsewhere = home.path().join("mine");
    fs::rename(&credentials, &elsewhere).unwrap();
    let named = [
        ("AWS_SHARED_CREDENTIALS_FILE", elsewhere.to_str().unwrap()),
        ("AWS_CONFIG_FILE", "/nowhere/config"),
        ("AWS_ENDPOINT_URL", &server.endpoint()),
    ];
    let text = process(URL, &[&named[..], &[("AWS_PROFILE", "lab")]].concat());
    assert!(text.contains(READ), "{text}");
    let text = process(URL, &named);
    assert!(text.contains("access denied"), "{text}");
}

#[test]
fn credentials_that_are_wrong_or_missing_are_told_and_never_shown() {
    let Some(server) = S3Server::start(true) else { return };
    server.put("v3_sharded_missing.zarr");
    let endpoint = server.endpoint();
    let endpoint = ("AWS_ENDPOINT_URL", &endpoint[..]);
    for keys in [
        &[("AWS_ACCESS_KEY_ID", ACCESS_KEY), ("AWS_SECRET_ACCESS_KEY", "wrongSecret")][..],
        &[("AWS_ACCESS_KEY_ID", "AKIDOTHER"), ("AWS_SECRET_ACCESS_KEY", "wrongSecret")],
        &[
            ("AWS_ACCESS_KEY_ID", ACCESS_KEY),
            ("AWS_SECRET_ACCESS_KEY", "wrongSecret"),
            ("AWS_SESSION_TOKEN", "secretToken"),
        ],
        &[],
    ] {
        let text = process(URL, &[&[endpoint], keys].concat());
        assert!(text.contains("access denied"), "{keys:?}: {text}");
        assert!(text.contains("s3://crops/v3_sharded_missing.zarr/zarr.json"), "{text}");
        assert_eq!(text.contains("requests are not signed"), keys.is_empty(), "{text}");
    }
    let text = process(URL, &[endpoint, ("AWS_ACCESS_KEY_ID", ACCESS_KEY)]);
    assert!(text.contains("AWS_SECRET_ACCESS_KEY is not"), "{text}");
}

#[test]
fn anonymous_requests_are_not_signed_whatever_the_environment_says() {
    let Some(server) = S3Server::start(false) else { return };
    server.put("v3_sharded_missing.zarr");
    let endpoint = server.endpoint();
    // Nor are root certificates needed where nothing is encrypted.
    let variables = [("AWS_ENDPOINT_URL", &endpoint[..]), ("SSL_CERT_FILE", "/nowhere")];
    let text = process(URL, &variables);
    assert!(text.contains(READ) && text.contains("requests are not signed"), "{text}");
}

#[test]
fn a_password_is_sent_where_there_are_no_root_certificates() {
    let settings = "auth_basic voxmask; auth_basic_user_file users;";
    let Some(nginx) = Nginx::start(settings) else { return };
    put("v3_sharded_missing.zarr", &nginx.root(), "crop.zarr");
    let url = format!("http://me:secretPassword@127.0.0.1:{}/crop.zarr/s0", nginx.port());
    let text = process(&url, &[("SSL_CERT_FILE", "/nowhere"), ("SSL_CERT_DIR", "/nowhere")]);
    assert!(text.contains(READ), "{text}");
}
