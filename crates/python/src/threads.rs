//! The threads that read and compute, and how Python waits for them.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use std::{mem, process, thread};

use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};

/// How long a signal may wait until somebody looks.
const PATIENCE: Duration = Duration::from_millis(50);
/// How many blocks of a container behind a URL are read at once: most of the time goes by in waiting.
const REMOTE_THREADS: usize = 16;

/// What the user asked for; 0 for the number of cores.
static ASKED: AtomicUsize = AtomicUsize::new(0);

/// The pools of this process, by their number of threads. The lock is taken only while attached to Python,
/// so that no other thread of Python holds it when one of them forks.
static POOLS: Mutex<Option<Pools>> = Mutex::new(None);

struct Pools {
    process: u32,
    by_threads: HashMap<usize, Arc<ThreadPool>>,
}

/// Where the voxels come from, which tells how many threads are worth having.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Nearness {
    /// From memory or a disk.
    Local,
    /// From a server.
    Remote,
}

/// Sets how many threads read and compute, from the next read on; 0 for the number of cores.
#[pyfunction]
pub(crate) fn set_num_threads(threads: usize) -> PyResult<()> {
    if threads > 1024 {
        return Err(PyValueError::new_err(format!("{threads} threads are more than 1024")));
    }
    ASKED.store(threads, Ordering::Relaxed);
    Ok(())
}

#[pyfunction]
pub(crate) fn num_threads() -> usize {
    match ASKED.load(Ordering::Relaxed) {
        0 => thread::available_parallelism().map_or(1, usize::from),
        threads => threads,
    }
}

fn pool(_attached: Python<'_>, nearness: Nearness) -> PyResult<Arc<ThreadPool>> {
    let threads = match nearness {
        Nearness::Remote if ASKED.load(Ordering::Relaxed) == 0 => num_threads().max(REMOTE_THREADS),
        _ => num_threads(),
    };
    let mut pools = POOLS.lock().unwrap_or_else(PoisonError::into_inner);
    let process = process::id();
    if pools.as_ref().is_some_and(|pools| pools.process != process) {
        // The threads of a pool stay behind in the parent when a process forks. What is left of it cannot be
        // used, and not be ended either.
        mem::forget(pools.take());
    }
    let pools = pools.get_or_insert_with(|| Pools { process, by_threads: HashMap::new() });
    if let Some(pool) = pools.by_threads.get(&threads) {
        return Ok(Arc::clone(pool));
    }
    let name = |index| format!("voxmask-{index}");
    let made = ThreadPoolBuilder::new().num_threads(threads).thread_name(name).build();
    let made = made.map_err(|error| {
        PyRuntimeError::new_err(format!("cannot start {threads} threads: {error}"))
    })?;
    let made = Arc::new(made);
    pools.by_threads.insert(threads, Arc::clone(&made));
    Ok(made)
}

/// Runs `work` in the pool while other threads of Python go on. A signal, such as that of Ctrl-C, sets the
/// flag that `work` is given, and its exception is raised once `work` has ended.
pub(crate) fn run<T: Send>(
    py: Python<'_>,
    nearness: Nearness,
    work: impl FnOnce(&AtomicBool) -> T + Send,
) -> PyResult<T> {
    let stop = AtomicBool::new(false);
    if rayon::current_thread_index().is_some() {
        // An array of Python is read here that reads another of ours: this thread is one of the pool, which
        // must not wait for itself.
        return Ok(py.detach(|| work(&stop)));
    }
    let pool = pool(py, nearness)?;
    let (sender, receiver) = mpsc::sync_channel(1);
    let stop = &stop;
    py.detach(move || {
        pool.in_place_scope(|scope| {
            // The receiver outlives the scope, so that sending cannot fail.
            scope.spawn(move |_| drop(sender.send(work(stop))));
            wait(&receiver, stop)
        })
    })
}

fn wait<T>(receiver: &mpsc::Receiver<T>, stop: &AtomicBool) -> PyResult<T> {
    let mut signalled = None;
    loop {
        match receiver.recv_timeout(PATIENCE) {
            Ok(result) => return signalled.map_or(Ok(result), Err),
            Err(RecvTimeoutError::Timeout) if signalled.is_none() => {
                if let Err(raised) = Python::attach(|py| py.check_signals()) {
                    stop.store(true, Ordering::Relaxed);
                    signalled = Some(raised);
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
            // The work has panicked, which the end of the scope passes on.
            Err(RecvTimeoutError::Disconnected) => {
                return Err(PyRuntimeError::new_err("a thread has ended early"));
            }
        }
    }
}
