//! What a process takes of the machine while something happens.

use std::fs;
use std::time::Duration;

use anyhow::Context;
use tokio::task::JoinHandle;

use crate::server::memory_mb;

/// Memory in megabytes, and open files.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Use {
    pub(crate) memory: f64,
    pub(crate) files: usize,
}

/// What a process takes now.
///
/// # Errors
///
/// If there is no such process.
pub(crate) fn now(id: u32) -> anyhow::Result<Use> {
    let folder = format!("/proc/{id}/fd");
    let files = fs::read_dir(&folder).with_context(|| format!("reading {folder}"))?.count();
    Ok(Use { memory: memory_mb(id, "VmRSS")?, files })
}

/// The most that a process takes from the start of this on.
pub(crate) struct Watch {
    id: u32,
    files: JoinHandle<()>,
    most: std::sync::Arc<std::sync::atomic::AtomicUsize>,
}

impl Watch {
    /// Watches from now on.
    ///
    /// # Errors
    ///
    /// If there is no such process.
    pub(crate) fn start(id: u32) -> anyhow::Result<Self> {
        use std::sync::atomic::Ordering::Relaxed;

        // The system counts the peak of the memory; from here on it counts anew.
        let file = format!("/proc/{id}/clear_refs");
        fs::write(&file, "5").with_context(|| format!("writing {file}"))?;
        let most = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let seen = std::sync::Arc::clone(&most);
        let files = tokio::spawn(async move {
            while let Ok(used) = now(id) {
                seen.fetch_max(used.files, Relaxed);
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        });
        Ok(Self { id, files, most })
    }

    /// The most until now.
    ///
    /// # Errors
    ///
    /// If the process has ended.
    pub(crate) fn end(self) -> anyhow::Result<Use> {
        self.files.abort();
        let files = self.most.load(std::sync::atomic::Ordering::Relaxed);
        Ok(Use { memory: memory_mb(self.id, "VmHWM")?, files })
    }
}
