//! Texts in the order they came, kept in one piece.

use std::mem;

/// A list of texts in two allocations, however many there are.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Parts {
    /// All of them, one after the other without anything between them.
    text: Box<str>,
    /// Where in `text` each ends; the next begins there.
    ends: Box<[usize]>,
}

impl Parts {
    /// The parts of `text`, the ends of which are `ends` in order.
    pub(crate) fn new(text: String, ends: Vec<usize>) -> Self {
        Self { text: text.into(), ends: ends.into() }
    }

    /// Bytes of memory that they hold.
    pub(crate) fn held(&self) -> usize {
        self.text.len() + size_of_val(&self.ends[..])
    }

    /// The texts in order.
    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = &str> {
        let mut start = 0;
        self.ends.iter().map(move |&end| &self.text[mem::replace(&mut start, end)..end])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_come_back_in_order_empty_ones_too() {
        let parts = Parts::new("aü".to_owned(), vec![1, 1, 3, 3, 3]);
        assert_eq!(parts.iter().collect::<Vec<_>>(), ["a", "", "ü", "", ""]);
        assert_eq!((parts.iter().len(), parts.held()), (5, 3 + 5 * size_of::<usize>()));
    }
}
