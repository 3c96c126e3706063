//! Each mistake with its place, and which layer wins.

mod access;
mod spelling;

use std::ffi::OsString;
use std::time::Duration;

use super::*;
use crate::settings::{Console, Inbox, KIB, MIB, RoomRule, RoomSettings, Slow, TooMany};

/// Reads `text` as if it were the file `switchboard.toml`, below the variables and flags given.
fn layered(
    text: &str,
    variables: &[(&str, &str)],
    flags: &[(&'static str, &[&str])],
) -> Result<Config, Vec<String>> {
    let pair = |(name, value): &(&str, &str)| (OsString::from(name), OsString::from(value));
    let flag = |(key, values): &(&'static str, &[&str])| Flag {
        key,
        values: values.iter().map(|value| (*value).to_owned()).collect(),
    };
    let input = Input {
        file: None,
        variables: variables.iter().map(pair).collect(),
        flags: flags.iter().map(flag).collect(),
    };
    let mut reader = Reader::new();
    let mut config = Config::default();
    match file::parse(&"switchboard.toml".into(), text.as_bytes()) {
        Ok(table) => reader.read(table, &mut config),
        Err(problem) => reader.report_all([problem]),
    }
    for layer in layers(&input, &mut reader) {
        reader.read(layer, &mut config);
    }
    checks::check(&config, &mut reader);
    reader.finish(config).map_err(|problems| problems.iter().map(ToString::to_string).collect())
}

fn settings(text: &str) -> Settings {
    layered(text, &[], &[]).unwrap().settings
}

fn problems(text: &str) -> Vec<String> {
    layered(text, &[], &[]).unwrap_err()
}

fn variable_problems(name: &str, value: &str) -> Vec<String> {
    layered("", &[(name, value)], &[]).unwrap_err()
}

#[test]
fn nothing_is_the_default() {
    assert_eq!(layered("", &[], &[]), Ok(Config::default()));
}

#[test]
fn the_example_is_the_default() {
    let mut read = settings(include_str!("../../switchboard.example.toml"));
    let ticker = RoomSettings {
        history: 1,
        presence: false,
        client_publish: false,
        slow: Slow::Skip,
        ..RoomSettings::default()
    };
    let rules = [
        RoomRule { pattern: "chat:*".to_owned(), room: RoomSettings::default() },
        RoomRule { pattern: "ticker:*".to_owned(), room: ticker },
    ];
    assert_eq!(std::mem::take(&mut read.rooms), rules);
    assert_eq!(read, Settings::default());
}

#[test]
fn the_example_has_every_key() {
    let text = include_str!("../../switchboard.example.toml");
    // Keys without a default stand behind a `#`; those in braces belong to a list of tables.
    let parts = text.lines().flat_map(|line| line.trim_start_matches("# ").split(['{', ',']));
    let keys: Vec<_> = parts.filter_map(|part| part.split(" = ").next()).map(str::trim).collect();
    let started = ["insecure", "log", "log_format"];
    for key in Reader::new().known().iter().filter(|key| !started.contains(&key.as_str())) {
        let last = key.rsplit('.').next().unwrap();
        assert!(keys.iter().any(|own| own.trim_matches(['[', ']']) == last), "{key} is missing");
    }
}

#[test]
fn every_key_reaches_its_setting() {
    let read = settings(
        "listen = [\"127.0.0.1:1\", \"[::1]:2\"]\nshards = 3\ndrain = 0\nconsole = true\ndirect = true\n\
         [metrics]\npublic = true\n[inbox]\nhistory = 19\nttl = \"20s\"\n\
         [limits]\nconnections = 4\nconnections_per_user = 21\ntoo_many = \"evict-oldest\"\nrooms_per_connection = 5\nrooms_per_second = 22\nrooms_per_second_per_ip = 23\nrooms_per_ip = 24\nrooms_total = 25\nmessage = 6\necho_message = \"7KiB\"\napi_body = \"8 MB\"\n\
         queue = \"9MiB\"\nstall = \"250ms\"\nqueue_total = \"1GiB\"\nhistory_total = \"1.5KiB\"\nkeys_total = 31\nheader = 1024\n\
         headers = 12\nhandshake = \"1m 5s\"\nbody = \"1h\"\nhttp_idle = \"2days\"\nclose = \"3s\"\n\
         [heartbeat]\ninterval = \"30s\"\ntimeout = \"13s\"\n\
         [[rooms]]\npattern = \"$stats\"\nhistory = 14\nhistory_bytes = 15\nttl = \"16s\"\npresence = false\n\
         presence_limit = 17\npresence_grace = \"3s\"\nclient_publish = false\ntyping = false\nanonymous = false\n\
         private = true\nmax_members = 18\nslow = \"skip\"\n",
    );
    let seconds = Duration::from_secs;
    assert_eq!(read.listen, ["127.0.0.1:1".parse().unwrap(), "[::1]:2".parse().unwrap()]);
    assert_eq!((read.shards, read.drain, read.console), (3, Duration::ZERO, Console::On));
    assert_eq!((read.direct, read.inbox), (Some(true), Inbox { history: 19, ttl: seconds(20) }));
    assert!(read.metrics.public);
    let limits = read.limits;
    assert_eq!((limits.connections_per_user, limits.too_many), (21, TooMany::EvictOldest));
    assert_eq!((limits.rooms_per_second, limits.rooms_per_second_per_ip), (22, 23));
    assert_eq!((limits.rooms_per_ip, limits.rooms_total), (24, 25));
    assert_eq!((limits.connections, limits.rooms_per_connection, limits.message), (4, 5, 6));
    assert_eq!((limits.echo_message, limits.api_body, limits.queue), (7 * KIB, 8_000_000, 9 * MIB));
    assert_eq!((limits.stall, limits.queue_total), (Duration::from_millis(250), 1024 * MIB));
    assert_eq!((limits.history_total, limits.keys_total), (1536, 31));
    assert_eq!((limits.header, limits.headers), (1024, 12));
    assert_eq!((limits.handshake, limits.body), (seconds(65), seconds(3600)));
    assert_eq!((limits.http_idle, limits.close), (seconds(172_800), seconds(3)));
    assert_eq!((read.heartbeat.interval, read.heartbeat.timeout), (seconds(30), seconds(13)));
    let room = RoomSettings {
        history: 14,
        history_bytes: 15,
        ttl: seconds(16),
        presence: false,
        presence_limit: 17,
        presence_grace: seconds(3),
        client_publish: false,
        typing: false,
        anonymous: false,
        private: true,
        max_members: 18,
        slow: Slow::Skip,
    };
    assert_eq!(read.rooms, [RoomRule { pattern: "$stats".to_owned(), room }]);
}

#[test]
fn flags_win_over_variables_and_variables_over_the_file() {
    let text = "shards = 1\ndrain = \"1s\"\nconsole = false\n[limits]\nmessage = 1\n";
    let variables =
        [("SWITCHBOARD_SHARDS", "2"), ("SWITCHBOARD_DRAIN", "2s"), ("SWITCHBOARD_LIMITS__MESSAGE", "128KiB")];
    let config = layered(text, &variables, &[("shards", &["3"])]).unwrap().settings;
    assert_eq!((config.shards, config.drain, config.console), (3, Duration::from_secs(2), Console::Off));
    assert_eq!(config.limits.message, 128 * KIB);
}

#[test]
fn a_variable_that_is_not_text_is_toml() {
    let variables = [
        ("SWITCHBOARD_LISTEN", "[\"127.0.0.1:1\", \"127.0.0.1:2\"]"),
        ("SWITCHBOARD_CONSOLE", "true"),
        ("SWITCHBOARD_HEARTBEAT", "{ interval = \"9s\", timeout = \"8s\" }"),
        ("SWITCHBOARD_HEARTBEAT__TIMEOUT", "7s"),
        ("SWITCHBOARD_ROOMS", "[{ pattern = \"a*\", history = 0 }]"),
        ("SWITCHBOARD_LOG", "debug"),
        ("SWITCHBOARD_LOG_FORMAT", "json"),
    ];
    let Config { settings, log } = layered("[[rooms]]\npattern = \"b\"\n", &variables, &[]).unwrap();
    assert_eq!(settings.listen.len(), 2);
    assert_eq!(settings.console, Console::On);
    let heartbeat = (settings.heartbeat.interval, settings.heartbeat.timeout);
    assert_eq!(heartbeat, (Duration::from_secs(9), Duration::from_secs(7)));
    assert_eq!(settings.rooms.iter().map(|rule| rule.pattern.as_str()).collect::<Vec<_>>(), ["a*"]);
    assert_eq!(log, Log { level: LevelFilter::DEBUG, format: LogFormat::Json });
}

#[test]
fn a_repeated_flag_is_a_list() {
    let config = layered("", &[], &[("listen", &["127.0.0.1:1", "[::1]:2"])]).unwrap();
    assert_eq!(config.settings.listen.len(), 2);
}

#[test]
fn values_that_are_not_of_their_kind() {
    for (text, expected) in [
        (
            "\nlisten = \"example.com:80\"",
            ":2: listen: \"example.com:80\" begins with a name; give the IP address to listen on, or \"0.0.0.0:80\" for all of them",
        ),
        (
            "listen = [\n \"127.0.0.1:1\",\n true]",
            ":3: listen: true is not an address; write it like \"127.0.0.1:8000\", \"[::1]:8000\", \"localhost:8000\" or 8000",
        ),
        ("listen = []", ":1: listen: the list is empty; give at least one"),
        ("shards = \"2\"", ":1: shards: \"2\" is not a whole number"),
        ("shards = 1.5", ":1: shards: 1.5 is not a whole number"),
        ("shards = 99999999999999999999", ":1: shards: 99999999999999999999 is not a whole number"),
        ("shards = 1025", ":1: shards: 1025 is not between 0 and 1024"),
        ("shards = -1", ":1: shards: -1 is not between 0 and 1024"),
        ("drain = 10", ":1: drain: 10 is not a duration; write it like \"10s\", \"250ms\" or \"5m\""),
        ("drain = \"2years\"", ":1: drain: 2years is more than the most allowed, 1year"),
        ("console = \"yes\"", ":1: console: \"yes\" is not one of \"auto\", true, false"),
        ("limits = 3", ":1: limits: is not a table; write [limits]"),
        ("rooms = 3", ":1: rooms: is not a list of tables; begin each with [[rooms]]"),
        ("[rooms]\npattern = \"a\"", ":1: rooms: is not a list of tables; begin each with [[rooms]]"),
        ("rooms = [\n1]", ":2: rooms: is not a table; write [rooms]"),
        (
            "[limits]\n\nmessage = \"64 potatoes\"",
            ":3: limits.message: \"64 potatoes\" is not a size; write it like \"64KiB\"",
        ),
        ("[limits]\nmessage = -1", ":2: limits.message: -1 is not a size; write it like \"64KiB\""),
        ("[limits]\nmessage = 0", ":2: limits.message: 0 is not allowed; give at least 1 byte"),
        (
            "[limits]\nqueue_total = \"9EiB\"",
            ":2: limits.queue_total: 9437184TiB is more than the most allowed, 1TiB",
        ),
        (
            "[limits]\nheader = \"100B\"",
            ":2: limits.header: 100 bytes is less than the least allowed, 512 bytes",
        ),
        ("[limits]\nstall = 0", ":2: limits.stall: 0 is not allowed; give at least 1ms"),
        (
            "[heartbeat]\ninterval = \"999ms\"",
            ":2: heartbeat.interval: 999ms is less than the least allowed, 1s",
        ),
        ("[[rooms]]\npattern = \"a\"\npresence = 1", ":3: rooms.presence: 1 is neither true nor false"),
        (
            "[[rooms]]\npattern = \"a\"\nslow = \"wait\"",
            ":3: rooms.slow: \"wait\" is not one of \"disconnect\", \"skip\"",
        ),
    ] {
        assert_eq!(problems(text), [format!("switchboard.toml{expected}")], "{text}");
    }
}

#[test]
fn unknown_keys_with_the_closest_known_one() {
    for (text, expected) in [
        ("lisen = 1", ":1: lisen: unknown key; did you mean listen?"),
        ("message = 1", ":1: message: unknown key; did you mean limits.message?"),
        ("\n[limits]\nmesage = 1", ":3: limits.mesage: unknown key; did you mean limits.message?"),
        ("\n[limit]\nmessage = 1\nqueue = 1", ":2: limit: unknown key; did you mean limits?"),
        (
            "[[rooms]]\npattern = \"a\"\nhistry = 1",
            ":3: rooms.histry: unknown key; did you mean rooms.history?",
        ),
        ("colour = \"red\"", ":1: colour: unknown key"),
        ("\"\\u001b[1m\" = 1", ":1: \\u{1b}[1m: unknown key"),
        (
            "insecure = true",
            ":1: insecure: unknown key; this is set by --insecure or SWITCHBOARD_INSECURE only",
        ),
        ("log = \"info\"", ":1: log: unknown key; this is set by --log or SWITCHBOARD_LOG only"),
    ] {
        assert_eq!(problems(text), [format!("switchboard.toml{expected}")], "{text}");
    }
}

#[test]
fn mistakes_in_variables_name_the_variable() {
    for (name, value, expected) in [
        (
            "SWITCHBOARD_LIMITS__MESSAGE",
            "64 potatoes",
            "\"64 potatoes\" is not a size; write it like \"64KiB\"",
        ),
        ("SWITCHBOARD_SHARDS", "", "is empty; give it a value, or leave it out"),
        ("SWITCHBOARD_LISTEN", " ", "is empty; give it a value, or leave it out"),
        ("SWITCHBOARD_AUTH__SECRET", "", "is empty; give it a value, or leave it out"),
        ("SWITCHBOARD_LISTN", "8000", "unknown key; did you mean SWITCHBOARD_LISTEN?"),
        ("SWITCHBOARD_CONFIGS", "a.toml", "unknown key; did you mean SWITCHBOARD_CONFIG?"),
        ("switchboard_shards", "1", "is not read; write it in capitals: SWITCHBOARD_SHARDS"),
        (
            "SWITCHBOARD_DIRECT",
            "maybe",
            "\"maybe\" is neither true nor false; 1, 0, yes, no, on and off do as well",
        ),
        ("SWITCHBOARD_SHARDS", "1\nlisten = 2", "\"1\\nlisten = 2\" is not a whole number"),
        ("SWITCHBOARD_SHARD", "1", "unknown key; did you mean SWITCHBOARD_SHARDS?"),
        ("SWITCHBOARD_LIMITS_MESSAGE", "1", "unknown key; did you mean SWITCHBOARD_LIMITS__MESSAGE?"),
        ("SWITCHBOARD_LIMTS__MESSAGE", "1", "unknown key; did you mean SWITCHBOARD_LIMITS__MESSAGE?"),
        ("SWITCHBOARD_ROOMS", "[{ pattern = \"a\", x = 1 }]", "rooms.x: unknown key"),
        ("SWITCHBOARD_ROOMS__0", "x", "rooms: is not a list of tables; begin each with [[rooms]]"),
        (
            "SWITCHBOARD_LOG",
            "loud",
            "\"loud\" is not one of \"off\", \"error\", \"warn\", \"info\", \"debug\", \"trace\"",
        ),
        ("SWITCHBOARD_CONFIG", "", "is empty; give a path or unset it"),
    ] {
        let found = variable_problems(name, value);
        assert!(found.len() == 1 && found[0].starts_with(&format!("environment {name}: ")), "{found:?}");
        assert!(found[0].ends_with(expected), "{found:?}");
    }
}

#[test]
fn what_an_orchestrator_sets_for_a_service_of_this_name_is_not_ours() {
    let injected = [
        ("SWITCHBOARD_SERVICE_HOST", "10.0.0.1"),
        ("SWITCHBOARD_SERVICE_PORT", "80"),
        ("SWITCHBOARD_SERVICE_PORT_HTTP", "80"),
        ("SWITCHBOARD_PORT", "tcp://10.0.0.1:80"),
        ("SWITCHBOARD_PORT_80_TCP", "tcp://10.0.0.1:80"),
        ("SWITCHBOARD_PORT_80_TCP_ADDR", "10.0.0.1"),
        ("SWITCHBOARD_REDIS_PORT_6379_TCP_PROTO", "tcp"),
        ("SWITCHBOARDS", "other"),
    ];
    assert_eq!(layered("", &injected, &[]), Ok(Config::default()));
    assert_eq!(variable_problems("SWITCHBOARD_PORT", "80"), ["environment SWITCHBOARD_PORT: unknown key"]);
}

#[test]
fn mistakes_in_flags_name_the_flag() {
    let found = layered(
        "",
        &[],
        &[("shards", &["many"]), ("listen", &["a", "127.0.0.1:1", "b"]), ("log_format", &["xml"])],
    );
    let advice = "is not an IP address and a port; write it like \"127.0.0.1:8000\", \"[::1]:8000\", \"localhost:8000\" or 8000";
    assert_eq!(
        found.unwrap_err(),
        [
            "--shards: \"many\" is not a whole number".to_owned(),
            format!("--listen: \"a\" {advice}"),
            format!("--listen: \"b\" {advice}"),
            "--log-format: \"xml\" is not one of \"text\", \"json\"".to_owned(),
        ]
    );
}

#[test]
fn text_that_is_no_toml() {
    for (text, expected) in [
        ("a = 1\nb", ":2: is not TOML: key with no value, expected `=`"),
        ("shards = 1\nshards = 2", ":2: is not TOML: duplicate key"),
        ("\n[limits", ":2: is not TOML: unclosed table, expected `]`"),
    ] {
        assert_eq!(problems(text), [format!("switchboard.toml{expected}")], "{text}");
    }
    let problem = file::parse(&"f".into(), b"a = 1\n\xff").unwrap_err();
    assert_eq!(problem.to_string(), "f:2: is not UTF-8; save the file as UTF-8 text");
}

#[test]
fn carriage_returns_and_a_byte_order_mark_do_not_shift_lines() {
    assert_eq!(problems("\u{feff}shards = 1\r\n\r\nx = 1\r\n"), ["switchboard.toml:3: x: unknown key"]);
}

#[test]
fn room_patterns() {
    let rules = |patterns: &[&str]| {
        patterns.iter().map(|p| format!("[[rooms]]\npattern = \"{p}\"\n")).collect::<String>()
    };
    for (text, expected) in [
        (
            rules(&["ok", "b c"]),
            ":4: rooms.pattern: \"b c\" may not contain ' '; room names are made of A-Z a-z 0-9 _ - = @ , . ; : / and * stands for any run of them",
        ),
        (
            rules(&["a$"]),
            ":2: rooms.pattern: \"a$\" may not contain '$'; room names are made of A-Z a-z 0-9 _ - = @ , . ; : / and * stands for any run of them",
        ),
        (rules(&[""]), ":2: rooms.pattern: a pattern may not be empty; \"*\" stands for every room"),
        (
            rules(&[&"a".repeat(201)]),
            ":2: rooms.pattern: the pattern can never match: room names have at most 200 bytes",
        ),
        (rules(&["a*", "b", "a*"]), ":5: rooms: \"a*\" is here twice; the first match wins, so remove one"),
        (
            rules(&["a*", "ab*"]),
            ":3: rooms: \"ab*\" can never match: \"a*\" comes first and matches all of it; put it before that one",
        ),
        (
            "[[rooms]]\nhistory = 1".to_owned(),
            ":1: rooms.pattern: missing; write which rooms are meant, like pattern = \"chat:*\"",
        ),
        (
            "[[rooms]]\npattern = 1".to_owned(),
            ":2: rooms.pattern: 1 is not a pattern; write it like \"chat:*\"",
        ),
    ] {
        assert_eq!(problems(&text), [format!("switchboard.toml{expected}")], "{text}");
    }
    assert_eq!(settings(&rules(&["ab*", "a*", "*", "$stats"])).rooms.len(), 4);
}

#[test]
fn settings_that_contradict_each_other() {
    assert_eq!(
        problems("[limits]\nmessage = \"2MiB\""),
        [
            "switchboard.toml:2: limits.message: limits.message (2MiB) is more than limits.queue (1MiB): one message would fill a connection's queue"
        ]
    );
    assert_eq!(
        problems("[limits]\nqueue_total = \"100KiB\""),
        [
            "switchboard.toml:2: limits.queue_total: limits.queue (1MiB) is more than limits.queue_total (100KiB): one slow connection could take it all"
        ]
    );
    assert_eq!(
        problems("listen = [\"127.0.0.1:80\", \"127.0.0.1:80\"]"),
        ["switchboard.toml:1: listen: 127.0.0.1:80 is here twice; remove one"]
    );
    assert_eq!(settings("listen = [\"127.0.0.1:0\", \"127.0.0.1:0\"]").listen.len(), 2);
}

#[test]
fn open_to_the_network_only_when_told() {
    let text = "\nlisten = [\"127.0.0.1:1\", \"0.0.0.0:2\", \"[::]:3\"]";
    let found = problems(text);
    assert_eq!(found.len(), 1);
    assert!(
        found[0].starts_with(
            "switchboard.toml:2: listen: 0.0.0.0:2 is not loopback, and no key keeps strangers out"
        ),
        "{found:?}"
    );
    assert!(
        found[0].ends_with("listen on 127.0.0.1:2, or pass --insecure if the network is trusted"),
        "{found:?}"
    );
    assert!(layered(text, &[], &[("insecure", &["true"])]).unwrap().settings.insecure);
    assert!(layered(text, &[("SWITCHBOARD_INSECURE", "true")], &[]).is_ok());
    assert!(!settings("listen = [\"127.9.9.9:1\", \"[::1]:1\", \"[::ffff:127.0.0.1]:1\"]").insecure);
}

#[test]
fn all_problems_in_the_order_of_layers_and_lines() {
    let text = "x = 1\nshards = \"a\"\n[limits]\nqueue = 0\nmessage = 0\n";
    let found = layered(text, &[("SWITCHBOARD_DRAIN", "soon")], &[("shards", &["b"])]).unwrap_err();
    let places: Vec<_> = found.iter().map(|line| line.split(": ").next().unwrap()).collect();
    let file = |line| format!("switchboard.toml:{line}");
    assert_eq!(places, [&file(1), &file(2), &file(4), &file(5), "environment SWITCHBOARD_DRAIN", "--shards"]);
}

#[test]
fn a_mistake_is_told_though_a_later_layer_hides_it() {
    let found = layered("shards = \"a\"", &[], &[("shards", &["2"])]).unwrap_err();
    assert_eq!(found, ["switchboard.toml:1: shards: \"a\" is not a whole number"]);
}
