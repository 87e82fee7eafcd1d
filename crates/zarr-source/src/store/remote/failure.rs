//! What went wrong with a request, without what servers and clients write that may be secret.
//!
//! The texts of object_store hold whole URLs with their queries, and answers of servers that repeat keys and
//! signatures. Only what is picked out here is told.

use std::error::Error;
use std::io::{self, ErrorKind};
use std::time::Duration;

use object_store::client::{HttpError, HttpErrorKind};

use crate::store::version::replaced;

/// Why there is no answer.
pub(super) enum Failure {
    Store(object_store::Error),
    Io(io::Error),
}

impl From<object_store::Error> for Failure {
    fn from(error: object_store::Error) -> Self {
        Self::Store(error)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// The status of an answer, and the code that S3 puts into its text.
struct Status {
    number: u16,
    reason: String,
    code: Option<String>,
}

/// Whether there is no such object, in a place that exists.
pub(super) fn not_stored(error: &object_store::Error) -> bool {
    let status = status(error);
    let no_bucket =
        status.as_ref().and_then(|status| status.code.as_deref()) == Some("NoSuchBucket");
    status.is_some_and(|status| status.number == 404) && !no_bucket
}

/// Whether the server does not know this kind of request, such as one for a part or for the size alone.
pub(super) fn is_refused_method(error: &object_store::Error) -> bool {
    let refused = status(error).is_some_and(|status| matches!(status.number, 405 | 501));
    refused || matches!(error, object_store::Error::NotSupported { .. })
}

/// What to tell about a failure; the kind is what programs act on.
pub(super) fn explain(error: &object_store::Error, timeout: Duration) -> io::Error {
    if matches!(error, object_store::Error::Precondition { .. }) {
        return replaced();
    }
    if let Some(status) = status(error) {
        return explain_status(&status);
    }
    let client = chain(error).find_map(|error| error.downcast_ref::<HttpError>());
    let cause = chain(error).last().map(ToString::to_string).unwrap_or_default();
    let file_error = chain(error).filter_map(|error| error.downcast_ref::<io::Error>()).last();
    let (kind, text) = match client.map(HttpError::kind) {
        Some(HttpErrorKind::Timeout) => {
            (ErrorKind::TimedOut, format!("the server did not answer within {timeout:?}"))
        }
        Some(HttpErrorKind::Connect) => {
            let kind = file_error.map_or(ErrorKind::NotConnected, io::Error::kind);
            (kind, format!("cannot connect to the server: {cause}"))
        }
        _ if cause.contains("before message") || cause.contains("end of file") => {
            (ErrorKind::ConnectionAborted, format!("the answer was cut short: {cause}"))
        }
        Some(_) => {
            let kind = file_error.map_or(ErrorKind::Other, io::Error::kind);
            (kind, format!("the connection failed: {cause}"))
        }
        None if cause.starts_with("Received redirect without LOCATION") => {
            let text = "the bucket is in another region; give its region (for S3: AWS_REGION)";
            (ErrorKind::InvalidInput, text.to_owned())
        }
        None if cause.starts_with("Requested ") || cause.starts_with("Wanted range") => {
            (ErrorKind::UnexpectedEof, format!("the server sent another part: {cause}"))
        }
        None => (ErrorKind::InvalidData, format!("the answer cannot be used: {cause}")),
    };
    io::Error::new(kind, without_query(&text))
}

fn explain_status(status: &Status) -> io::Error {
    let code = status.code.as_ref().map(|code| format!(", {code}")).unwrap_or_default();
    let said = format!("{}{code}", status.reason);
    let (kind, text) = match (status.number, status.code.as_deref()) {
        (404, _) => (ErrorKind::NotFound, format!("there is no such bucket ({said})")),
        (
            401 | 403,
            Some("InvalidAccessKeyId" | "SignatureDoesNotMatch" | "ExpiredToken" | "InvalidToken"),
        ) => (
            ErrorKind::PermissionDenied,
            format!("access denied: the credentials are not accepted ({said})"),
        ),
        (401 | 403, _) => (
            ErrorKind::PermissionDenied,
            format!(
                "access denied ({said}); a server that does not let one list says so of what is not \
                 stored, too"
            ),
        ),
        (416, _) => {
            let text = format!("the file is shorter than what was asked for ({said})");
            (ErrorKind::UnexpectedEof, text)
        }
        (408 | 504, _) => (ErrorKind::TimedOut, format!("the server took too long ({said})")),
        (500.., _) => (ErrorKind::Other, format!("the server failed ({said})")),
        (301 | 307 | 308, _) => (
            ErrorKind::InvalidInput,
            format!("what is asked for lies elsewhere ({said}); give the region or endpoint"),
        ),
        _ => (ErrorKind::Other, format!("the server answered {said}")),
    };
    io::Error::new(kind, text)
}

/// The status in the text of the error that holds it: its type cannot be named.
fn status(error: &object_store::Error) -> Option<Status> {
    let text = chain(error).map(ToString::to_string).find_map(|text| {
        text.strip_prefix("Server returned non-2xx status code: ").map(str::to_owned)
    })?;
    // `404 Not Found: ` and then the body.
    let number = text.get(..3)?.parse().ok()?;
    let reason = text.split(": ").next().unwrap_or_default().trim_end_matches(':').to_owned();
    Some(Status { number, reason, code: s3_code(&text) })
}

/// The code in the body of an S3 error, such as `NoSuchKey`.
fn s3_code(text: &str) -> Option<String> {
    let (_, rest) = text.split_once("<Code>")?;
    let (code, _) = rest.split_once("</Code>")?;
    let is_code =
        !code.is_empty() && code.len() < 64 && code.chars().all(|c| c.is_ascii_alphanumeric());
    is_code.then(|| code.to_owned())
}

/// An error and its causes.
fn chain(error: &object_store::Error) -> impl Iterator<Item = &(dyn Error + 'static)> {
    let first: &(dyn Error + 'static) = error;
    let mut next = Some(first);
    std::iter::from_fn(move || {
        let error = next?;
        next = error.source();
        Some(error)
    })
}

/// A text whose URLs have lost their queries and users.
fn without_query(text: &str) -> String {
    let words = text.split(' ').map(|word| match word.find("://") {
        Some(at) => {
            let end = word.find(['?', '#']).unwrap_or(word.len());
            let host =
                word.get(..end).and_then(|word| word.rfind('@')).map_or(at + 3, |user| user + 1);
            format!("{}{}", &word[..at + 3], word.get(host..end).unwrap_or_default())
        }
        None => word.to_owned(),
    });
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_lose_what_urls_hide() {
        let text = "error for url (https://me:secret@host/a?sig=secret) after 1 try?";
        assert_eq!(without_query(text), "error for url (https://host/a after 1 try?");
    }

    #[test]
    fn only_a_code_is_taken_out_of_a_body() {
        assert_eq!(s3_code("<Error><Code>NoSuchKey</Code>"), Some("NoSuchKey".to_owned()));
        assert_eq!(s3_code("<Code>AKIA/secret</Code>"), None);
        assert_eq!(s3_code("<html>"), None);
    }
}
