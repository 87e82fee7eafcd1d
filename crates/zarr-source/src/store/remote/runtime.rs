//! The threads that wait for servers.

use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::{io, process};

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
    static FIRST: OnceLock<(u32, Runtime)> = OnceLock::new();
    // What a process has that was forked from one with a runtime, whose threads stayed behind.
    static FORKED: Mutex<Option<(u32, &'static Runtime)>> = Mutex::new(None);
    let process = process::id();
    if FIRST.get().is_none()
        && let Err((_, second)) = FIRST.set((process, new()?))
    {
        // Another thread was faster; dropping a runtime would wait, which some threads may not.
        second.shutdown_background();
    }
    match FIRST.get() {
        Some((made_by, runtime)) if *made_by == process => return Ok(runtime),
        _ => {}
    }
    let mut forked = FORKED.lock().unwrap_or_else(PoisonError::into_inner);
    match *forked {
        Some((made_by, runtime)) if made_by == process => Ok(runtime),
        _ => {
            let runtime: &'static Runtime = Box::leak(Box::new(new()?));
            *forked = Some((process, runtime));
            Ok(runtime)
        }
    }
}

fn new() -> io::Result<Runtime> {
    Builder::new_multi_thread().worker_threads(THREADS).thread_name("store").enable_all().build()
}
