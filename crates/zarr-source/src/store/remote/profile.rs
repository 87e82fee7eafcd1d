//! The files in which people keep credentials for S3.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use configparser::ini::{Ini, IniDefault};

use super::s3::Environment;

/// What the profile of the user says.
#[derive(Default)]
pub(super) struct Profile {
    pub(super) keys: Option<Keys>,
    pub(super) region: Option<String>,
    pub(super) endpoint: Option<String>,
}

pub(super) struct Keys {
    pub(super) id: String,
    pub(super) secret: String,
    pub(super) token: Option<String>,
}

/// Settings by which a profile has its credentials made by something else.
const ELSEWHERE: [&str; 6] = [
    "sso_session",
    "sso_start_url",
    "credential_process",
    "role_arn",
    "web_identity_token_file",
    "login_session",
];

impl Profile {
    /// The profile that `AWS_PROFILE` names, or the default one; otherwise what is wrong. Without
    /// `wants_keys`, what its keys are does not matter.
    pub(super) fn read(environment: &Environment, wants_keys: bool) -> Result<Self, String> {
        let chosen =
            environment.get("AWS_PROFILE").or_else(|| environment.get("AWS_DEFAULT_PROFILE"));
        let name = chosen.unwrap_or("default");
        let credentials =
            read(environment.file("AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials").as_deref())?;
        let config = read(environment.file("AWS_CONFIG_FILE", ".aws/config").as_deref())?;
        let long_name = format!("profile {name}");
        let places = [(&credentials, name), (&config, long_name.as_str()), (&config, name)];
        let exists = |(file, section): &(&Ini, &str)| file.get_map_ref().contains_key(*section);
        if let Some(chosen) = chosen.filter(|_| !places.iter().any(exists)) {
            return Err(format!(
                "there is no profile {chosen:?} in ~/.aws/credentials or ~/.aws/config; AWS_PROFILE \
                 names it"
            ));
        }
        let get = |key: &str| {
            let values = places.iter().filter_map(|(file, section)| file.get(section, key));
            values.map(|value| value.trim().to_owned()).find(|value| !value.is_empty())
        };
        let (region, endpoint) = (get("region"), get("endpoint_url"));
        if !wants_keys {
            return Ok(Self { keys: None, region, endpoint });
        }
        let keys = match (get("aws_access_key_id"), get("aws_secret_access_key")) {
            (Some(id), Some(secret)) => Some(Keys { id, secret, token: get("aws_session_token") }),
            (None, None) => None,
            _ => {
                return Err(format!(
                    "the profile {name:?} has only one of aws_access_key_id and aws_secret_access_key"
                ));
            }
        };
        let elsewhere = ELSEWHERE.into_iter().find(|key| get(key).is_some());
        if let Some(key) = elsewhere.filter(|_| keys.is_none()) {
            let what = format!(
                "the profile {name:?} gets its credentials by {key}, which is not supported; \
                 run `aws configure export-credentials --format env` and set what it prints"
            );
            if chosen.is_some() {
                return Err(what);
            }
            tracing::warn!("{what}");
        }
        Ok(Self { keys, region, endpoint })
    }
}

/// The sections of a file; none if there is no such file.
fn read(file: Option<&Path>) -> Result<Ini, String> {
    let mut defaults = IniDefault::default();
    defaults.case_sensitive = true;
    defaults.delimiters = vec!['='];
    defaults.comment_symbols = vec!['#', ';'];
    // Keys may hold any character.
    defaults.inline_comment_symbols = Some(Vec::new());
    let mut settings = Ini::new_from_defaults(defaults);
    let Some(file) = file else {
        return Ok(settings);
    };
    let text = match fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(settings);
        }
        Err(error) => return Err(format!("cannot read {}: {error}", file.display())),
    };
    // The error of the parser repeats the line, which may be a key.
    settings
        .read(text)
        .map_err(|_| format!("{} is not a file of sections and settings", file.display()))?;
    Ok(settings)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(config: &str, chosen: Option<&str>) -> Result<Profile, String> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config");
        fs::write(&file, config).unwrap();
        let file = file.to_str().unwrap().to_owned();
        let mut variables = vec![("AWS_CONFIG_FILE".to_owned(), file)];
        variables.extend(chosen.map(|name| ("AWS_PROFILE".to_owned(), name.to_owned())));
        Profile::read(&Environment::new(variables), true)
    }

    #[test]
    fn a_profile_whose_credentials_lie_elsewhere_is_refused_only_if_it_was_chosen() {
        let config = "[profile lab]\nsso_session = x\n[default]\nrole_arn = y\n";
        assert!(profile(config, Some("lab")).err().unwrap().contains("sso_session"));
        assert!(profile(config, None).unwrap().keys.is_none());
        assert!(profile(config, Some("other")).err().unwrap().contains("\"other\""));
    }

    #[test]
    fn half_a_credential_and_a_broken_file_are_told_without_what_is_in_them() {
        let half = profile("[default]\naws_secret_access_key = SECRET\n", None).err().unwrap();
        assert!(half.contains("only one of") && !half.contains("SECRET"), "{half}");
        let broken = profile("[default\naws_secret_access_key = SECRET\n", None).err().unwrap();
        assert!(broken.contains("config") && !broken.contains("SECRET"), "{broken}");
    }
}
