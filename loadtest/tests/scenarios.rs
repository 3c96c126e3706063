//! Every scenario at a tiny size, against peers and, where `LOADTEST_SERVER` names its binary, against Switchboard;
//! and servers with planted faults, each of which must be found.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use serde_json::Value;

mod faulty;

/// Messages that fill what two kernels hold within a moment, and a server that gives up soon.
const SLOW: &str = "--rate 100 --size 32768 --after 0.5 --stall 0.5";

/// The load test with these words; everything is over within a few seconds.
fn loadtest(words: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_loadtest"));
    command.args(words.split_whitespace());
    command.args(["--no-build", "--json", "--warm-up", "0.1", "--duration", "0.4"]);
    command.output().expect("the load test starts")
}

/// The outcome of a run that must succeed.
fn outcome(words: &str) -> Value {
    let output = loadtest(words);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "`{words}` failed: {errors}");
    serde_json::from_slice(&output.stdout).expect("the outcome is JSON")
}

fn count(outcome: &Value, field: &str) -> u64 {
    outcome[field].as_u64().unwrap_or_else(|| panic!("no {field} in {outcome}"))
}

fn fact(outcome: &Value, name: &str) -> f64 {
    let facts = outcome["facts"].as_array().expect("facts");
    let found = facts.iter().find(|fact| fact["name"] == name);
    found.and_then(|fact| fact["value"].as_f64()).unwrap_or_else(|| panic!("no {name} in {outcome}"))
}

/// A file of targets whose binaries are in the peers' debug directory, which are built first.
fn peers() -> &'static str {
    static FILE: OnceLock<String> = OnceLock::new();
    FILE.get_or_init(|| {
        let peers = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers");
        let mut build = Command::new(env!("CARGO"));
        build.args(["build", "-p", "peer-floor", "-p", "peer-axum"]).current_dir(&peers);
        // What cargo sets for this test is not meant for another workspace.
        build.env_remove("CARGO_TARGET_DIR").env_remove("RUSTFLAGS");
        assert!(build.status().expect("cargo starts").success(), "the peers do not build");
        let binaries = peers.join("target/debug");
        let target = |name: &str, more: &str| {
            let binary = binaries.join(format!("peer-{name}"));
            format!(
                "[[target]]\nname = \"test-{name}\"\nstart = [{binary:?}, \"--listen\", \"{{listen}}\"]\n\
                 room = {{ dialect = \"raw\", path = \"/raw/{{room}}?echo=1\" }}\necho = \"/echo\"\n{more}"
            )
        };
        let native = "native = \"/ws?room={room}\"\npublish = \"/api/rooms/{room}/messages\"\n";
        file("peers.toml", &(target("floor", "") + &target("axum", native)))
    })
}

/// A file of targets with the server that `LOADTEST_SERVER` names.
fn server() -> Option<&'static str> {
    // Written once: a test must not read it while another writes it.
    static FILE: OnceLock<Option<String>> = OnceLock::new();
    FILE.get_or_init(write_server).as_deref()
}

fn write_server() -> Option<String> {
    let Some(binary) = std::env::var_os("LOADTEST_SERVER") else {
        eprintln!("NOT RUN: LOADTEST_SERVER names no binary of the server");
        return None;
    };
    let known = include_str!("../targets.toml");
    let (own, _) = known.split_once("[[target]]\nname    = \"floor\"").expect("the floor comes second");
    let binary = PathBuf::from(binary);
    let own = own.replace("target/release/switchboard", binary.to_str().expect("a plain path"));
    Some(file("server.toml", &own.replace("\"switchboard\"", "\"test-server\"")))
}

fn file(name: &str, text: &str) -> String {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, text).expect("the directory is there");
    path.to_str().expect("a plain path").to_owned()
}

#[test]
fn raw_rooms_on_the_floor() {
    let floor = format!("--targets-file {} --target test-floor", peers());
    let one = outcome(&format!("fanout --members 20 {floor}"));
    assert_eq!((count(&one, "connections"), count(&one, "delivered") > 20), (20, true));
    assert!(one["latency"]["p99"].as_f64() >= one["latency"]["p50"].as_f64());
    let many = outcome(&format!("fanout --rooms 3 --members 5 --publishers 4 --window 3 {floor}"));
    assert!(count(&many, "delivered") > 60);
    let open = outcome(&format!("fanout --members 5 --rate 100 --size 1000 --text {floor}"));
    let published = count(&open, "published");
    assert!((30..=50).contains(&published), "0.4 s at 100 a second are 40 messages, not {published}");
}

#[test]
fn echoes_and_a_room_beside_them() {
    let floor = format!("--targets-file {} --target test-floor", peers());
    assert!(count(&outcome(&format!("echo --connections 5 {floor}")), "delivered") > 5);
    assert!(count(&outcome(&format!("echo --connections 2 --rate 100 --text {floor}")), "delivered") > 20);
    let beside = outcome(&format!("beside --members 30 {floor}"));
    assert!(fact(&beside, "deliveries to the room") > 60.0 && count(&beside, "delivered") > 20);
}

#[test]
fn connections_that_come_and_stay() {
    let floor = format!("--targets-file {} --target test-floor", peers());
    let connect = outcome(&format!("connect --connections 50 {floor}"));
    assert_eq!((count(&connect, "connections"), count(&connect, "delivered")), (50, 50));
    let paced = outcome(&format!("connect --connections 20 --rate 100 {floor}"));
    assert!(fact(&paced, "all open after") > 0.15);
    assert_eq!(count(&outcome(&format!("idle --connections 10 --dialect raw {floor}")), "connections"), 10);
}

#[test]
fn the_native_dialect_and_publishing_over_http() {
    let axum = format!("--targets-file {} --target test-axum", peers());
    assert!(count(&outcome(&format!("fanout --members 10 --dialect native {axum}")), "delivered") > 10);
    assert_eq!(count(&outcome(&format!("idle --connections 10 --named {axum}")), "connections"), 10);
    let http = outcome(&format!("http --members 5 --publishers 3 --window 4 {axum}"));
    assert!(count(&http, "delivered") > 5 && fact(&http, "requests answered, warm-up included") > 3.0);
}

#[test]
fn what_a_target_has_not_is_said() {
    let output = loadtest(&format!("sse --targets-file {} --target test-axum", peers()));
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("test-axum has no event streams"));
}

#[test]
fn every_scenario_against_the_server() {
    let Some(file) = server() else { return };
    let all = [
        "connect --connections 50 --dialect native",
        "idle --connections 20 --named",
        "echo --connections 5",
        "fanout --rooms 2 --members 10 --publishers 2 --window 2",
        "fanout --members 10 --dialect native",
        "beside --members 50",
        "http --members 5 --publishers 3 --window 3",
        "http --members 5 --rooms 2 --publishers 3 --batch 10",
        "sse --members 5",
        "churn --connections 30 --rooms 5 --rate 300",
        "drain --connections 40 --drain 0.5",
        "echo --connections 9 --sources 3",
        "chat --users 20 --rooms 5 --rate 400",
        "storm --members 30 --rooms 3 --rate 20 --after 0.2",
        "kill --members 30 --rooms 3 --rate 20 --after 0.2",
    ];
    for words in all {
        outcome(&format!("{words} --targets-file {file} --target test-server"));
    }
}

#[test]
fn a_storm_breaks_out_however_short_the_measuring_is() {
    let Some(file) = server() else { return };
    let storm =
        outcome(&format!("storm --members 5 --rooms 1 --after 1 --targets-file {file} --target test-server"));
    assert!(fact(&storm, "all back after") > 0.0 && count(&storm, "connections") == 6);
}

#[test]
fn slow_members_of_a_server_that_cuts_them_off() {
    let Some(file) = server() else { return };
    let slow = format!("slow --members 5 --slow 4 {SLOW} --targets-file {file} --target test-server");
    for dialect in ["raw", "native"] {
        let slow = outcome(&format!("{slow} --dialect {dialect}"));
        assert_eq!((fact(&slow, "closed with 4100"), fact(&slow, "still connected")), (4.0, 0.0));
        assert!(fact(&slow, "p99 while all read") > 0.0 && fact(&slow, "p99 beside the slow") > 0.0);
        let sentences = slow["findings"].as_array().expect("findings");
        assert!(sentences.len() == 3 && sentences.iter().all(|finding| finding["holds"].is_null()));
    }
}

#[test]
fn slow_members_of_a_server_that_does_not() {
    let floor = format!("--targets-file {} --target test-floor", peers());
    let slow = outcome(&format!("slow --members 5 --slow 2 {SLOW} {floor}"));
    assert_eq!((fact(&slow, "slow members"), fact(&slow, "still connected")), (2.0, 2.0));
}

#[test]
fn planted_faults_are_found() {
    use faulty::Fault;
    let faults = [
        (Fault::Flip, "is not what was sent"),
        (Fault::Drop, "where Stamp"),
        (Fault::Double, "where Stamp"),
        (Fault::Hang, "messages never came"),
        (Fault::Close, "closed with 1011"),
        (Fault::Refuse, "refused with status 404"),
    ];
    for (fault, sentence) in faults {
        let address = faulty::serve(fault);
        let output = loadtest(&format!("echo --connections 1 --window 3 --target {address}"));
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{fault:?} was not found");
        assert!(errors.contains(sentence), "{fault:?}: {errors}");
    }
}
