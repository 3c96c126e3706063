//! What a reader of the figures must know about the load test itself.

use crate::clock::{Nanos, SECOND};
use crate::outcome::Outcome;

/// The warnings; `lateness` is the 99th percentile of how late the load test sent.
pub(super) fn warnings(outcome: &Outcome, lateness: Nanos) -> Vec<String> {
    let mut warnings = Vec::new();
    let server_busy = outcome.server_cpu.map(|cpu| cpu / outcome.seconds.max(1e-9));
    let load_busy = outcome.load_busy * 100.0;
    match server_busy {
        _ if outcome.load_busy <= 0.9 => {}
        Some(busy) if busy < 0.9 => warnings.push(format!(
            "the load generator, not the server, was the bottleneck: it was at work {load_busy:.0} % of the time and \
             the server {:.0} %. The server's CPU a message holds; rates and latencies are the load generator's.",
            busy * 100.0
        )),
        Some(_) => {}
        None => warnings.push(format!(
            "the load generator was at work {load_busy:.0} % of the time, and may have been the bottleneck: the \
             server's CPU time would tell, and is not known (--pid)."
        )),
    }
    if lateness > SECOND / 1_000 {
        warnings.push(format!(
            "the load generator sent up to {:.1} ms late (p99): latencies are counted from the intended time and \
             include that.",
            lateness as f64 / 1e6
        ));
    }
    warnings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::tests::outcome;

    #[test]
    fn the_bottleneck_is_named() {
        let mut outcome = outcome(10, 0.5);
        assert!(warnings(&outcome, 0).is_empty());
        outcome.load_busy = 0.97;
        assert!(warnings(&outcome, 0)[0].contains("at work 97 % of the time and the server 25 %"));
        outcome.server_cpu = Some(1.99);
        assert!(warnings(&outcome, 0).is_empty());
        outcome.server_cpu = None;
        assert!(warnings(&outcome, 0)[0].contains("may have been the bottleneck"));
        outcome.load_busy = 0.5;
        assert!(warnings(&outcome, 2_500_000)[0].contains("2.5 ms late"));
    }
}
