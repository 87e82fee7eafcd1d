//! What was tried and what came of it, as a table.

use std::collections::BTreeMap;

/// What was tried and what came of it.
#[derive(Default)]
pub(super) struct Report {
    rows: Vec<Row>,
}

/// One thing that was tried, in a number of ways or times.
pub(super) struct Row {
    what: String,
    tried: usize,
    outcomes: BTreeMap<String, usize>,
    broken: Vec<String>,
}

impl Report {
    /// A new row of the table.
    pub(super) fn row(&mut self, what: impl Into<String>) -> &mut Row {
        let what = what.into();
        let row = Row { what, tried: 0, outcomes: BTreeMap::new(), broken: Vec::new() };
        self.rows.push(row);
        let last = self.rows.len().saturating_sub(1);
        &mut self.rows[last]
    }

    /// How often a guarantee was broken.
    pub(super) fn broken(&self) -> usize {
        self.rows.iter().map(|row| row.broken.len()).sum()
    }

    pub(super) fn print(&self) {
        let width = self.rows.iter().map(|row| row.what.chars().count()).max().unwrap_or(0);
        println!("\n{:<width$}  {:>6}  {:>6}  CAME OF IT", "TRIED", "TIMES", "BROKEN");
        for row in &self.rows {
            let outcomes: Vec<String> =
                row.outcomes.iter().map(|(name, count)| format!("{name} {count}")).collect();
            let (tried, broken) = (row.tried, row.broken.len());
            let what = &row.what;
            println!("{what:<width$}  {tried:>6}  {broken:>6}  {}", outcomes.join(", "));
        }
        for row in &self.rows {
            for broken in &row.broken {
                println!("BROKEN: {}: {broken}", row.what);
            }
        }
    }
}

impl Row {
    /// One more try, and what came of it.
    pub(super) fn came(&mut self, outcome: impl Into<String>) {
        self.tried += 1;
        *self.outcomes.entry(outcome.into()).or_default() += 1;
    }

    /// One more try, in which a guarantee was broken.
    pub(super) fn broke(&mut self, why: impl Into<String>) {
        self.came("broken");
        self.broken.push(why.into());
    }

    /// What else there is to tell, which is no try.
    pub(super) fn note(&mut self, text: impl Into<String>) {
        self.outcomes.insert(text.into(), 0);
    }

    /// One more try: what came of it, or what was broken.
    pub(super) fn tell(&mut self, outcome: Result<String, String>) {
        match outcome {
            Ok(outcome) => self.came(outcome),
            Err(why) => self.broke(why),
        }
    }
}
