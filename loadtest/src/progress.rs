//! What the terminal shows during a run.

use indicatif::{ProgressBar, ProgressStyle};

use crate::meter::Point;

/// A line that shows how far a run is. It shows nothing if standard error is not a terminal.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// A line that begins with `title`.
    pub(crate) fn new(title: &str) -> Progress {
        let bar = ProgressBar::new(1_000);
        let style = ProgressStyle::with_template("{prefix:24} {bar:24} {msg}").expect("a good template");
        bar.set_style(style);
        bar.set_prefix(title.to_owned());
        Progress { bar }
    }

    /// `open` of `total` connections are open.
    pub(crate) fn ramp(&self, open: usize, total: usize) {
        self.bar.set_position((open * 1_000 / total.max(1)) as u64);
        self.bar.set_message(format!("{open} of {total} connections"));
    }

    /// An interval of a measurement of `seconds` is over.
    pub(crate) fn measure(&self, point: &Point, seconds: f64) {
        self.bar.set_position((point.at / seconds.max(1e-9) * 1_000.0) as u64);
        let Point { rate, p50, p99, .. } = point;
        self.bar.set_message(format!(
            "{rate:>10.0} messages/s   p50 {}   p99 {}",
            micros(*p50),
            micros(*p99)
        ));
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// Microseconds in the most readable unit.
pub(crate) fn micros(micros: f64) -> String {
    match micros {
        micros if micros < 1_000.0 => format!("{micros:.0} µs"),
        micros if micros < 1_000_000.0 => format!("{:.2} ms", micros / 1e3),
        micros => format!("{:.2} s", micros / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::micros;

    #[test]
    fn the_unit_that_reads_best() {
        assert_eq!(
            (micros(12.4), micros(1_234.0), micros(2.5e6)),
            ("12 µs".into(), "1.23 ms".into(), "2.50 s".into())
        );
    }
}
