//! The relay inside a program, through the library's public interface alone.

mod harness;

use std::io::Read;
use std::net::TcpListener;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use harness::{Client, PATIENCE};
use serde_json::{Value, json};
use switchboard::settings::Settings;
use switchboard::{
    AnswerError, Builder, Handle, Message, Rooms, Running, SendError, Server, StartError, TokenError,
};

fn builder() -> Builder {
    Server::builder().listen("127.0.0.1:0".parse().unwrap()).shards(2)
}

fn running(builder: Builder) -> Running {
    builder.build().expect("a port is free").spawn().expect("threads can be had")
}

fn client(server: &Running, path: &str) -> Client {
    let mut client = Client::connect(server.local_addrs()[0], path);
    client.expect("welcome");
    client
}

/// A member of `room` called `user`, past its `joined`.
fn member(server: &Running, room: &str, user: &str) -> Client {
    let mut client = client(server, &format!("/ws/{room}?user={user}"));
    client.expect("joined");
    client
}

/// All that an answer needs of async: a thread that sleeps until it is woken.
fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park_timeout(PATIENCE),
        }
    }
}

#[test]
fn a_publish_is_heard_and_answered() {
    let server = running(builder());
    let handle = server.handle();
    let (mut ann, mut bob) = (member(&server, "lobby", "ann"), member(&server, "lobby", "bob"));
    ann.expect("user_joined");
    let mut first = handle.publish("lobby", "hello").unwrap();
    let position = first.wait(PATIENCE).unwrap().expect("it is stored");
    for client in [&mut ann, &mut bob] {
        let message = client.expect("message");
        assert_eq!((&message["data"], &message["position"]), (&json!("hello"), &json!(position.to_string())));
        assert_eq!(message["from"], Value::Null, "{message}");
    }
    // An answer is returned once.
    assert_eq!(first.wait(PATIENCE), Err(AnswerError::Stopped));

    let joke = Message::new(&json!({"n": 1})).event("joke").from_user("zoe").store(false);
    assert_eq!(block_on(handle.publish("lobby", joke).unwrap()), Ok(None));
    let message = ann.expect("message");
    assert_eq!((&message["event"], &message["from"]), (&json!("joke"), &json!("zoe")));
    assert_eq!((&message["data"], message.get("position")), (&json!({"n": 1}), None));

    let once = || Message::new(&2).idempotency_key("two");
    let places = [once(), once()].map(|message| block_on(handle.publish("lobby", message).unwrap()).unwrap());
    assert_eq!(places[0], places[1]);
    assert_eq!(places[0].map(|place| place.offset), Some(position.offset + 1));
}

#[test]
fn the_connection_that_knows_already_is_left_out() {
    let server = running(builder());
    let mut ann = Client::connect(server.local_addrs()[0], "/ws/lobby");
    let name = ann.expect("welcome")["connection"].as_str().expect("it has a name").to_owned();
    ann.expect("joined");
    let handle = server.handle();
    handle.publish("lobby", Message::new(&1).exclude(&name)).unwrap();
    handle.publish("lobby", Message::new(&2).exclude("gone")).unwrap();
    assert_eq!(ann.expect("message")["data"], 2);
}

#[test]
fn a_room_keeps_the_order_of_each_thread() {
    const EACH: usize = 200;
    let server = running(builder());
    let mut ann = client(&server, "/ws/lobby");
    ann.expect("joined");
    thread::scope(|scope| {
        for thread in 0..4 {
            let handle = server.handle();
            scope.spawn(move || {
                for n in 0..EACH {
                    handle.publish("lobby", &[thread, n]).expect("there is room");
                }
            });
        }
    });
    let mut next = [0; 4];
    for _ in 0..4 * EACH {
        let data = ann.expect("message")["data"].clone();
        let [thread, n] = serde_json::from_value::<[usize; 2]>(data).expect("as it was published");
        assert_eq!(n, next[thread]);
        next[thread] += 1;
    }
}

#[test]
fn a_user_is_notified_now_or_later() {
    let server = running(builder());
    let handle = server.handle();
    let mut ann = client(&server, "/ws?user=ann");
    let notified = block_on(handle.notify("ann", Message::new(&1).event("e")).unwrap()).unwrap();
    assert_eq!(notified.connections, 1);
    let message = ann.expect("notification");
    let place = notified.position.map(|place| json!(place.to_string()));
    assert_eq!(
        (&message["data"], &message["event"], message.get("position")),
        (&json!(1), &json!("e"), place.as_ref())
    );
    let nobody = handle.notify("bob", &[2]).unwrap().wait(PATIENCE).unwrap();
    assert_eq!(nobody.connections, 0);
    let mut bob = client(&server, "/ws?user=bob");
    let joined = bob.ask(r#"{"type":"join","room":"$me","history":10}"#, "joined");
    assert_eq!(joined["history"][0]["data"], json!([2]));
}

#[test]
fn everybody_is_told() {
    let server = running(builder());
    let mut clients: Vec<_> = (0..8).map(|_| client(&server, "/ws")).collect();
    let told = server.handle().announce(Message::new("closing").event("e")).unwrap().wait(PATIENCE);
    assert_eq!(told, Ok(8));
    for client in &mut clients {
        let announcement = client.expect("announcement");
        assert_eq!((&announcement["data"], &announcement["event"]), (&json!("closing"), &json!("e")));
    }
}

#[test]
fn people_are_found_removed_and_disconnected() {
    let server = running(builder());
    let handle = server.handle();
    let (mut ann, mut other) = (member(&server, "a", "ann"), member(&server, "b", "ann"));
    let mut guest = client(&server, "/ws/a");
    guest.expect("joined");
    let online = block_on(handle.online("ann", None)).unwrap();
    assert_eq!((online.connections, online.rooms), (2, vec!["a".to_owned(), "b".to_owned()]));
    assert_eq!(block_on(handle.online("ann", Some("a"))).unwrap().rooms, ["b"]);
    let members = handle.members("a", None).wait(PATIENCE).unwrap();
    assert_eq!((members.count, members.after), (2, None));
    let users = members.users.expect("the room tells");
    assert_eq!(
        users.iter().map(|person| (&*person.user, person.connections)).collect::<Vec<_>>(),
        [("ann", 1)]
    );
    let rooms = block_on(handle.rooms("", None)).unwrap();
    assert_eq!(rooms.iter().map(|room| &*room.name).collect::<Vec<_>>(), ["a", "b"]);
    let room = block_on(handle.room("a")).unwrap().expect("it is there");
    assert_eq!((room.name.as_str(), room.count, room.connections), ("a", 2, 2));
    assert_eq!(handle.connections(), 3);

    assert_eq!(block_on(handle.remove("a", "ann").unwrap()), Ok(1));
    assert_eq!(ann.expect("left")["reason"], "removed by the app");
    assert_eq!(block_on(handle.online("ann", None)).unwrap().rooms, ["b"]);
    assert_eq!(handle.disconnect("ann", "bye").unwrap().wait(PATIENCE), Ok(2));
    for client in [&mut ann, &mut other] {
        assert_eq!(client.closed(), (4000, "bye".to_owned()));
    }
}

#[test]
fn who_is_not_there_is_not_found() {
    let server = running(builder());
    let handle = server.handle();
    assert_eq!(block_on(handle.online("nobody", None)).unwrap(), Default::default());
    assert_eq!(block_on(handle.online("", None)).unwrap(), Default::default());
    for name in ["nowhere", "no room"] {
        assert_eq!(block_on(handle.room(name)), Ok(None));
        let members = block_on(handle.members(name, None)).unwrap();
        assert_eq!((members.count, members.users), (0, Some(vec![])));
    }
    assert_eq!(block_on(handle.rooms("x", None)), Ok(vec![]));
    assert_eq!(block_on(handle.remove("a", "nobody").unwrap()), Ok(0));
    assert_eq!(block_on(handle.disconnect("nobody", "").unwrap()), Ok(0));
}

#[test]
fn rooms_and_members_come_in_pages() {
    let server = running(builder());
    let handle = server.handle();
    for n in 0..1_001 {
        handle.publish(&format!("r:{n:04}"), &n).unwrap();
    }
    let first = block_on(handle.rooms("r:", None)).unwrap();
    let last = first.last().expect("there are rooms");
    assert_eq!((first.len(), last.name.as_str()), (1_000, "r:0999"));
    let rest = block_on(handle.rooms("r:", Some(&last.name))).unwrap();
    assert_eq!(rest.iter().map(|room| &*room.name).collect::<Vec<_>>(), ["r:1000"]);
}

#[test]
fn what_cannot_be_done_is_said_at_once() {
    let server = running(builder());
    let handle = server.handle();
    assert_eq!(handle.publish("a b", &1).unwrap_err(), SendError::BadRoom("a b".into()));
    assert_eq!(handle.publish("$me", &1).unwrap_err(), SendError::BadRoom("$me".into()));
    assert_eq!(handle.notify("", &1).unwrap_err(), SendError::BadUser("".into()));
    assert_eq!(handle.remove("a", "\n").unwrap_err(), SendError::BadUser("\n".into()));
    let long = "x".repeat(124);
    for error in [
        handle.publish("a", Message::new(&1).event("a b")).unwrap_err(),
        handle.publish("a", &"x".repeat(1024 * 1024)).unwrap_err(),
        handle.notify("a", Message::new(&1).from_user("b")).unwrap_err(),
        handle.announce(Message::new(&1).idempotency_key("k")).unwrap_err(),
        handle.disconnect("a", &long).unwrap_err(),
    ] {
        assert!(matches!(error, SendError::BadMessage(_)), "{error}");
    }
    assert_eq!(
        handle.publish("a b", &1).unwrap_err().to_string(),
        "\"a b\" is not a room name: use 1 to 200 bytes of A-Z a-z 0-9 _ - = @ , . ; : /"
    );
}

/// Before it runs, a server takes nothing, so letters pile up.
#[test]
fn a_server_that_does_not_keep_up_is_busy() {
    let server = builder().build().unwrap();
    let handle = server.handle();
    let mebibyte = "x".repeat(1024 * 1024 - 2);
    let taken = (0..100).take_while(|_| handle.publish("lobby", &mebibyte).is_ok()).count();
    assert_eq!(taken, 64);
    assert_eq!(handle.notify("ann", &1).unwrap_err(), SendError::Busy);
    assert_eq!(handle.announce(&1).unwrap_err(), SendError::Busy);
    let mut asked = handle.room("lobby");
    let server = server.spawn().unwrap();
    let room = asked.wait(PATIENCE).unwrap().expect("it was published in");
    assert_eq!(room.position.offset, 64);
    let again = harness::until(|| handle.publish("lobby", &1).ok()).expect("it goes on");
    assert_eq!(block_on(again).unwrap().map(|place| place.offset), Some(65));
    drop(server);
}

#[test]
fn announcements_are_bounded() {
    let server = builder().build().unwrap();
    let handle = server.handle();
    let taken = (0..1_000).take_while(|_| handle.announce(&1).is_ok()).count();
    assert_eq!(taken, 64);
    let server = server.spawn().unwrap();
    let again = harness::until(|| handle.announce(&1).ok()).expect("it goes on");
    assert_eq!(block_on(again), Ok(0));
    drop(server);
}

#[test]
fn a_port_that_is_taken_is_an_error_before_anything_runs() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let error = Server::builder().listen(address).build().unwrap_err();
    assert!(matches!(error, StartError::Bind(_)), "{error:?}");
    assert!(error.to_string().contains(&address.to_string()), "{error}");
    let source = std::error::Error::source(&error).expect("the system said so");
    assert!(source.to_string().contains("in use"), "{source}");
    // A port of another server is taken, too.
    let first = running(builder());
    assert!(Server::builder().listen(first.local_addrs()[0]).build().is_err());
}

#[test]
fn settings_that_cannot_work_are_named() {
    for (builder, words) in [
        (builder().shards(5_000), "shards: at most 1024"),
        (builder().limits(|limits| limits.queue = 0), "limits.queue: 0"),
        (builder().rooms(Rooms::matching("a b")), "rooms: \"a b\" may not contain ' '"),
        (builder().origins(["shop.example"]), "origins.allow: \"shop.example\" is not an origin"),
        (builder().listen("0.0.0.0:0".parse().unwrap()), "listen: 0.0.0.0:0 is not loopback"),
        (builder().jwt_secret(""), "auth.secret: is empty"),
        (
            builder().settings(|settings| settings.auth.secret_file = Some("/none".into())),
            "auth.secret_file: /none",
        ),
    ] {
        let error = builder.build().unwrap_err();
        assert!(matches!(error, StartError::Settings(_)), "{error:?}");
        assert!(error.to_string().starts_with(words), "{error}");
    }
    let nowhere = Settings { listen: Vec::new(), ..Settings::default() };
    assert!(Server::new(nowhere).is_err());
}

#[test]
fn tokens_are_what_the_server_lets_in() {
    const SECRET: &str = "0123456789abcdef0123456789abcdef";
    let server = running(builder().jwt_secret(SECRET).settings(|settings| {
        settings.auth.audience = Some("relay".to_owned());
    }));
    let handle = server.handle();
    let token = handle.token("ann", Some(&["chat:*"]), PATIENCE).unwrap();
    let mut ann = Client::connect(server.local_addrs()[0], &format!("/ws/chat:1?token={token}"));
    assert_eq!(ann.expect("welcome")["user"], "ann");
    ann.expect("joined");
    assert_eq!(ann.refused(r#"{"type":"join","room":"other"}"#), "forbidden");
    assert!(matches!(handle.token("", None, PATIENCE), Err(TokenError::Refused(_))));
    assert_eq!(running(builder()).handle().token("ann", None, PATIENCE), Err(TokenError::NoSecret));
}

#[test]
fn rooms_are_as_the_first_pattern_says() {
    let server = running(
        builder()
            .rooms(Rooms::matching("chat:quiet").history(1).client_publish(false))
            .rooms(Rooms::matching("chat:*").history(2)),
    );
    let handle = server.handle();
    for (room, kept) in [("chat:quiet", 1), ("chat:loud", 2)] {
        (0..3).for_each(|n| drop(handle.publish(room, &n).unwrap()));
        let mut ann = client(&server, "/ws");
        let join = format!(r#"{{"type":"join","room":"{room}","history":10}}"#);
        assert_eq!(ann.ask(join, "joined")["history"].as_array().map(Vec::len), Some(kept));
        let publish = format!(r#"{{"type":"publish","room":"{room}","data":1,"id":1}}"#);
        ann.say(publish);
        if kept == 1 {
            ann.expect("error");
        } else {
            ann.expect("message");
            ann.expect("published");
        }
    }
}

#[test]
fn a_shutdown_tells_everybody_and_can_be_asked_for_twice() {
    let server = builder().build().unwrap();
    let (handle, address) = (server.handle(), server.local_addrs()[0]);
    let running = thread::spawn(move || server.run());
    let mut client = Client::connect(address, "/ws");
    client.expect("welcome");
    handle.shutdown(PATIENCE);
    handle.shutdown(PATIENCE);
    assert_eq!(client.closed().0, 1001);
    drop(client);
    running.join().unwrap().unwrap();
    handle.shutdown(PATIENCE);
    handle.stop_now();
    assert_stopped(&handle);
}

#[track_caller]
fn assert_stopped(handle: &Handle) {
    assert_eq!(handle.publish("a", &1).unwrap_err(), SendError::Stopped);
    assert_eq!(handle.announce(&1).unwrap_err(), SendError::Stopped);
    assert_eq!(handle.disconnect("a", "").unwrap_err(), SendError::Stopped);
    assert_eq!(handle.online("ann", None).wait(PATIENCE), Err(AnswerError::Stopped));
    assert_eq!(block_on(handle.room("a")), Err(AnswerError::Stopped));
}

#[test]
fn what_is_dropped_is_over() {
    // It has never run; its end answers the questions.
    let server = builder().build().unwrap();
    let (handle, address) = (server.handle(), server.local_addrs()[0]);
    let mut asked = handle.online("ann", None);
    assert_eq!(asked.wait(std::time::Duration::ZERO), Err(AnswerError::TimedOut));
    let mut said = handle.publish("a", &1).unwrap();
    drop(server);
    assert_eq!(
        (asked.wait(PATIENCE), said.wait(PATIENCE)),
        (Err(AnswerError::Stopped), Err(AnswerError::Stopped))
    );
    assert_stopped(&handle);
    // In the background: the port is free again.
    let server = Server::builder().listen(address).build().unwrap().spawn().unwrap();
    let handle = server.handle();
    let client = client(&server, "/ws");
    drop(server);
    assert_eq!(client.stream().read(&mut [0]).expect("it is closed"), 0);
    assert_stopped(&handle);
    drop(Server::builder().listen(address).build().unwrap());
}

#[test]
fn a_server_in_the_background_is_shut_down_and_waited_for() {
    let server = running(builder());
    let handle = server.handle();
    let waiting = thread::spawn(move || server.join());
    block_on(handle.publish("a", &1).unwrap()).unwrap();
    handle.stop_now();
    waiting.join().unwrap().unwrap();
    running(builder()).shutdown(PATIENCE).unwrap();
}

#[test]
fn two_servers_in_one_program_are_strangers() {
    let (one, two) = (running(builder()), running(builder()));
    let (mut ann, mut bob) = (member(&one, "lobby", "ann"), member(&two, "lobby", "bob"));
    one.handle().publish("lobby", &1).unwrap();
    two.handle().publish("lobby", &2).unwrap();
    let data = |client: &mut Client| -> Value { client.expect("message")["data"].clone() };
    assert_eq!((data(&mut ann), data(&mut bob)), (json!(1), json!(2)));
    drop(one);
    two.handle().publish("lobby", &3).unwrap();
    assert_eq!(data(&mut bob), 3);
}

#[test]
fn whoever_asks_can_be_on_any_thread() {
    fn for_any_thread<T: Send + Sync>(_: &T) {}
    let server = running(builder());
    let handle = server.handle();
    for_any_thread(&handle);
    for_any_thread(&server);
    let asked = handle.online("ann", None);
    for_any_thread(&asked);
    thread::spawn(move || block_on(asked)).join().unwrap().unwrap();
}
