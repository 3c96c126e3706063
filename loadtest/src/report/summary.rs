//! The table at the end of one run.

use std::fmt;

use crate::outcome::Outcome;
use crate::progress::micros;

/// An outcome as a person reads it.
pub(crate) struct Summary<'a>(pub(crate) &'a Outcome);

impl fmt::Display for Summary<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let outcome = self.0;
        let mut line = |name: &str, value: String| writeln!(f, "  {name:28} {value}");
        line("target", outcome.target.clone())?;
        line("scenario", outcome.scenario.clone())?;
        line("connections", outcome.connections.to_string())?;
        line("measured", format!("{:.2} s", outcome.seconds))?;
        line("published", outcome.published.to_string())?;
        line("delivered", format!("{} ({:.0} a second)", outcome.delivered, outcome.rate()))?;
        if let Some(latency) = &outcome.latency {
            line("latency p50", micros(latency.p50))?;
            line("latency p90", micros(latency.p90))?;
            line("latency p99", micros(latency.p99))?;
            line("latency p99.9", micros(latency.p999))?;
            line("latency max", micros(latency.max))?;
        }
        if let Some(cpu) = outcome.server_cpu {
            line("server CPU", format!("{cpu:.2} s ({:.0} %)", cpu / outcome.seconds * 100.0))?;
        }
        if let Some(cost) = outcome.cpu_per_delivery() {
            line("server CPU a delivery", format!("{cost:.3} µs"))?;
        }
        if let Some(cost) = outcome.cpu_per_connection().filter(|_| outcome.delivered == 0) {
            line("server CPU a connection", format!("{cost:.3} µs a second"))?;
        }
        if let Some(memory) = outcome.memory_per_connection() {
            line("server memory a connection", format!("{memory:.3} KiB"))?;
        }
        let load =
            format!("{:.2} s CPU, at work {:.0} % of the time", outcome.load_cpu, outcome.load_busy * 100.0);
        line("load generator", load)?;
        for fact in &outcome.facts {
            line(fact.name, format!("{:.3} {}", fact.value, fact.unit))?;
        }
        for finding in &outcome.findings {
            writeln!(f, "  {:28} {}", finding.word(), finding.sentence)?;
        }
        for warning in &outcome.warnings {
            writeln!(f, "warning: {warning}")?;
        }
        Ok(())
    }
}
