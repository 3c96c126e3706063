//! A batch is carried out a part in each turn, and nothing of it is lost, doubled or out of order for that.

use super::*;

const MANY: usize = 1_000;

/// Messages of batches that one turn carries out at most.
const PART: u64 = 128;

impl Bench {
    /// A connection that sends a batch of these messages.
    fn batch(&mut self, messages: &[String]) -> u32 {
        let key = self.shard.accept(IpAddr::from([127, 0, 0, 1]));
        let body = format!("{{\"messages\":[{}]}}", messages.join(","));
        let head = format!("POST /api/batch HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n", body.len());
        self.shard.receive(key, &mut head.into_bytes());
        body.as_bytes().chunks(64 * 1024).for_each(|part| self.shard.receive(key, &mut part.to_vec()));
        key
    }

    /// Turns until nothing is left to do; the most messages that came in one of them.
    fn most_in_a_turn(&mut self) -> u64 {
        let mut most = 0;
        while self.shard.has_work() {
            let before = self.shard.counters().messages_in;
            self.turn(0);
            most = most.max(self.shard.counters().messages_in - before);
        }
        most
    }

    /// The `data` of all messages that a connection was given, in order.
    fn given(&self, key: u32) -> Vec<String> {
        let text = self.text(key);
        let parts = text.split(r#""data":"#).skip(1);
        parts.filter_map(|part| part.split('}').next().map(str::to_owned)).collect()
    }
}

/// Messages for one room.
fn numbered(room: &str, many: usize) -> Vec<String> {
    (0..many).map(|number| format!(r#"{{"room":"{room}","data":{number}}}"#)).collect()
}

fn all(many: usize) -> Vec<String> {
    (0..many).map(|number| number.to_string()).collect()
}

#[test]
fn a_batch_takes_a_part_of_a_turn_and_keeps_its_order() {
    let mut bench = Bench::alone();
    let [reader, other] = ["/ws/a", "/ws"].map(|target| bench.connect(target));
    bench.turn(0);
    let before = bench.shard.counters().messages_in;
    let app = bench.batch(&numbered("a", MANY));
    assert!(bench.shard.counters().messages_in - before <= PART);
    bench.frame(other, 0x81, br#"{"type":"ping"}"#);
    bench.turn(0);
    assert!(bench.text(other).contains(r#""type":"pong""#), "{}", bench.text(other));
    assert!(bench.shard.counters().messages_in - before <= 2 * PART);
    assert!(bench.most_in_a_turn() <= PART);
    assert_eq!(bench.given(reader), all(MANY));
    let answer = bench.text(app);
    let positions = answer.split(r#"{"position":""#).skip(1);
    let offsets = positions.map(|part| part.split(['"', ':']).nth(1).unwrap().to_owned());
    assert!(offsets.eq((1..=MANY).map(|offset| offset.to_string())), "{answer}");
}

#[test]
fn a_small_batch_is_answered_where_it_is_read() {
    let mut bench = Bench::alone();
    bench.turn(0);
    let app = bench.batch(&numbered("a", 3));
    assert!(bench.shard.batches.is_empty());
    bench.turn(0);
    assert_eq!(bench.text(app).matches(r#""position""#).count(), 3, "{}", bench.text(app));
}

#[test]
fn batches_go_on_side_by_side() {
    let mut bench = Bench::alone();
    let reader = bench.connect("/ws?room=a&room=b");
    bench.turn(0);
    bench.batch(&numbered("a", MANY));
    let short = bench.batch(&numbered("b", 32));
    (0..2).for_each(|_| bench.turn(0));
    assert!(bench.text(short).contains("200 OK"), "a short one does not wait for the whole of a long one");
    assert!(bench.most_in_a_turn() <= PART);
    assert_eq!(bench.given(reader).len(), MANY + 32);
}

#[test]
fn a_batch_whose_caller_goes_is_sent_whole_and_paid_back() {
    let mut bench = Bench::alone();
    let reader = bench.connect("/ws/a");
    bench.turn(0);
    let app = bench.batch(&numbered("a", MANY));
    bench.turn(0);
    bench.shard.fail(app);
    bench.most_in_a_turn();
    assert_eq!(bench.given(reader), all(MANY));
    let rest = bench.connect("/ws");
    bench.turn(0);
    bench.shard.fail(reader);
    bench.shard.fail(rest);
    bench.most_in_a_turn();
    assert_eq!(bench.shard.queues.used(), 0);
}

#[test]
fn a_wrong_message_far_behind_has_its_place_in_the_answer() {
    let mut bench = Bench::alone();
    let mut messages = numbered("a", MANY);
    messages[700] = r#"{"room":"$x","data":1}"#.into();
    messages[701] = r#"{"user":"ann","data":1}"#.into();
    let app = bench.batch(&messages);
    bench.most_in_a_turn();
    let answer = bench.text(app);
    let results: serde_json::Value = serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap();
    assert_eq!(results["results"][700]["error"]["code"], "bad_room");
    assert_eq!(results["results"][701]["connections"], 0);
    assert!(results["results"][999]["position"].as_str().unwrap().ends_with(":998"), "{results}");
}

/// Each is judged as a call for it alone would be, those before it included.
#[test]
fn a_batch_has_no_more_announcements_under_way_than_calls_may_have() {
    let mut bench = Bench::alone();
    let reader = bench.connect("/ws");
    bench.turn(0);
    let all_of = |many: usize| -> Vec<String> {
        (0..many).map(|number| format!(r#"{{"all":true,"data":{number}}}"#)).collect()
    };
    let app = bench.batch(&all_of(MANY));
    bench.most_in_a_turn();
    let answer = bench.text(app);
    let results: serde_json::Value = serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap();
    let results = results["results"].as_array().unwrap();
    let sent = results.iter().enumerate().filter(|(_, result)| result["connections"] == 1);
    let sent: Vec<String> = sent.map(|(number, _)| number.to_string()).collect();
    let refused = results.iter().filter(|result| result["error"]["code"] == "unavailable").count();
    assert_eq!((bench.given(reader), refused + sent.len()), (sent.clone(), MANY));
    // 64 at once, and one more for each that is done before the batch has come to its end.
    let turns = MANY.div_ceil(PART as usize);
    assert!((64..=64 + turns).contains(&sent.len()), "{}", sent.len());
    let later = bench.batch(&all_of(3));
    bench.most_in_a_turn();
    assert!(!bench.text(later).contains("error"), "{}", bench.text(later));
}
