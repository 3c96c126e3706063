//! The effect of slow members: on the latencies of the healthy ones, and on the server's memory.

use hdrhistogram::Histogram;

use crate::outcome::{Fact, Finding};

/// How many times its old value the others' 99th percentile may reach, and by how much the server may grow: 64 MiB.
const TIMES: f64 = 1.5;
const GROWTH: f64 = 64.0;

/// Latencies and memory before and while the slow members do not read.
#[derive(Clone, Debug, Default)]
pub(super) struct Effect {
    before: Option<Histogram<u64>>,
    during: Option<Histogram<u64>>,
    memory: Option<Memory>,
}

/// The server's resident memory in bytes.
#[derive(Clone, Copy, Debug)]
struct Memory {
    before: u64,
    most: u64,
}

impl Effect {
    /// The slow members stop reading; `so_far` are all latencies until now.
    pub(super) fn begins(&mut self, so_far: Histogram<u64>) {
        self.before = Some(so_far);
    }

    /// The first of them reads to its end; `so_far` are all latencies until now. Later calls have no effect.
    pub(super) fn ends(&mut self, mut so_far: Histogram<u64>) {
        if let (Some(before), None) = (&self.before, &self.during) {
            so_far.subtract(before).expect("what was recorded is still there");
            self.during = Some(so_far);
        }
    }

    /// The server's memory was read.
    pub(super) fn weighed(&mut self, bytes: u64) {
        match &mut self.memory {
            Some(memory) if self.before.is_some() => memory.most = memory.most.max(bytes),
            memory => *memory = Some(Memory { before: bytes, most: bytes }),
        }
    }

    /// The 99th percentiles in milliseconds, before and while the slow ones did not read.
    fn p99s(&self) -> Option<[f64; 2]> {
        let [before, during] = [self.before.as_ref()?, self.during.as_ref()?];
        let p99 = |histogram: &Histogram<u64>| histogram.value_at_quantile(0.99) as f64 / 1e6;
        (!before.is_empty() && !during.is_empty()).then(|| [p99(before), p99(during)])
    }

    /// By how many MiB the server had grown at most.
    fn growth(&self) -> Option<f64> {
        self.before.as_ref()?;
        self.memory.map(|memory| (memory.most - memory.before) as f64 / 1_048_576.0)
    }

    pub(super) fn facts(&self) -> Vec<Fact> {
        let p99s = self.p99s().into_iter().flat_map(|[before, during]| {
            [Fact::new("p99 while all read", before, "ms"), Fact::new("p99 beside the slow", during, "ms")]
        });
        p99s.chain(self.growth().map(|growth| Fact::new("the server grew by", growth, "MiB"))).collect()
    }

    /// The findings of a run with so many connections.
    pub(super) fn findings(&self, connections: usize) -> Vec<Finding> {
        let p99 = format!("beside slow members the others' p99 is at most {TIMES} times what it was");
        let memory = format!("the server's memory grows by less than {GROWTH} MiB");
        vec![
            match self.p99s() {
                Some([before, during]) => Finding::of(connections, during <= before * TIMES, p99),
                None => Finding::of(0, false, format!("{p99}: nothing came to be compared")),
            },
            match self.growth() {
                Some(growth) => Finding::of(connections, growth < GROWTH, memory),
                None => Finding::of(0, false, format!("{memory}: its process is not known")),
            },
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn latencies(millis: &[u64]) -> Histogram<u64> {
        let mut histogram = Histogram::new_with_bounds(1, 60_000_000_000, 3).expect("bounds in order");
        millis.iter().for_each(|millis| histogram.saturating_record(millis * 1_000_000));
        histogram
    }

    fn holds(effect: &Effect, connections: usize) -> Vec<Option<bool>> {
        effect.findings(connections).iter().map(|finding| finding.holds).collect()
    }

    #[test]
    fn what_is_noticed_is_compared_with_the_time_before() {
        let mut effect = Effect::default();
        effect.weighed(10 << 20);
        effect.weighed(20 << 20);
        effect.begins(latencies(&[10, 10]));
        effect.weighed(90 << 20);
        effect.weighed(30 << 20);
        effect.ends(latencies(&[10, 10, 14, 14]));
        effect.ends(latencies(&[10, 10, 14, 14, 99]));
        assert_eq!(holds(&effect, 1_000), [Some(true), Some(false)]);
        assert_eq!(holds(&effect, 999), [None, None]);
        let values: Vec<f64> = effect.facts().iter().map(|fact| fact.value.round()).collect();
        assert_eq!(values, [10.0, 14.0, 70.0]);
    }

    #[test]
    fn latencies_that_grow_are_noticed() {
        let mut effect = Effect::default();
        assert_eq!(holds(&effect, 1_000), [None, None]);
        effect.begins(latencies(&[10]));
        effect.ends(latencies(&[10, 16]));
        assert_eq!(holds(&effect, 1_000), [Some(false), None]);
    }
}
