//! The live figures, as JSON.

use crate::dialect::native::json::OrNull;
use crate::metrics::board::Totals;

/// The answer of `/api/stats`, and what members of `$stats` get.
pub fn json(totals: &Totals, uptime_s: u64) -> String {
    let connections = totals.connections();
    let (counters, gauges) = (&totals.counters, &totals.gauges);
    let quantile = |share| OrNull(totals.fanout_lately.quantile_us(share));
    format!(
        r#"{{"connections":{connections},"rooms":{},"users":{},"messages_in":{},"messages_out":{},"bytes_in":{},"bytes_out":{},"queue_bytes":{},"uptime_s":{uptime_s},"memory_bytes":{},"fanout_p50_us":{},"fanout_p99_us":{},"version":"{}"}}"#,
        gauges.rooms,
        gauges.users,
        counters.messages_in,
        counters.messages_out,
        counters.bytes_in,
        counters.bytes_out,
        gauges.queue_bytes,
        OrNull(totals.memory_bytes),
        quantile(0.5),
        quantile(0.99),
        env!("CARGO_PKG_VERSION"),
    )
}
