//! URLs as a store and a path in it, and the store of an HTTP server.

use std::path::PathBuf;
use std::sync::Arc;

use object_store::http::HttpBuilder;
use object_store::path::Path as ObjectPath;
use object_store::{HeaderMap, HeaderValue, ObjectStore};
use url::Url;

use super::lengths::WithLengths;
use super::{client_options, retry_config};
use crate::store::StoreOptions;

/// Why there is no client, without what its own errors repeat.
pub(super) const NO_CLIENT: &str = "the client cannot be started; are there root certificates (SSL_CERT_FILE), and are settings right?";

/// A URL taken apart.
pub(super) struct Parsed {
    pub(super) place: Place,
    /// The store as messages call it.
    pub(super) base: PathBuf,
    /// The parts of the path in the store.
    pub(super) names: Vec<String>,
}

pub(super) enum Place {
    Bucket(String),
    Http(Server),
}

/// The root of an HTTP server, with the query that goes to every request, and who asks.
pub(super) struct Server {
    root: Url,
    asked_by: Url,
}

/// Takes a URL apart; otherwise what is wrong with it.
pub(super) fn parse(text: &str) -> Result<Parsed, String> {
    let scheme = text.split_once("://").map_or("", |(scheme, _)| scheme);
    if scheme.eq_ignore_ascii_case("s3") { bucket(text) } else { server(text) }
}

fn bucket(text: &str) -> Result<Parsed, String> {
    let rest = text.get("s3://".len()..).unwrap_or_default();
    let (bucket, path) = rest.split_once('/').unwrap_or((rest, ""));
    // A key may hold the slash that ends the bucket.
    if bucket.contains(['@', ':']) {
        return Err("credentials do not belong into the URL; set AWS_ACCESS_KEY_ID and \
                    AWS_SECRET_ACCESS_KEY, or a profile"
            .to_owned());
    }
    if rest.contains('?') || rest.contains('#') {
        return Err(
            "an s3 URL has no query; settings come from options and AWS_ variables".to_owned()
        );
    }
    let is_name = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    if bucket.is_empty() || !bucket.chars().all(is_name) {
        return Err(format!("{bucket:?} cannot be the name of a bucket"));
    }
    let base = PathBuf::from(format!("s3://{bucket}"));
    Ok(Parsed { place: Place::Bucket(bucket.to_owned()), base, names: names(path)? })
}

fn server(text: &str) -> Result<Parsed, String> {
    let asked_by = Url::parse(text).map_err(|error| error.to_string())?;
    let base = PathBuf::from(asked_by.origin().ascii_serialization());
    // Names are as they are; requests encode them.
    let decoded = asked_by
        .path()
        .split('/')
        .filter(|name| !name.is_empty())
        .map(|name| ObjectPath::from_url_path(name).map(|path| path.to_string()));
    let decoded = decoded.collect::<Result<Vec<String>, _>>();
    let names =
        decoded.map_err(|_| "its path is not Unicode, or has control characters".to_owned())?;
    let mut root = asked_by.clone();
    root.set_path("/");
    root.set_fragment(None);
    let cannot = |()| "it has no host".to_owned();
    root.set_username("").map_err(cannot)?;
    root.set_password(None).map_err(cannot)?;
    Ok(Parsed { place: Place::Http(Server { root, asked_by }), base, names })
}

fn names(path: &str) -> Result<Vec<String>, String> {
    let names = path.split('/').filter(|name| !name.is_empty() && *name != ".");
    let names: Vec<String> = names.map(str::to_owned).collect();
    if names.iter().any(|name| name == "..") {
        return Err("its path goes upwards (..)".to_owned());
    }
    Ok(names)
}

/// The store of an HTTP server; otherwise why there is none.
pub(super) fn http_store(
    server: Server,
    options: &StoreOptions,
) -> Result<Arc<dyn ObjectStore>, String> {
    let mut client = client_options(options, true);
    if let Some(value) = authorization(server.asked_by)? {
        let mut headers = HeaderMap::new();
        headers.insert(reqwest::header::AUTHORIZATION, value);
        client = client.with_default_headers(headers);
    }
    let is_plain = server.root.scheme() == "http";
    let build = |client| {
        HttpBuilder::new()
            .with_url(server.root.clone())
            .with_client_options(client)
            .with_retry(retry_config(options))
            .with_http_connector(WithLengths)
            .build()
    };
    let store = match build(client.clone()) {
        // A machine without root certificates can do without TLS.
        Err(_) if is_plain => build(client.with_no_system_certificates(true)),
        built => built,
    };
    match store {
        Ok(store) => Ok(Arc::new(store)),
        Err(_) => Err(NO_CLIENT.to_owned()),
    }
}

/// The header that a user and a password in a URL mean.
fn authorization(url: Url) -> Result<Option<HeaderValue>, String> {
    if url.username().is_empty() && url.password().is_none() {
        return Ok(None);
    }
    // The client makes the header, but not for requests that come from elsewhere. This one asks nobody, so
    // it needs no certificates, which a machine may lack.
    let client = reqwest::Client::builder().tls_certs_only([]).build();
    let request = client.and_then(|client| client.get(url).build());
    let request = request.map_err(|_| "its user or password cannot be sent".to_owned())?;
    Ok(request.headers().get(reqwest::header::AUTHORIZATION).cloned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_come_apart_without_their_secrets() {
        let parsed = parse("https://me:pass@host:8443/a%20b//crop.zarr/?sig=x#y").unwrap();
        assert_eq!(parsed.base, PathBuf::from("https://host:8443"));
        assert_eq!(parsed.names, ["a b", "crop.zarr"]);
        let Place::Http(server) = parsed.place else { panic!() };
        assert_eq!(server.root.as_str(), "https://host:8443/?sig=x");

        let parsed = parse("S3://my-bucket/a%20b/./c").unwrap();
        assert_eq!(parsed.base, PathBuf::from("s3://my-bucket"));
        assert_eq!(parsed.names, ["a%20b", "c"]);
    }

    #[test]
    fn urls_that_cannot_be_opened_say_why_and_show_no_secret() {
        for (url, why) in [
            ("s3://key:secret@bucket/x", "credentials do not belong"),
            ("s3://key:secret/x@bucket/x", "credentials do not belong"),
            ("https://me:secret/x@host/x", "port"),
            ("s3://bucket/x?secret=1", "no query"),
            ("s3:///x", "name of a bucket"),
            ("s3://bucket/../x", "upwards"),
            ("http://", "host"),
            ("http://host:secret/", "port"),
            ("http://host/%ff", "Unicode"),
        ] {
            let reason = parse(url).err().unwrap();
            assert!(reason.contains(why) && !reason.contains("secret"), "{url}: {reason}");
        }
    }
}
