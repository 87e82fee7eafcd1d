//! Progress of long work, and its end by Ctrl-C.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

/// How often a bar is drawn when nothing happens.
const TICK: Duration = Duration::from_millis(200);

/// A bar on standard error; nothing where that is not a terminal.
pub(crate) fn bar(voxels: u64, message: &'static str) -> ProgressBar {
    let template = "{msg} {wide_bar} {percent}% of {human_len} voxels, {rate}, {eta} left";
    styled(voxels, message, template)
}

/// Sets a bar to the begin of work of which a part was done before: rate and time count the new part only.
pub(crate) fn begin(bar: &ProgressBar, done: u64, total: u64) {
    // The rate is taken from the last position that was drawn, which a bar that draws itself may leave out.
    bar.disable_steady_tick();
    bar.set_length(total);
    bar.set_position(done);
    bar.tick();
    bar.reset_elapsed();
    bar.enable_steady_tick(TICK);
}

/// The same for a number of sources.
pub(crate) fn sources(count: u64, message: &'static str) -> ProgressBar {
    styled(count, message, "{msg} {wide_bar} {pos} of {len} sources, {eta} left")
}

fn styled(len: u64, message: &'static str, template: &str) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(len), ProgressDrawTarget::stderr_with_hz(10));
    let style = ProgressStyle::with_template(template);
    let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
    bar.set_style(style.with_key("rate", write_rate));
    bar.set_message(message);
    bar.enable_steady_tick(TICK);
    bar
}

/// How fast the work goes.
fn write_rate(state: &ProgressState, text: &mut dyn std::fmt::Write) {
    // A bar that cannot be written is no error.
    let _ = write!(text, "{:.1} million/s", state.per_sec() / 1e6);
}

/// The wish of the user to stop.
#[derive(Clone, Debug)]
pub(crate) struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Listens for Ctrl-C, so that work can clean up after itself.
    pub(crate) fn listen() -> Result<Self> {
        let interrupt = Self(Arc::default());
        let flag = Arc::clone(&interrupt.0);
        ctrlc::set_handler(move || flag.store(true, Ordering::Relaxed))
            .context("listening for Ctrl-C")?;
        Ok(interrupt)
    }

    /// Whether the user wishes to stop.
    pub(crate) fn is_wished(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
