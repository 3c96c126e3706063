//! A dialect of the tests' own: what a shard decides reaches its clients in their words, and nothing in the shard knows them.

use super::*;

impl Bench {
    /// Session `key` asks something in a line.
    fn line(&mut self, key: u32, line: &str) {
        self.frame(key, 0x81, line.as_bytes());
        self.turn(0);
    }

    /// The texts that session `key` was sent since the last call, one frame each.
    fn lines(&mut self, key: u32) -> Vec<String> {
        let bytes = self.sink.written.remove(&key).unwrap_or_default();
        let head = bytes.windows(4).position(|four| four == b"\r\n\r\n").map_or(0, |at| at + 4);
        let (mut rest, mut lines) = (&bytes[head..], Vec::new());
        while let [first, length, ..] = *rest {
            let (start, length) = match length {
                126 => (4, usize::from(u16::from_be_bytes([rest[2], rest[3]]))),
                short => (2, usize::from(short)),
            };
            let payload = &rest[start..start + length];
            lines.push(match first {
                0x88 => format!("close {}", String::from_utf8_lossy(&payload[2..])),
                _ => String::from_utf8_lossy(payload).into_owned(),
            });
            rest = &rest[start + length..];
        }
        lines
    }
}

/// The position that stands in a line.
fn position(line: &str) -> &str {
    line.split(' ')
        .map(|word| word.trim_end_matches(':'))
        .find(|word| word.contains(':'))
        .expect("it has one")
}

#[test]
fn two_dialects_share_a_room() {
    let mut bench = Bench::alone();
    let ann = bench.connect("/lines/a?user=ann");
    let bob = bench.connect("/ws/a?user=bob");
    bench.turn(0);
    let said = bench.lines(ann);
    assert_eq!((&*said[0], said.len()), ("welcome ann", 2), "{said:?}");
    assert!(said[1].starts_with("joined a ") && said[1].ends_with(":0: "), "{said:?}");
    bench.lines(bob);
    bench.line(ann, r#"#7 publish a {"n":1}"#);
    let (said, heard) = (bench.lines(ann), bench.lines(bob));
    assert!(said[0].ends_with(r#":1 ann says {"n":1}"#) && said[1] == "published a #7", "{said:?}");
    let at = position(&said[0]);
    let head = format!(r#"{{"type":"message","room":"a","position":"{at}","from":"ann","time":""#);
    assert!(heard[0].starts_with(&head) && heard[0].ends_with(r#""data":{"n":1}}"#), "{heard:?}");
    bench.frame(bob, 0x81, br#"{"type":"publish","room":"a","data":2,"event":"e"}"#);
    bench.turn(0);
    assert!(bench.lines(ann)[0].ends_with(":2 bob says e 2"));
}

#[test]
fn whoever_comes_back_goes_on_where_it_was() {
    let mut bench = Bench::alone();
    let first = bench.connect("/lines/a");
    bench.turn(0);
    let joined = bench.lines(first).pop().expect("it has joined");
    bench.shard.fail(first);
    bench.publish("a");
    bench.publish("a");
    let again = bench.connect("/lines");
    bench.line(again, &format!("#x join a since {}", position(&joined)));
    let said = bench.lines(again);
    assert!(said[1].ends_with(" #x recovered: somebody says 1, somebody says 1"), "{said:?}");
    bench.line(again, "join b since 0000beef:1");
    assert!(!bench.lines(again)[0].contains("recovered"));
    bench.line(again, "#8 history a");
    assert!(bench.lines(again)[0].starts_with("history a "));
    bench.line(again, "#9 leave a");
    assert_eq!(bench.lines(again), ["left a #9 as asked"]);
    bench.publish("a");
    bench.turn(0);
    assert_eq!(bench.lines(again), [""; 0]);
}

#[test]
fn refusals_have_their_words_and_so_have_closes() {
    let mut bench = Bench::alone();
    let key = bench.connect("/lines");
    bench.turn(0);
    bench.lines(key);
    bench.line(key, "#1 publish a 1");
    bench.line(key, "#2 dance a");
    bench.line(key, "#3 ping");
    let said = bench.lines(key);
    assert_eq!(
        said,
        [
            "error not_joined #1 join the room first",
            "error unknown_type #2 no request has this type",
            "pong #3"
        ]
    );
    bench.frame(key, 0x82, b"binary");
    bench.turn(0);
    assert_eq!(bench.lines(key), ["close this dialect is text, not binary"]);
}

#[test]
fn what_is_for_a_user_or_for_everybody_comes_in_the_clients_words() {
    let mut bench = Bench::alone();
    let keys = ["/lines?user=ann", "/ws?user=ann", "/raw/a"].map(|path| bench.connect(path));
    bench.turn(0);
    keys.iter().for_each(|key| drop(bench.lines(*key)));
    let inbox = bench.shard.common.room_keys.key(Space::User, "ann");
    let draft = Draft::new(Kind::Notification, "1".into());
    bench.shard.take_all([Post::Publish(inbox, Caller::Nobody, draft)]);
    bench.shard.announce(&Caller::Nobody, Draft::new(Kind::Notification, "2".into()));
    bench.shard.carry();
    bench.turn(0);
    let [lines, native, raw] = keys.map(|key| bench.lines(key));
    assert_eq!(lines, ["notification $me somebody says 1", "announcement 2"]);
    assert!(
        native[0].starts_with(r#"{"type":"notification""#)
            && native[1].starts_with(r#"{"type":"announcement""#)
    );
    assert_eq!(raw, [""; 0]);
}

/// News of people are among what this dialect has no words for: nothing is sent, not even an empty frame.
#[test]
fn what_a_dialect_has_no_words_for_is_not_sent() {
    let mut bench = Bench::alone();
    let ann = bench.connect("/lines/a?user=ann");
    bench.turn(0);
    bench.lines(ann);
    let bob = bench.connect("/ws/a?user=bob");
    bench.turn(0);
    assert_eq!(bench.lines(ann), [""; 0]);
    bench.line(ann, "members a");
    assert_eq!(bench.lines(ann), ["members a 2"]);
    assert!(bench.text(bob).contains(r#""count":2"#));
}
