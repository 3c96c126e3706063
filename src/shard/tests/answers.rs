//! Every question of a connection ends with an answer, whatever ends it: each kind of question that a call can bring to a
//! stream, and each kind of end that can come before the answer.

use super::*;
use crate::auth::access::Sources;
use crate::auth::issue::{Grant, token};
use crate::error::Close;
use crate::id::SessionId;
use crate::settings::Secret;

const SECRET: &str = "a secret of more than thirty-two bytes";
/// 14 November 2023, in milliseconds.
const WALL: u64 = 1_700_000_000_000;

/// A stream on one shard, whose room and user are at home on the other.
struct Trial {
    common: Arc<Common>,
    here: Bench,
    home: Bench,
    room: String,
    user: String,
    stream: SessionId,
    call: u32,
}

/// An engine that works.
fn local() -> Engine {
    Engine::Local(Local::default())
}

fn delayed(odds: Odds) -> Engine {
    Delayed::engine(1, odds)
}

impl Trial {
    fn new(engine: Engine) -> Self {
        let mut settings = Settings::default();
        settings.auth.secret = Some(Secret::new(SECRET));
        settings.auth.anonymous = true;
        settings.direct = Some(true);
        settings.limits.connections_per_user = 1;
        let sources = Sources { secrets: vec![("auth.secret", SECRET.into())], ..Sources::default() };
        let access = crate::auth::access::Access::new(&settings, &sources).unwrap();
        let common = Arc::new(Common::new(settings, access, 2, true));
        let mut here = Bench::new(0, &common, local());
        let mut home = Bench::new(1, &common, local());
        here.now.wall_ms = WALL;
        home.now.wall_ms = WALL;
        let far =
            |space| (0..).map(|n| format!("n{n}")).find(|n| common.room_keys.key(space, n).home(2) == 1);
        let (room, user) = (far(Space::Native).unwrap(), far(Space::User).unwrap());
        let key = here.shard.accept(IpAddr::from([127, 0, 0, 1]));
        here.turn(0);
        here.shard.receive(key, &mut format!("GET /sse/{room} HTTP/1.1\r\nHost: a\r\n\r\n").into_bytes());
        let stream = here.shard.id(key);
        let call = here.shard.accept(IpAddr::from([127, 0, 0, 1]));
        let mut trial = Self { common, here, home, room, user, stream, call };
        trial.exchange();
        assert!(trial.here.text(key).contains("joined"), "{}", trial.here.text(key));
        trial.home.shard.engine = engine;
        trial
    }

    /// Carries posts to and fro.
    fn exchange(&mut self) {
        for _ in 0..4 {
            self.here.turn(0);
            self.home.shard.take_all(std::mem::take(self.here.shard.outgoing(1)));
            self.home.turn(0);
            self.here.shard.take_all(std::mem::take(self.home.shard.outgoing(0)));
            self.here.turn(0);
        }
    }

    fn ask(&mut self, body: &str) {
        let name = self.common.names.name(self.stream);
        let length = body.len();
        let request =
            format!("POST /sse/{name} HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n{body}");
        self.here.shard.receive(self.call, &mut request.into_bytes());
        self.here.turn(0);
        assert!(self.here.text(self.call).is_empty(), "{}: {body}", self.here.text(self.call));
    }

    /// The call's answer, once all is at rest.
    fn answer(&mut self) -> String {
        self.exchange();
        self.here.text(self.call)
    }
}

/// Each kind of question that another shard has to answer, as a request.
fn questions(trial: &Trial) -> Vec<String> {
    let Trial { room, user, .. } = trial;
    let now = Duration::from_millis(WALL);
    let ttl = Duration::from_secs(3_600);
    let grant = Grant { user, rooms: None, audience: None, issuer: None, now, ttl };
    let token = token(&grant, SECRET.as_bytes()).unwrap();
    let other = (0..).map(|n| format!("o{n}")).find(|name| {
        let key = trial.common.room_keys.key(Space::Native, name);
        key.home(2) == 1
    });
    let other = other.unwrap();
    vec![
        format!(r#"{{"type":"join","room":"{other}","id":1}}"#),
        format!(r#"{{"type":"join","room":"{room}","id":1}}"#),
        format!(r#"{{"type":"join","room":"{other}","history":5,"id":1}}"#),
        format!(r#"{{"type":"publish","room":"{room}","data":1,"id":1}}"#),
        format!(r#"{{"type":"history","room":"{room}","limit":5,"id":1}}"#),
        format!(r#"{{"type":"members","room":"{room}","id":1}}"#),
        format!(r#"{{"type":"direct","to":"{user}","data":1,"id":1}}"#),
        format!(r#"[{{"type":"leave","room":"{room}"}},{{"type":"auth","token":"{token}","id":1}}]"#),
        // What waits behind something else.
        format!(r#"[{{"type":"history","room":"{room}","limit":5}},{{"type":"ping","id":1}}]"#),
        format!(
            r#"[{{"type":"join","room":"{other}"}},{{"type":"publish","room":"{other}","data":1,"id":1}}]"#
        ),
    ]
}

/// Something that ends what a question waits for.
type End = fn(&mut Trial);

const ENDS: [(&str, End); 9] = [
    ("the connection breaks", |trial| trial.here.shard.fail(trial.stream.key)),
    ("the peer hangs up", |trial| trial.here.shard.hang_up(trial.stream.key)),
    ("a newer one comes", |trial| trial.here.shard.take_all([Post::Evict(trial.stream)])),
    ("it is too slow", |trial| {
        trial.here.shard.close_unsettled(trial.stream.key, &Close::SLOW_CONSUMER);
    }),
    ("it is refused too often", |trial| {
        (0..100).for_each(|_| trial.here.shard.note_refusal(trial.stream.key));
    }),
    ("everything waits too long", |trial| {
        trial.here.shard.spend(isize::MAX / 2);
        trial.here.shard.let_go(trial.stream.key);
        trial.here.shard.spend(-isize::MAX / 2);
    }),
    ("the server drains", |trial| {
        trial.here.shard.drain(Duration::ZERO);
        trial.here.turn(250);
    }),
    ("the room is forgotten", |trial| {
        // No room is that has counted somebody who leaves it.
        if !trial.here.shard.outgoing(1).iter().any(|post| matches!(post, Post::Leave(..))) {
            trial.home = Bench::new(1, &trial.common, local());
        }
    }),
    ("its key is another's by the time of the answer", |trial| {
        trial.here.shard.fail(trial.stream.key);
        trial.here.turn(0);
        let next = trial.here.connect("/ws");
        assert_eq!(next, trial.stream.key);
        trial.exchange();
        let text = trial.here.text(next);
        assert!(!text.contains("error") && !text.contains("published"), "{text}");
    }),
];

#[test]
fn every_question_has_an_answer_whatever_ends_it() {
    for index in 0..questions(&Trial::new(local())).len() {
        for (name, end) in ENDS {
            let mut trial = Trial::new(local());
            let question = questions(&trial).swap_remove(index);
            trial.ask(&question);
            trial.here.sink.written.remove(&trial.stream.key);
            end(&mut trial);
            let answer = trial.answer();
            assert!(answer.starts_with("HTTP/1.1 200 "), "{name}: {question}: {answer:?}");
            assert!(answer.contains(r#""id":1"#), "{name}: {question}: {answer}");
        }
    }
}

#[test]
fn every_question_has_an_answer_although_the_engine_has_none() {
    let silent = Odds { silent: 1_000, ..Odds::default() };
    let failing = Odds { fail: 1_000, ..Odds::default() };
    for odds in [silent, failing] {
        for index in 0..questions(&Trial::new(local())).len() {
            let mut trial = Trial::new(delayed(odds));
            let question = questions(&trial).swap_remove(index);
            trial.ask(&question);
            for _ in 0..3 {
                trial.exchange();
                for bench in [&mut trial.here, &mut trial.home] {
                    (0..21).for_each(|_| bench.turn(250));
                }
            }
            trial.exchange();
            let answer = trial.answer();
            assert!(
                answer.starts_with("HTTP/1.1 200 ") && answer.contains(r#""id":1"#),
                "{question}: {answer:?}"
            );
        }
    }
}

#[test]
fn a_guest_whose_users_home_refuses_it_has_its_answer() {
    let mut trial = Trial::new(local());
    let user = trial.user.as_str().into();
    let holder = SessionId { shard: 1, key: 9, generation: 9 };
    trial.home.shard.take_all([Post::Came(user, holder, true)]);
    let auth = questions(&trial).swap_remove(7);
    trial.ask(&auth);
    trial.exchange();
    assert!(trial.here.text(trial.stream.key).contains("max connections reached"));
    assert!(trial.answer().contains(r#""code":"unavailable""#), "{}", trial.answer());
}

#[test]
fn a_refusal_is_not_held_against_whoever_has_the_key_next() {
    let mut trial = Trial::new(delayed(Odds { fail: 1_000, ..Odds::default() }));
    let publish = questions(&trial).swap_remove(3);
    trial.ask(&publish);
    trial.here.shard.fail(trial.stream.key);
    trial.here.turn(0);
    let next = trial.here.connect("/ws");
    assert_eq!(next, trial.stream.key);
    assert!(trial.answer().contains(r#""code":"unavailable""#));
    assert!(trial.here.shard.sessions[next as usize].conduct.is_none());
}
