//! Progress of long work, and its end by Ctrl-C.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar on standard error; nothing where that is not a terminal.
pub(crate) fn bar(voxels: u64, message: &'static str) -> ProgressBar {
    styled(voxels, message, "{msg} {wide_bar} {percent}% of {human_len} voxels, {eta} left")
}

/// The same for a number of sources.
pub(crate) fn sources(count: u64, message: &'static str) -> ProgressBar {
    styled(count, message, "{msg} {wide_bar} {pos} of {len} sources, {eta} left")
}

fn styled(len: u64, message: &'static str, template: &str) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(len), ProgressDrawTarget::stderr_with_hz(10));
    let style = ProgressStyle::with_template(template);
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.set_message(message);
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

/// The wish of the user to stop.
#[derive(Clone, Debug)]
pub(crate) struct Interrupt(Arc<AtomicBool>);

/// The work was ended by the user.
#[derive(Debug, thiserror::Error)]
#[error("interrupted; nothing was written")]
pub(crate) struct Interrupted;

impl Interrupt {
    /// Listens for Ctrl-C, so that work can clean up after itself.
    pub(crate) fn listen() -> Result<Self> {
        let interrupt = Self(Arc::default());
        let flag = Arc::clone(&interrupt.0);
        ctrlc::set_handler(move || flag.store(true, Ordering::Relaxed))
            .context("listening for Ctrl-C")?;
        Ok(interrupt)
    }

    /// Fails if the user wishes to stop.
    pub(crate) fn check(&self) -> Result<(), Interrupted> {
        if self.0.load(Ordering::Relaxed) { Err(Interrupted) } else { Ok(()) }
    }
}
