//! Room for the answers that are on their way.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::callers::{Caller, Callers};

/// Answers of this size need no room: as many as there may be connections are few bytes.
const SMALL: usize = 64 << 10;
/// The unit in which room is counted.
const UNIT: usize = 1 << 10;
/// How long somebody may read nothing, while others wait for room.
const STALLED: Duration = Duration::from_secs(1);

/// The bytes of answers that callers have not read yet: no more than a number of them.
///
/// A chunk that is on its way is kept for that alone, when the cache has no place for it any more. Where there is no
/// room, an answer waits until others are read; those who read nothing of theirs have to go.
#[derive(Debug)]
pub(crate) struct Sending {
    room: Arc<Semaphore>,
    /// All of the room.
    most: u32,
}

impl Sending {
    /// Room for so many bytes; an answer that is larger has all of it.
    pub(crate) fn new(max_bytes: usize) -> Self {
        let most = u32::try_from(max_bytes / UNIT).unwrap_or(u32::MAX);
        let most = most.clamp(1, u32::try_from(Semaphore::MAX_PERMITS).unwrap_or(u32::MAX));
        // The one is as large as the other on every machine.
        let room = usize::try_from(most).unwrap_or(Semaphore::MAX_PERMITS);
        Self { room: Arc::new(Semaphore::new(room)), most }
    }

    /// The bytes for a caller as soon as there is room for them, which they have until they are dropped.
    pub(crate) async fn to(&self, caller: &Arc<Caller>, callers: &Callers, bytes: Bytes) -> Bytes {
        if bytes.len() <= SMALL {
            return bytes;
        }
        let size = u32::try_from(bytes.len().div_ceil(UNIT)).unwrap_or(u32::MAX);
        let room = Arc::clone(&self.room).acquire_many_owned(size.min(self.most));
        tokio::pin!(room);
        let room = loop {
            match tokio::time::timeout(STALLED, room.as_mut()).await {
                Ok(Ok(room)) => break room,
                Ok(Err(_)) => unreachable!("nobody closes the room"),
                Err(_) => callers.send_away_who_reads_nothing(STALLED),
            }
        };
        caller.reads(true);
        Bytes::from_owner(Sent { bytes, caller: Arc::clone(caller), _room: room })
    }
}

/// Bytes on their way to a caller.
struct Sent {
    bytes: Bytes,
    caller: Arc<Caller>,
    _room: OwnedSemaphorePermit,
}

impl AsRef<[u8]> for Sent {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Sent {
    fn drop(&mut self) {
        self.caller.reads(false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_have_a_limit_together_and_small_ones_do_not_wait() {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        runtime.enable_time().start_paused(true).build().unwrap().block_on(async {
            let (callers, sending) = (Callers::new(3), Sending::new(200 << 10));
            let (one, other) = (callers.seat().await, callers.seat().await);
            let bytes = |size: usize| Bytes::from(vec![7; size]);
            let first = sending.to(one.caller(), &callers, bytes(150 << 10)).await;
            assert_eq!(first, bytes(150 << 10));
            // Who is served keeps its room.
            one.caller().is_served();
            let second = sending.to(other.caller(), &callers, bytes(100 << 10));
            tokio::pin!(second);
            let long = Duration::from_secs(60);
            assert!(tokio::time::timeout(long, second.as_mut()).await.is_err());
            assert_eq!(sending.to(other.caller(), &callers, bytes(SMALL)).await, bytes(SMALL));
            drop(first);
            assert_eq!(second.await, bytes(100 << 10));
            // More than all room is all of it.
            assert_eq!(sending.to(one.caller(), &callers, bytes(1 << 20)).await, bytes(1 << 20));
            assert_eq!(sending.room.available_permits(), 200);
        });
    }
}
