//! Connections, and the end of all of them.

use std::convert::Infallible;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::{Duration, Instant};

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::runtime;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use crate::body::Body;
use crate::error::ServeError;
use crate::respond::{Asked, finish};
use crate::site::Site;

/// How much a server takes on, and how long it waits.
#[derive(Clone, Copy, Debug)]
pub struct ServerOptions {
    /// How many clients may be connected; others wait until one of them goes.
    pub max_connections: usize,
    /// How long the head of a request may take, also the first byte of the next one.
    pub head_timeout: Duration,
    /// The size in bytes of the head of a request, at least 8 KiB.
    pub max_head_size: usize,
    /// How long requests may take that have begun when the server ends.
    pub drain_timeout: Duration,
}

impl Default for ServerOptions {
    /// 1024 connections, 30 s and 16 KiB for the head of a request, 2 s at the end.
    fn default() -> Self {
        Self {
            max_connections: 1024,
            head_timeout: Duration::from_secs(30),
            max_head_size: 16 << 10,
            drain_timeout: Duration::from_secs(2),
        }
    }
}

/// A server that listens: whoever connects is served once it runs.
///
/// ```
/// use std::sync::Arc;
///
/// use array_core::BlockCache;
/// use serve::{Server, ServerOptions, Shutdown, Site, SiteOptions};
///
/// let server = Server::bind("127.0.0.1:0".parse()?, ServerOptions::default())?;
/// let address = server.address();
/// let blocks = Arc::new(BlockCache::new(64 << 20));
/// let site = Arc::new(Site::new(Vec::new(), &blocks, SiteOptions::default())?);
///
/// let shutdown = Shutdown::default();
/// let end = shutdown.clone();
/// let running = std::thread::spawn(move || server.run(&site, &end));
/// assert_ne!(address.port(), 0);
/// shutdown.begin();
/// running.join().expect("the server does not panic")?;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    options: ServerOptions,
}

/// The end of a server, which any thread may begin. A clone is the same end.
#[derive(Clone, Debug)]
pub struct Shutdown(Arc<watch::Sender<bool>>);

impl Default for Shutdown {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(false)))
    }
}

impl Shutdown {
    /// Ends the server: it takes no more connections, finishes the requests that have begun, and returns.
    pub fn begin(&self) {
        self.0.send_replace(true);
    }

    /// Waits for the end.
    fn wait(&self) -> impl Future<Output = ()> + Send + 'static {
        let mut begun = self.0.subscribe();
        async move {
            // Nobody can begin it any more if all who could have gone: then it never ends.
            if begun.wait_for(|begun| *begun).await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }
}

impl Server {
    /// Listens at `address`; port 0 is any that is free.
    ///
    /// # Errors
    ///
    /// [`ServeError::Bind`].
    pub fn bind(address: SocketAddr, options: ServerOptions) -> Result<Self, ServeError> {
        let failed = |source| ServeError::Bind { address, source };
        let listener = TcpListener::bind(address).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Self { listener, address, options })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves `site` until `shutdown` begins, in threads of its own; the calling thread waits.
    ///
    /// # Errors
    ///
    /// [`ServeError::Start`].
    pub fn run(self, site: &Arc<Site>, shutdown: &Shutdown) -> Result<(), ServeError> {
        let runtime = runtime::Builder::new_multi_thread()
            .enable_io()
            .enable_time()
            .thread_name("serve")
            .build()
            .map_err(ServeError::Start)?;
        let served = runtime.block_on(self.serve(site, shutdown));
        // Work for those who have gone ends after the block that it is at.
        runtime.shutdown_timeout(Duration::from_secs(1));
        served
    }

    async fn serve(self, site: &Arc<Site>, shutdown: &Shutdown) -> Result<(), ServeError> {
        let listener =
            tokio::net::TcpListener::from_std(self.listener).map_err(ServeError::Start)?;
        let most = self.options.max_connections.clamp(1, Semaphore::MAX_PERMITS);
        let permits = Arc::new(Semaphore::new(most));
        let mut connections = JoinSet::new();
        let end = shutdown.wait();
        tokio::pin!(end);
        loop {
            let accepted = async {
                let permit = Arc::clone(&permits).acquire_owned().await;
                (listener.accept().await, permit)
            };
            tokio::select! {
                () = &mut end => break,
                Some(_) = connections.join_next() => {}
                (accepted, permit) = accepted => match accepted {
                    Ok((stream, peer)) => {
                        let (site, shutdown) = (Arc::clone(site), shutdown.clone());
                        let options = self.options;
                        connections.spawn(async move {
                            let _permit = permit;
                            connection(stream, peer, &site, &shutdown, options).await;
                        });
                    }
                    Err(error) => refused(&error).await,
                },
            }
        }
        drop(listener);
        let drained = async { while connections.join_next().await.is_some() {} };
        if tokio::time::timeout(self.options.drain_timeout, drained).await.is_err() {
            tracing::debug!("some requests had not ended");
        }
        connections.shutdown().await;
        Ok(())
    }
}

/// A connection that could not be taken: the client has gone again, or there are too many open files.
async fn refused(error: &io::Error) {
    let is_of_client = matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::Interrupted
    );
    if is_of_client {
        tracing::debug!("a connection was not taken: {error}");
        return;
    }
    tracing::error!("a connection was not taken: {error}");
    // What is missing comes back when others go.
    tokio::time::sleep(Duration::from_millis(100)).await;
}

async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    site: &Arc<Site>,
    shutdown: &Shutdown,
    options: ServerOptions,
) {
    // Answers are written as a whole: there is nothing to wait for.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!("{peer}: {error}");
    }
    let service = service_fn(|request: Request<Incoming>| async move {
        Ok::<_, Infallible>(answer(&request, peer, site, shutdown).await)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(options.head_timeout)
        .max_buf_size(options.max_head_size.max(8 << 10))
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
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
    let (method, path) = (request.method(), request.uri().path());
    let asked = Asked { method, headers: request.headers() };
    let mut response = site.answer(path, asked, shutdown.wait()).await;
    finish(&mut response);
    let status = response.status().as_u16();
    tracing::debug!("{peer} {method} {path:?} {status} {:.1?}", begin.elapsed());
    response
}
