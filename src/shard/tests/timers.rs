//! Nothing ends before its time, at whatever moment of a tick it begins, nor much later.

use super::*;

const WAIT: Duration = Duration::from_millis(250);

fn settings() -> Settings {
    let limits = Limits { handshake: WAIT, body: WAIT, http_idle: WAIT, close: WAIT, ..Limits::default() };
    let room = RoomSettings { presence_grace: WAIT, ..RoomSettings::default() };
    let rule = RoomRule { pattern: "*".into(), room };
    Settings { limits, rooms: vec![rule], ..Settings::default() }
}

/// Lets something begin at every part of a tick, and says how long after it was over.
fn waits(begin: impl Fn(&mut Bench), is_over: impl Fn(&Bench) -> bool) -> Vec<u64> {
    let wait = |moment| {
        let mut bench = Bench::new(0, &common(1, settings()), Engine::Local(Local::default()));
        bench.turn(moment);
        begin(&mut bench);
        (0..4_000).find(|ms| {
            bench.turn(u64::from(*ms > 0));
            is_over(&bench)
        })
    };
    (0..Tick::MS).step_by(31).map(|moment| wait(moment).expect("it ends")).collect()
}

fn in_time(waits: &[u64], wait: Duration) {
    let wait = wait.as_millis() as u64;
    assert!(waits.iter().all(|waited| (wait..wait + 2 * Tick::MS).contains(waited)), "{waits:?}");
}

#[test]
fn a_head_a_body_and_a_pause_have_their_whole_time() {
    let ended = |bench: &Bench| bench.shard.sessions() == 0;
    let late = |bench: &Bench| bench.text(0).contains("408");
    let send = |bench: &mut Bench, text: &str| {
        let key = bench.shard.accept(IpAddr::from([127, 0, 0, 1]));
        bench.shard.receive(key, &mut text.to_owned().into_bytes());
    };
    in_time(&waits(|bench| send(bench, ""), ended), WAIT);
    in_time(&waits(|bench| send(bench, "GET"), late), WAIT);
    let body = "POST /api/rooms/a/messages HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n";
    in_time(&waits(|bench| send(bench, body), late), WAIT);
    in_time(&waits(|bench| send(bench, "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"), ended), WAIT);
}

#[test]
fn whoever_is_gone_has_the_whole_grace_to_come_back() {
    let begin = |bench: &mut Bench| {
        let [_, ann] = ["bob", "ann"].map(|user| bench.connect(&format!("/ws/a?user={user}")));
        bench.turn(0);
        bench.shard.fail(ann);
    };
    in_time(&waits(begin, |bench| bench.text(0).contains("user_left")), WAIT);
}

#[test]
fn whoever_is_writing_is_for_three_seconds() {
    let begin = |bench: &mut Bench| {
        let [_, ann] = ["bob", "ann"].map(|user| bench.connect(&format!("/ws/a?user={user}")));
        bench.frame(ann, 0x81, br#"{"type":"typing","room":"a"}"#);
    };
    in_time(&waits(begin, |bench| bench.text(0).contains(r#""active":false"#)), Duration::from_secs(3));
}

#[test]
fn a_connection_without_an_answer_to_its_close_has_most_of_the_time_for_it() {
    let begin = |bench: &mut Bench| {
        let key = bench.connect("/ws");
        bench.frame(key, 0x82, b"binary");
    };
    in_time(&waits(begin, |bench| bench.shard.sessions() == 0), WAIT / 4 * 3);
}

/// The loop's time stands still while nothing is due, and people read the figures and the log by another clock.
#[test]
fn what_people_read_goes_by_a_clock_that_never_stands() {
    let mut bench = Bench::alone();
    let untold = |bench: &mut Bench| {
        let key = bench.shard.accept(IpAddr::from([127, 0, 0, 1]));
        let request = b"GET /api/stats HTTP/1.1\r\nHost: a\r\nOrigin: https://b.example\r\n\r\n";
        bench.shard.receive(key, &mut request.to_vec());
        bench.turn(0);
        bench.shard.denials["origin"].times
    };
    assert_eq!([untold(&mut bench), untold(&mut bench)], [0, 1]);
    bench.now.us += 60_000_000;
    bench.turn(0);
    assert_eq!((untold(&mut bench), bench.shard.uptime_s()), (0, 60));
}

#[test]
fn an_engine_says_when_its_answer_comes_and_is_heard_then() {
    let slow = Odds { delay_ms: 40, ..Odds::default() };
    let mut bench = Bench::new(0, &common(1, Settings::default()), Delayed::engine(3, slow));
    assert_eq!(bench.shard.engine_wakes_at(), None);
    let key = bench.connect("/ws/a");
    bench.turn(0);
    let mut waits = 0;
    while let Some(at) = bench.shard.engine_wakes_at() {
        bench.turn(at - bench.now.loop_ms);
        waits += 1;
    }
    assert!(waits > 0 && bench.text(key).contains(r#""type":"joined""#), "{}", bench.text(key));
    assert_eq!(bench.shard.engine_wakes_at(), None);
}
