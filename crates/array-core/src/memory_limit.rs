//! How much memory the voxels that are being read, computed and kept may take.
//!
//! A metadata document of a few bytes can describe a chunk of any size, and a system that promises more memory
//! than it has ends the process that believes it. So there is a limit, one for the process, and whatever is as
//! large as somebody else says is held against it before it is asked for.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::ArrayError;

/// The limit in bytes; 0 until somebody asks or sets it.
static LIMIT: AtomicU64 = AtomicU64::new(0);

/// The largest number of bytes that reads may take: what [`set_memory_limit`] was told, or else half of the
/// memory of the machine, of the control group, or of what the process may address, whichever is least.
///
/// A single array, chunk or buffer that takes more is refused ([`check_memory`]). Where several are in use at once,
/// fewer threads work, so that their blocks take half of it together ([`concurrent`]). What a program keeps, as
/// the results of its reads, is its own affair.
#[must_use]
pub fn memory_limit() -> u64 {
    match LIMIT.load(Ordering::Relaxed) {
        0 => {
            let usual = (available() / 2).max(1);
            // Where somebody has set it meanwhile, that counts.
            match LIMIT.compare_exchange(0, usual, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => usual,
                Err(set) => set,
            }
        }
        limit => limit,
    }
}

/// Sets the [`memory_limit`] of the process, for all that is allocated from now on.
pub fn set_memory_limit(bytes: u64) {
    LIMIT.store(bytes.max(1), Ordering::Relaxed);
}

/// Refuses what takes more bytes than the [`memory_limit`]; none are more bytes than can be counted.
///
/// ```
/// let error = array_core::check_memory(Some(1 << 60), || "one chunk".to_owned()).unwrap_err();
/// assert!(error.to_string().starts_with("one chunk takes 1152921.5 TB, beyond the memory limit of "));
/// ```
///
/// # Errors
///
/// [`ArrayError::OverMemoryLimit`], with `what` it is.
pub fn check_memory(bytes: Option<u64>, what: impl FnOnce() -> String) -> Result<(), ArrayError> {
    let limit = memory_limit();
    match bytes {
        Some(bytes) if bytes <= limit => Ok(()),
        _ => Err(ArrayError::OverMemoryLimit { what: what(), bytes, limit }),
    }
}

/// How many pieces of work that take so many bytes each may be under way at once: as many as take half of the
/// [`memory_limit`] together, and one in any case.
#[must_use]
pub fn concurrent(bytes: u64) -> usize {
    let half = memory_limit() / 2;
    usize::try_from(half.checked_div(bytes).unwrap_or(u64::MAX)).unwrap_or(usize::MAX).max(1)
}

/// What this process could use at most, as far as the system tells.
fn available() -> u64 {
    let mut system = sysinfo::System::new();
    system.refresh_memory();
    least([
        Some(system.total_memory()),
        system.cgroup_limits().map(|limits| limits.total_memory),
        addressable(),
    ])
}

/// The least of the sizes that are known: a system that does not know one says none, or 0.
fn least(sizes: [Option<u64>; 3]) -> u64 {
    sizes.into_iter().flatten().filter(|&bytes| bytes > 0).min().unwrap_or(u64::MAX)
}

/// The bytes that the process may address; none without a limit.
fn addressable() -> Option<u64> {
    #[cfg(target_os = "linux")]
    return rustix::process::getrlimit(rustix::process::Resource::As).current;
    #[cfg(not(target_os = "linux"))]
    None
}

/// A number of bytes, in the largest unit (of 1000) of which there is at least one.
pub(crate) struct Bytes(pub(crate) Option<u64>);

impl fmt::Display for Bytes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [(u64, &str); 4] =
            [(1_000_000_000_000, "TB"), (1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB")];
        let Some(bytes) = self.0 else {
            return formatter.write_str("more bytes than can be counted");
        };
        for (unit, name) in UNITS {
            if let Some(whole) = bytes.checked_div(unit).filter(|&whole| whole > 0) {
                // The first decimal, cut off: a limit is not exceeded by rounding.
                let tenth =
                    bytes.checked_rem(unit).unwrap_or(0).saturating_mul(10).checked_div(unit);
                return write!(formatter, "{whole}.{} {name}", tenth.unwrap_or(0));
            }
        }
        write!(formatter, "{bytes} bytes")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_written_in_the_largest_unit() {
        for (bytes, expected) in [
            (999, "999 bytes"),
            (1_000, "1.0 kB"),
            (1_999_999, "1.9 MB"),
            (5 << 30, "5.3 GB"),
            (u64::MAX, "18446744.0 TB"),
        ] {
            assert_eq!(Bytes(Some(bytes)).to_string(), expected);
        }
        assert_eq!(Bytes(None).to_string(), "more bytes than can be counted");
    }

    #[test]
    fn what_can_be_used_is_the_least_that_is_known() {
        assert_eq!(least([Some(5), Some(3), Some(4)]), 3);
        assert_eq!(least([Some(5), None, Some(0)]), 5);
        assert_eq!(least([Some(0), None, None]), u64::MAX);
    }

    #[test]
    fn the_usual_limit_is_at_most_half_of_the_machine() {
        let mut system = sysinfo::System::new();
        system.refresh_memory();
        assert!((1..=system.total_memory() / 2).contains(&memory_limit()));
        assert_eq!(concurrent(memory_limit()), 1);
        assert_eq!(concurrent(0), usize::MAX);
    }
}
