//! Who is connected, and who lets the server wait.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

/// How long somebody may take to go who was sent away, before another one is.
const FAREWELL: Duration = Duration::from_millis(100);

/// The callers of a server: no more than a number of them.
///
/// A caller lets the server wait for a request, or for reading what it was answered. If there is no room, the one
/// that does so for longest has to go; who waits for the server may stay.
#[derive(Debug)]
pub(crate) struct Callers {
    known: Mutex<HashMap<u64, Arc<Caller>>>,
    next: AtomicU64,
    room: Arc<Semaphore>,
    begin: Instant,
}

/// A connection, seen from the server.
#[derive(Debug)]
pub(crate) struct Caller {
    /// Since when the server waits for it, in microseconds after `begin`; or one of the two below.
    waited_since: AtomicU64,
    begin: Instant,
    /// Whether it has an answer to read that takes room from others.
    reads: AtomicBool,
    has_to_go: Notify,
}

/// The caller waits for the server.
const SERVED: u64 = u64::MAX;
/// The caller has to go.
const SENT_AWAY: u64 = u64::MAX - 1;

/// The place of one caller, until it is dropped.
#[derive(Debug)]
pub(crate) struct Seat {
    caller: Arc<Caller>,
    number: u64,
    callers: Arc<Callers>,
    _room: OwnedSemaphorePermit,
}

impl Callers {
    pub(crate) fn new(most: usize) -> Arc<Self> {
        let room = Arc::new(Semaphore::new(most.clamp(1, Semaphore::MAX_PERMITS)));
        let (known, next) = (Mutex::default(), AtomicU64::new(0));
        Arc::new(Self { known, next, room, begin: Instant::now() })
    }

    /// A place for one more caller, as soon as there is room.
    pub(crate) async fn seat(self: &Arc<Self>) -> Seat {
        let room = loop {
            let room = Arc::clone(&self.room);
            if let Ok(room) = Arc::clone(&room).try_acquire_owned() {
                break room;
            }
            self.send_away_longest_waited_for();
            if let Ok(Ok(room)) = tokio::time::timeout(FAREWELL, room.acquire_owned()).await {
                break room;
            }
        };
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let caller = Caller {
            waited_since: AtomicU64::new(micros_since(self.begin)),
            begin: self.begin,
            reads: AtomicBool::new(false),
            has_to_go: Notify::new(),
        };
        let caller = Arc::new(caller);
        self.known().insert(number, Arc::clone(&caller));
        Seat { caller, number, callers: Arc::clone(self), _room: room }
    }

    /// Sends away the caller that lets the server wait for longest; none if all of them wait for the server.
    pub(crate) fn send_away_longest_waited_for(&self) {
        self.send_away_longest_among(|_, _| true);
    }

    /// Sends away the caller that has read nothing of its answer for longest, and for so long at least.
    pub(crate) fn send_away_who_reads_nothing(&self, patience: Duration) {
        let now = micros_since(self.begin);
        let patience = u64::try_from(patience.as_micros()).unwrap_or(u64::MAX);
        self.send_away_longest_among(|caller, since| {
            caller.reads.load(Ordering::Relaxed) && now.saturating_sub(since) >= patience
        });
    }

    fn send_away_longest_among(&self, is_one: impl Fn(&Caller, u64) -> bool) {
        let known = self.known();
        let since = |caller: &Arc<Caller>| caller.waited_since.load(Ordering::Relaxed);
        let waited_for = known.values().filter(|caller| {
            let since = since(caller);
            since < SENT_AWAY && is_one(caller, since)
        });
        if let Some(caller) = waited_for.min_by_key(|caller| since(caller)) {
            caller.waited_since.store(SENT_AWAY, Ordering::Relaxed);
            caller.has_to_go.notify_one();
        }
    }

    fn known(&self) -> MutexGuard<'_, HashMap<u64, Arc<Caller>>> {
        // Each change of the table is a single call, so that nothing is half done in it.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seat {
    pub(crate) fn caller(&self) -> &Arc<Caller> {
        &self.caller
    }

    pub(crate) fn callers(&self) -> &Callers {
        &self.callers
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.callers.known().remove(&self.number);
    }
}

impl Caller {
    /// From now on it waits for the server.
    pub(crate) fn is_served(&self) {
        self.become_(SERVED);
    }

    /// From now on the server waits for it, also if it did so before: something went on.
    pub(crate) fn is_waited_for(&self) {
        self.become_(micros_since(self.begin));
    }

    /// Whether it has an answer to read that takes room from others.
    pub(crate) fn reads(&self, reads: bool) {
        self.reads.store(reads, Ordering::Relaxed);
    }

    /// Waits until it has to go.
    pub(crate) async fn sent_away(&self) {
        self.has_to_go.notified().await;
    }

    fn become_(&self, state: u64) {
        // Who has to go does not come back.
        let kept = |current| (current != SENT_AWAY).then_some(state);
        let _ = self.waited_since.fetch_update(Ordering::Relaxed, Ordering::Relaxed, kept);
    }
}

fn micros_since(begin: Instant) -> u64 {
    u64::try_from(begin.elapsed().as_micros()).map_or(SENT_AWAY - 1, |now| now.min(SENT_AWAY - 1))
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap()
    }

    fn has_to_go(seat: &Seat) -> bool {
        let mut context = Context::from_waker(Waker::noop());
        pin!(seat.caller().sent_away()).poll(&mut context) == Poll::Ready(())
    }

    /// Later by the smallest step of the clock.
    fn next_moment() {
        let now = Instant::now();
        while now.elapsed() < Duration::from_micros(2) {}
    }

    #[test]
    fn who_is_waited_for_longest_goes_first_and_who_is_served_stays() {
        runtime().block_on(async {
            let callers = Callers::new(3);
            let first = callers.seat().await;
            next_moment();
            let second = callers.seat().await;
            next_moment();
            let third = callers.seat().await;
            next_moment();
            first.caller().is_waited_for();
            second.caller().is_served();
            callers.send_away_longest_waited_for();
            assert_eq!([&first, &second, &third].map(has_to_go), [false, false, true]);
            callers.send_away_longest_waited_for();
            assert_eq!([&first, &second].map(has_to_go), [true, false]);
            callers.send_away_longest_waited_for();
            assert!(!has_to_go(&second));
        });
    }

    #[test]
    fn there_is_room_again_when_somebody_goes() {
        runtime().block_on(async {
            let callers = Callers::new(1);
            let first = callers.seat().await;
            first.caller().is_served();
            let mut second = pin!(callers.seat());
            let soon = Duration::from_secs(1);
            assert!(tokio::time::timeout(soon, second.as_mut()).await.is_err());
            drop(first);
            assert!(tokio::time::timeout(soon, second).await.is_ok());
            assert!(callers.known().is_empty(), "the seat of the second is dropped, too");
        });
    }
}
