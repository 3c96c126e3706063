//! What a session's socket has not taken yet: ranges of shared buffers, in order, never copied.

use std::collections::VecDeque;
use std::io::IoSlice;

use bytes::Bytes;

use crate::time::Tick;

/// What a queued segment costs beside its bytes, so that many small ones count for their real size.
pub const SEGMENT_COST: usize = 64;

/// Who wanted the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// The connection itself: replies, history, echo, HTTP answers. Too many of them stop its reading.
    Asked,
    /// Others: what rooms send. Too many of them make it a slow consumer.
    Sent,
}

#[derive(Debug)]
enum Body {
    Shared(Bytes),
    Own(Vec<u8>),
    /// A static part of the program, which takes no further memory.
    Fixed(&'static [u8]),
}

#[derive(Debug)]
struct Segment {
    body: Body,
    class: Class,
    at: Tick,
    /// The end of a frame that the segment before it began.
    ends: bool,
}

impl Segment {
    fn bytes(&self) -> &[u8] {
        match &self.body {
            Body::Shared(bytes) => bytes,
            Body::Own(bytes) => bytes,
            Body::Fixed(bytes) => bytes,
        }
    }

    fn cost(&self) -> usize {
        match &self.body {
            Body::Shared(bytes) => bytes.len() + SEGMENT_COST,
            Body::Own(bytes) => bytes.len() + SEGMENT_COST,
            Body::Fixed(_) => SEGMENT_COST,
        }
    }

    /// The part of that which nobody else holds.
    fn own_cost(&self) -> isize {
        match &self.body {
            Body::Shared(_) | Body::Fixed(_) => SEGMENT_COST as isize,
            Body::Own(bytes) => (bytes.len() + SEGMENT_COST) as isize,
        }
    }
}

/// The unsent bytes of one session. Every segment begins and ends between two frames, except where a frame's end has a
/// segment of its own.
#[derive(Debug, Default)]
pub struct OutQueue {
    segments: VecDeque<Segment>,
    /// How much of the first segment is already written. No segment has 4 GiB.
    sent: u32,
    asked: usize,
    others: usize,
    /// Bytes that its session keeps beside it for later.
    kept: u32,
    /// How much more it holds alone since that was last paid for.
    unpaid: isize,
}

impl OutQueue {
    /// Own segments grow to this, so that many small replies are one write.
    const OWN: usize = 16 * 1024;

    /// Whether everything is written.
    pub fn is_empty(&self) -> bool {
        self.segments.is_empty()
    }

    /// The cost of what the connection asked for.
    pub fn asked(&self) -> usize {
        self.asked
    }

    /// The cost of what others sent.
    pub fn others(&self) -> usize {
        self.others
    }

    /// How much more it holds alone than at the last call of this. What it shares with others does not count.
    pub fn take_unpaid(&mut self) -> isize {
        std::mem::take(&mut self.unpaid)
    }

    /// The cost of everything.
    pub fn cost(&self) -> usize {
        self.asked + self.others + self.kept as usize
    }

    /// The session keeps so many bytes beside it, and wants to be told when it is shorter.
    pub fn keep(&mut self, bytes: usize) {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        self.unpaid += (bytes as usize).cast_signed() - (self.kept as usize).cast_signed();
        self.kept = bytes;
    }

    /// When the oldest of what others sent was queued.
    pub fn oldest(&self) -> Option<Tick> {
        self.segments.iter().find(|segment| segment.class == Class::Sent).map(|segment| segment.at)
    }

    /// Queues a range of a shared buffer.
    pub fn push_shared(&mut self, bytes: Bytes, class: Class, at: Tick) {
        if !bytes.is_empty() {
            self.push(Segment { body: Body::Shared(bytes), class, at, ends: false });
        }
    }

    /// Queues a static part of the program, of which there is one copy, however many queues hold it.
    pub fn push_fixed(&mut self, bytes: &'static [u8], class: Class, at: Tick) {
        if !bytes.is_empty() {
            self.push(Segment { body: Body::Fixed(bytes), class, at, ends: false });
        }
    }

    /// Queues bytes of this session alone, which `write` appends to a buffer.
    pub fn push_own(&mut self, class: Class, at: Tick, write: impl FnOnce(&mut Vec<u8>)) {
        if let Some(Segment { body: Body::Own(bytes), class: last, .. }) = self.segments.back_mut()
            && *last == class
            && bytes.len() < Self::OWN
        {
            let before = bytes.len();
            write(bytes);
            let added = bytes.len() - before;
            *self.account(class) += added;
            self.unpaid += added as isize;
            return;
        }
        let mut bytes = Vec::new();
        write(&mut bytes);
        if !bytes.is_empty() {
            self.push(Segment { body: Body::Own(bytes), class, at, ends: false });
        }
    }

    /// Queues the end of the frame that was queued last without one: `write` appends it to a buffer of this session alone.
    pub fn push_end(&mut self, class: Class, at: Tick, write: impl FnOnce(&mut Vec<u8>)) {
        let mut bytes = Vec::new();
        write(&mut bytes);
        self.push(Segment { body: Body::Own(bytes), class, at, ends: true });
    }

    fn push(&mut self, segment: Segment) {
        *self.account(segment.class) += segment.cost();
        self.unpaid += segment.own_cost();
        self.segments.push_back(segment);
    }

    fn account(&mut self, class: Class) -> &mut usize {
        match class {
            Class::Asked => &mut self.asked,
            Class::Sent => &mut self.others,
        }
    }

    /// The unsent bytes from the front, as many pieces as `slices` has room for; says how many there are.
    pub fn front<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let mut count = 0;
        for (slot, segment) in slices.iter_mut().zip(&self.segments) {
            let skip = if count == 0 { self.sent as usize } else { 0 };
            *slot = IoSlice::new(&segment.bytes()[skip..]);
            count += 1;
        }
        count
    }

    /// Drops the first `n` bytes: the socket has them.
    pub fn advance(&mut self, n: usize) {
        let mut sent = self.sent as usize + n;
        while let Some(first) = self.segments.front()
            && sent >= first.bytes().len()
        {
            sent -= first.bytes().len();
            let (class, cost, own) = (first.class, first.cost(), first.own_cost());
            *self.account(class) -= cost;
            self.unpaid -= own;
            self.segments.pop_front();
        }
        // Less than the first segment, or 0 if there is none.
        self.sent = sent as u32;
    }

    /// Drops everything except the rest of a frame that is partly written, so that what follows begins between two
    /// frames.
    pub fn cut(&mut self) {
        let begun = usize::from(self.sent > 0);
        let ends = self.segments.iter().skip(begun).take_while(|segment| segment.ends).count();
        let keep = begun + ends;
        while self.segments.len() > keep {
            if let Some(last) = self.segments.pop_back() {
                *self.account(last.class) -= last.cost();
                self.unpaid -= last.own_cost();
            }
        }
    }

    /// Drops everything, even in the middle of a frame: nothing that follows has to make sense to the peer.
    pub fn clear(&mut self) {
        self.unpaid -= self.segments.iter().map(Segment::own_cost).sum::<isize>();
        self.segments.clear();
        self.keep(0);
        (self.sent, self.asked, self.others) = (0, 0, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(queue: &OutQueue) -> Vec<u8> {
        let mut slices = [IoSlice::new(&[]); 8];
        let count = queue.front(&mut slices);
        slices[..count].iter().flat_map(|slice| slice.to_vec()).collect()
    }

    fn queue() -> OutQueue {
        let mut queue = OutQueue::default();
        queue.push_shared(Bytes::from_static(b"hello "), Class::Sent, Tick(1));
        queue.push_own(Class::Asked, Tick(2), |out| out.extend(b"wor"));
        queue.push_own(Class::Asked, Tick(3), |out| out.extend(b"ld"));
        queue.push_shared(Bytes::from_static(b"!"), Class::Sent, Tick(4));
        queue
    }

    #[test]
    fn bytes_leave_in_order_at_every_split() {
        for split in 0..=12 {
            let mut queue = queue();
            queue.advance(split);
            assert_eq!(text(&queue), &b"hello world!"[split..]);
            queue.advance(12 - split);
            assert!(queue.is_empty());
            assert_eq!((queue.asked(), queue.others()), (0, 0));
        }
    }

    #[test]
    fn each_side_pays_for_its_own() {
        let mut queue = queue();
        assert_eq!(queue.others(), 7 + 2 * SEGMENT_COST);
        assert_eq!(queue.asked(), 5 + SEGMENT_COST);
        assert_eq!(queue.oldest(), Some(Tick(1)));
        queue.advance(6);
        assert_eq!(queue.oldest(), Some(Tick(4)));
    }

    #[test]
    fn what_it_holds_alone_is_paid_once_and_given_back() {
        let mut queue = queue();
        assert_eq!(queue.take_unpaid(), (5 + 3 * SEGMENT_COST) as isize);
        queue.push_own(Class::Asked, Tick(5), |out| out.extend(b"??"));
        assert_eq!(queue.take_unpaid(), (2 + SEGMENT_COST) as isize);
        queue.advance(7);
        assert_eq!(queue.take_unpaid(), -(SEGMENT_COST as isize));
        queue.cut();
        queue.clear();
        assert_eq!(queue.take_unpaid(), -((7 + 3 * SEGMENT_COST) as isize));
    }

    #[test]
    fn what_is_kept_beside_it_counts_and_makes_nobody_slow() {
        let mut queue = queue();
        let (cost, others) = (queue.cost(), queue.others());
        queue.take_unpaid();
        queue.keep(100);
        queue.keep(70);
        assert_eq!((queue.cost(), queue.others(), queue.take_unpaid()), (cost + 70, others, 70));
        queue.keep(0);
        assert_eq!((queue.cost(), queue.take_unpaid()), (cost, -70));
    }

    #[test]
    fn a_part_of_the_program_costs_its_segment_alone() {
        let mut queue = OutQueue::default();
        queue.push_fixed(&[b'x'; 1_000], Class::Asked, Tick(1));
        assert_eq!((queue.cost(), queue.take_unpaid()), (SEGMENT_COST, SEGMENT_COST as isize));
        queue.advance(999);
        assert_eq!((text(&queue), queue.cost()), (b"x".to_vec(), SEGMENT_COST));
        queue.advance(1);
        assert_eq!((queue.cost(), queue.take_unpaid()), (0, -(SEGMENT_COST as isize)));
    }

    #[test]
    fn a_cut_keeps_the_frame_that_is_under_way() {
        let mut queue = queue();
        queue.advance(2);
        queue.cut();
        assert_eq!(text(&queue), b"llo ");
        let mut queue = super::tests::queue();
        queue.advance(6);
        queue.cut();
        assert!(queue.is_empty());
        assert_eq!((queue.asked(), queue.others()), (0, 0));
    }

    #[test]
    fn a_cut_keeps_an_end_with_what_it_ends() {
        let frames = |sent| {
            let mut queue = OutQueue::default();
            for body in [&b"one"[..], b"two"] {
                queue.push_shared(Bytes::from_static(body), Class::Sent, Tick(1));
                queue.push_end(Class::Sent, Tick(1), |out| out.push(b';'));
            }
            queue.advance(sent);
            queue.cut();
            String::from_utf8(text(&queue)).unwrap()
        };
        let kept = (0..=8).map(frames).collect::<Vec<_>>();
        assert_eq!(kept, ["", "ne;", "e;", ";", "", "wo;", "o;", ";", ""]);
    }
}
