//! The threads that wait for servers.

use std::io;
use std::sync::OnceLock;
use std::sync::mpsc::{Receiver, sync_channel};

use tokio::runtime::{Builder, Runtime};

/// Waiting takes no processor; decoding happens on the threads of those who wait.
const THREADS: usize = 2;

/// A request under way.
pub(super) struct Running<T>(Receiver<T>);

impl<T> Running<T> {
    /// Waits for the answer, on any thread: also on one of another runtime.
    pub(super) fn wait(self) -> io::Result<T> {
        // The other end goes without an answer only if the task panics.
        self.0.recv().map_err(|_| io::Error::other("the client of the server has failed"))
    }
}

/// Begins a request.
pub(super) fn start<T: Send + 'static>(
    request: impl Future<Output = T> + Send + 'static,
) -> io::Result<Running<T>> {
    let (sender, receiver) = sync_channel(1);
    runtime()?.spawn(async move {
        // Nobody waits any longer, perhaps.
        let _ = sender.send(request.await);
    });
    Ok(Running(receiver))
}

/// The one runtime of this process, which lives as long as it does.
fn runtime() -> io::Result<&'static Runtime> {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    if let Some(runtime) = RUNTIME.get() {
        return Ok(runtime);
    }
    let runtime = Builder::new_multi_thread()
        .worker_threads(THREADS)
        .thread_name("store")
        .enable_all()
        .build()?;
    if let Err(second) = RUNTIME.set(runtime) {
        // Another thread was faster; dropping a runtime would wait, which some threads may not.
        second.shutdown_background();
    }
    RUNTIME.get().ok_or_else(|| io::Error::other("there is no runtime"))
}
