//! The threads that read and compute, and how Python waits for them.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};
use std::{mem, process, thread};

use ::geometry::Roi;
use array_core::{Array, ArrayExt, in_this_thread};
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};

/// How long a signal may wait until somebody looks.
const PATIENCE: Duration = Duration::from_millis(50);
/// How many blocks of a container behind a URL are read at once: most of the time goes by in waiting.
const REMOTE_THREADS: usize = 16;

/// What the user asked for; 0 for the number of cores.
static ASKED: AtomicUsize = AtomicUsize::new(0);

/// How many cores there are to use. The standard library reads the files of the control group each time it is
/// asked, which takes as long as many a read.
static CORES: LazyLock<usize> =
    LazyLock::new(|| thread::available_parallelism().map_or(1, usize::from));

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
    /// From code in Python, which takes its time.
    Python,
    /// From a server.
    Remote,
}

/// How much a read has to do, which tells who does it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Load {
    /// A part of one block: no other thread could help, and waking one takes longer than many such reads.
    Block,
    /// Several blocks that take so little time that nobody would wait for a signal meanwhile.
    Small,
    /// Anything.
    Large,
}

/// More than this would take so long that a signal should be looked for meanwhile.
const MAX_SMALL_VOXELS: usize = 8 << 20;
const MAX_SMALL_BYTES: usize = 16 << 20;

impl Load {
    /// Of a read of a region of an array.
    pub(crate) fn of(array: &dyn Array, roi: &Roi) -> Self {
        // What is wrong with the region is told by the read.
        let Ok(window) = array.slices(roi) else { return Self::Block };
        let info = array.info();
        let product = |shape: &[usize]| shape.iter().fold(1_usize, |all, &n| all.saturating_mul(n));
        let blocks = info.blocks().num_blocks(&window);
        let decoded = product(info.blocks().shape()).saturating_mul(blocks);
        let result = product(window.shape())
            .saturating_mul(product(info.channel_shape()))
            .saturating_mul(info.dtype().size());
        match blocks {
            _ if decoded > MAX_SMALL_VOXELS || result > MAX_SMALL_BYTES => Self::Large,
            0 | 1 => Self::Block,
            _ => Self::Small,
        }
    }
}

/// How long the small reads of an array take, as far as is known: whether the chunks are cached, and how they
/// are compressed, shows only in that.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    /// Of the last one, in nanoseconds.
    last: AtomicU64,
}

impl Pace {
    /// Shorter reads gain nothing from more threads.
    const WORTH_SHARING: Duration = Duration::from_micros(250);

    fn is_quick(&self) -> bool {
        Duration::from_nanos(self.last.load(Ordering::Relaxed)) < Self::WORTH_SHARING
    }

    fn timed<T>(&self, work: impl FnOnce() -> T) -> T {
        let begin = Instant::now();
        let result = work();
        let nanoseconds = u64::try_from(begin.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.last.store(nanoseconds, Ordering::Relaxed);
        result
    }
}

/// How many threads of Python wait for a read.
static READING: AtomicUsize = AtomicUsize::new(0);

/// Counts a thread of Python while it waits.
struct Reading;

impl Reading {
    /// Also the number of others.
    fn begin() -> (Self, usize) {
        (Self, READING.fetch_add(1, Ordering::Relaxed))
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        READING.fetch_sub(1, Ordering::Relaxed);
    }
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
        0 => *CORES,
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

/// The same for a read, which is done in the calling thread if that is not slower: waking others, and being woken
/// by them, takes longer than many a read. Signals wait until it is done, which is soon.
pub(crate) fn read<T: Send>(
    py: Python<'_>,
    nearness: Nearness,
    load: Load,
    pace: &Pace,
    work: impl FnOnce(&AtomicBool) -> T + Send,
) -> PyResult<T> {
    let (_reading, others) = Reading::begin();
    let is_own = match (nearness, load) {
        (Nearness::Local, Load::Block) => true,
        // Also where all threads have something to do.
        (Nearness::Local, Load::Small) => {
            pace.is_quick() || others.saturating_add(1) >= num_threads()
        }
        (_, Load::Large) | (Nearness::Python | Nearness::Remote, _) => false,
    };
    let work = |stop: &AtomicBool| match load {
        Load::Small => pace.timed(|| work(stop)),
        Load::Block | Load::Large => work(stop),
    };
    if is_own {
        return Ok(py.detach(|| in_this_thread(|| work(&AtomicBool::new(false)))));
    }
    run(py, nearness, work)
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
