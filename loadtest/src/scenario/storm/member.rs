//! One member of a storm: its position in its room, and a check that each message follows from it.

use crate::dialect::native::Frame;
use crate::payload::Stamp;

/// A member, or a publisher, of one room.
#[derive(Clone, Debug, Default)]
pub(super) struct Member {
    pub(super) there: bool,
    /// The position of the last message, to come back to.
    position: String,
    offset: Option<u64>,
    /// The sequence that comes next.
    pub(super) next: u64,
}

impl Member {
    /// The request to join `room`, from its position if it has one.
    pub(super) fn join(&self, room: &str) -> String {
        let since = match self.position.as_str() {
            "" => String::new(),
            position => format!(r#","since":"{position}""#),
        };
        format!(r#"{{"type":"join","room":"{room}"{since}}}"#)
    }

    /// It sees a message, live or in its history. The killed server never had message `fresh`.
    ///
    /// # Errors
    ///
    /// The message is not the next one, by its stamp or by its position.
    pub(super) fn see(&mut self, frame: &Frame<'_>, stamp: Stamp, fresh: u64) -> Result<(), String> {
        // After a kill the first message of the new server may follow any message of the old one.
        if stamp.sequence == fresh {
            self.next = self.next.max(fresh);
        }
        if stamp.sequence != self.next {
            return Err(format!("{stamp:?} where message {} was due", self.next));
        }
        let offset = frame.offset();
        if offset.is_none() || offset != self.offset.map(|offset| offset + 1) {
            return Err(format!("position {:?} behind {:?}", frame.position, self.position));
        }
        frame.position.unwrap_or_default().clone_into(&mut self.position);
        self.offset = offset;
        self.next += 1;
        Ok(())
    }

    /// It learns that it missed something, and goes on with what the new server has. Returns how many messages it missed.
    ///
    /// # Errors
    ///
    /// The answer does not say where the new messages begin.
    pub(super) fn start_anew(&mut self, joined: &Frame<'_>, fresh: u64) -> Result<u64, String> {
        let before = match joined.history.first() {
            Some(first) => first.offset().and_then(|offset| offset.checked_sub(1)),
            None => joined.offset(),
        };
        self.offset = Some(before.ok_or("a history without offsets")?);
        let missed = fresh.saturating_sub(self.next);
        self.next = self.next.max(fresh);
        Ok(missed)
    }

    /// It is back, and has seen its history.
    ///
    /// # Errors
    ///
    /// The history ends elsewhere than the answer says.
    pub(super) fn resumed(&mut self, joined: &Frame<'_>, fresh: u64) -> Result<(), String> {
        if self.offset.is_none() || self.offset != joined.offset() {
            return Err(format!("a resume that ends before its position {:?}", joined.position));
        }
        // A message that was sent to a server in its last moment, and is not in its history, was never published.
        self.next = self.next.max(fresh);
        Ok(())
    }

    /// It is in its room at this position. Returns whether it was not before.
    pub(super) fn arrive(&mut self, joined: &Frame<'_>) -> Result<bool, String> {
        joined.position.ok_or("joined without a position")?.clone_into(&mut self.position);
        self.offset = joined.offset();
        Ok(!std::mem::replace(&mut self.there, true))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(position: &str) -> Frame<'_> {
        Frame::read(position.as_bytes()).expect("a frame")
    }

    fn stamp(sequence: u64) -> Stamp {
        Stamp { publisher: 0, sequence, sent: 0 }
    }

    const JOINED: &str = r#"{"type":"joined","position":"e:4"}"#;
    const FIFTH: &str = r#"{"type":"message","position":"e:5"}"#;
    const SIXTH: &str = r#"{"type":"message","position":"e:6"}"#;

    #[test]
    fn what_follows_and_what_does_not() {
        let mut member = Member::default();
        assert_eq!(member.join("a"), r#"{"type":"join","room":"a"}"#);
        assert_eq!((member.arrive(&frame(JOINED)), member.arrive(&frame(JOINED))), (Ok(true), Ok(false)));
        assert!(member.see(&frame(FIFTH), stamp(1), 0).is_err_and(|why| why.contains("message 0 was due")));
        assert!(member.see(&frame(SIXTH), stamp(0), 0).is_err_and(|why| why.contains("e:6")));
        member.see(&frame(FIFTH), stamp(0), 0).expect("it follows");
        assert_eq!(member.join("a"), r#"{"type":"join","room":"a","since":"e:5"}"#);
    }

    #[test]
    fn a_resume_must_reach_the_position_of_the_answer() {
        let mut member = Member::default();
        member.arrive(&frame(JOINED)).expect("a position");
        assert!(member.resumed(&frame(SIXTH), 0).is_err());
        member.see(&frame(FIFTH), stamp(0), 0).expect("it follows");
        assert_eq!((member.resumed(&frame(FIFTH), 3), member.next), (Ok(()), 3));
    }

    #[test]
    fn a_new_server_begins_anew() {
        let mut member = Member { next: 2, ..Member::default() };
        let joined = r#"{"type":"joined","position":"f:6","history":[{"type":"message","position":"f:5"}]}"#;
        assert_eq!(member.start_anew(&frame(joined), 7), Ok(5));
        member.see(&frame(FIFTH), stamp(7), 7).expect("it follows");
        assert!(member.start_anew(&frame(r#"{"type":"joined"}"#), 7).is_err());
    }
}
