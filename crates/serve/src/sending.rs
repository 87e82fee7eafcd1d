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
/// room, an answer waits until others are read; those who read nothing of theirs have to go. For one that waits,
/// nothing is kept: it is asked for again.
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

    /// Room for an answer of so many bytes, if there is any.
    pub(crate) fn room_now(&self, bytes: usize) -> Option<Room> {
        if bytes <= SMALL {
            return Some(Room(None));
        }
        let room = Arc::clone(&self.room).try_acquire_many_owned(self.units(bytes));
        room.ok().map(|room| Room(Some(room)))
    }

    /// Room for an answer of so many bytes, as soon as there is any.
    pub(crate) async fn room(&self, bytes: usize, callers: &Callers) -> Room {
        let room = Arc::clone(&self.room).acquire_many_owned(self.units(bytes));
        tokio::pin!(room);
        loop {
            match tokio::time::timeout(STALLED, room.as_mut()).await {
                Ok(Ok(room)) => return Room(Some(room)),
                Ok(Err(_)) => unreachable!("nobody closes the room"),
                Err(_) => callers.send_away_who_reads_nothing(STALLED),
            }
        }
    }

    fn units(&self, bytes: usize) -> u32 {
        u32::try_from(bytes.div_ceil(UNIT)).map_or(self.most, |units| units.min(self.most))
    }
}

/// Room for one answer; small ones have it without taking any.
#[derive(Debug)]
pub(crate) struct Room(Option<OwnedSemaphorePermit>);

impl Room {
    /// The bytes of the answer to a caller, which have the room until they are dropped.
    pub(crate) fn keep(self, caller: &Arc<Caller>, bytes: Bytes) -> Bytes {
        let Some(room) = self.0 else { return bytes };
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
            let seat = callers.seat().await;
            let bytes = |size: usize| Bytes::from(vec![7; size]);
            let (some, many) = (150 << 10, 100 << 10);
            let first = sending.room_now(some).unwrap().keep(seat.caller(), bytes(some));
            assert_eq!(first, bytes(some));
            // Who is served keeps its room.
            seat.caller().is_served();
            assert!(sending.room_now(many).is_none());
            let second = sending.room(many, &callers);
            tokio::pin!(second);
            let long = Duration::from_secs(60);
            assert!(tokio::time::timeout(long, second.as_mut()).await.is_err());
            let small = sending.room_now(SMALL).unwrap().keep(seat.caller(), bytes(SMALL));
            drop(first);
            assert_eq!(second.await.keep(seat.caller(), bytes(many)), bytes(many));
            // More than all room is all of it.
            assert_eq!(sending.room.available_permits(), 200);
            let all = sending.room(1 << 20, &callers).await;
            assert_eq!(sending.room.available_permits(), 0);
            drop((small, all));
            assert_eq!(sending.room.available_permits(), 200);
        });
    }
}
