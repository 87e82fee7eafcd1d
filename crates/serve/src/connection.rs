//! One connection: its requests, one after another.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use hyper::body::{Body as _, Incoming};
use hyper::header::{CONNECTION, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;

use crate::body::Body;
use crate::callers::Seat;
use crate::patient::PatientStream;
use crate::respond::{Asked, finish};
use crate::sending::Sending;
use crate::server::{ServerOptions, Shutdown};
use crate::site::Site;

/// The smallest limit for the head of a request that can be set.
const MIN_HEAD_SIZE: usize = 8 << 10;
/// The headers that a request may have.
const MAX_HEADERS: usize = 100;

/// Answers the requests of a connection until one side ends it, the server ends, or the caller has to go.
pub(crate) async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    seat: Seat,
    site: &Arc<Site>,
    sending: &Sending,
    shutdown: &Shutdown,
    options: ServerOptions,
) {
    // Answers are written as a whole: there is nothing to wait for.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!("{peer}: {error}");
    }
    let caller = seat.caller();
    let callers = seat.callers();
    let service = service_fn(|request: Request<Incoming>| async move {
        caller.is_served();
        let mut response = answer(&request, peer, site, shutdown).await;
        let size = response.body_mut().bytes_mut().map(|bytes| bytes.len());
        if let Some(size) = size.filter(|_| request.method() != Method::HEAD) {
            let room = match sending.room_now(size) {
                Some(room) => room,
                None => {
                    // Nothing is kept while it waits: what the cache has lost by then is computed again.
                    drop(response);
                    let room = sending.room(size, callers).await;
                    response = answer(&request, peer, site, shutdown).await;
                    room
                }
            };
            if let Some(bytes) = response.body_mut().bytes_mut() {
                *bytes = room.keep(caller, std::mem::take(bytes));
            }
        }
        caller.is_waited_for();
        Ok::<_, Infallible>(response)
    });
    let stream = PatientStream::new(stream, Arc::clone(caller), options.write_timeout);
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(options.head_timeout)
        .max_headers(MAX_HEADERS)
        .max_buf_size(options.max_head_size.max(MIN_HEAD_SIZE))
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = caller.sent_away() => {
            tracing::debug!("{peer}: somebody else needed the connection");
            return;
        }
        () = shutdown.wait() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!("{peer}: the connection ended: {error}");
    }
}

async fn answer(
    request: &Request<Incoming>,
    peer: SocketAddr,
    site: &Arc<Site>,
    shutdown: &Shutdown,
) -> Response<Body> {
    let begin = Instant::now();
    let method = request.method();
    let asked = Asked { method, headers: request.headers() };
    let has_body = !request.body().is_end_stream();
    let inside = site.inside(request.uri().path());
    let mut response = match inside {
        None => asked.not_found(),
        Some(_) if has_body && asked.is_known() => {
            asked.text(StatusCode::PAYLOAD_TOO_LARGE, "a request has no body here")
        }
        Some(path) => site.answer(path, asked, shutdown.wait()).await,
    };
    if has_body {
        // Nothing in a body, or behind one, is ever taken for a request.
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    finish(&mut response);
    let status = response.status().as_u16();
    // What begins otherwise than with the token may have it all the same, behind a slip of the keyboard.
    let path = inside.unwrap_or("a path without the token");
    tracing::debug!("{peer} {method} {path:?} {status} {:.1?}", begin.elapsed());
    response
}
