//! Answers in HTTP: conditional, in part, compressed.

use bytes::Bytes;
use hyper::header::{
    ACCEPT_ENCODING, ACCEPT_RANGES, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ALLOW,
    CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, HeaderMap,
    HeaderName, HeaderValue, IF_NONE_MATCH, IF_RANGE, RANGE, REFERRER_POLICY, VARY,
    X_CONTENT_TYPE_OPTIONS,
};
use hyper::{Method, Response, StatusCode};

use crate::body::Body;
use crate::chunk::Chunk;
use crate::document::Document;
use crate::etag::ETag;

pub(crate) const METHODS: &str = "GET, HEAD, OPTIONS";
const EXPOSED: &str = "Accept-Ranges, Content-Encoding, Content-Length, Content-Range, ETag";
/// How long a browser may remember what it may ask for, in seconds.
const MAX_AGE: u32 = 86_400;

/// What of a request decides the form of its answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) method: &'a Method,
    pub(crate) headers: &'a HeaderMap,
}

/// A content of which the whole is there.
struct Content<'a> {
    bytes: Bytes,
    etag: ETag,
    content_type: &'static str,
    /// How it is encoded, if it may be.
    encoding: Option<&'a str>,
    /// Whether it depends on what the client accepts.
    varies: bool,
}

impl Asked<'_> {
    /// Whether anything is answered to this method.
    pub(crate) fn is_known(&self) -> bool {
        [Method::GET, Method::HEAD, Method::OPTIONS].contains(self.method)
    }

    /// A document, compressed if the client takes that.
    pub(crate) fn document(&self, document: &Document) -> Response<Body> {
        let varies = document.is_compressible();
        let takes_gzip = varies && !self.headers.contains_key(RANGE) && self.accepts_gzip();
        let compressed = takes_gzip.then(|| document.gzip()).flatten();
        let (etag, content_type) = (document.etag, document.content_type);
        self.content(match compressed {
            Some(bytes) => {
                let (etag, encoding) = (etag.encoded(), Some("gzip"));
                Content { bytes, etag, content_type, encoding, varies }
            }
            None => {
                let bytes = document.bytes.clone();
                Content { bytes, etag, content_type, encoding: None, varies }
            }
        })
    }

    /// A chunk, which its codec has compressed already.
    pub(crate) fn chunk(&self, chunk: &Chunk) -> Response<Body> {
        self.content(Content {
            bytes: chunk.bytes.clone(),
            etag: chunk.etag,
            content_type: "application/octet-stream",
            encoding: None,
            varies: false,
        })
    }

    fn content(&self, content: Content<'_>) -> Response<Body> {
        let Content { bytes, etag, content_type, encoding, varies } = content;
        let mut response = Response::new(Body::empty());
        let headers = response.headers_mut();
        // What is shown may change with the next start: asking costs little where nothing did.
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        headers.insert(ETAG, value(&etag));
        if varies {
            headers.insert(VARY, HeaderValue::from_static("Accept-Encoding"));
        }
        if self.headers.get(IF_NONE_MATCH).is_some_and(|known| etag.is_in(known)) {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            return response;
        }
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        if let Some(encoding) = encoding {
            headers.insert(CONTENT_ENCODING, value(&encoding));
        }
        let total = bytes.len();
        let range = self.headers.get(RANGE).filter(|_| {
            // A part of another content would not fit to what the client has.
            self.headers.get(IF_RANGE).is_none_or(|known| etag.is_in(known))
        });
        let sent = match range.map(|range| part(range, total)) {
            None | Some(Part::All) => bytes,
            Some(Part::From(start, stop)) => {
                let text = format!("bytes {start}-{}/{total}", stop.saturating_sub(1));
                headers.insert(CONTENT_RANGE, value(&text));
                *response.status_mut() = StatusCode::PARTIAL_CONTENT;
                bytes.slice(start..stop)
            }
            Some(Part::Outside) => {
                headers.insert(CONTENT_RANGE, value(&format!("bytes */{total}")));
                *response.status_mut() = StatusCode::RANGE_NOT_SATISFIABLE;
                Bytes::new()
            }
        };
        with_body(response, sent)
    }

    /// A line of text.
    pub(crate) fn text(&self, status: StatusCode, line: &str) -> Response<Body> {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
        with_body(response, Bytes::from(format!("{line}\n")))
    }

    /// Nothing of that name, or nothing that this client may know of.
    pub(crate) fn not_found(&self) -> Response<Body> {
        self.text(StatusCode::NOT_FOUND, "not found")
    }

    /// A stream of events.
    pub(crate) fn events(&self, body: Body) -> Response<Body> {
        let is_head = self.method == Method::HEAD;
        let mut response = Response::new(if is_head { Body::empty() } else { body });
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
        response
    }

    /// What a browser asks before it asks for a chunk of another site.
    pub(crate) fn preflight(&self) -> Response<Body> {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NO_CONTENT;
        let headers = response.headers_mut();
        headers.insert(ALLOW, HeaderValue::from_static(METHODS));
        headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(METHODS));
        headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from(MAX_AGE));
        let wanted = self.headers.get("access-control-request-headers");
        let wanted = wanted.cloned().unwrap_or(HeaderValue::from_static("*"));
        headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, wanted);
        // A page of the internet asks a machine at home.
        if self.headers.contains_key("access-control-request-private-network") {
            let name = HeaderName::from_static("access-control-allow-private-network");
            headers.insert(name, HeaderValue::from_static("true"));
        }
        response
    }

    fn accepts_gzip(&self) -> bool {
        let accepted = self.headers.get_all(ACCEPT_ENCODING).iter();
        accepted.filter_map(|value| value.to_str().ok()).flat_map(|text| text.split(',')).any(
            |coding| {
                let (name, quality) = coding.split_once(';').unwrap_or((coding, ""));
                let refused = quality.trim().strip_prefix("q=").is_some_and(|quality| {
                    quality.trim().parse::<f32>().is_ok_and(|quality| quality <= 0.0)
                });
                name.trim().eq_ignore_ascii_case("gzip") && !refused
            },
        )
    }
}

/// The answer with its body, which is not sent if only the head was asked for.
fn with_body(mut response: Response<Body>, bytes: Bytes) -> Response<Body> {
    response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(bytes.len()));
    *response.body_mut() = Body::whole(bytes);
    response
}

/// What every answer has.
pub(crate) fn finish(response: &mut Response<Body>) {
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // The address may have a token in it, of which no other site is told.
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    let name = HeaderName::from_static("cross-origin-resource-policy");
    headers.insert(name, HeaderValue::from_static("cross-origin"));
}

/// The part of a content that a client wants.
#[derive(Debug, PartialEq, Eq)]
enum Part {
    /// All of it, also where the wish cannot be understood or is for several parts.
    All,
    /// From a byte up to, but not including, another one.
    From(usize, usize),
    /// What it does not have.
    Outside,
}

fn part(header: &HeaderValue, total: usize) -> Part {
    let range = header.to_str().ok().and_then(|text| text.trim().strip_prefix("bytes="));
    let Some((first, last)) = range.and_then(|range| range.trim().split_once('-')) else {
        return Part::All;
    };
    // More digits than a number has are beyond every end.
    let number = |text: &str| match text.trim() {
        digits if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            Some(digits.parse().unwrap_or(usize::MAX))
        }
        _ => None,
    };
    match (number(first), number(last)) {
        (Some(first), None) if last.trim().is_empty() => {
            if first < total {
                Part::From(first, total)
            } else {
                Part::Outside
            }
        }
        (Some(first), Some(last)) if first <= last => {
            let stop = last.saturating_add(1).min(total);
            if first < total { Part::From(first, stop) } else { Part::Outside }
        }
        (None, Some(count)) if first.trim().is_empty() => {
            if count == 0 || total == 0 {
                return Part::Outside;
            }
            Part::From(total.saturating_sub(count), total)
        }
        _ => Part::All,
    }
}

/// Text of ours as a header.
fn value(text: &impl ToString) -> HeaderValue {
    HeaderValue::from_str(&text.to_string()).unwrap_or(HeaderValue::from_static(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_as_the_standard_says() {
        for (text, expected) in [
            ("bytes=0-9", Part::From(0, 10)),
            ("bytes=0-0", Part::From(0, 1)),
            ("bytes=90-", Part::From(90, 100)),
            ("bytes=90-1000", Part::From(90, 100)),
            ("bytes=-10", Part::From(90, 100)),
            ("bytes=-1000", Part::From(0, 100)),
            ("bytes= 5 - 6 ", Part::From(5, 7)),
            ("bytes=100-", Part::Outside),
            ("bytes=100-200", Part::Outside),
            ("bytes=99999999999999999999999-", Part::Outside),
            ("bytes=-0", Part::Outside),
            ("bytes=9-0", Part::All),
            ("bytes=0-1,5-6", Part::All),
            ("bytes=", Part::All),
            ("bytes=-", Part::All),
            ("bytes=a-b", Part::All),
            ("bytes=+1-2", Part::All),
            ("items=0-9", Part::All),
        ] {
            let header = HeaderValue::from_static(text);
            assert_eq!(part(&header, 100), expected, "{text}");
        }
        assert_eq!(part(&HeaderValue::from_static("bytes=0-"), 0), Part::Outside);
    }
}
