//! What a caller may say about the store of a container.

use std::fmt;
use std::time::Duration;

use crate::location::redacted;

/// How containers behind URLs are reached; folders and zip archives need none of it.
///
/// What is not given comes, for `s3://`, from the usual environment (`AWS_ACCESS_KEY_ID`,
/// `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`, `AWS_REGION`, `AWS_ENDPOINT_URL`, `AWS_PROFILE`, ...) and
/// from the files `~/.aws/credentials` and `~/.aws/config`. Where there are no credentials, requests are
/// not signed.
///
/// ```
/// use std::time::Duration;
/// use zarr_source::StoreOptions;
///
/// let options = StoreOptions { anonymous: true, ..StoreOptions::default() };
/// assert_eq!((options.request_timeout, options.retries), (Duration::from_secs(30), 3));
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct StoreOptions {
    /// The URL of the S3 server, such as `http://localhost:9000`; by default that of Amazon.
    pub endpoint: Option<String>,
    /// The region of the bucket, such as `eu-west-1`.
    pub region: Option<String>,
    /// Whether requests to S3 are not signed, whatever credentials there are.
    pub anonymous: bool,
    /// How long one request may take, from connecting to the last byte.
    pub request_timeout: Duration,
    /// How often a request is made again that failed for a reason that may pass.
    pub retries: usize,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self {
            endpoint: None,
            region: None,
            anonymous: false,
            request_timeout: Duration::from_secs(30),
            retries: 3,
        }
    }
}

impl fmt::Debug for StoreOptions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without the password that the URL may hold.
        let endpoint = self.endpoint.as_deref().map(redacted);
        formatter
            .debug_struct("StoreOptions")
            .field("endpoint", &endpoint)
            .field("region", &self.region)
            .field("anonymous", &self.anonymous)
            .field("request_timeout", &self.request_timeout)
            .field("retries", &self.retries)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_of_an_endpoint_is_not_shown() {
        for endpoint in ["http://me:secret@host", "me:secret@host", "me:sec/ret@host:9000"] {
            let endpoint = Some(endpoint.to_owned());
            let shown = format!("{:?}", StoreOptions { endpoint, ..StoreOptions::default() });
            assert!(shown.contains("host") && !shown.contains("sec"), "{shown}");
        }
    }
}
