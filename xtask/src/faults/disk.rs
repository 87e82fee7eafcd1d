//! Disks that are full, that refuse to be written, and that fail.

use std::fs;
use std::ops::Range;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::thread;
use std::time::Duration;

use anyhow::Context;

use super::bed::{Bed, Tree, WAYS, difference, text_of, tree, whole};
use super::random::Random;
use super::report::Report;

/// Somebody without rights: those of the superuser cannot be taken away.
const NOBODY: u32 = 65_534;

/// What a system call may answer, and what users are told.
const ERRORS: [(&str, &str); 5] = [
    ("ENOSPC", "No space left on device"),
    ("EDQUOT", "quota exceeded"),
    ("EIO", "Input/output error"),
    ("EROFS", "Read-only file system"),
    ("EACCES", "Permission denied"),
];

/// The system calls that write.
const CALLS: [&str; 5] = ["write", "openat", "mkdir", "rename", "ftruncate"];

/// Lets every way of failing happen `count` times.
pub(super) fn run(bed: &Bed, count: usize, report: &mut Report) -> anyhow::Result<()> {
    let way = WAYS[1];
    let expected = bed.undisturbed(&bed.labels().display().to_string(), way)?;
    let case = Case { bed, way, expected };
    case.full(count, report)?;
    case.too_large(count, report)?;
    case.read_only(count, report)?;
    case.forbidden(count, report)?;
    case.failing_calls(count, report)
}

struct Case<'a> {
    bed: &'a Bed,
    way: &'a [&'a str],
    expected: Tree,
}

impl Case<'_> {
    /// A disk that is full, and larger afterwards.
    fn full(&self, count: usize, report: &mut Report) -> anyhow::Result<()> {
        let row = report.row("disk: a full file system (tmpfs)");
        for number in 0..count {
            // Full at the beginning, in the middle, or near the end.
            let size = self.size() * (number % 3 + 1) / 4;
            let Some(disk) = Mounted::new(&self.bed.empty("disk")?, size)? else {
                row.note("not tried: mounting is not permitted");
                return Ok(());
            };
            let output = disk.0.join("masks.zarr");
            let ended = self.mask(&[], &output)?;
            let outcome = self.failed_cleanly(&ended, &output, &["No space left"]);
            disk.remount("size=100%")?;
            let outcome = outcome.and_then(|()| self.resumed(&output));
            row.tell(outcome);
        }
        Ok(())
    }

    /// Files that may not grow beyond a limit, as a quota ends them with a signal.
    fn too_large(&self, count: usize, report: &mut Report) -> anyhow::Result<()> {
        let row = report.row("disk: files limited in size (RLIMIT_FSIZE)");
        for number in 0..count {
            let output = self.bed.empty("limited")?.join("masks.zarr");
            let limit = [200, 2000, 6000][number % 3];
            let mut limited = Command::new("prlimit");
            limited.arg(format!("--fsize={limit}"));
            let mask = self.bed.mask_here(self.way, &output);
            limited.arg(mask.get_program()).args(mask.get_args());
            let ended = limited.output().context("starting prlimit")?;
            let outcome = self.failed_cleanly(&ended, &output, &["File too large"]);
            row.tell(outcome.and_then(|()| self.resumed(&output)));
        }
        Ok(())
    }

    /// A file system that is read-only from the beginning.
    fn read_only(&self, count: usize, report: &mut Report) -> anyhow::Result<()> {
        let row = report.row("disk: a read-only file system");
        for _ in 0..count {
            let Some(disk) = Mounted::new(&self.bed.empty("disk")?, self.size() * 4)? else {
                row.note("not tried: mounting is not permitted");
                return Ok(());
            };
            disk.remount("ro")?;
            let output = disk.0.join("masks.zarr");
            let ended = self.mask(&[], &output)?;
            let outcome = self.failed_cleanly(&ended, &output, &["Read-only file system"]);
            disk.remount("rw")?;
            row.tell(outcome.and_then(|()| self.resumed(&output)));
        }
        Ok(())
    }

    /// Permissions that are taken away while a user without rights writes.
    fn forbidden(&self, count: usize, report: &mut Report) -> anyhow::Result<()> {
        let row = report.row("disk: permission lost midway");
        fs::set_permissions(self.bed.path(""), fs::Permissions::from_mode(0o755))?;
        let (mut done, mut faster) = (0, 0);
        while done < count {
            let folder = self.bed.empty("forbidden")?;
            fs::set_permissions(&folder, fs::Permissions::from_mode(0o777))?;
            let output = folder.join("masks.zarr");
            let mut mask = self.bed.mask_here(self.way, &output);
            let Ok(process) = mask.uid(NOBODY).gid(NOBODY).spawn() else {
                row.note("not tried: only the superuser can do that");
                return Ok(());
            };
            let taken = take_permissions(&folder);
            let ended = process.wait_with_output().context("waiting for voxmask")?;
            let Some(taken) = taken.filter(|_| !ended.status.success()) else {
                faster += 1;
                if faster > 20 * count {
                    row.note("not tried as often: the run is faster");
                    return Ok(());
                }
                continue;
            };
            done += 1;
            let outcome = self.failed_cleanly(&ended, &output, &["Permission denied"]);
            fs::set_permissions(taken, fs::Permissions::from_mode(0o777))?;
            row.tell(outcome.and_then(|()| self.resumed(&output)));
        }
        Ok(())
    }

    /// System calls that fail, each kind at several moments.
    fn failing_calls(&self, count: usize, report: &mut Report) -> anyhow::Result<()> {
        let mut random = Random::new(2);
        for call in CALLS {
            let row = report.row(format!("disk: {call} fails at a random moment"));
            let Some(moments) = self.moments(call)? else {
                row.note("not tried: strace is not installed or may not trace");
                continue;
            };
            if moments.is_empty() {
                row.note("is not called");
                continue;
            }
            for _ in 0..count {
                for (error, text) in ERRORS {
                    let output = self.bed.empty("failing")?.join("masks.zarr");
                    let when = moments.start + random.below(moments.len());
                    let inject = format!("inject={call}:error={error}:when={when}");
                    let ended = self.traced(call, &["-e", &inject], &output)?;
                    let is_done = ended.status.success();
                    let outcome = if is_done {
                        // Not every call matters: a program looks for many files that need not be there.
                        Ok(())
                    } else {
                        self.failed_cleanly(&ended, &output, &[text])
                    };
                    let outcome = outcome.and_then(|()| self.resumed(&output));
                    row.tell(if is_done {
                        outcome.map(|_| "unharmed".to_owned())
                    } else {
                        outcome
                    });
                }
            }
        }
        Ok(())
    }

    /// Which of its calls of one kind a run makes about its output, counted from 1: those before, of which the
    /// first load the program, are left out. None if that cannot be told.
    fn moments(&self, call: &str) -> anyhow::Result<Option<Range<usize>>> {
        let folder = self.bed.empty("failing")?;
        let trace = self.bed.path("trace");
        let Ok(ended) = self.traced(
            call,
            &["-y", "-o", &trace.display().to_string()],
            &folder.join("masks.zarr"),
        ) else {
            return Ok(None);
        };
        if !ended.status.success() {
            return Ok(None);
        }
        let text = fs::read_to_string(&trace).context("reading a trace")?;
        let begins = format!("{call}(");
        let calls: Vec<&str> = text.lines().filter(|line| line.contains(&begins)).collect();
        let first = calls.iter().position(|line| line.contains(".masks.zarr.partial"));
        Ok(Some(first.map_or(0..0, |first| first + 1..calls.len() + 1)))
    }

    /// A run below strace, which knows how to let calls fail.
    fn traced(&self, call: &str, options: &[&str], output: &Path) -> anyhow::Result<Output> {
        let mut strace = Command::new("strace");
        strace.args(["-f", "-qq", "-e", &format!("trace={call}")]);
        if !options.contains(&"-o") {
            strace.args(["-o", "/dev/null"]);
        }
        strace.args(options);
        let mask = self.bed.mask_here(self.way, output);
        strace.arg(mask.get_program()).args(mask.get_args());
        strace.output().context("starting strace")
    }

    fn mask(&self, more: &[&str], output: &Path) -> anyhow::Result<Output> {
        let mut mask = self.bed.mask_here(&[self.way, more].concat(), output);
        mask.output().context("starting voxmask")
    }

    /// The bytes of an output.
    fn size(&self) -> usize {
        self.expected.values().flatten().map(|bytes| bytes.len().next_multiple_of(4096)).sum()
    }

    /// That a run failed as it should: with an exit code, a message that names the cause and the place, and no
    /// output.
    fn failed_cleanly(&self, ended: &Output, output: &Path, causes: &[&str]) -> Result<(), String> {
        let text = text_of(ended);
        if ended.status.code() != Some(1) {
            return Err(format!("it ended with {}: {text}", ended.status));
        }
        if !causes.iter().any(|cause| text.to_lowercase().contains(&cause.to_lowercase())) {
            return Err(format!("the message does not name {causes:?}: {text}"));
        }
        let folder = output.parent().unwrap_or(output).display().to_string();
        if !text.contains(&folder) && !text.contains(&self.bed.path("").display().to_string()) {
            return Err(format!("the message does not name the place: {text}"));
        }
        let told = |error: anyhow::Error| format!("{error:#}");
        // All that failed is the report about an output that is whole.
        let is_told = text.contains("but the report about them failed")
            && difference(&tree(output).map_err(told)?, &self.expected).is_none();
        if output.exists() && !is_told {
            return Err(format!("there is an output although it failed: {text}"));
        }
        Ok(())
    }

    /// That what was begun is finished, and byte for byte what it should be.
    fn resumed(&self, output: &Path) -> Result<String, String> {
        let told = |error: anyhow::Error| format!("{error:#}");
        let mut ended = self.mask(&["--resume"], output).map_err(told)?;
        let mut how = "resumed";
        if text_of(&ended).contains("nothing to resume") {
            ended = self.mask(&[], output).map_err(told)?;
            how = "nothing left";
        }
        if !ended.status.success() {
            return Err(format!("it is not resumed: {}", text_of(&ended)));
        }
        let whole = whole(output, &self.expected).map_err(told)?;
        whole.map_err(|why| format!("after the resume: {why}"))?;
        Ok(format!("error, then {how}"))
    }
}

/// Waits until chunks are written, and takes the permission to write more; the folder that it was taken of.
fn take_permissions(folder: &Path) -> Option<PathBuf> {
    for _ in 0..2000 {
        let partial = folder.join(".masks.zarr.partial");
        let runs = fs::read_dir(&partial).into_iter().flatten().flatten();
        let chunks = runs
            .map(|run| run.path().join("output/mask/s0/c"))
            .find(|chunks| fs::read_dir(chunks).is_ok_and(|mut found| found.next().is_some()));
        if let Some(chunks) = chunks {
            fs::set_permissions(&chunks, fs::Permissions::from_mode(0o555)).ok()?;
            return Some(chunks);
        }
        thread::sleep(Duration::from_micros(200));
    }
    None
}

/// A file system in memory, until it is dropped.
struct Mounted(PathBuf);

impl Mounted {
    /// Mounts one of so many bytes; none if that is not permitted.
    fn new(folder: &Path, size: usize) -> anyhow::Result<Option<Self>> {
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"]).arg(folder);
        let mounted = mount.output().context("starting mount")?.status.success();
        Ok(mounted.then(|| Self(folder.to_owned())))
    }

    fn remount(&self, option: &str) -> anyhow::Result<()> {
        let mut mount = Command::new("mount");
        mount.args(["-o", &format!("remount,{option}")]).arg(&self.0);
        let ended = mount.output().context("starting mount")?;
        anyhow::ensure!(ended.status.success(), "cannot remount: {}", text_of(&ended));
        Ok(())
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        if !Command::new("umount").arg(&self.0).status().is_ok_and(|status| status.success()) {
            eprintln!("cannot unmount {}", self.0.display());
        }
    }
}
