//! How many files the process may have open.

/// Files that are open beside connections: those of the source, of the runtime, of logs.
#[cfg(unix)]
const OTHERS: u64 = 256;

/// How many of `wanted` connections may be open at a time. The process allows itself more open files for that, if
/// the system does.
#[cfg(unix)]
pub(crate) fn connections(wanted: usize) -> usize {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    // No limit is no limit for us.
    let Some(allowed) = current else { return wanted };
    let needed = u64::try_from(wanted).unwrap_or(u64::MAX).saturating_add(OTHERS);
    let raised = maximum.map_or(needed, |maximum| needed.min(maximum));
    let allowed = if raised > allowed {
        let limit = Rlimit { current: Some(raised), maximum };
        setrlimit(Resource::Nofile, limit).map_or(allowed, |()| raised)
    } else {
        allowed
    };
    fitting(wanted, allowed)
}

#[cfg(not(unix))]
pub(crate) fn connections(wanted: usize) -> usize {
    wanted
}

/// How many of `wanted` connections leave enough for all else, if so many files are allowed.
#[cfg(unix)]
fn fitting(wanted: usize, allowed: u64) -> usize {
    let room = allowed.saturating_sub(OTHERS).max(allowed / 2).max(1);
    usize::try_from(room).map_or(wanted, |room| room.min(wanted))
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_files_for_all_else() {
        for (wanted, allowed, expected) in
            [(1024, 1280, 1024), (1024, 1024, 768), (1024, 64, 32), (10, 64, 10), (1024, 0, 1)]
        {
            assert_eq!(fitting(wanted, allowed), expected, "{wanted} of {allowed}");
        }
    }
}
