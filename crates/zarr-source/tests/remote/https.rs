//! Encrypted connections, to a server whose certificate an authority of the test has signed.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::s3::{READ, process};
use crate::servers::{Nginx, free_port};
use crate::support::put;

/// Runs openssl in a folder.
fn openssl(folder: &Path, arguments: &str) {
    let status = Command::new("openssl")
        .args(arguments.split_whitespace())
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    assert!(status.unwrap().success(), "openssl {arguments}");
}

/// Makes an authority (`ca.pem`) and a certificate of this machine that it has signed (`cert.pem`, `key.pem`).
fn certificates(folder: &Path) {
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
    openssl(
        folder,
        &format!("req -x509 {key} -keyout ca.key -out ca.pem -days 2 -subj /CN=authority"),
    );
    openssl(folder, &format!("req {key} -keyout key.pem -out request.pem -subj /CN=localhost"));
    fs::write(folder.join("names"), "subjectAltName=DNS:localhost,IP:127.0.0.1\n").unwrap();
    openssl(
        folder,
        "x509 -req -in request.pem -CA ca.pem -CAkey ca.key -CAcreateserial -out cert.pem -days 2 -extfile names",
    );
}

#[test]
fn a_certificate_is_trusted_if_its_authority_is() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().to_str().unwrap();
    let port = free_port();
    let settings = format!(
        "listen 127.0.0.1:{port} ssl; ssl_certificate {at}/cert.pem; ssl_certificate_key {at}/key.pem;"
    );
    if std::env::var_os("VOXMASK_NGINX").is_some() {
        certificates(folder.path());
    }
    let Some(nginx) = Nginx::start(&settings) else { return };
    let fixture = "v3_sharded_missing.zarr";
    put(fixture, &nginx.root(), fixture);
    let url = format!("https://localhost:{port}/{fixture}/s0");

    let authority = format!("{at}/ca.pem");
    let text = process(&url, &[("SSL_CERT_FILE", &authority)]);
    assert!(text.contains(READ), "{text}");

    // An authority that has signed nothing.
    let other = tempfile::tempdir().unwrap();
    certificates(other.path());
    let other = other.path().join("ca.pem");
    let text = process(&url, &[("SSL_CERT_FILE", other.to_str().unwrap())]);
    assert!(!text.contains(READ) && text.contains("certificate"), "{text}");
}
