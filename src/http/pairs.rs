//! Names and values in their order, kept in one string.

use std::{fmt, mem};

/// A list of (name, value) pairs in two allocations, however many there are.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Pairs {
    /// All names and values, one after the other with nothing between them.
    text: String,
    /// Where in `text` each name and its value end. A name begins where the value before it ends.
    ends: Vec<(usize, usize)>,
    /// The lengths of the names, one bit each. Most names that are looked for are not there, and mostly this shows it.
    lengths: u64,
}

impl Pairs {
    /// Makes space for `count` pairs of `bytes` together.
    pub(crate) fn with_capacity(count: usize, bytes: usize) -> Self {
        Self { text: String::with_capacity(bytes), ends: Vec::with_capacity(count), lengths: 0 }
    }

    /// Adds a pair at the end.
    pub(crate) fn push(&mut self, name: &str, value: &str) {
        self.lengths |= length_bit(name);
        self.text.push_str(name);
        let name_end = self.text.len();
        self.text.push_str(value);
        self.ends.push((name_end, self.text.len()));
    }

    /// Bytes of memory that they hold.
    pub(crate) fn held(&self) -> usize {
        self.text.capacity() + self.ends.capacity() * size_of::<(usize, usize)>()
    }

    /// How many pairs there are.
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The values of all pairs called `name`, in any case.
    pub(crate) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        let ends = if self.lengths & length_bit(name) == 0 { &[][..] } else { &self.ends[..] };
        let mut start = 0;
        ends.iter().filter_map(move |&(name_end, value_end)| {
            let begin = mem::replace(&mut start, value_end);
            let is_called = name_end - begin == name.len()
                && self.text.as_bytes()[begin..name_end].eq_ignore_ascii_case(name.as_bytes());
            is_called.then(|| &self.text[name_end..value_end])
        })
    }

    /// The pairs in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let mut start = 0;
        self.ends.iter().map(move |&(name_end, value_end)| {
            let pair = (&self.text[start..name_end], &self.text[name_end..value_end]);
            start = value_end;
            pair
        })
    }
}

/// The bit of the length of `name`. Names that are 64 longer have the same.
fn length_bit(name: &str) -> u64 {
    1 << (name.len() % 64)
}

/// Names only: values may be tokens and cookies, which must not be in a log.
impl fmt::Debug for Pairs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter().map(|(name, _)| name)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_come_back_in_order_empty_ones_too() {
        let given = [("a", "1"), ("", ""), ("b", ""), ("", "2"), ("a", "ü")];
        let mut pairs = Pairs::with_capacity(5, 16);
        given.iter().for_each(|(name, value)| pairs.push(name, value));
        assert_eq!(pairs.iter().collect::<Vec<_>>(), given);
        assert_eq!(pairs.len(), 5);
    }

    #[test]
    fn values_are_found_by_name_in_any_case() {
        let mut pairs = Pairs::default();
        let long = "l".repeat(65);
        for (name, value) in [("a", "1"), ("ab", "2"), ("A", "ü"), ("b", ""), ("", "3"), (&long, "4")] {
            pairs.push(name, value);
        }
        let all = |name| pairs.all(name).collect::<Vec<_>>();
        assert_eq!((all(&long), all("l")), (vec!["4"], vec![]));
        assert_eq!((all("a"), all("AB"), all("B")), (vec!["1", "ü"], vec!["2"], vec![""]));
        assert_eq!((all(""), all("c"), all("abc")), (vec!["3"], vec![], vec![]));
    }

    #[test]
    fn debug_shows_no_value() {
        let mut pairs = Pairs::default();
        pairs.push("token", "secret");
        assert_eq!(format!("{pairs:?}"), r#"["token"]"#);
    }
}
