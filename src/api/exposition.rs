//! The figures for Prometheus, in its text format 0.0.4. `docs/metrics.md` says what each of them means.

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{self, DescriptorEncoder, EncodeMetric, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

use crate::metrics::board::{CLOSES, DENIALS, REFUSALS, Totals};
use crate::metrics::histogram::Distribution;

/// The media type of the format.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

type Encoded = Result<(), std::fmt::Error>;

/// All metrics.
pub fn text(totals: Totals) -> String {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Figures(totals)));
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = encoding::text::encode(&mut text, &registry);
    classic(&text)
}

/// Turns OpenMetrics, which the encoder writes, into the older format that everything reads. OpenMetrics names a counter
/// without `_total` and ends with a line of its own; in the older format a counter has the name of its samples.
fn classic(text: &str) -> String {
    let mut counters = Vec::new();
    for line in text.lines() {
        counters.extend(line.strip_prefix("# TYPE ").and_then(|line| line.strip_suffix(" counter")));
    }
    let mut out = String::with_capacity(text.len() + 16 * counters.len());
    for line in text.lines().filter(|line| *line != "# EOF") {
        let about = line.strip_prefix("# HELP ").or_else(|| line.strip_prefix("# TYPE "));
        let name = about.and_then(|about| about.split(' ').next()).filter(|name| counters.contains(name));
        match name {
            Some(name) => out.push_str(&line.replacen(name, &format!("{name}_total"), 1)),
            None => out.push_str(line),
        }
        out.push('\n');
    }
    out
}

#[derive(Debug)]
struct Figures(Totals);

impl Collector for Figures {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> Encoded {
        let mut page = Page(encoder);
        self.rooms_and_people(&mut page)?;
        self.traffic(&mut page)?;
        self.ends(&mut page)?;
        self.times(&mut page)?;
        self.process(&mut page)
    }
}

impl Figures {
    fn rooms_and_people(&self, page: &mut Page<'_>) -> Encoded {
        let gauges = &self.0.gauges;
        let by_transport = [("websocket", gauges.websockets), ("sse", gauges.streams), ("http", gauges.http)];
        page.gauges("switchboard_connections", "Open connections", "transport", by_transport)?;
        page.gauge("switchboard_rooms", "Rooms that are remembered", gauges.rooms)?;
        page.gauge("switchboard_users", "Users with a connection", gauges.users)?;
        page.gauge("switchboard_queue_bytes", "Bytes that wait for slow connections", gauges.queue_bytes)?;
        page.gauge("switchboard_history_bytes", "Bytes of kept messages", gauges.history_bytes)
    }

    fn traffic(&self, page: &mut Page<'_>) -> Encoded {
        let counters = &self.0.counters;
        page.counter("switchboard_messages_received", "Messages that were published", counters.messages_in)?;
        let help = "Messages handed to members, each member counted";
        page.counter("switchboard_messages_delivered", help, counters.messages_out)?;
        page.counter("switchboard_received_bytes", "Bytes read from connections", counters.bytes_in)?;
        page.counter("switchboard_sent_bytes", "Bytes written to connections", counters.bytes_out)
    }

    fn ends(&self, page: &mut Page<'_>) -> Encoded {
        let closes = CLOSES.into_iter().zip(self.0.closes);
        page.counters("switchboard_closes", "WebSockets and streams that ended", "code", closes)?;
        let refusals = REFUSALS.into_iter().zip(self.0.refusals);
        page.counters("switchboard_refusals", "Requests that were answered with an error", "code", refusals)?;
        let denials = DENIALS.into_iter().zip(self.0.denials);
        page.counters("switchboard_denied", "Clients and apps that were denied access", "reason", denials)?;
        let help = "Connections closed because they did not keep up";
        page.counter("switchboard_slow_consumers", help, self.0.counters.slow)
    }

    fn times(&self, page: &mut Page<'_>) -> Encoded {
        let help = "Time from a room's receipt of a message to the last of its members on a shard";
        page.histogram("switchboard_fanout_seconds", help, &self.0.fanout)?;
        page.histogram("switchboard_turn_seconds", "Time of one turn of an event loop", &self.0.turns)
    }

    fn process(&self, page: &mut Page<'_>) -> Encoded {
        if let Some(bytes) = self.0.memory_bytes {
            page.gauge("process_resident_memory_bytes", "Resident memory", bytes)?;
        }
        if let Some(fds) = self.0.open_fds {
            page.gauge("process_open_fds", "Open file descriptors", fds)?;
        }
        let began = ConstGauge::new(self.0.began_ms as f64 / 1_000.0);
        page.plain("process_start_time_seconds", "When the server began, in Unix time", &began)?;
        let version = [(env!("CARGO_PKG_VERSION"), 1)];
        page.gauges("switchboard_build_info", "The version that runs; always 1", "version", version)
    }
}

/// Where metrics are written, one after the other.
struct Page<'a>(DescriptorEncoder<'a>);

impl Page<'_> {
    fn plain(&mut self, name: &str, help: &str, metric: &impl EncodeMetric) -> Encoded {
        metric.encode(self.0.encode_descriptor(name, help, None, metric.metric_type())?)
    }

    fn gauge(&mut self, name: &str, help: &str, value: u64) -> Encoded {
        self.plain(name, help, &ConstGauge::new(value))
    }

    fn counter(&mut self, name: &str, help: &str, value: u64) -> Encoded {
        self.plain(name, help, &ConstCounter::new(value))
    }

    fn histogram(&mut self, name: &str, help: &str, distribution: &Distribution) -> Encoded {
        self.plain(name, help, &Seconds(distribution))
    }

    /// One gauge for each value of a label.
    fn gauges<'v>(
        &mut self,
        name: &str,
        help: &str,
        label: &'static str,
        values: impl IntoIterator<Item = (&'v str, u64)>,
    ) -> Encoded {
        let mut family = self.0.encode_descriptor(name, help, None, MetricType::Gauge)?;
        for (is, value) in values {
            ConstGauge::new(value).encode(family.encode_family(&[(label, is)])?)?;
        }
        Ok(())
    }

    /// One counter for each value of a label.
    fn counters(
        &mut self,
        name: &str,
        help: &str,
        label: &'static str,
        values: impl IntoIterator<Item = (&'static str, u64)>,
    ) -> Encoded {
        let mut family = self.0.encode_descriptor(name, help, None, MetricType::Counter)?;
        for (is, value) in values {
            ConstCounter::new(value).encode(family.encode_family(&[(label, is)])?)?;
        }
        Ok(())
    }
}

/// A distribution of lengths of time, as a histogram in seconds.
struct Seconds<'a>(&'a Distribution);

impl EncodeMetric for Seconds<'_> {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> Encoded {
        let seconds = |us: Option<u32>| us.map_or(f64::INFINITY, |us| f64::from(us) / 1e6);
        let buckets: Vec<_> = self.0.buckets().map(|(us, count)| (seconds(us), count)).collect();
        encoder.encode_histogram::<NoLabelSet>(self.0.sum_us() as f64 / 1e6, self.0.count(), &buckets, None)
    }

    fn metric_type(&self) -> MetricType {
        MetricType::Histogram
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::metrics::board::Board;

    fn everything() -> String {
        let board = Board::new(1);
        let place = board.place(0);
        place.closed(4100);
        place.refused("forbidden");
        place.denied("expired");
        place.fanout.record(150);
        place.fanout.record(11_000_000);
        let totals = board.totals(0);
        text(Totals { memory_bytes: Some(4096), open_fds: Some(7), began_ms: 1_700_000_000_250, ..totals })
    }

    #[test]
    fn the_text_is_what_prometheus_reads() {
        let text = everything();
        for line in [
            "# TYPE switchboard_closes_total counter",
            "switchboard_closes_total{code=\"4100\"} 1",
            "switchboard_refusals_total{code=\"forbidden\"} 1",
            "switchboard_denied_total{reason=\"expired\"} 1",
            "switchboard_connections{transport=\"sse\"} 0",
            "# TYPE switchboard_fanout_seconds histogram",
            "switchboard_fanout_seconds_bucket{le=\"0.0001\"} 0",
            "switchboard_fanout_seconds_bucket{le=\"0.0002\"} 1",
            "switchboard_fanout_seconds_bucket{le=\"+Inf\"} 2",
            "switchboard_fanout_seconds_count 2",
            "switchboard_fanout_seconds_sum 11.00015",
            "process_start_time_seconds 1700000000.25",
            concat!("switchboard_build_info{version=\"", env!("CARGO_PKG_VERSION"), "\"} 1"),
        ] {
            assert!(text.lines().any(|other| other == line), "{line} is not in\n{text}");
        }
        assert!(!text.contains("# EOF") && text.ends_with('\n'));
    }

    #[test]
    fn the_document_names_what_there_is() {
        let text = everything();
        let told: BTreeSet<_> =
            text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()).collect();
        let document = include_str!("../../docs/metrics.md");
        let first_cell = |line: &'static str| line.strip_prefix("| `")?.split(['`', '{']).next();
        let documented: BTreeSet<_> = document.lines().filter_map(first_cell).collect();
        assert_eq!(told, documented);
    }
}
