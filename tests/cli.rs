//! The built program from outside: what it prints, where, and the status it exits with.

mod harness;

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use harness::{output, program};

/// The program in a directory of the tests.
fn switchboard(arguments: &[&str]) -> Command {
    let mut command = program();
    command.args(arguments).current_dir(env!("CARGO_TARGET_TMPDIR"));
    command
}

fn run(arguments: &[&str]) -> Output {
    output(&mut switchboard(arguments))
}

/// What the program prints with that variable.
fn run_with(variable: &str, value: &str, arguments: &[&str]) -> Output {
    output(switchboard(arguments).env(variable, value))
}

/// Writes `text` as a file of that name in the directory that the program is run in.
fn write(name: &str, text: impl AsRef<[u8]>) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&path, text).expect("the directory can be written");
    path
}

#[track_caller]
fn assert_refused(output: &Output, stderr: &str) {
    assert_eq!(String::from_utf8_lossy(&output.stderr), stderr);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "");
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn wrong_arguments_are_one_line() {
    for (arguments, line) in [
        (&["--nonsense"] as &[&str], "unexpected argument '--nonsense' found; see switchboard --help"),
        (&["--shard", "1"], "unexpected argument '--shard' found; did you mean --shards?"),
        (
            &["token"],
            "the following required arguments were not provided: --user <USER>; see switchboard --help",
        ),
        (&["chek"], "unrecognized subcommand 'chek'; did you mean check?"),
        (
            &["--drain"],
            "a value is required for '--drain <DURATION>' but none was supplied; see switchboard --help",
        ),
    ] {
        assert_refused(&run(arguments), &format!("switchboard: {line}\n"));
    }
}

#[test]
fn wrong_values_are_one_line() {
    assert_refused(&run(&["--shards", "-1"]), "--shards: -1 is not between 0 and 1024\n");
    assert_refused(
        &run(&["--drain", "-1s"]),
        "--drain: \"-1s\" is not a duration; write it like \"10s\", \"250ms\" or \"5m\"\n",
    );
    assert_refused(
        &run(&["check", "--log-format", "xml"]),
        "--log-format: \"xml\" is not one of \"text\", \"json\"\n",
    );
    assert_refused(
        &run_with("SWITCHBOARD_LIMITS__MESSAGE", "64 potatoes", &[]),
        "environment SWITCHBOARD_LIMITS__MESSAGE: \"64 potatoes\" is not a size; write it like \"64KiB\"\n",
    );
}

#[test]
fn files_that_cannot_be_read() {
    let missing = "nowhere.toml: cannot be read (No such file or directory (os error 2)); check the path given by \
                   --config or SWITCHBOARD_CONFIG\n";
    assert_refused(&run(&["--config", "nowhere.toml"]), missing);
    assert_refused(&run_with("SWITCHBOARD_CONFIG", "nowhere.toml", &[]), missing);
    assert_refused(
        &run(&["check", "--config", "."]),
        ".: cannot be read (Is a directory (os error 21)); give the path of a file\n",
    );
    assert_refused(
        &run(&["--config", "/dev/zero"]),
        "/dev/zero: is larger than 1MiB; give the path of a Switchboard configuration\n",
    );
    write("latin.toml", b"# caf\xe9\n");
    assert_refused(
        &run(&["--config", "latin.toml"]),
        "latin.toml:1: is not UTF-8; save the file as UTF-8 text\n",
    );
}

#[test]
fn what_a_message_repeats_does_nothing_to_a_terminal() {
    let odd = "x\u{9b}31m\u{202e}y\x1b[2J\nz";
    let file = format!("{odd}.toml");
    write(&file, format!("\"{}\" = 1\nlog = 2000-01-01\n", r"a\u009b\u202e"));
    let (_, name) = (write("odd.toml", ""), format!("SWITCHBOARD_{odd}"));
    for output in [
        run(&["--config", &format!("no{file}")]),
        run(&["check", "--config", &file]),
        run(&[odd]),
        run(&[&format!("--{odd}")]),
        run(&["--listen", odd]),
        run(&["token", "--user", "a", "--ttl", odd]),
        run_with(&name, "1", &["check"]),
        run_with("SWITCHBOARD_DRAIN", odd, &["check"]),
    ] {
        let stderr = String::from_utf8(output.stderr).unwrap();
        let unseen = |c: char| c != '\n' && switchboard::visible::is_unseen(c);
        assert!(!stderr.contains(unseen), "{stderr:?}");
        assert_eq!((output.status.code(), stderr.is_empty()), (Some(2), false), "{stderr}");
    }
}

#[test]
fn broken_toml() {
    write("broken.toml", "shards = 1\nlisten =\n");
    let output = run(&["--config", "broken.toml"]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.starts_with("broken.toml:2: is not TOML: "), "{stderr}");
    assert_eq!((stderr.lines().count(), output.status.code()), (1, Some(2)));
}

#[test]
fn an_unknown_key_with_a_suggestion() {
    write("unknown.toml", "[limits]\nmesage = 1\n");
    let line = "unknown.toml:2: limits.mesage: unknown key; did you mean limits.message?\n";
    assert_refused(&run(&["--config", "unknown.toml"]), line);
}

#[test]
fn check_tells_all_problems() {
    write("three.toml", "shards = \"x\"\n\ncolour = 1\n[heartbeat]\ninterval = 0\n");
    assert_refused(
        &run(&["check", "--config", "three.toml"]),
        "three.toml:1: shards: \"x\" is not a whole number\n\
         three.toml:3: colour: unknown key\n\
         three.toml:5: heartbeat.interval: 0 is not allowed; give at least 1s\n",
    );
}

#[test]
fn check_says_ok() {
    write("good.toml", "shards = 2\n[[rooms]]\npattern = \"a\"\n");
    for arguments in
        [["check", "--config", "good.toml"], ["--config", "good.toml", "check"], ["-c", "good.toml", "check"]]
    {
        let output = run(&arguments);
        assert_eq!(
            String::from_utf8_lossy(&output.stdout),
            "ok: good.toml; listens on 127.0.0.1:8000; 2 shards; 1 room pattern\n"
        );
        assert_eq!((output.status.code(), output.stderr.len()), (Some(0), 0));
    }
    let nothing = String::from_utf8(run(&["check"]).stdout).unwrap();
    assert_eq!(nothing, "ok: no file; listens on 127.0.0.1:8000; one shard per core; 0 room patterns\n");
}

#[test]
fn a_key_is_43_characters_and_another_each_time() {
    let key = || String::from_utf8(run(&["key"]).stdout).unwrap();
    let (one, two) = (key(), key());
    assert!(one.len() == 44 && one.ends_with('\n') && one != two, "{one} {two}");
}

#[test]
fn a_token_is_printed_alone() {
    let secret = "SWITCHBOARD_AUTH__SECRET";
    let token = |arguments: &[&str]| run_with(secret, "0123456789abcdef0123456789abcdef", arguments);
    let output = token(&["token", "--user", "alice", "--room", "chat:*", "--ttl", "1h"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(text.trim_end().split('.').count(), 3, "{text}");
    assert_eq!((text.lines().count(), output.stderr.len(), output.status.code()), (1, 0, Some(0)));
    assert_refused(
        &token(&["token", "--user", "alice", "--ttl", "soon"]),
        "switchboard: --ttl: \"soon\" is not a duration of at least 1s; write it like 1h\n",
    );
    assert_refused(
        &token(&["token", "--user", ""]),
        "switchboard: a user id is 1 to 128 bytes without control characters\n",
    );
    for (option, pattern, why) in [
        ("--room", "a b", "\"a b\" may not contain ' '"),
        ("--join", "", "a pattern may not be empty"),
        ("--publish", "a$", "\"a$\" may not contain '$'"),
    ] {
        let output = token(&["token", "--user", "alice", option, pattern]);
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(2) && said.contains(why), "{option} {pattern:?}: {said}");
    }
    let claims = |arguments: &[&str]| -> serde_json::Value {
        use base64::Engine;
        let output = token(&[&["token", "--user", "alice"], arguments].concat());
        let text = String::from_utf8(output.stdout).unwrap();
        let claims = text.split('.').nth(1).unwrap();
        serde_json::from_slice(&base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(claims).unwrap())
            .unwrap()
    };
    let rooms = |arguments: &[&str]| claims(arguments)["rooms"].clone();
    assert_eq!(rooms(&[]), serde_json::Value::Null);
    assert_eq!(rooms(&["--room", "a"]), serde_json::json!(["a"]));
    assert_eq!(
        rooms(&["--room", "a", "--join", "news:*", "--publish", "b"]),
        serde_json::json!({"join": ["a", "news:*"], "publish": ["a", "b"]})
    );
    assert_eq!(rooms(&["--join", "a"]), serde_json::json!({"join": ["a"], "publish": []}));
    assert_refused(
        &run(&["token", "--user", "alice"]),
        "switchboard: auth.secret is not set, so there is nothing to sign with; set it, or sign tokens in your app with \
         its private key\n",
    );
}

#[test]
fn check_warns_of_what_can_be_guessed() {
    let output = run_with("SWITCHBOARD_API__KEY", "hunter2", &["check"]);
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        "warning: the API key \"api\" has 7 bytes: fewer than 32 can be guessed; make one with: switchboard key\n"
    );
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn version() {
    let output = run(&["--version"]);
    let expected = concat!("switchboard ", env!("CARGO_PKG_VERSION"), "\n");
    assert_eq!(
        (String::from_utf8(output.stdout).unwrap().as_str(), output.status.code()),
        (expected, Some(0))
    );
}

#[test]
fn help_has_every_flag_and_what_a_beginner_needs() {
    let output = run(&["--help"]);
    let help = String::from_utf8(output.stdout).unwrap();
    for word in [
        "--config",
        "--listen",
        "--shards",
        "--drain",
        "--console",
        "--insecure",
        "--log ",
        "--log-format",
        "--help",
        "--version",
        "check",
        "curl",
        "SWITCHBOARD_CONFIG",
        "127.0.0.1:8000",
        "SIGTERM",
        "Exit status",
    ] {
        assert!(help.contains(word), "{word} is missing in:\n{help}");
    }
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn nobody_reading_the_output_is_no_panic() {
    for arguments in [&["check"] as &[&str], &["--help"], &["--nonsense"]] {
        let (read, write) = std::io::pipe().unwrap();
        drop(read);
        let status =
            switchboard(arguments).stdout(write.try_clone().unwrap()).stderr(write).status().unwrap();
        assert!(matches!(status.code(), Some(0 | 2)), "{arguments:?}: {status}");
    }
}

#[test]
fn an_address_beyond_loopback_is_refused() {
    assert_refused(
        &run(&["--listen", "0.0.0.0:0"]),
        "--listen: 0.0.0.0:0 is not loopback, and no key keeps strangers out: set auth.secret (or \
         auth.public_key_file, auth.jwks_file) for clients and api.key for the app, listen on 127.0.0.1:0, or pass \
         --insecure if the network is trusted\n",
    );
}

#[test]
fn an_address_that_is_taken_is_refused() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = run(&["--listen", &address]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.starts_with("switchboard: ") && stderr.contains(&address), "{stderr}");
    assert_eq!((stderr.lines().count(), output.status.code()), (1, Some(2)));
}
