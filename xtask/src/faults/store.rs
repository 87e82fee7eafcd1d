//! Labels behind a server that fails.

use anyhow::Context;

use super::bed::{Bed, WAYS, beside, difference, text_of, tree};
use super::random::Random;
use super::report::Report;
use super::server::{Fault, Plan, Server};

const FAULTS: [Fault; 8] = [
    Fault::Status(500),
    Fault::Status(403),
    Fault::Truncated,
    Fault::Short,
    Fault::Stalled,
    Fault::Closed,
    Fault::Changed,
    Fault::Gone,
];

/// Lets each fault happen `count` times once, and as often for good.
pub(super) fn run(bed: &Bed, count: usize, report: &mut Report) -> anyhow::Result<()> {
    let mut random = Random::new(4);
    let server = Server::start(&bed.path(""))?;
    let place = server.url("crop.zarr/labels/s0");
    let way = [WAYS[0], &["--timeout", "1", "--retries", "2"]].concat();
    server.follow(None);
    let expected = bed.undisturbed(&place, &way)?;
    let (asked, _) = server.follow(None);
    for fault in FAULTS {
        // What changes before the last file has been looked at, changes before the run begins: in the first
        // third of the requests.
        let begun = matches!(fault, Fault::Changed | Fault::Gone);
        let from = if begun { asked / 3 + 1 } else { 0 };
        for (times, often) in [(1, "once"), (usize::MAX, "for good")] {
            let row = report.row(format!("server: {fault:?}, {often}"));
            for _ in 0..count {
                let first = from + random.below(asked - from);
                server.follow(Some(Plan { fault, first, times }));
                let output = bed.empty("store")?.join("masks.zarr");
                let ended = bed.mask(&place, &way, &output).output().context("starting voxmask")?;
                let text = text_of(&ended);
                let (_, hit) = server.follow(None);
                if ended.status.success() {
                    let wrong = difference(&tree(&output)?, &expected);
                    row.tell(match wrong {
                        None if hit == 0 => Ok("not reached".to_owned()),
                        None => Ok("right".to_owned()),
                        Some(difference) => Err(format!("wrong masks: {difference}")),
                    });
                    continue;
                }
                if ended.status.code() != Some(1) || output.exists() {
                    row.broke(format!("it ended with {}: {text}", ended.status));
                    continue;
                }
                if !text.contains(&place) {
                    row.broke(format!("the message does not name the chunk: {text}"));
                    continue;
                }
                // With the server as it was, what was begun is finished.
                let resume = [&way[..], &["--resume"]].concat();
                let mut again = bed.mask(&place, &resume, &output).output()?;
                let mut how = "resumed";
                if text_of(&again).contains("nothing to resume") {
                    again = bed.mask(&place, &way, &output).output()?;
                } else if fault == Fault::Short && text_of(&again).contains("labels have changed") {
                    // A size that was wrong when the run began makes the right one that of other labels.
                    let anew = [&way[..], &["--overwrite"]].concat();
                    again = bed.mask(&place, &anew, &output).output()?;
                    how = "begun anew";
                }
                let is_right = again.status.success()
                    && difference(&tree(&output)?, &expected).is_none()
                    && beside(&output)?.is_empty();
                row.tell(if is_right {
                    Ok(format!("error, then {how}"))
                } else {
                    Err(format!("it is not resumed: {}", text_of(&again)))
                });
            }
        }
    }
    Ok(())
}
