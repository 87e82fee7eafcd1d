//! Runs that are all done, whatever comes out of each, and then told in one table.

use std::time::{Duration, Instant};

use anyhow::bail;

/// What came out of each run so far.
#[derive(Default)]
pub(crate) struct Runs(Vec<Run>);

struct Run {
    name: String,
    took: Duration,
    failed: bool,
}

impl Runs {
    /// Does one; if it fails, the error is printed where it belongs, among its output.
    pub(crate) fn run(&mut self, name: String, work: impl FnOnce() -> anyhow::Result<()>) {
        let begin = Instant::now();
        let result = work();
        if let Err(error) = &result {
            eprintln!("error: {name}: {error:#}");
        }
        self.0.push(Run { name, took: begin.elapsed(), failed: result.is_err() });
    }

    /// Prints all in a table.
    ///
    /// # Errors
    ///
    /// If one failed; all that did are named.
    pub(crate) fn finish(self) -> anyhow::Result<()> {
        println!("\n{:<48} {:>9} RESULT", "RUN", "SECONDS");
        for Run { name, took, failed } in &self.0 {
            let result = if *failed { "failed" } else { "passed" };
            println!("{name:<48} {:>9.1} {result}", took.as_secs_f64());
        }
        let failed: Vec<_> = self.0.iter().filter(|run| run.failed).map(|run| &*run.name).collect();
        if failed.is_empty() { Ok(()) } else { bail!("failed: {}", failed.join(", ")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_that_fails_stops_no_other_and_is_named_in_the_end() {
        let mut runs = Runs::default();
        runs.run("first".to_owned(), || bail!("a race"));
        let mut is_done = false;
        runs.run("second".to_owned(), || {
            is_done = true;
            Ok(())
        });
        assert!(is_done);
        assert_eq!(runs.finish().unwrap_err().to_string(), "failed: first");
        Runs::default().finish().unwrap();
    }
}
