//! Figures of several runs together.

/// The median, the lowest and the highest of some values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
}

impl Spread {
    /// `None` if there are no values.
    pub(crate) fn of(values: &[f64]) -> Option<Spread> {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let (low, high) = (*sorted.first()?, *sorted.last()?);
        let middle = sorted.len() / 2;
        let median = if sorted.len().is_multiple_of(2) {
            (sorted[middle - 1] + sorted[middle]) / 2.0
        } else {
            sorted[middle]
        };
        Some(Spread { median, low, high })
    }

    /// This median as a share of another.
    pub(crate) fn ratio_to(&self, other: &Spread) -> Option<f64> {
        (other.median > 0.0).then(|| self.median / other.median)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_odd_and_even() {
        assert_eq!(Spread::of(&[]), None);
        assert_eq!(Spread::of(&[3.0, 1.0, 2.0]), Some(Spread { median: 2.0, low: 1.0, high: 3.0 }));
        assert_eq!(Spread::of(&[4.0, 1.0, 2.0, 3.0]).map(|spread| spread.median), Some(2.5));
    }

    #[test]
    fn a_ratio_to_nothing_is_none() {
        let of = |value| Spread::of(&[value]).expect("a value");
        assert_eq!(of(3.0).ratio_to(&of(4.0)), Some(0.75));
        assert_eq!(of(3.0).ratio_to(&of(0.0)), None);
    }
}
