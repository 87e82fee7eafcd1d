//! What becomes of masks when things go wrong: processes killed, disks full, labels changed, servers failing.

mod bed;
mod damage;
mod disk;
mod kill;
mod random;
mod report;
mod server;
mod source;
mod store;
mod writers;

use anyhow::{Context, bail};

use bed::Bed;
use report::Report;

/// A test-bed: its name, how often it tries by default, and what does it.
type Kind = (&'static str, usize, fn(&Bed, usize, &mut Report) -> anyhow::Result<()>);

const KINDS: [Kind; 6] = [
    ("kill", 200, kill::run),
    ("disk", 3, disk::run),
    ("source", 3, source::run),
    ("store", 3, store::run),
    ("damage", 2000, damage::run),
    ("writers", 20, writers::run),
];

/// Runs one test-bed, or all of them, and prints a table.
///
/// # Errors
///
/// If there is no such test-bed, it cannot be set up, or a guarantee was broken.
pub(crate) fn run(options: &[&str]) -> anyhow::Result<()> {
    let chosen: Vec<(Kind, usize)> = match options {
        [] => KINDS.iter().map(|&kind| (kind, kind.1)).collect(),
        [name, count @ ..] => {
            let kind = KINDS.iter().find(|kind| kind.0 == *name);
            let kind = *kind.with_context(|| format!("there are no faults {name:?}"))?;
            let count = match count {
                [] => kind.1,
                [count] => {
                    let count = count.parse().ok().filter(|&count| count > 0);
                    count.with_context(|| "N is how often to try, at least 1".to_owned())?
                }
                _ => bail!("cannot take {count:?}: one number is the most"),
            };
            vec![(kind, count)]
        }
    };
    let bed = Bed::new()?;
    let mut report = Report::default();
    for ((name, _, try_all), count) in chosen {
        println!("> {name} {count}");
        try_all(&bed, count, &mut report)?;
    }
    report.print();
    match report.broken() {
        0 => Ok(()),
        broken => bail!("{broken} guarantees were broken"),
    }
}
