//! Connections, and the end of all of them.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::callers::Callers;
use crate::connection::connection;
use crate::error::ServeError;
use crate::open_files;
use crate::sending::Sending;
use crate::site::Site;

/// How much a server takes on, and how long it waits.
#[derive(Clone, Copy, Debug)]
pub struct ServerOptions {
    /// How many clients may be connected, fewer where the system allows fewer open files. When one more comes, the
    /// one goes that the server has waited for longest: for a request, or for reading an answer. If all of them wait
    /// for the server, the new one does, too.
    pub max_connections: usize,
    /// How long the head of a request may take, also the first byte of the next one.
    pub head_timeout: Duration,
    /// How long a client may read nothing of its answer, until the connection is given up.
    pub write_timeout: Duration,
    /// The size in bytes that answers may have together that are on their way; those up to 64 KiB do not count. Others
    /// wait for room, and where there is none, a client that reads nothing for a second has to go.
    pub max_sent_bytes: usize,
    /// The size in bytes of the head of a request, at least 8 KiB.
    pub max_head_size: usize,
    /// How long requests may take that have begun when the server ends.
    pub drain_timeout: Duration,
}

impl Default for ServerOptions {
    /// 1024 connections, 30 s and 16 KiB for the head of a request, 30 s in which nothing is read, 64 MiB on their way,
    /// 2 s at the end.
    fn default() -> Self {
        Self {
            max_connections: 1024,
            head_timeout: Duration::from_secs(30),
            write_timeout: Duration::from_secs(30),
            max_sent_bytes: 64 << 20,
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
    pub(crate) fn wait(&self) -> impl Future<Output = ()> + Send + 'static {
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
    /// Listens at `address`; port 0 is any that is free. The process allows itself the open files that so many
    /// connections need, as far as the system does.
    ///
    /// # Errors
    ///
    /// [`ServeError::Bind`].
    pub fn bind(address: SocketAddr, options: ServerOptions) -> Result<Self, ServeError> {
        let failed = |source| ServeError::Bind { address, source };
        let listener = TcpListener::bind(address).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let max_connections = open_files::connections(options.max_connections);
        if max_connections < options.max_connections {
            tracing::warn!(
                "no more than {max_connections} clients can be connected, since the process may not open more \
                 files (ulimit -n)"
            );
        }
        let options = ServerOptions { max_connections, ..options };
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
        let callers = Callers::new(self.options.max_connections);
        let sending = Arc::new(Sending::new(self.options.max_sent_bytes));
        let mut connections = JoinSet::new();
        let end = shutdown.wait();
        tokio::pin!(end);
        let mut is_refusing = false;
        loop {
            let accepted = tokio::select! {
                () = &mut end => break,
                Some(_) = connections.join_next() => continue,
                accepted = listener.accept() => accepted,
            };
            let (stream, peer) = match accepted {
                Ok(accepted) => accepted,
                Err(error) if is_of_client(&error) => {
                    tracing::debug!("a connection was not taken: {error}");
                    continue;
                }
                Err(error) => {
                    // Once is enough to be told.
                    if !is_refusing {
                        tracing::error!("connections are not taken: {error}");
                    }
                    is_refusing = true;
                    // What is missing, such as open files, comes back when others go.
                    callers.send_away_longest_waited_for();
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            };
            is_refusing = false;
            let seat = tokio::select! {
                () = &mut end => break,
                seat = callers.seat() => seat,
            };
            let (site, shutdown, options) = (Arc::clone(site), shutdown.clone(), self.options);
            let sending = Arc::clone(&sending);
            connections.spawn(async move {
                connection(stream, peer, seat, &site, &sending, &shutdown, options).await;
            });
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

/// Whether a connection could not be taken because the client has gone again.
fn is_of_client(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::Interrupted
    )
}
