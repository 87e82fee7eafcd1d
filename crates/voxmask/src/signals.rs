//! Signals that would end the program without a word.

use anyhow::Result;

/// Lets a file that may not grow any more be an error of whoever writes it, which names the file: the signal that
/// comes with it would end the process. To be called before there are other threads, which do as the first.
#[cfg(unix)]
pub(crate) fn keep_running_at_file_limits() -> Result<()> {
    use anyhow::Context;
    use nix::sys::signal::{SigSet, Signal};

    let signals = SigSet::from(Signal::SIGXFSZ);
    signals.thread_block().context("blocking the signal of files that are too large")
}

/// Nothing: there is no such signal.
#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "as where it can fail")]
pub(crate) fn keep_running_at_file_limits() -> Result<()> {
    Ok(())
}
