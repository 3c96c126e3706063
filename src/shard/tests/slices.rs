//! What concerns many connections is done a part in each turn, and nobody gets anything twice, late or out of order for it.

use super::*;
use crate::broker::question::{Part, question};

const MANY: usize = 300;

/// So many connections of one user.
fn crowd(target: &str) -> (Bench, Vec<u32>) {
    let mut bench = Bench::alone();
    let keys = (0..MANY).map(|_| bench.connect(target)).collect();
    (0..3).for_each(|_| bench.turn(0));
    bench.sink.written.clear();
    bench.sink.writes.clear();
    (bench, keys)
}

impl Bench {
    fn letter(&mut self, data: usize) {
        let inbox = self.shard.common.room_keys.key(Space::User, "ann");
        let draft = Draft { store: true, ..Draft::new(Kind::Notification, data.to_string().into()) };
        self.shard.take_all([Post::Publish(inbox, Caller::Nobody, draft)]);
    }

    /// The letters that a connection was given, in order.
    fn letters(&self, key: u32) -> Vec<usize> {
        let text = self.text(key);
        let parts = text.split(r#""data":"#).skip(1);
        parts.filter_map(|part| part.split('}').next()?.parse().ok()).collect()
    }

    /// Turns until nothing is left to do; how many that took.
    fn rest(&mut self) -> usize {
        (1..1_000)
            .find(|_| {
                self.turn(0);
                !self.shard.has_work()
            })
            .expect("work ends")
    }
}

#[test]
fn letters_to_many_connections_obey_the_budget() {
    let (mut bench, keys) = crowd("/ws?user=ann");
    bench.sink.budget = 20;
    (0..50).for_each(|data| bench.letter(data));
    bench.turn(0);
    assert!(bench.sink.writes.len() <= 20, "{}", bench.sink.writes.len());
    assert!(bench.shard.has_work());
    bench.sink.budget = usize::MAX;
    bench.letter(50);
    bench.rest();
    let all: Vec<usize> = (0..=50).collect();
    keys.iter().for_each(|&key| assert_eq!(bench.letters(key), all));
    assert!(bench.sink.writes.len() < 4 * MANY, "{}", bench.sink.writes.len());
}

/// Whoever becomes a member of the inbox, or is none any more, whoever comes and whoever goes: each gets each letter once.
#[test]
fn no_letter_is_lost_or_doubled_among_many() {
    let (mut bench, mut keys) = crowd("/ws?user=ann");
    let mut since: Vec<usize> = vec![0; MANY];
    for data in 0..60 {
        bench.sink.budget = 25;
        bench.letter(data);
        let key = keys[data * 7 % MANY];
        match data % 5 {
            0 | 3 => bench.frame(key, 0x81, br#"{"type":"join","room":"$me","history":50}"#),
            1 | 4 => bench.frame(keys[(data - 1) * 7 % MANY], 0x81, br#"{"type":"leave","room":"$me"}"#),
            _ => {
                let key = bench.connect("/ws?user=ann");
                keys.push(key);
                since.push(data + 1);
            }
        }
        if data % 3 == 0 {
            bench.turn(0);
        }
    }
    bench.sink.budget = usize::MAX;
    bench.rest();
    for (key, since) in keys.into_iter().zip(since) {
        assert_eq!(bench.letters(key), (since..60).collect::<Vec<_>>(), "{key}: {}", bench.text(key));
    }
}

#[test]
fn whoever_came_late_and_joins_has_what_came_before_as_history() {
    let (mut bench, _) = crowd("/ws?user=ann");
    (0..3).for_each(|data| bench.letter(data));
    bench.rest();
    let late = bench.connect("/ws?user=ann");
    bench.letter(3);
    bench.frame(late, 0x81, br#"{"type":"join","room":"$me","history":50}"#);
    bench.letter(4);
    bench.rest();
    let mut letters = bench.letters(late);
    letters.sort_unstable();
    assert_eq!(letters, [0, 1, 2, 3, 4]);
}

#[test]
fn an_announcement_reaches_some_in_each_turn() {
    let (mut bench, keys) = crowd("/ws/a");
    bench.shard.announce(&Caller::Nobody, None, b"1");
    bench.shard.carry();
    bench.turn(0);
    assert!(bench.sink.writes.len() <= 32, "{}", bench.sink.writes.len());
    bench.rest();
    assert!(keys.iter().all(|&key| bench.text(key).matches("announcement").count() == 1));
}

/// Closing, taking out of a room, and looking for them: the answer comes behind the last.
#[test]
fn what_is_done_to_a_users_connections_is_done_in_parts() {
    type Ask = fn(&Bench, Caller) -> Post;
    let asks: [(Ask, &str); 3] = [
        (|_, caller| Post::Disconnect("ann".into(), "bye".into(), caller), "bye"),
        (
            |bench, caller| {
                Post::Remove(bench.shard.common.room_keys.key(Space::Native, "a"), "ann".into(), caller)
            },
            "removed by the app",
        ),
        (|_, caller| Post::Seek("ann".into(), caller), ""),
    ];
    for (ask, said) in asks {
        let (mut bench, keys) = crowd("/ws/a?user=ann");
        let (asked, parts) = question();
        let post = ask(&bench, Caller::Program(asked, 0));
        bench.shard.take_all([post]);
        bench.turn(0);
        assert!(bench.sink.writes.len() <= 64, "{said}: {}", bench.sink.writes.len());
        assert!(bench.shard.has_work());
        bench.shard.answer_questions();
        assert!(parts.wait(Duration::ZERO).is_none());
        bench.shard.fail(keys[0]);
        (0..20).for_each(|_| bench.turn(0));
        bench.shard.answer_questions();
        let parts = parts.wait(Duration::ZERO).expect("it is answered");
        match parts[..] {
            [Part::Counted(connections)] => assert_eq!(connections, MANY as u32),
            [Part::Found(connections, ref rooms)] => assert_eq!((connections, rooms.len()), (MANY as u32, 1)),
            _ => panic!("{parts:?}"),
        }
        assert!(keys[1..].iter().all(|&key| said.is_empty() || bench.text(key).contains(said)));
        assert_eq!(bench.shard.queues.used(), 0);
    }
}
