//! What concerns many connections is done a part in each turn, and nobody gets anything twice, late or out of order for it.

use super::*;
use crate::broker::post::Page;
use crate::broker::question::{Part, question};
use crate::settings::{KIB, MIB};

const MANY: usize = 300;

/// What a turn does at most of anything that is done in parts.
const PART: usize = 64;

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

    /// A letter to each of some users.
    fn letters_to(&mut self, users: usize) {
        for n in 0..users {
            let inbox = self.shard.common.room_keys.key(Space::User, &format!("u{n}"));
            let draft = Draft { store: true, ..Draft::new(Kind::Notification, n.to_string().into()) };
            self.shard.take_all([Post::Publish(inbox, Caller::Nobody, draft)]);
        }
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

/// Each of them has few connections, so nobody is gathered; all together they are many.
#[test]
fn letters_to_many_users_obey_the_budget() {
    let mut bench = Bench::alone();
    let targets = (0..MANY).map(|n| format!("/ws?room=a&user=u{}", n / 30));
    let keys: Vec<u32> = targets.collect::<Vec<_>>().iter().map(|target| bench.connect(target)).collect();
    bench.rest();
    bench.sink.written.clear();
    bench.sink.writes.clear();
    bench.sink.budget = 20;
    (0..2).for_each(|_| bench.letters_to(MANY / 30));
    bench.turn(0);
    assert!(bench.sink.writes.len() <= 22, "{}", bench.sink.writes.len());
    assert!(bench.shard.has_work());
    // Whoever asks for something has it in the same turn, behind its letters.
    let last = keys[MANY - 1];
    bench.frame(last, 0x81, br#"{"type":"ping"}"#);
    bench.turn(0);
    assert_eq!((bench.letters(last).len(), bench.text(last).contains("pong")), (2, true));
    // Rooms have their turn as well.
    bench.sink.budget = 40;
    bench.frame(keys[0], 0x81, br#"{"type":"publish","room":"a","data":1}"#);
    bench.turn(0);
    bench.sink.budget = 40;
    bench.turn(0);
    let heard = |bench: &Bench| keys.iter().filter(|&&key| bench.text(key).contains(r#""message""#)).count();
    assert!(heard(&bench) > 1);
    bench.sink.budget = usize::MAX;
    bench.rest();
    assert_eq!(heard(&bench), MANY);
    keys.iter().zip(0..).for_each(|(&key, n)| assert_eq!(bench.letters(key)[..2], [n / 30, n / 30]));
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
    bench.shard.announce(&Caller::Nobody, Draft::new(Kind::Notification, "1".into()));
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
        (|_, caller| Post::Seek("ann".into(), caller, page("", 10)), ""),
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

fn page(after: &str, limit: usize) -> Arc<Page> {
    Arc::new(Page { after: after.into(), limit })
}

/// Clients choose how many rooms their user is in. A walk holds a page of them, and that is in the total.
#[test]
fn a_page_of_a_users_rooms_is_kept_and_paid_for() {
    let mut bench = Bench::alone();
    for number in 0..20 {
        let rooms: String = (0..60).map(|room| format!("&room=r{:04}", number * 60 + room)).collect();
        bench.connect(&format!("/ws?user=ann{rooms}"));
    }
    bench.rest();
    let before = bench.shard.queues.used();
    let names = |from: usize, to: usize| (from..to).map(|room| format!("r{room:04}")).collect::<Vec<_>>();
    let pages = [("", 700, 0, 700), ("r0009", 3, 10, 13), ("r1198", 5, 1_199, 1_200), ("s", 5, 0, 0)];
    for (after, limit, from, to) in pages {
        let (asked, parts) = question();
        bench.shard.take_all([Post::Seek("ann".into(), Caller::Program(asked, 0), page(after, limit))]);
        assert!(bench.shard.has_work(), "a step for each {} rooms", 16);
        let held = bench.shard.queues.used() - before;
        assert!(held > 0 && held < 2_000 + limit * 32, "{held}");
        for _ in 0..10 {
            bench.turn(0);
            bench.shard.answer_questions();
        }
        let parts = parts.wait(Duration::ZERO).expect("it is answered");
        let [Part::Found(20, rooms)] = &parts[..] else { panic!("{parts:?}") };
        assert_eq!(rooms.iter().map(RoomKey::name).collect::<Vec<_>>(), names(from, to));
        assert_eq!(bench.shard.queues.used(), before);
    }
}

/// Those behind a long one have the rest of its last turn.
#[test]
fn a_turn_goes_on_to_the_next_of_them() {
    let (mut bench, _) = crowd("/ws?user=ann");
    for number in 0..20 {
        bench.connect(&format!("/ws?user=u{number}"));
    }
    bench.rest();
    let users = ["ann".to_owned()].into_iter().chain((0..20).map(|number| format!("u{number}")));
    let asked = users.map(|user| {
        let (asked, parts) = question();
        bench.shard.take_all([Post::Seek(user.into(), Caller::Program(asked, 0), page("", 10))]);
        parts
    });
    let asked: Vec<_> = asked.collect();
    let mut turns = 0;
    while bench.shard.has_work() {
        bench.turn(0);
        bench.shard.answer_questions();
        turns += 1;
    }
    assert_eq!(turns, (MANY + 20).div_ceil(32) - 1, "of 32 each, and the first at once");
    assert!(asked.iter().all(|parts| parts.wait(Duration::ZERO).is_some_and(|parts| parts.len() == 1)));
}

/// Each goes its way even if its caller has gone, so callers that go at once could have any number of them wait.
#[test]
fn only_so_many_of_them_wait() {
    const REQUESTS: [&str; 3] =
        ["GET /api/users/ann", "DELETE /api/rooms/a/members/ann", "DELETE /api/users/ann/connections"];
    let ask = |bench: &mut Bench, request: &str| {
        let key = bench.shard.accept(IpAddr::from([127, 0, 0, 1]));
        bench.shard.receive(key, &mut format!("{request} HTTP/1.1\r\nHost: a\r\n\r\n").into_bytes());
        key
    };
    for request in REQUESTS {
        let (mut bench, _) = crowd("/ws/a?user=ann");
        let callers: Vec<u32> = (0..2 * MIB / (16 * MANY)).map(|_| ask(&mut bench, request)).collect();
        assert!(bench.shard.queues.used() < MIB + MIB / 4, "{request}: {}", bench.shard.queues.used());
        callers.into_iter().for_each(|key| bench.shard.fail(key));
        for request in REQUESTS {
            let refused = ask(&mut bench, request);
            bench.turn(0);
            let refused = bench.text(refused);
            assert!(
                refused.starts_with("HTTP/1.1 503 ") && refused.contains("\r\nRetry-After: 1\r\n"),
                "{refused}"
            );
        }
        while bench.shard.has_work() {
            bench.turn(0);
        }
        let heard = ask(&mut bench, request);
        bench.rest();
        assert!(bench.text(heard).starts_with("HTTP/1.1 200 "), "{}", bench.text(heard));
        for key in bench.shard.sessions.iter().map(|(key, _)| key as u32).collect::<Vec<_>>() {
            bench.shard.fail(key);
        }
        bench.turn(0);
        assert_eq!(bench.shard.queues.used(), 0, "{request}");
    }
}

#[test]
fn nobody_is_looked_for_while_too_much_waits() {
    let mut bench = Bench::alone();
    let total = bench.shard.common.settings.limits.queue_total;
    let common = bench.shard.common.clone();
    let key = bench.shard.accept(IpAddr::from([127, 0, 0, 1]));
    bench.shard.queues.spend(&common.queued, total + MIB, 0);
    bench.shard.receive(key, &mut b"GET /api/users/ann HTTP/1.1\r\nHost: a\r\n\r\n".to_vec());
    bench.shard.queues.spend(&common.queued, 0, total + MIB);
    bench.turn(0);
    assert!(bench.text(key).starts_with("HTTP/1.1 503 "), "{}", bench.text(key));
}

/// Connections that are all late in one tick. One of them goes before its turn comes, and who gets its key has its own time.
#[test]
fn deadlines_that_are_due_together_are_met_in_parts() {
    let mut bench = Bench::alone();
    let come = |bench: &mut Bench| bench.shard.accept(IpAddr::from([127, 0, 0, 1]));
    let keys: Vec<u32> = (0..MANY).map(|_| come(&mut bench)).collect();
    let last = keys[MANY - 1];
    bench.turn(bench.shard.common.settings.limits.handshake.as_millis() as u64 + 500);
    assert!((MANY - 2 * PART..MANY).contains(&bench.shard.sessions()), "{}", bench.shard.sessions());
    bench.shard.fail(last);
    bench.turn(0);
    let gone = MANY - bench.shard.sessions();
    let new: Vec<u32> = (0..gone).map(|_| come(&mut bench)).collect();
    assert!(new.contains(&last));
    bench.rest();
    assert_eq!(bench.shard.sessions(), new.len());
    assert!(new.iter().all(|&key| bench.shard.sessions.contains(key as usize)));
}

#[test]
fn rooms_that_are_over_together_go_in_parts() {
    let mut bench = Bench::alone();
    (0..MANY).for_each(|number| bench.publish(&format!("room-{number}")));
    bench.turn(0);
    bench.turn(100_000_000);
    assert!((MANY - 2 * PART..MANY).contains(&bench.shard.rooms()), "{}", bench.shard.rooms());
    bench.rest();
    assert_eq!(bench.shard.rooms(), 0);
}

#[test]
fn a_drain_that_is_behind_closes_in_parts() {
    let (mut bench, keys) = crowd("/ws");
    bench.shard.drain(Duration::from_secs(10));
    bench.turn(9_000);
    bench.turn(0);
    let closed = |bench: &Bench| keys.iter().filter(|&&key| bench.text(key).contains("retry in")).count();
    assert!((1..=2 * PART).contains(&closed(&bench)), "{}", closed(&bench));
    bench.rest();
    assert_eq!(closed(&bench), MANY);
}

/// Publishers whom pressure held up, each with something kept. One goes meanwhile, and who gets its key is not taken for it.
#[test]
fn reading_goes_on_in_parts_when_pressure_has_fallen() {
    let (mut bench, keys) = crowd("/ws");
    bench.shard.common.pressure.set_inbox(0, 0, 100 * MIB);
    bench.turn(0);
    let now = bench.shard.now.tick();
    keys.iter().for_each(|&key| bench.shard.sessions[key as usize].wanted = now);
    keys.iter().for_each(|&key| bench.frame(key, 0x81, br#"{"type":"ping"}"#));
    bench.shard.common.pressure.set_inbox(0, 0, 0);
    bench.turn(0);
    let answered = |bench: &Bench| keys.iter().filter(|&&key| bench.text(key).contains("pong")).count();
    assert!((1..=PART).contains(&answered(&bench)), "{}", answered(&bench));
    let last = keys[MANY - 1];
    bench.shard.fail(last);
    bench.turn(0);
    assert_eq!(bench.shard.accept(IpAddr::from([127, 0, 0, 1])), last);
    bench.shard.receive(last, &mut b"GET /healthz HTTP/1.1\r\n".to_vec());
    bench.rest();
    assert_eq!(answered(&bench), MANY - 1);
}

/// Connections with a head of 4 KiB each that never ends, just so many that the total is overdrawn.
fn overdrawn(idle: usize) -> (Bench, Vec<u32>) {
    let limits = Limits { queue_total: 8 * MIB, ..Limits::default() };
    let settings = Settings { limits, ..Settings::default() };
    let mut bench = Bench::new(0, &common(1, settings), Engine::Local(Local::default()));
    for _ in 0..idle {
        bench.shard.accept(IpAddr::from([127, 0, 0, 1]));
    }
    let mut keys = Vec::new();
    while !bench.shard.common.queued.is_overdrawn() {
        keys.push(fat(&mut bench, 4 * KIB));
    }
    (bench, keys)
}

fn fat(bench: &mut Bench, bytes: usize) -> u32 {
    let key = bench.shard.accept(IpAddr::from([127, 0, 0, 1]));
    bench.shard.receive(key, &mut format!("GET /{}", "x".repeat(bytes)).into_bytes());
    key
}

impl Bench {
    fn holds_input(&self, key: u32) -> bool {
        self.shard.inputs.contains_key(&key)
    }
}

/// An eighth more than must goes, but not all of it in one turn.
#[test]
fn no_more_are_let_go_in_a_turn_than_must() {
    let (mut bench, keys) = overdrawn(0);
    bench.turn(1);
    assert!(!bench.shard.common.queued.is_overdrawn());
    let gone = keys.iter().filter(|&&key| !bench.holds_input(key)).count();
    assert!((1..=PART + 8).contains(&gone), "{gone} of {}", keys.len());
}

/// Of many sessions not all are looked at in every turn. Those that were seen go meanwhile, and the fattest after the next look.
#[test]
fn many_sessions_are_looked_at_now_and_then() {
    let (mut bench, _) = overdrawn(5_000);
    bench.turn(1);
    let mut late = Vec::new();
    while !bench.shard.common.queued.is_overdrawn() {
        late.push(fat(&mut bench, 5 * KIB));
    }
    bench.turn(0);
    assert!(!bench.shard.common.queued.is_overdrawn());
    assert!(late.iter().all(|&key| bench.holds_input(key)));
    while !bench.shard.common.queued.is_overdrawn() {
        late.push(fat(&mut bench, 5 * KIB));
    }
    bench.turn(1);
    assert!(!bench.shard.common.queued.is_overdrawn());
    assert!(late.iter().any(|&key| !bench.holds_input(key)));
}
