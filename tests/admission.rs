//! Who comes in, from outside: every way to bring a token by everything that can be wrong with it, what it lets its
//! bearer do, how it ends, and what apps and pages may do.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

const SECRET: &str = "a secret of more than thirty-two bytes";
const KEYS: &str = "[auth]\nsecret = \"a secret of more than thirty-two bytes\"\n[api]\nkey = \"app\"\n";

/// Longer than anything here takes; only a test that fails waits for it.
const PATIENCE: Duration = Duration::from_secs(20);

/// A running server; killed when dropped.
struct Relay {
    child: Child,
    address: String,
}

impl Relay {
    /// Starts one with `config`. `name` is the test's, so that no two write the same file.
    fn start(name: &str, config: &str) -> Self {
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("admission-{name}.toml"));
        std::fs::write(&path, config).unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_switchboard"))
            .args(["--config", path.to_str().unwrap(), "--listen", "127.0.0.1:0", "--shards", "2"])
            .env_clear()
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let ready = lines.find_map(|line| Some(line.unwrap().split_once("listens on http://")?.1.to_owned()));
        let address = ready.expect("it starts");
        // Somebody has to read what it logs.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, address }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    /// Asks for a WebSocket with these further header lines.
    fn ws(&self, target: &str, fields: &str) -> Ws {
        Ws::open(self.connect(), target, fields)
    }

    /// The answer to a whole HTTP request: its status, head and body.
    fn http(&self, method: &str, target: &str, fields: &str, body: &str) -> (u16, String, Value) {
        let mut stream = self.connect();
        let length = body.len();
        write!(
            stream,
            "{method} {target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: {length}\r\n{fields}\r\n{body}"
        )
        .unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").expect("a whole answer");
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, head.to_ascii_lowercase(), serde_json::from_str(body).unwrap_or(Value::Null))
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What came instead of, or on, a WebSocket.
#[derive(Debug, PartialEq)]
enum Got {
    Json(Value),
    Text(Vec<u8>),
    Close(u16, String),
    End,
}

/// A WebSocket, or what was answered instead.
struct Ws {
    stream: BufReader<TcpStream>,
    status: u16,
}

impl Ws {
    fn open(mut stream: TcpStream, target: &str, fields: &str) -> Self {
        write!(
            stream,
            "GET {target} HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n{fields}\r\n"
        )
        .unwrap();
        let mut stream = BufReader::new(stream);
        let mut line = String::new();
        stream.read_line(&mut line).unwrap();
        let status = line.split(' ').nth(1).unwrap().parse().unwrap();
        while line.trim_end() != "" {
            line.clear();
            stream.read_line(&mut line).unwrap();
        }
        Self { stream, status }
    }

    fn frame(&mut self, opcode: u8, payload: &[u8]) {
        let mut frame = vec![0x80 | opcode];
        match payload.len() {
            length @ ..126 => frame.push(0x80 | length as u8),
            length => frame.extend([&[0x80 | 126], &(length as u16).to_be_bytes()[..]].concat()),
        }
        // A mask of zeros leaves the payload as it is.
        frame.extend([0; 4]);
        frame.extend(payload);
        self.stream.get_mut().write_all(&frame).unwrap();
    }

    fn say(&mut self, request: Value) {
        self.frame(1, request.to_string().as_bytes());
    }

    fn hear(&mut self) -> Got {
        let mut head = [0; 2];
        if self.stream.read_exact(&mut head).is_err() {
            return Got::End;
        }
        let mut length = usize::from(head[1]);
        if length == 126 {
            let mut long = [0; 2];
            self.stream.read_exact(&mut long).unwrap();
            length = usize::from(u16::from_be_bytes(long));
        }
        let mut payload = vec![0; length];
        self.stream.read_exact(&mut payload).unwrap();
        match head[0] & 0x0F {
            8 => Got::Close(
                u16::from_be_bytes([payload[0], payload[1]]),
                String::from_utf8(payload[2..].to_vec()).unwrap(),
            ),
            9 => self.hear(),
            _ => serde_json::from_slice(&payload).map_or(Got::Text(payload), Got::Json),
        }
    }

    /// The next message, which must be of `kind`.
    #[track_caller]
    fn expect(&mut self, kind: &str) -> Value {
        match self.hear() {
            Got::Json(value) if value["type"] == kind => value,
            other => panic!("{kind} is expected, not {other:?}"),
        }
    }

    #[track_caller]
    fn expect_close(&mut self, reason: &str) {
        assert_eq!(self.hear(), Got::Close(1008, reason.to_owned()));
    }

    /// What becomes of the connection, in a word: whose it is, or why it is not.
    fn outcome(&mut self) -> String {
        match self.hear() {
            Got::Json(value) if value["type"] == "welcome" => match &value["user"] {
                Value::String(user) => user.clone(),
                _ => "nobody yet".to_owned(),
            },
            Got::Close(1008, reason) => reason,
            other => format!("{other:?}"),
        }
    }
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

fn sign(claims: &Value) -> String {
    jsonwebtoken::encode(&Header::new(Algorithm::HS256), claims, &EncodingKey::from_secret(SECRET.as_bytes()))
        .unwrap()
}

fn token(user: &str) -> String {
    sign(&json!({"sub": user, "exp": now() + 600}))
}

/// Tokens that are not good, and what is said of them.
fn bad_tokens() -> Vec<(String, &'static str)> {
    let other = EncodingKey::from_secret(b"another secret, just as long as that one");
    let unsigned = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJldmUifQ.";
    vec![
        (String::new(), "invalid token"),
        ("rubbish".to_owned(), "invalid token"),
        (unsigned.to_owned(), "invalid token"),
        (jsonwebtoken::encode(&Header::default(), &json!({"sub": "eve"}), &other).unwrap(), "invalid token"),
        (sign(&json!({"sub": "eve", "exp": 1_700_000_000})), "token expired"),
        (sign(&json!({"sub": "eve", "exp": null})), "invalid token"),
        (sign(&json!({"sub": "eve", "exp": "9999999999"})), "invalid token"),
        (sign(&json!({"sub": "eve", "nbf": now() + 600})), "invalid token"),
        (sign(&json!({"sub": "", "exp": now() + 600})), "invalid token"),
        (sign(&json!({"exp": now() + 600})), "invalid token"),
        (sign(&json!({"sub": "eve", "rooms": vec!["a"; 1_000]})), "invalid token"),
    ]
}

/// The ways to bring a token with the handshake: target and header lines.
fn ways(path: &str, token: &str) -> [(String, String); 4] {
    [
        (format!("{path}?token={token}"), String::new()),
        (path.to_owned(), format!("Authorization: Bearer {token}\r\n")),
        (path.to_owned(), format!("Cookie: a=b; session={token}\r\n")),
        // The query decides alone, whatever else there is.
        (format!("{path}?token={token}"), format!("Authorization: Bearer {}\r\n", self::token("bob"))),
    ]
}

const COOKIE: &str = "cookie = \"session\"\n[origins]\nallow = \"https://example.com\"\n";

fn with_cookie() -> String {
    KEYS.replace("[api]", &format!("{COOKIE}[api]"))
}

#[test]
fn every_way_in_with_every_fault() {
    let relay = Relay::start("ways", &format!("console = true\n{}", with_cookie()));
    for path in ["/ws", "/raw/a", "/echo"] {
        for (bad, reason) in bad_tokens() {
            for (target, fields) in ways(path, &bad) {
                let mut ws = relay.ws(&target, &fields);
                assert_eq!((ws.status, ws.outcome().as_str()), (101, reason), "{target} {fields}");
            }
        }
    }
    for (target, fields) in ways("/ws", &token("alice")) {
        assert_eq!(relay.ws(&target, &fields).outcome(), "alice", "{target} {fields}");
    }
    for path in ["/raw/a", "/echo"] {
        assert_eq!(relay.ws(path, "").outcome(), "token required");
    }
    assert_eq!(relay.ws("/ws?user=alice", "").outcome(), "nobody yet");
}

#[test]
fn every_first_message_with_every_fault() {
    let relay = Relay::start("first", KEYS);
    for (bad, reason) in bad_tokens() {
        let mut ws = relay.ws("/ws", "");
        ws.expect("welcome");
        ws.say(json!({"type": "auth", "token": bad, "id": 1}));
        ws.expect_close(reason);
    }
    let others = [
        json!({"type": "ping"}),
        json!({"type": "join", "room": "a"}),
        json!({"type": "auth"}),
        json!({"type": "auth", "token": 7}),
        json!([]),
    ];
    for other in others {
        let mut ws = relay.ws("/ws", "");
        ws.expect("welcome");
        ws.say(other);
        ws.expect_close("first message must be auth");
    }
    let exp = now() + 600;
    let mut ws = relay.ws("/ws?room=a&room=b", "");
    assert_eq!(ws.expect("welcome")["user"], Value::Null);
    ws.frame(9, b"");
    ws.say(json!({"type": "auth", "token": sign(&json!({"sub": "alice", "exp": exp})), "id": "x"}));
    let (pong, known) = (ws.hear(), ws.expect("auth_ok"));
    assert_eq!(pong, Got::Text(Vec::new()));
    assert_eq!((&known["user"], &known["id"]), (&json!("alice"), &json!("x")));
    assert!(known["expires"].as_str().unwrap().ends_with(".000Z"), "{known}");
    let mut joined = [ws.expect("joined")["room"].clone(), ws.expect("joined")["room"].clone()];
    joined.sort_by_key(ToString::to_string);
    assert_eq!(joined, ["a", "b"]);
}

#[test]
fn nobody_waits_for_ever() {
    let relay = Relay::start("timeout", &KEYS.replace("[api]", "timeout = \"300ms\"\n[api]"));
    let mut ws = relay.ws("/ws?room=a", "");
    ws.expect("welcome");
    ws.expect_close("auth timeout");
}

#[test]
fn refusals_can_be_http() {
    let relay = Relay::start("http", &with_cookie().replace("[origins]", "reject = \"http\"\n[origins]"));
    for (bad, _) in bad_tokens() {
        for (target, fields) in ways("/ws", &bad) {
            assert_eq!(relay.ws(&target, &fields).status, 401, "{target} {fields}");
        }
    }
    assert_eq!(relay.ws("/raw/a", "").status, 401);
    assert_eq!(relay.ws("/ws", "Origin: https://evil.com\r\n").status, 403);
    assert_eq!(relay.ws(&format!("/ws?token={}", token("alice")), "").outcome(), "alice");
    let head = relay.http("GET", "/raw/a", "", "").1;
    assert!(!head.contains("101"), "{head}");
}

#[test]
fn a_token_ends_with_its_time_and_can_be_renewed() {
    let relay = Relay::start("expiry", KEYS);
    let soon = || sign(&json!({"sub": "alice", "exp": now() + 2}));
    let mut ends = relay.ws(&format!("/ws?token={}&room=a", soon()), "");
    let mut raw = relay.ws(&format!("/raw/a?token={}", soon()), "");
    let mut stays = relay.ws(&format!("/ws?token={}&room=a", soon()), "");
    stays.expect("welcome");
    stays.say(json!({"type": "auth", "token": sign(&json!({"sub": "alice"})), "id": 1}));
    ends.expect("welcome");
    ends.expect("joined");
    raw.expect_close("token expired");
    ends.expect_close("token expired");
    let mut heard = [stays.hear(), stays.hear()];
    heard.sort_by_key(|got| format!("{got:?}").contains("joined"));
    assert!(format!("{:?}", heard[0]).contains("auth_ok") && format!("{:?}", heard[0]).contains("Null"));
    stays.say(json!({"type": "ping"}));
    stays.expect("pong");
}

#[test]
fn a_fresh_token_narrows_and_widens() {
    let relay = Relay::start("renew", KEYS);
    let rooms = |rooms: Value| sign(&json!({"sub": "alice", "rooms": rooms}));
    let mut ws = relay.ws(&format!("/ws?token={}", rooms(json!(["a*"]))), "");
    ws.expect("welcome");
    ws.say(json!({"type": "join", "room": "b", "id": 1}));
    let error = ws.expect("error");
    assert_eq!((&error["code"], &error["room"]), (&json!("forbidden"), &json!("b")));
    for room in ["a1", "a2"] {
        ws.say(json!({"type": "join", "room": room}));
        ws.expect("joined");
    }
    ws.say(json!({"type": "auth", "token": rooms(json!({"join": ["a2", "b"], "publish": ["b"]})), "id": 2}));
    ws.expect("auth_ok");
    let left = ws.expect("left");
    assert_eq!((&left["room"], &left["reason"]), (&json!("a1"), &json!("no longer allowed")));
    ws.say(json!({"type": "publish", "room": "a2", "data": 1, "id": 3}));
    assert_eq!(ws.expect("error")["code"], "forbidden");
    ws.say(json!({"type": "join", "room": "b"}));
    ws.expect("joined");
    ws.say(json!({"type": "publish", "room": "b", "data": 1, "id": 4}));
    assert_eq!(ws.expect("message")["from"], "alice");
    ws.expect("published");
    // What is not good changes nothing.
    ws.say(json!({"type": "auth", "token": "rubbish", "id": 5}));
    assert_eq!(ws.expect("error")["code"], "unauthorized");
    ws.say(json!({"type": "auth", "token": token("bob"), "id": 6}));
    assert_eq!(ws.expect("error")["code"], "forbidden");
    ws.say(json!({"type": "publish", "room": "b", "data": 2}));
    ws.expect("message");
}

#[test]
fn rooms_are_open_to_those_whom_they_are_for() {
    let rooms = "[[rooms]]\npattern = \"private:*\"\nprivate = true\n[[rooms]]\npattern = \"members:*\"\nanonymous = false\n\
                 [[rooms]]\npattern = \"news:*\"\nclient_publish = false\n";
    let relay =
        Relay::start("rooms", &format!("{}{rooms}", KEYS.replace("[api]", "anonymous = true\n[api]")));
    let mut guest = relay.ws("/ws?room=private:1&room=members:1&room=news:1&room=free", "");
    assert_eq!(guest.outcome(), "nobody yet");
    let mut heard: Vec<_> = (0..4).map(|_| guest.hear()).collect();
    heard.sort_by_key(|got| format!("{got:?}"));
    let word = |got: &Got| match got {
        Got::Json(value) => {
            format!("{} {}", value["type"].as_str().unwrap(), value["room"].as_str().unwrap())
        }
        other => format!("{other:?}"),
    };
    let mut words: Vec<_> = heard.iter().map(word).collect();
    words.sort();
    assert_eq!(words, ["error members:1", "error private:1", "joined free", "joined news:1"]);
    guest.say(json!({"type": "publish", "room": "news:1", "data": 1}));
    assert_eq!(guest.expect("error")["code"], "forbidden");
    // A guest that rooms have counted stays one; another becomes known.
    guest.say(json!({"type": "auth", "token": token("alice")}));
    assert_eq!(guest.expect("error")["code"], "forbidden");
    let mut other = relay.ws("/ws", "");
    other.expect("welcome");
    other.say(json!({"type": "auth", "token": sign(&json!({"sub": "alice", "rooms": ["private:*"]}))}));
    other.expect("auth_ok");
    other.say(json!({"type": "join", "room": "private:1"}));
    other.expect("joined");
    // A room that there is and one that there is not are forbidden in the same words.
    let mut stranger = relay.ws(&format!("/ws?token={}", token("eve")), "");
    stranger.expect("welcome");
    let mut refused = |room: &str| {
        stranger.say(json!({"type": "join", "room": room}));
        let mut error = stranger.expect("error");
        error["room"].take();
        error
    };
    assert_eq!(refused("private:1"), refused("private:2"));
    relay.ws("/raw/private:1", "").expect_close("forbidden");
}

#[test]
fn an_open_relay_is_for_this_machine() {
    let relay = Relay::start("open", "");
    assert_eq!(relay.ws("/ws?user=alice&token=whatever", "").outcome(), "alice");
    assert_eq!(relay.ws("/ws", "Origin: http://localhost:3000\r\n").outcome(), "nobody yet");
    for foreign in [
        "Origin: https://example.com\r\n",
        "Origin: null\r\n",
        "Origin: http://localhost\r\nOrigin: http://a.com\r\n",
    ] {
        relay.ws("/ws", foreign).expect_close("origin not allowed");
        relay.ws("/raw/a", foreign).expect_close("origin not allowed");
        assert_eq!(relay.http("GET", "/api/rooms", foreign, "").0, 403, "{foreign}");
    }
    let (status, head, _) = relay.http("GET", "/api/rooms", "Origin: http://localhost:3000\r\n", "");
    assert_eq!(status, 200);
    assert!(head.contains("access-control-allow-origin: http://localhost:3000"), "{head}");
}

#[test]
fn any_key_ends_open_mode_for_both_sides() {
    let app_only = Relay::start("app", "[api]\nkey = \"app\"\n");
    assert_eq!(app_only.ws("/ws?user=alice", "").outcome(), "token required");
    assert_eq!(app_only.ws(&format!("/ws?token={}", token("alice")), "").outcome(), "token required");
    assert_eq!(app_only.ws("/echo", "").status, 404);
    assert_eq!(app_only.http("GET", "/api/rooms", "Authorization: Bearer app\r\n", "").0, 200);
    let clients_only = Relay::start("clients", "[auth]\nsecret = \"s\"\n");
    for fields in ["", "Authorization: Bearer app\r\n"] {
        let (status, _, body) = clients_only.http("GET", "/api/rooms", fields, "");
        assert_eq!((status, &body["error"]["message"]), (403, &json!("no api key configured")));
    }
    assert_eq!(clients_only.http("GET", "/healthz", "", "").0, 200);
    let guests = Relay::start("guests", "[auth]\nanonymous = true\n[api]\nkey = \"app\"\n");
    assert_eq!(guests.ws("/ws?user=alice", "").outcome(), "nobody yet");
    assert_eq!(guests.ws("/ws?token=x", "").outcome(), "invalid token");
}

#[test]
fn keys_of_the_api_do_what_they_are_for() {
    let keys = "[api]\nkey = \"app\"\nkeys = [{ name = \"shop\", key = \"s\", rooms = [\"shop:*\"] }, \
                { name = \"writer\", key = \"w\", calls = [\"publish\"] }]\n";
    let relay = Relay::start("keys", keys);
    let bearer = |key: &str| format!("Authorization: Bearer {key}\r\n");
    let post = |key: &str, room: &str| {
        let target = format!("/api/rooms/{room}/messages");
        relay.http("POST", &target, &bearer(key), r#"{"data":1}"#).0
    };
    assert_eq!([post("app", "shop:1"), post("s", "shop:2"), post("w", "chat")], [200, 200, 200]);
    assert_eq!(
        [post("s", "chat"), post("S", "shop:1"), post("", "shop:1"), post("app2", "a")],
        [403, 401, 401, 401]
    );
    let (status, head, body) = relay.http("GET", "/api/rooms", "", "");
    assert_eq!((status, &body["error"]["code"]), (401, &json!("unauthorized")));
    assert!(head.contains("www-authenticate: bearer"), "{head}");
    assert_eq!(relay.http("GET", "/api/rooms", &bearer("w"), "").0, 403);
    let rooms = |key: &str| {
        let body = relay.http("GET", "/api/rooms", &bearer(key), "").2;
        let names =
            body["rooms"].as_array().unwrap().iter().map(|room| room["room"].as_str().unwrap().to_owned());
        names.collect::<Vec<_>>()
    };
    assert_eq!(rooms("app"), ["chat", "shop:1", "shop:2"]);
    assert_eq!(rooms("s"), ["shop:1", "shop:2"]);
    for path in ["/api/rooms/chat", "/api/rooms/chat/members", "/api/rooms/chat/messages"] {
        assert_eq!(relay.http("GET", path, &bearer("s"), "").0, 403, "{path}");
    }
    let batch = r#"{"messages":[{"room":"shop:1","data":1},{"room":"chat","data":1}]}"#;
    let results = relay.http("POST", "/api/batch", &bearer("s"), batch).2["results"].clone();
    assert!(results[0]["position"].is_string() && results[1]["error"]["code"] == "forbidden", "{results}");
}

#[test]
fn pages_are_told_apart_by_their_origin() {
    let allow = "[origins]\nallow = [\"https://example.com\", \"https://*.example.org\"]\n";
    let relay = Relay::start("origins", &format!("{KEYS}{allow}"));
    let ws = |origin: &str| {
        relay.ws(&format!("/ws?token={}", token("alice")), &format!("Origin: {origin}\r\n")).outcome()
    };
    for welcome in ["https://example.com", "https://a.example.org", "https://a.b.example.org"] {
        assert_eq!(ws(welcome), "alice", "{welcome}");
    }
    for foreign in
        ["https://example.org", "http://example.com", "https://example.com:444", "http://localhost", "null"]
    {
        assert_eq!(ws(foreign), "origin not allowed", "{foreign}");
    }
    let preflight = |origin: &str| {
        let fields = format!("Origin: {origin}\r\nAccess-Control-Request-Method: POST\r\n");
        relay.http("OPTIONS", "/api/rooms/a/messages", &fields, "")
    };
    let (status, head, _) = preflight("https://example.com");
    assert_eq!(status, 204);
    assert!(head.contains("access-control-allow-origin: https://example.com"), "{head}");
    assert!(head.contains("access-control-allow-headers: authorization"), "{head}");
    assert!(!head.contains("credentials"), "{head}");
    let (status, head, _) = preflight("https://evil.com");
    assert!(status == 403 && !head.contains("access-control"), "{head}");
    // An error can be read by the page, too.
    let (status, head, _) = relay.http("GET", "/api/rooms", "Origin: https://example.com\r\n", "");
    assert!(status == 401 && head.contains("access-control-allow-origin: https://example.com"), "{head}");
}

#[test]
fn a_proxy_says_whom_it_speaks_for() {
    let relay = Relay::start("proxy", "[proxies]\ntrust = \"127.0.0.1\"\nproxy_protocol = true\n");
    let v2 = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x0c\x01\x02\x03\x04\x7f\x00\x00\x01\x12\x34\x00\x50";
    for header in [&b"PROXY TCP4 1.2.3.4 127.0.0.1 5678 80\r\n"[..], v2] {
        let mut stream = relay.connect();
        stream.write_all(header).unwrap();
        assert_eq!(Ws::open(stream, "/ws?user=alice", "").outcome(), "alice");
    }
    assert_eq!(relay.http("GET", "/healthz", "", "").0, 400);
}

#[test]
fn key_files_are_read_again() {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("admission-secret");
    let secret = |secret: &str| std::fs::write(&path, secret).unwrap();
    secret("the first secret, which is soon replaced");
    let relay = Relay::start("reload", &format!("[auth]\nsecret_file = {path:?}\n"));
    let good = format!("/ws?token={}", token("alice"));
    assert_eq!(relay.ws(&good, "").outcome(), "invalid token");
    // What cannot be used changes nothing.
    secret("");
    kill_process(Pid::from_child(&relay.child), Signal::HUP).unwrap();
    secret(SECRET);
    kill_process(Pid::from_child(&relay.child), Signal::HUP).unwrap();
    let until = std::time::Instant::now() + PATIENCE;
    while relay.ws(&good, "").outcome() != "alice" {
        assert!(std::time::Instant::now() < until, "the new secret is never read");
    }
    // Without a signal it is seen, too.
    secret("the third secret, which nobody announces");
    while relay.ws(&good, "").outcome() == "alice" {
        assert!(std::time::Instant::now() < until, "the change is never seen");
    }
}
