//! What is sent behind the headers.

use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body as HttpBody, Frame, SizeHint};

/// Bytes that are there, or a stream of events in which nothing happens.
pub(crate) enum Body {
    Whole(Option<Bytes>),
    Events {
        /// The first line, until it is sent.
        begin: Option<Bytes>,
        /// The end of the server.
        end: Pin<Box<dyn Future<Output = ()> + Send>>,
    },
}

impl Body {
    pub(crate) fn empty() -> Self {
        Self::Whole(None)
    }

    pub(crate) fn whole(bytes: impl Into<Bytes>) -> Self {
        Self::Whole(Some(bytes.into()).filter(|bytes| !bytes.is_empty()))
    }

    /// The bytes, if they are there and not sent yet.
    pub(crate) fn bytes_mut(&mut self) -> Option<&mut Bytes> {
        match self {
            Self::Whole(bytes) => bytes.as_mut(),
            Self::Events { .. } => None,
        }
    }

    /// A stream of events that is open until `end`.
    pub(crate) fn events(end: impl Future<Output = ()> + Send + 'static) -> Self {
        // A comment, so that the browser knows that the stream has begun.
        Self::Events { begin: Some(Bytes::from_static(b": open\n\n")), end: Box::pin(end) }
    }
}

impl HttpBody for Body {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match self.get_mut() {
            Self::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Self::Events { begin, end } => match begin.take() {
                Some(begin) => Poll::Ready(Some(Ok(Frame::data(begin)))),
                None => end.as_mut().poll(context).map(|()| None),
            },
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Whole(None))
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => {
                let len = bytes.as_ref().map_or(0, Bytes::len);
                SizeHint::with_exact(u64::try_from(len).unwrap_or(u64::MAX))
            }
            Self::Events { .. } => SizeHint::default(),
        }
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(bytes) => f.debug_tuple("Whole").field(bytes).finish(),
            Self::Events { .. } => f.write_str("Events"),
        }
    }
}
