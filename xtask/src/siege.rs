//! A server under siege: what strangers do to it, and what that costs others, as a table.

mod attacks;
mod http;
mod steady;
mod volume;
mod watch;

use std::fs::{self, File};
use std::future::Future;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::server::Server;
use attacks::Tally;
use http::Target;
use steady::{Seen, Steady};
use volume::Volume;
use watch::{Use, Watch};

/// What the server may take in any case: megabytes (32 of its cache, 64 of answers on their way, what 1024 connections
/// and decoding take, and what the allocator keeps of all that), and open files beside those of its connections.
const MAX_MEMORY: f64 = 384.0;
const MAX_FILES: usize = 1024 + 64;
/// The slowest answers that a client like any other may get, whoever else is there.
const MAX_P99: Duration = Duration::from_secs(1);
/// How soon all must be as before.
const RECOVERY: Duration = Duration::from_secs(10);
/// Open files that a server may keep when all have gone, such as that of the last client.
const FILES_LEFT: usize = 8;
/// What the server waits for, as in its documentation.
const HEAD_LIMIT: Duration = Duration::from_secs(30);
const WRITE_LIMIT: Duration = Duration::from_secs(30);

/// What is asked for on the command line.
#[derive(Debug, PartialEq, Eq)]
struct Options {
    /// How long clients come and go.
    seconds: u64,
    /// Little of everything.
    is_quick: bool,
}

/// Besieges the server and prints a table.
///
/// # Errors
///
/// If an option is unknown, something cannot be set up, or a bound is broken.
pub(crate) fn run(options: &[&str]) -> anyhow::Result<()> {
    let options = parse(options)?;
    let voxmask = crate::program()?;
    let clients = if options.is_quick { 2_000 } else { 10_000 };
    allow_open_files(clients)?;
    let folder = tempfile::tempdir().context("making a temporary folder")?;
    let volume = Arc::new(Volume::make(folder.path(), &voxmask)?);
    let place = Place { folder: folder.path(), voxmask: &voxmask, volume: &volume };
    println!(
        "{} chunks of masks and targets, {} of an image; no more than {MAX_MEMORY} MB, {MAX_FILES} files and {MAX_P99:?}\n\n\
         {:<28} {:>9} {:>8} {:>8} {:>8} {:>8} {:>9} {:>6} {:>9} {:>6}",
        volume.chunks.len(),
        volume.raw_chunks.len(),
        "CASE",
        "TRIED",
        "SECONDS",
        "ANSWERS",
        "P50 MS",
        "P99 MS",
        "PEAK MB",
        "FILES",
        "AFTER MB",
        "FILES",
    );
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let broken = runtime.context("starting threads")?.block_on(all(place, &options, clients))?;
    if broken > 0 {
        bail!("{broken} bounds were broken");
    }
    Ok(())
}

fn parse(options: &[&str]) -> anyhow::Result<Options> {
    let (mut seconds, mut is_quick) = (None, false);
    for option in options {
        if *option == "--quick" {
            is_quick = true;
            continue;
        }
        let count = option.parse().ok().filter(|seconds| *seconds > 0);
        seconds = Some(count.with_context(|| {
            format!("cannot take {option:?}: a number of seconds and --quick are known")
        })?);
    }
    Ok(Options { seconds: seconds.unwrap_or(if is_quick { 6 } else { 600 }), is_quick })
}

/// Allows this process the open files that so many clients need.
fn allow_open_files(clients: usize) -> anyhow::Result<()> {
    let needed = u64::try_from(clients)? + 512;
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current.is_none_or(|current| current >= needed) {
        return Ok(());
    }
    let allowed = setrlimit(Resource::Nofile, Rlimit { current: Some(needed), maximum });
    allowed.with_context(|| format!("{needed} open files are needed: raise the limit (ulimit -n)"))
}

/// Runs all cases, and returns how many bounds were broken.
async fn all(place: Place<'_>, options: &Options, clients: usize) -> anyhow::Result<usize> {
    let (quick, seconds) = (options.is_quick, options.seconds);
    let times = |full: usize, few: usize| if quick { few } else { full };
    let lasts = |limit: Duration| match quick {
        true => Duration::from_secs(4),
        false => limit + Duration::from_secs(10),
    };
    let volume = place.volume;
    let mut siege = Siege::start(place, "siege", None, &["--cache", "32MiB"]).await?;
    let target = siege.target;
    let quiet = async {
        tokio::time::sleep(Duration::from_secs(times(5, 2) as u64)).await;
        Ok(Tally::default())
    };
    siege.endure("nobody else", quiet).await?;
    siege
        .endure("1000 slow heads", attacks::dribble(target, 1000, lasts(HEAD_LIMIT), HEAD_LIMIT))
        .await?;
    let stays = Duration::from_secs(times(10, 1) as u64);
    siege.endure(&format!("{clients} idle"), attacks::idle(target, clients, stays)).await?;
    // The last have waited for room while all others were sent away, and only then have their own time.
    let stay = WRITE_LIMIT * 2;
    let limit = (!quick).then_some(stay);
    siege
        .endure(
            "1000 who read nothing",
            attacks::read_nothing(target, volume, 1000, lasts(stay), limit),
        )
        .await?;
    siege.endure("malformed", attacks::malformed(target, times(100, 2))).await?;
    let private = [place.folder, place.voxmask].map(|path| path.display().to_string());
    siege.endure("paths that lead out", attacks::traverse(target, &private)).await?;
    siege
        .endure("1000 requests at once", attacks::pipeline(target, volume, times(50, 8), 1000))
        .await?;
    let lasts = Duration::from_secs(seconds);
    siege.endure("disconnects", attacks::disconnect(target, volume, 64, lasts)).await?;
    siege.endure("nobody else, behind that", async { Ok(Tally::default()) }).await?;
    let broken = siege.end()?;
    Ok(broken + few_files(place).await? + cold(place, times(20, 4)).await?)
}

/// Where everything is.
#[derive(Clone, Copy)]
struct Place<'a> {
    folder: &'a Path,
    voxmask: &'a Path,
    volume: &'a Arc<Volume>,
}

/// A server, and how much of what it promises did not hold.
struct Siege<'a> {
    place: Place<'a>,
    server: Server,
    target: Target,
    /// What it takes while nobody is there.
    quiet: Use,
    broken: usize,
    said: std::path::PathBuf,
}

impl<'a> Siege<'a> {
    /// Starts a server, with a limit of open files if there is one. What it says goes to a file `name`.
    async fn start(
        place: Place<'a>,
        name: &str,
        max_files: Option<usize>,
        arguments: &[&str],
    ) -> anyhow::Result<Self> {
        let mut command = match max_files {
            None => Command::new(place.voxmask),
            Some(count) => {
                let mut shell = Command::new("sh");
                let script = format!("ulimit -n {count} && exec \"$0\" \"$@\"");
                shell.arg("-c").arg(script).arg(place.voxmask);
                shell
            }
        };
        let Volume { labels, raw, groups, .. } = &**place.volume;
        command.arg("serve").arg(labels).arg("--groups").arg(groups).arg("--raw").arg(raw);
        command.args(["--json", "--verbose"]).args(arguments);
        let said = place.folder.join(format!("{name}.log"));
        command.stderr(File::create(&said).with_context(|| format!("making {}", said.display()))?);
        let server = Server::start("voxmask serve", &mut command)?;
        let address = server.url.strip_prefix("http://").and_then(|url| url.strip_suffix('/'));
        let address = address.and_then(|address| address.parse().ok());
        let target =
            Target { address: address.with_context(|| format!("{} is no address", server.url))? };
        let quiet = watch::now(server.id())?;
        Ok(Self { place, server, target, quiet, broken: 0, said })
    }

    /// Lets something happen while a client like any other asks for chunks, and prints what came of both.
    async fn endure(
        &mut self,
        name: &str,
        attack: impl Future<Output = anyhow::Result<Tally>>,
    ) -> anyhow::Result<()> {
        let watch = Watch::start(self.server.id())?;
        let steady = Steady::start(self.target, self.place.volume);
        let begin = Instant::now();
        let tally = attack.await.with_context(|| name.to_owned())?;
        let seconds = begin.elapsed();
        let mut seen = steady.end().await?;
        let most = watch.end()?;
        let after = self.after().await?;
        // One who comes now finds everything as it was.
        seen.ask(self.target, self.place.volume, tally.tried).await;
        self.report(name, tally, seconds, &seen, most, after);
        Ok(())
    }

    /// What the server takes when all have gone, as soon as that is little.
    async fn after(&self) -> anyhow::Result<Use> {
        let begin = Instant::now();
        loop {
            let used = watch::now(self.server.id())?;
            if used.files <= self.quiet.files + FILES_LEFT || begin.elapsed() > RECOVERY {
                return Ok(used);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Prints a line, and what is wrong with it.
    fn report(
        &mut self,
        name: &str,
        tally: Tally,
        seconds: Duration,
        seen: &Seen,
        most: Use,
        after: Use,
    ) {
        let milliseconds = |hundredths: usize| {
            let time = seen.percentile(hundredths);
            time.map_or("none".to_owned(), |time| format!("{:.2}", time.as_secs_f64() * 1e3))
        };
        println!(
            "{name:<28} {:>9} {:>8.1} {:>8} {:>8} {:>8} {:>9.0} {:>6} {:>9.0} {:>6}",
            tally.tried,
            seconds.as_secs_f64(),
            seen.answers(),
            milliseconds(50),
            milliseconds(99),
            most.memory,
            most.files,
            after.memory,
            after.files,
        );
        let mut wrong: Vec<String> =
            tally.wrong.into_iter().chain(seen.wrong.iter().cloned()).collect();
        if seen.percentile(99).is_none_or(|time| time > MAX_P99) {
            wrong.push(format!("others wait longer than {MAX_P99:?}"));
        }
        if most.memory > MAX_MEMORY {
            wrong.push(format!("it takes more than {MAX_MEMORY} MB"));
        }
        if most.files > MAX_FILES {
            wrong.push(format!("it opens more than {MAX_FILES} files"));
        }
        if after.files > self.quiet.files + FILES_LEFT {
            wrong.push(format!("{} files stay open, not {}", after.files, self.quiet.files));
        }
        self.broken += wrong.len();
        let more = wrong.len().saturating_sub(5);
        wrong.iter().take(5).for_each(|wrong| println!("  BROKEN {wrong}"));
        if more > 0 {
            println!("  BROKEN and {more} more");
        }
    }

    /// Ends the server as Ctrl-C does, and returns how many bounds were broken.
    fn end(mut self) -> anyhow::Result<usize> {
        self.server.interrupt()?;
        Ok(self.broken)
    }
}

/// Many idle clients of a server that may open few files: others get their chunks all the same.
async fn few_files(place: Place<'_>) -> anyhow::Result<usize> {
    let mut siege = Siege::start(place, "few", Some(100), &["--cache", "32MiB"]).await?;
    let idle = attacks::idle(siege.target, 500, Duration::from_secs(2));
    siege.endure("500 idle, 100 files allowed", idle).await?;
    siege.end()
}

/// Many clients at once for a chunk that nobody has computed, again and again: each is computed once.
async fn cold(place: Place<'_>, rounds: usize) -> anyhow::Result<usize> {
    let mut siege = Siege::start(place, "cold", None, &[]).await?;
    let watch = Watch::start(siege.server.id())?;
    let (begin, mut tally) = (Instant::now(), Tally::default());
    for number in 0..rounds {
        let one = attacks::storm(siege.target, place.volume, 1000, number).await?;
        tally.tried += one.tried;
        tally.wrong.extend(one.wrong);
    }
    let (seconds, most, after) = (begin.elapsed(), watch.end()?, siege.after().await?);
    siege.server.interrupt()?;
    // It tells at its end what it did.
    let said = fs::read_to_string(&siege.said).context("reading what the server said")?;
    let counted =
        said.rsplit_once("computed ").and_then(|(_, text)| text.split(' ').next()?.parse().ok());
    let counted: usize = counted.with_context(|| format!("the server said {said:?}"))?;
    if counted != rounds {
        tally.wrong.push(format!("{counted} places were computed, not {rounds}"));
    }
    println!(
        "{:<28} {:>9} {:>8.1} {:>35.0} {:>6} {:>9.0} {:>6}   {counted} computed for {rounds}",
        "1000 for one cold chunk",
        tally.tried,
        seconds.as_secs_f64(),
        most.memory,
        most.files,
        after.memory,
        after.files
    );
    tally.wrong.iter().take(5).for_each(|wrong| println!("  BROKEN {wrong}"));
    Ok(tally.wrong.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_come_in_any_order_and_bad_ones_are_named() {
        let options = |options: &[&str]| parse(options).unwrap();
        assert_eq!(options(&[]), Options { seconds: 600, is_quick: false });
        assert_eq!(options(&["60"]), Options { seconds: 60, is_quick: false });
        assert_eq!(options(&["--quick"]), Options { seconds: 6, is_quick: true });
        assert_eq!(options(&["9", "--quick"]), Options { seconds: 9, is_quick: true });
        for bad in ["0", "fast", "--slow", "-1"] {
            assert!(parse(&[bad]).unwrap_err().to_string().contains(bad));
        }
    }
}
