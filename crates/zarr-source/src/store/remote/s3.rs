//! The store of an S3 bucket, and where its credentials come from.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use object_store::ObjectStore;
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};

use super::profile::Profile;
use super::url::NO_CLIENT;
use super::{client_options, retry_config};
use crate::location::redacted;
use crate::store::StoreOptions;

/// The variables that are read, beside those that name files and profiles.
///
/// Those of the services that hand out credentials in containers only have values inside one.
const VARIABLES: [&str; 14] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_SKIP_SIGNATURE",
    "AWS_REQUEST_PAYER",
    "AWS_VIRTUAL_HOSTED_STYLE_REQUEST",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
    "AWS_ENDPOINT_URL_STS",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_METADATA_ENDPOINT",
];

/// The environment variables that count, and the home of the user.
pub(super) struct Environment {
    variables: BTreeMap<String, String>,
}

impl Environment {
    pub(super) fn of_process() -> Self {
        let known =
            |name: &String| name.starts_with("AWS_") || name == "HOME" || name == "USERPROFILE";
        let unicode = std::env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        });
        Self::new(unicode.filter(|(name, _)| known(name)))
    }

    pub(super) fn new(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        // What is set to nothing is not set.
        let variables = variables.into_iter().filter(|(_, value)| !value.trim().is_empty());
        Self { variables: variables.collect() }
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str)
    }

    fn first(&self, names: &[&str]) -> Option<&str> {
        names.iter().find_map(|name| self.get(name))
    }

    /// A file that a variable names, or one in the home of the user.
    pub(super) fn file(&self, variable: &str, in_home: &str) -> Option<PathBuf> {
        let home = || Some(PathBuf::from(self.first(&["HOME", "USERPROFILE"])?).join(in_home));
        self.get(variable).map(PathBuf::from).or_else(home)
    }
}

/// The store of a bucket; otherwise why there is none.
pub(super) fn store(
    bucket: &str,
    options: &StoreOptions,
    environment: &Environment,
) -> Result<Arc<dyn ObjectStore>, String> {
    let (builder, is_plain) = builder(bucket, options, environment)?;
    let store = match builder.clone().build() {
        // A machine without root certificates can do without TLS.
        Err(_) if is_plain => {
            let client = client_options(options, true).with_no_system_certificates(true);
            builder.with_client_options(client).build()
        }
        built => built,
    };
    match store {
        Ok(store) => Ok(Arc::new(store)),
        Err(_) => Err(NO_CLIENT.to_owned()),
    }
}

/// How the store is made, and whether it is reached without TLS.
fn builder(
    bucket: &str,
    options: &StoreOptions,
    environment: &Environment,
) -> Result<(AmazonS3Builder, bool), String> {
    // Those in variables go before those in files.
    let wants_keys = !options.anonymous && environment.get("AWS_ACCESS_KEY_ID").is_none();
    let profile = Profile::read(environment, wants_keys)?;
    let endpoint = options
        .endpoint
        .as_deref()
        .or_else(|| environment.first(&["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"]))
        .or(profile.endpoint.as_deref());
    let region = options
        .region
        .as_deref()
        .or_else(|| environment.first(&["AWS_REGION", "AWS_DEFAULT_REGION"]))
        .or(profile.region.as_deref());
    let is_plain = endpoint.map(check_endpoint).transpose()?.unwrap_or(false);
    let mut builder = AmazonS3Builder::new()
        .with_client_options(client_options(options, is_plain))
        .with_retry(retry_config(options))
        .with_bucket_name(bucket);
    if let Some(endpoint) = endpoint {
        builder = builder.with_endpoint(endpoint.trim_end_matches('/'));
    }
    if let Some(region) = region {
        builder = builder.with_region(region);
    }
    if options.anonymous {
        return Ok((builder.with_skip_signature(true), is_plain));
    }
    for name in VARIABLES {
        if let Some(value) = environment.get(name) {
            let key: AmazonS3ConfigKey = name
                .to_ascii_lowercase()
                .parse()
                .map_err(|_| format!("the variable {name} is not understood"))?;
            builder = builder.with_config(key, value);
        }
    }
    let id = environment.get("AWS_ACCESS_KEY_ID");
    match (id, environment.get("AWS_SECRET_ACCESS_KEY")) {
        (Some(_), Some(_)) => return Ok((builder, is_plain)),
        (None, None) => {}
        (Some(_), None) => {
            return Err("AWS_ACCESS_KEY_ID is set, but AWS_SECRET_ACCESS_KEY is not".to_owned());
        }
        (None, Some(_)) => {
            return Err("AWS_SECRET_ACCESS_KEY is set, but AWS_ACCESS_KEY_ID is not".to_owned());
        }
    }
    if let Some(keys) = profile.keys {
        builder = builder.with_access_key_id(keys.id).with_secret_access_key(keys.secret);
        if let Some(token) = keys.token {
            builder = builder.with_token(token);
        }
        return Ok((builder, is_plain));
    }
    // Asking a machine that may not be there for credentials takes long, so only if a variable says so.
    let others = [
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        "AWS_METADATA_ENDPOINT",
        "AWS_SKIP_SIGNATURE",
    ];
    if environment.first(&others).is_some() {
        return Ok((builder, is_plain));
    }
    tracing::info!("no credentials for s3://{bucket} were found; requests are not signed");
    Ok((builder.with_skip_signature(true), is_plain))
}

/// Whether an endpoint is without TLS; otherwise what is wrong with it.
fn check_endpoint(endpoint: &str) -> Result<bool, String> {
    let shown = redacted(endpoint);
    if shown != endpoint {
        return Err(format!("the endpoint {shown} has a user or a query, which is not supported"));
    }
    let scheme = endpoint.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
    match scheme.as_deref() {
        Some("http") => Ok(true),
        Some("https") => Ok(false),
        _ => Err(format!("the endpoint {endpoint:?} does not begin with http:// or https://")),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn environment(variables: &[(&str, &str)]) -> Environment {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Environment::new(variables.iter().map(owned))
    }

    fn settings(builder: &AmazonS3Builder, keys: &[AmazonS3ConfigKey]) -> Vec<Option<String>> {
        keys.iter().map(|key| builder.get_config_value(key)).collect()
    }

    const KEYS: [AmazonS3ConfigKey; 4] = [
        AmazonS3ConfigKey::AccessKeyId,
        AmazonS3ConfigKey::Token,
        AmazonS3ConfigKey::Region,
        AmazonS3ConfigKey::Endpoint,
    ];

    fn some(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn credentials_come_from_variables_before_files_and_settings_from_options_first() {
        let home = tempfile::tempdir().unwrap();
        fs::create_dir(home.path().join(".aws")).unwrap();
        let credentials = "[default]\naws_access_key_id = FILE\naws_secret_access_key = s/+=\n\
                           [lab]\naws_access_key_id=LAB\naws_secret_access_key=t\naws_session_token = T==\n";
        let config = "# mine\n[default]\nregion = eu-west-1\n[profile lab]\nregion = us-west-2\n\
                      endpoint_url = http://lab:9000\n";
        fs::write(home.path().join(".aws/credentials"), credentials).unwrap();
        fs::write(home.path().join(".aws/config"), config).unwrap();
        let home = ("HOME", home.path().to_str().unwrap());
        let options = StoreOptions::default();

        let (found, _) = builder("b", &options, &environment(&[home])).unwrap();
        assert_eq!(settings(&found, &KEYS), [some("FILE"), None, some("eu-west-1"), None]);
        assert_eq!(
            found.get_config_value(&AmazonS3ConfigKey::SecretAccessKey).as_deref(),
            Some("s/+=")
        );
        let lab = environment(&[home, ("AWS_PROFILE", "lab")]);
        let (found, _) = builder("b", &options, &lab).unwrap();
        let expected = [some("LAB"), some("T=="), some("us-west-2"), some("http://lab:9000")];
        assert_eq!(settings(&found, &KEYS), expected);

        let keys =
            [("AWS_ACCESS_KEY_ID", "ENV"), ("AWS_SECRET_ACCESS_KEY", "s"), ("AWS_REGION", "x")];
        let (found, _) =
            builder("b", &options, &environment(&[&[home][..], &keys].concat())).unwrap();
        assert_eq!(settings(&found, &KEYS), [some("ENV"), None, some("x"), None]);

        let given = StoreOptions {
            endpoint: some("https://given"),
            region: some("y"),
            anonymous: true,
            ..options
        };
        let (found, _) = builder("b", &given, &lab).unwrap();
        assert_eq!(settings(&found, &KEYS), [None, None, some("y"), some("https://given")]);
        let unsigned = found.get_config_value(&AmazonS3ConfigKey::SkipSignature);
        assert_eq!(unsigned.as_deref(), Some("true"));
    }

    #[test]
    fn a_profile_without_keys_does_no_harm_where_none_are_wanted() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config");
        fs::write(&file, "[profile lab]\nsso_session = x\nregion = eu-west-1\n").unwrap();
        let lab = [("AWS_CONFIG_FILE", file.to_str().unwrap()), ("AWS_PROFILE", "lab")];
        let anonymous = StoreOptions { anonymous: true, ..StoreOptions::default() };
        let (found, _) = builder("b", &anonymous, &environment(&lab)).unwrap();
        assert_eq!(settings(&found, &KEYS), [None, None, some("eu-west-1"), None]);
        let keys = [("AWS_ACCESS_KEY_ID", "ENV"), ("AWS_SECRET_ACCESS_KEY", "s")];
        let variables = environment(&[&lab[..], &keys].concat());
        let (found, _) = builder("b", &StoreOptions::default(), &variables).unwrap();
        assert_eq!(settings(&found, &KEYS), [some("ENV"), None, some("eu-west-1"), None]);
        let refused = builder("b", &StoreOptions::default(), &environment(&lab));
        assert!(refused.err().unwrap().contains("sso_session"));
    }

    #[test]
    fn without_credentials_requests_are_not_signed() {
        let (found, _) = builder("b", &StoreOptions::default(), &environment(&[])).unwrap();
        let unsigned = found.get_config_value(&AmazonS3ConfigKey::SkipSignature);
        assert_eq!(unsigned.as_deref(), Some("true"));
    }

    #[test]
    fn settings_that_make_no_sense_are_told_without_their_secrets() {
        let reason = |variables: &[(&str, &str)]| {
            builder("b", &StoreOptions::default(), &environment(variables)).err().unwrap()
        };
        assert!(reason(&[("AWS_ACCESS_KEY_ID", "AKIA")]).contains("AWS_SECRET_ACCESS_KEY is not"));
        assert!(reason(&[("AWS_SECRET_ACCESS_KEY", "x")]).contains("AWS_ACCESS_KEY_ID is not"));
        assert!(reason(&[("AWS_ENDPOINT_URL", "localhost:9000")]).contains("http://"));
        let told = reason(&[("AWS_ENDPOINT_URL", "http://me:secret@host")]);
        assert!(told.contains("http://host") && !told.contains("secret"), "{told}");
        for endpoint in ["me:secret@host:9000", "http://me:secret/x@host"] {
            let told = reason(&[("AWS_ENDPOINT_URL", endpoint)]);
            assert!(told.contains("host") && !told.contains("secret"), "{told}");
        }
    }
}
