//! Texts in their order, kept in one string.

use std::mem;

/// A list of texts in two allocations, however many there are.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Parts {
    /// All parts, one after the other with nothing between them.
    text: Box<str>,
    /// Where each part ends in `text`; the next begins there.
    ends: Box<[usize]>,
}

impl Parts {
    /// The parts of `text`, which end at `ends`, in order.
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
