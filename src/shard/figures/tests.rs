//! Figures on a virtual clock: what is counted, and when it is told.

use std::net::IpAddr;
use std::sync::Arc;

use serde_json::Value;

use crate::auth::access::Access;
use crate::engine::Engine;
use crate::engine::local::Local;
use crate::metrics::board::Totals;
use crate::settings::Settings;
use crate::shard::outlet::{Outlet, Taken};
use crate::shard::{Common, Shard};
use crate::time::Now;

/// Sockets that take so much in all, and remember what they took.
struct Sink {
    taken: Vec<u8>,
    room: usize,
}

impl Outlet for Sink {
    fn write(&mut self, _: u32, slices: &[std::io::IoSlice<'_>]) -> Taken {
        let before = self.taken.len();
        for slice in slices {
            let part = &slice[..slice.len().min(self.room)];
            self.room -= part.len();
            self.taken.extend_from_slice(part);
        }
        Taken::Some(self.taken.len() - before)
    }

    fn finish(&mut self, _: u32) {}

    fn is_spent(&mut self) -> bool {
        false
    }
}

struct House {
    shards: Vec<Shard>,
    sink: Sink,
    now: Now,
}

impl House {
    fn new(shards: usize) -> Self {
        let now = Now { loop_ms: 1_000, wall_ms: 1_700_000_000_000, us: 0 };
        let common = Arc::new(Common::new(Settings::default(), Access::default(), shards, true));
        let shard = |me| Shard::new(me as u16, common.clone(), Engine::Local(Local::default()), now);
        Self {
            shards: (0..shards).map(shard).collect(),
            sink: Sink { taken: Vec::new(), room: usize::MAX },
            now,
        }
    }

    /// A turn of every shard, that long after the last and each of `took_us`.
    fn turn(&mut self, after_ms: u64, took_us: u64) {
        self.now.loop_ms += after_ms;
        self.now.wall_ms += after_ms;
        self.now.us += 1_000 * after_ms;
        for from in 0..self.shards.len() {
            let shard = &mut self.shards[from];
            shard.begin(self.now);
            while shard.next_resumed().is_some() {}
            shard.tick();
            for to in 0..self.shards.len() {
                let posts: Vec<_> = self.shards[from].outgoing(to as u16).drain(..).collect();
                self.shards[to].take_all(posts);
            }
            let shard = &mut self.shards[from];
            shard.flush(&mut self.sink);
            shard.reap(|_| ());
            shard.end_turn(self.now.us + took_us);
        }
    }

    /// Turns until posts have been there and back.
    fn settle(&mut self) {
        (0..4).for_each(|_| self.turn(0, 0));
    }

    fn open(&mut self, shard: usize, target: &str) -> u32 {
        let key = self.shards[shard].accept(IpAddr::from([127, 0, 0, 1]));
        let upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                       Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
        let fields = if target.starts_with("/ws") { upgrade } else { "" };
        let request = format!("GET {target} HTTP/1.1\r\nHost: a\r\n{fields}\r\n");
        self.shards[shard].receive(key, &mut request.into_bytes());
        self.settle();
        key
    }

    fn say(&mut self, shard: usize, key: u32, text: &str) {
        let mut frame = vec![0x81, 0x80 | text.len() as u8, 0, 0, 0, 0];
        frame.extend_from_slice(text.as_bytes());
        self.shards[shard].receive(key, &mut frame);
    }

    fn publish(&mut self, shard: usize, key: u32) {
        self.say(shard, key, r#"{"type":"publish","room":"a","data":1}"#);
    }

    fn totals(&self) -> Totals {
        self.shards[0].totals()
    }

    /// What `$stats` has told since the last look.
    fn told(&mut self) -> Vec<Value> {
        let text = String::from_utf8_lossy(&std::mem::take(&mut self.sink.taken)).into_owned();
        let told = text.split(r#"{"type":"message","room":"$stats","#).skip(1);
        let whole = told.map(|rest| {
            let text = format!("{{{rest}");
            let mut values = serde_json::Deserializer::from_str(&text).into_iter::<Value>();
            values.next().and_then(Result::ok).unwrap_or_else(|| panic!("no JSON in {text}"))
        });
        whole.collect()
    }
}

#[test]
fn connections_are_counted_by_what_they_are() {
    let mut house = House::new(2);
    let ws = house.open(0, "/ws/a?user=ann");
    let stream = house.open(1, "/sse/b");
    house.open(1, "/healthz");
    house.turn(1_000, 0);
    let gauges = house.totals().gauges;
    assert_eq!((gauges.websockets, gauges.streams, gauges.http), (1, 1, 1));
    assert_eq!((gauges.rooms, gauges.users, house.totals().connections()), (2, 1, 2));
    house.shards[0].fail(ws);
    house.shards[1].fail(stream);
    house.turn(1_000, 0);
    let totals = house.totals();
    assert_eq!((totals.gauges.websockets, totals.gauges.streams, totals.gauges.users), (0, 0, 0));
    let torn = crate::metrics::board::CLOSES.iter().position(|code| *code == "1006").unwrap();
    assert_eq!(totals.closes[torn], 2);
}

#[test]
fn what_waits_is_counted_until_it_is_gone() {
    let mut house = House::new(1);
    let [speaker, reader] = [(); 2].map(|()| house.open(0, "/ws/a"));
    assert_eq!(house.totals().gauges.queue_bytes, 0);
    house.sink.room = 100;
    for _ in 0..3 {
        house.publish(0, speaker);
        house.turn(0, 0);
    }
    let waiting = house.totals().gauges.queue_bytes;
    assert!(waiting > 500, "{waiting}");
    house.sink.room = usize::MAX;
    house.shards[0].fail(reader);
    house.turn(0, 0);
    assert!(house.totals().gauges.queue_bytes < waiting);
    house.shards[0].writable(speaker);
    house.turn(0, 0);
    assert_eq!(house.totals().gauges.queue_bytes, 0);
    assert!(house.totals().gauges.history_bytes > 0);
}

#[test]
fn a_pass_takes_from_its_message_to_the_end_of_its_turn() {
    let mut house = House::new(2);
    let speaker = house.open(0, "/ws/a");
    house.open(1, "/ws/a");
    assert_eq!((house.totals().fanout.count(), house.totals().fanout_lately.quantile_us(0.5)), (0, None));
    house.publish(0, speaker);
    house.publish(0, speaker);
    for _ in 0..4 {
        house.turn(0, 150);
    }
    let totals = house.totals();
    // One pass on each shard, although there were two messages.
    assert_eq!((totals.fanout.count(), totals.fanout.sum_us()), (2, 300));
    assert!((100..=200).contains(&totals.fanout_lately.quantile_us(0.99).unwrap()));
    assert!(totals.turns.buckets().any(|bucket| bucket == (Some(200), 8)), "{:?}", totals.turns);
    house.turn(2_000, 0);
    assert_eq!(house.totals().fanout_lately.count(), 0);
    assert_eq!(house.totals().fanout.count(), 2);
}

#[test]
fn figures_are_told_once_a_second_while_somebody_watches() {
    for shards in [1, 4] {
        let mut house = House::new(shards);
        assert!(house.shards.iter().all(|shard| shard.stats_due().is_none()));
        let watcher = house.open(0, "/ws?room=%24stats");
        assert_eq!(house.told().len(), 1, "the first at once");
        for _ in 0..8 {
            house.turn(250, 0);
            house.settle();
        }
        let told = house.told();
        assert_eq!(told.len(), 2);
        let data = &told[1]["data"];
        assert_eq!(
            (&data["connections"], &data["rooms"], &data["uptime_s"]),
            (&1.into(), &0.into(), &2.into())
        );
        assert!(told[1].get("position").is_none() && told[1]["from"].is_null());
        // The shard that tells them wakes for it, and no other does.
        assert_eq!(house.shards.iter().filter(|shard| shard.stats_due().is_some()).count(), 1);
        house.say(0, watcher, r#"{"type":"publish","room":"$stats","data":1}"#);
        house.settle();
        assert!(String::from_utf8_lossy(&house.sink.taken).contains(r#""code":"forbidden""#));
        house.shards[0].fail(watcher);
        house.settle();
        assert!(house.shards.iter().all(|shard| shard.stats_due().is_none()));
        house.turn(2_000, 0);
        assert_eq!(house.told().len(), 0);
    }
}

#[test]
fn a_stream_watches_too() {
    let mut house = House::new(2);
    house.open(1, "/sse/%24stats");
    let text = String::from_utf8_lossy(&house.sink.taken).into_owned();
    assert!(text.contains("event: joined") && text.contains("event: message"), "{text}");
    assert_eq!(house.told().len(), 1);
}

/// A message carries the lower half of its microsecond, and that begins anew every 71 minutes.
#[test]
fn a_message_on_its_way_when_the_microseconds_wrap_took_as_long_as_it_did() {
    let mut house = House::new(1);
    house.now.us = u64::from(u32::MAX) - 20;
    let key = house.open(0, "/ws/a");
    let before = house.totals().fanout;
    house.publish(0, key);
    house.turn(0, 100);
    let after = house.totals().fanout;
    assert_eq!(after.count() - before.count(), 1);
    assert!(after.sum_us() - before.sum_us() <= 1_000, "{}", after.sum_us() - before.sum_us());
}
