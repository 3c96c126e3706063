//! The table of one shape: each target's figure, and its ratio to the peers' figures.

use std::fmt;

use super::Compared;
use super::shapes::{Cost, Goal};
use crate::stats::Spread;
use crate::target::Family;

/// The rows of one shape.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) title: String,
    pub(crate) cost: Cost,
    pub(crate) rows: Vec<Row>,
    pub(crate) verdicts: Vec<Verdict>,
    pub(crate) notes: Vec<String>,
}

/// One target.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) family: Family,
    pub(crate) runs: usize,
    pub(crate) cost: Option<Spread>,
    /// Deliveries per second, median.
    pub(crate) rate: f64,
    /// Medians of p50 and p99 in microseconds.
    pub(crate) p50: Option<f64>,
    pub(crate) p99: Option<f64>,
    /// The ratio to the best tokio peer.
    pub(crate) of_tokio: Option<f64>,
}

/// A goal, and what was reached.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Verdict {
    pub(crate) goal: Goal,
    pub(crate) reached: f64,
}

impl Verdict {
    pub(crate) fn holds(&self) -> bool {
        match self.goal {
            Goal::Share(_, share) => self.reached <= share,
            Goal::AtMost(most) => self.reached <= most,
        }
    }
}

impl Table {
    pub(crate) fn of(compared: &Compared) -> Table {
        let cost = compared.shape.cost;
        let mut rows: Vec<Row> = compared
            .targets
            .iter()
            .zip(&compared.outcomes)
            .map(|(target, runs)| row(target, runs, cost))
            .collect();
        let tokio = best(&rows, Family::Tokio);
        for row in &mut rows {
            row.of_tokio = row.cost.zip(tokio).and_then(|(cost, tokio)| cost.ratio_to(&tokio));
        }
        let verdicts = verdicts(&rows, &compared.shape.goals);
        let mut notes = compared.failures.clone();
        let warnings = compared
            .outcomes
            .iter()
            .flatten()
            .flat_map(|run| run.warnings.iter().map(|warning| format!("{}: {warning}", run.target)));
        notes.extend(warnings);
        notes.sort();
        notes.dedup_by_key(|note| note.chars().take_while(|c| !c.is_ascii_digit()).collect::<String>());
        Table { title: compared.shape.title.to_owned(), cost, rows, verdicts, notes }
    }
}

fn row(target: &crate::target::Target, runs: &[crate::outcome::Outcome], cost: Cost) -> Row {
    let median = |values: Vec<f64>| Spread::of(&values).map(|spread| spread.median);
    let latency = |of: fn(&crate::outcome::Latency) -> f64| {
        median(runs.iter().filter_map(|run| run.latency.as_ref().map(of)).collect())
    };
    let costs: Vec<f64> = runs.iter().filter_map(|run| cost.of(run)).collect();
    Row {
        name: target.name.clone(),
        family: target.family,
        runs: runs.len(),
        cost: Spread::of(&costs),
        rate: median(runs.iter().map(crate::outcome::Outcome::rate).collect()).unwrap_or(0.0),
        p50: latency(|latency| latency.p50),
        p99: latency(|latency| latency.p99),
        of_tokio: None,
    }
}

/// The best figure of a family.
fn best(rows: &[Row], family: Family) -> Option<Spread> {
    let costs = rows.iter().filter(|row| row.family == family).filter_map(|row| row.cost);
    costs.min_by(|a, b| a.median.total_cmp(&b.median))
}

fn verdicts(rows: &[Row], goals: &[Goal]) -> Vec<Verdict> {
    let Some(own) = best(rows, Family::Own) else {
        return Vec::new();
    };
    let verdict = |goal: &Goal| {
        let reached = match goal {
            Goal::Share(family, _) => own.ratio_to(&best(rows, *family)?)?,
            Goal::AtMost(_) => own.median,
        };
        Some(Verdict { goal: *goal, reached })
    };
    goals.iter().filter_map(verdict).collect()
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Verdict { goal, reached } = self;
        let word = if self.holds() { "reached" } else { "NOT REACHED" };
        match goal {
            Goal::Share(Family::Floor, share) => {
                write!(f, "{reached:.2} of the floor, to reach {share:.2}: {word}")
            }
            Goal::Share(_, share) => {
                write!(f, "{reached:.2} of the best tokio peer, to reach {share:.2}: {word}")
            }
            Goal::AtMost(most) => write!(f, "{reached:.2}, to reach {most}: {word}"),
        }
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\n{} ({})", self.title, self.cost.unit())?;
        let heads = ["target", "median", "low", "high", "of tokio", "msg/s", "p50 µs", "p99 µs", "runs"];
        let [name, median, low, high, share, rate, p50, p99, runs] = heads;
        writeln!(
            f,
            "  {name:20} {median:>9} {low:>9} {high:>9} {share:>9} {rate:>10} {p50:>9} {p99:>9} {runs:>5}"
        )?;
        for row in &self.rows {
            let number = |value: Option<f64>, digits: usize| {
                value.map_or("-".to_owned(), |value| format!("{value:.digits$}"))
            };
            let Row { name, runs, cost, rate, p50, p99, of_tokio, .. } = row;
            let (median, low, high) = (cost.map(|c| c.median), cost.map(|c| c.low), cost.map(|c| c.high));
            writeln!(
                f,
                "  {name:20} {:>9} {:>9} {:>9} {:>9} {rate:>10.0} {:>9} {:>9} {runs:>5}",
                number(median, 3),
                number(low, 3),
                number(high, 3),
                number(*of_tokio, 2),
                number(*p50, 0),
                number(*p99, 0),
            )?;
        }
        for verdict in &self.verdicts {
            writeln!(f, "  {verdict}")?;
        }
        for note in &self.notes {
            writeln!(f, "  note: {note}")?;
        }
        Ok(())
    }
}
