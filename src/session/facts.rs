//! Rarely used facts about a session, a bit each, because there is a session for every connection.

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Fact {
    /// It must authenticate before anything else.
    Newcomer = 1,
    /// Its user's home has been told of it.
    Arrived = 2,
    /// The peer will send nothing more.
    Eof = 4,
    /// It is in line: its reading goes on when its turn comes.
    InLine = 8,
    /// It has something of others to write.
    Handed = 16,
    /// It gets its own messages back, though its dialect has no word for that.
    Echo = 32,
}

/// Those that are true; none at first.
#[derive(Clone, Copy, Debug, Default)]
pub struct Facts(u8);

impl Facts {
    /// Whether `fact` is true.
    pub fn has(self, fact: Fact) -> bool {
        self.0 & fact as u8 != 0
    }

    /// From here on `fact` is true, or is not.
    pub fn set(&mut self, fact: Fact, is_true: bool) {
        self.0 = if is_true { self.0 | fact as u8 } else { self.0 & !(fact as u8) };
    }

    /// Whether `fact` was true; from here on it is not.
    pub fn take(&mut self, fact: Fact) -> bool {
        let had = self.has(fact);
        self.set(fact, false);
        had
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_stands_for_itself() {
        let mut facts = Facts::default();
        facts.set(Fact::Newcomer, true);
        facts.set(Fact::Eof, true);
        let all = |facts: Facts| [Fact::Newcomer, Fact::Arrived, Fact::Eof].map(|fact| facts.has(fact));
        assert_eq!(all(facts), [true, false, true]);
        facts.set(Fact::Newcomer, false);
        assert_eq!((facts.take(Fact::Eof), facts.take(Fact::Eof)), (true, false));
        assert_eq!(all(facts), [false; 3]);
    }
}
