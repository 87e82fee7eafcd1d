//! A client like any other, who wants chunks while others besiege the server.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::http::Target;
use super::volume::Volume;

/// How long it looks at a chunk.
const PAUSE: Duration = Duration::from_millis(5);
/// When it gives an answer up.
const PATIENCE: Duration = Duration::from_secs(30);

/// What it has seen.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    times: Vec<Duration>,
    /// What was answered wrongly or not at all.
    pub(crate) wrong: Vec<String>,
}

/// A client that asks for one chunk after another, each on a connection of its own.
pub(crate) struct Steady {
    end: oneshot::Sender<()>,
    task: JoinHandle<Seen>,
}

impl Steady {
    pub(crate) fn start(target: Target, volume: &Arc<Volume>) -> Self {
        let (end, mut ended) = oneshot::channel();
        let volume = Arc::clone(volume);
        let task = tokio::spawn(async move {
            let mut seen = Seen::default();
            // A step that meets all chunks in an order that has nothing to do with their places.
            for number in (0..).map(|number: usize| number.wrapping_mul(7919)) {
                if ended.try_recv().is_ok() {
                    break;
                }
                seen.ask(target, &volume, number).await;
                tokio::time::sleep(PAUSE).await;
            }
            seen
        });
        Self { end, task }
    }

    /// Ends it after the request that it is at.
    ///
    /// # Errors
    ///
    /// If it panicked.
    pub(crate) async fn end(self) -> anyhow::Result<Seen> {
        // It listens until it is told to end.
        let _ = self.end.send(());
        Ok(self.task.await?)
    }
}

impl Seen {
    /// Asks for a chunk and compares all of its bytes.
    pub(crate) async fn ask(&mut self, target: Target, volume: &Volume, number: usize) {
        let (path, expected) = &volume.chunks[number % volume.chunks.len()];
        let begin = Instant::now();
        match tokio::time::timeout(PATIENCE, target.get(path)).await {
            Ok(Ok(answer)) if answer.status == 200 && answer.body == *expected => {
                self.times.push(begin.elapsed());
            }
            Ok(Ok(answer)) => self.wrong.push(format!(
                "{path}: {} and {} bytes, not the {} that are written",
                answer.status,
                answer.body.len(),
                expected.len()
            )),
            Ok(Err(error)) => self.wrong.push(format!("{path}: {error}")),
            Err(_) => self.wrong.push(format!("{path}: nothing within {PATIENCE:?}")),
        }
    }

    pub(crate) fn answers(&self) -> usize {
        self.times.len()
    }

    /// The time in which so many hundredths of all answers came; none if none came.
    pub(crate) fn percentile(&self, hundredths: usize) -> Option<Duration> {
        let mut times = self.times.clone();
        times.sort_unstable();
        let last = times.len().checked_sub(1)?;
        times.get(last * hundredths / 100).copied()
    }
}
