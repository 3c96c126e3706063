//! The outcome of a run, as it is printed, written as JSON and drawn.

use hdrhistogram::Histogram;
use serde::Serialize;

use crate::meter::{Point, micros};

/// One run of one scenario against one target.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Outcome {
    pub(crate) target: String,
    pub(crate) scenario: String,
    pub(crate) connections: usize,
    /// Seconds that were measured.
    pub(crate) seconds: f64,
    pub(crate) published: u64,
    pub(crate) delivered: u64,
    /// The server's CPU time while measuring, in seconds; absent if its process is not known.
    pub(crate) server_cpu: Option<f64>,
    /// The load test's own CPU time while measuring, in seconds.
    pub(crate) load_cpu: f64,
    /// The share of the time in which the load test's loop was busy.
    pub(crate) load_busy: f64,
    pub(crate) latency: Option<Latency>,
    pub(crate) timeline: Vec<Point>,
    pub(crate) memory: Vec<Memory>,
    pub(crate) facts: Vec<Fact>,
    pub(crate) findings: Vec<Finding>,
    pub(crate) warnings: Vec<String>,
}

/// Latencies in microseconds.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Latency {
    pub(crate) p50: f64,
    pub(crate) p90: f64,
    pub(crate) p99: f64,
    pub(crate) p999: f64,
    pub(crate) max: f64,
    pub(crate) mean: f64,
    /// Pairs of a quantile and its latency, for the plot.
    pub(crate) quantiles: Vec<(f64, f64)>,
}

/// Resident memory of the server with so many connections.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Memory {
    pub(crate) connections: usize,
    pub(crate) bytes: u64,
}

/// A figure that only one scenario has.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Fact {
    pub(crate) name: &'static str,
    pub(crate) value: f64,
    pub(crate) unit: &'static str,
}

/// A sentence on what a server had to do, and whether it did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Finding {
    /// `None` if there was too little to judge: then chance decides, not the server.
    pub(crate) holds: Option<bool>,
    pub(crate) sentence: String,
}

/// A run of fewer connections is shown but not judged.
const ENOUGH: usize = 1_000;

impl Finding {
    /// A sentence that holds or does not, if there are enough `connections` to judge.
    pub(crate) fn of(connections: usize, holds: bool, sentence: String) -> Finding {
        Finding { holds: (connections >= ENOUGH).then_some(holds), sentence }
    }

    /// The word before the sentence.
    pub(crate) fn word(&self) -> &'static str {
        match self.holds {
            Some(true) => "holds",
            Some(false) => "DOES NOT HOLD",
            None => "not judged",
        }
    }
}

impl Fact {
    pub(crate) fn new(name: &'static str, value: f64, unit: &'static str) -> Fact {
        Fact { name, value, unit }
    }

    /// The figure as text: counts are whole numbers.
    pub(crate) fn text(&self) -> String {
        let digits = if self.value.fract() == 0.0 { 0 } else { 3 };
        format!("{:.digits$} {}", self.value, self.unit).trim_end().to_owned()
    }
}

impl Latency {
    /// `None` if nothing was recorded.
    pub(crate) fn of(histogram: &Histogram<u64>) -> Option<Latency> {
        if histogram.is_empty() {
            return None;
        }
        let at = |quantile| micros(histogram.value_at_quantile(quantile));
        // Quantiles that a single message would decide are left out.
        let last = 1.0 - 1.0 / histogram.len() as f64;
        let quantiles = histogram
            .iter_quantiles(5)
            .take_while(|step| step.quantile_iterated_to() <= last)
            .map(|step| (step.quantile_iterated_to(), micros(step.value_iterated_to())))
            .collect();
        Some(Latency {
            p50: at(0.5),
            p90: at(0.9),
            p99: at(0.99),
            p999: at(0.999),
            max: micros(histogram.max()),
            mean: histogram.mean() / 1_000.0,
            quantiles,
        })
    }
}

impl Outcome {
    /// The server's CPU time for each delivered message, in microseconds.
    pub(crate) fn cpu_per_delivery(&self) -> Option<f64> {
        (self.delivered > 0).then_some(self.server_cpu? * 1e6 / self.delivered as f64)
    }

    /// The server's CPU time for each connection per second, in microseconds.
    pub(crate) fn cpu_per_connection(&self) -> Option<f64> {
        let connection_seconds = self.connections as f64 * self.seconds;
        (connection_seconds > 0.0).then_some(self.server_cpu? * 1e6 / connection_seconds)
    }

    /// Resident memory for each connection in KiB: the growth of the server, divided by the connections.
    pub(crate) fn memory_per_connection(&self) -> Option<f64> {
        let (first, last) = (self.memory.first()?, self.memory.last()?);
        let connections = last.connections.checked_sub(first.connections).filter(|count| *count > 0)?;
        Some((last.bytes as f64 - first.bytes as f64) / 1024.0 / connections as f64)
    }

    /// A fact by its name.
    pub(crate) fn fact(&self, name: &str) -> Option<f64> {
        self.facts.iter().find(|fact| fact.name == name).map(|fact| fact.value)
    }

    /// Deliveries per second.
    pub(crate) fn rate(&self) -> f64 {
        self.delivered as f64 / self.seconds.max(1e-9)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn outcome(delivered: u64, server_cpu: f64) -> Outcome {
        Outcome {
            target: "t".to_owned(),
            scenario: "fanout".to_owned(),
            connections: 2,
            seconds: 2.0,
            published: 1,
            delivered,
            server_cpu: Some(server_cpu),
            load_cpu: 0.0,
            load_busy: 0.5,
            latency: None,
            timeline: Vec::new(),
            memory: Vec::new(),
            facts: vec![Fact::new("lost", 3.0, "")],
            findings: Vec::new(),
            warnings: Vec::new(),
        }
    }

    #[test]
    fn cost_rate_and_memory() {
        let mut outcome = outcome(1_000, 0.004);
        assert_eq!((outcome.cpu_per_delivery(), outcome.rate()), (Some(4.0), 500.0));
        assert_eq!(outcome.cpu_per_connection(), Some(1_000.0));
        assert_eq!((outcome.fact("lost"), outcome.fact("x")), (Some(3.0), None));
        outcome.memory = vec![
            Memory { connections: 0, bytes: 10_240 },
            Memory { connections: 10, bytes: 10_240 + 20_480 },
        ];
        assert_eq!(outcome.memory_per_connection(), Some(2.0));
    }

    #[test]
    fn few_connections_are_not_judged() {
        let words = [(999, false), (1_000, false), (1_000, true)]
            .map(|(connections, holds)| Finding::of(connections, holds, String::new()).word());
        assert_eq!(words, ["not judged", "DOES NOT HOLD", "holds"]);
    }

    #[test]
    fn nothing_delivered_has_no_cost() {
        assert_eq!(outcome(0, 1.0).cpu_per_delivery(), None);
        assert_eq!(outcome(0, 1.0).memory_per_connection(), None);
    }

    #[test]
    fn latencies_of_a_histogram() {
        let mut histogram = Histogram::new_with_bounds(1, 1_000_000_000, 3).expect("good bounds");
        assert!(Latency::of(&histogram).is_none());
        for value in 1..=1_000 {
            histogram.record(value * 1_000).expect("within bounds");
        }
        let latency = Latency::of(&histogram).expect("some");
        assert!((latency.p50 - 500.0).abs() < 1.0 && (latency.p99 - 990.0).abs() < 1.0, "{latency:?}");
        assert!((latency.max - 1_000.0).abs() < 1.0 && latency.quantiles.len() > 10);
    }
}
