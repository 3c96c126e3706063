//! Addresses and switches as people write them, and files that say the same in another way.

use super::*;

#[test]
fn a_switch_in_a_variable_is_what_people_write() {
    let direct = |value: &str| layered("", &[("SWITCHBOARD_DIRECT", value)], &[]).unwrap().settings.direct;
    for (on, off) in [("true", "false"), ("1", "0"), ("yes", "no"), ("on", "off"), ("True", " FALSE ")] {
        assert_eq!((direct(on), direct(off)), (Some(true), Some(false)), "{on} {off}");
    }
    let console = |value: &str| layered("", &[("SWITCHBOARD_CONSOLE", value)], &[]).unwrap().settings.console;
    assert_eq!((console("1"), console("no"), console("auto")), (Console::On, Console::Off, Console::Auto));
    assert_eq!(problems("direct = 1"), ["switchboard.toml:1: direct: 1 is neither true nor false"]);
}

#[test]
fn a_port_alone_and_localhost_in_every_layer() {
    let one = ["127.0.0.1:8000".parse().unwrap()];
    let both = ["127.0.0.1:8000".parse().unwrap(), "[::1]:8000".parse().unwrap()];
    for text in ["listen = 8000", "listen = \":8000\"", "listen = [\"8000\"]"] {
        assert_eq!(settings(text).listen, one, "{text}");
    }
    assert_eq!(settings("listen = [\"localhost:8000\"]").listen, both);
    let listen = |value: &str| layered("", &[("SWITCHBOARD_LISTEN", value)], &[]).unwrap().settings.listen;
    assert_eq!((&listen("8000")[..], &listen(":8000")[..]), (&one[..], &one[..]));
    assert_eq!((&listen("localhost:8000")[..], &listen("[\"localhost:8000\"]")[..]), (&both[..], &both[..]));
    let flag = |values: &[&str]| layered("", &[], &[("listen", values)]).map(|config| config.settings.listen);
    assert_eq!(flag(&["localhost:8000"]).unwrap(), both);
    assert_eq!(flag(&["8000", "[::1]:8000"]).unwrap(), both);
    assert_eq!(flag(&["8000", ":8000"]).unwrap_err(), ["--listen: 127.0.0.1:8000 is here twice; remove one"]);
}

#[test]
fn what_has_changed_in_a_file_is_named() {
    let written = |text: &str| Written(file::parse(&"f".into(), text.as_bytes()).unwrap());
    let before = written("shards = 1\ndrain = \"1s\"\n[limits]\nqueue = 1\n[[rooms]]\npattern = \"a\"\n");
    let same =
        written("# moved\ndrain = \"1s\"\nshards = 1\n[[rooms]]\npattern = \"a\"\n[limits]\nqueue = 1\n");
    assert_eq!(before.differences(&same), [""; 0]);
    let after = written(
        "shards = 2\n[limits]\nqueue = 2\nmessage = 1\n[[rooms]]\npattern = \"b\"\n[api]\nkey = \"k\"",
    );
    assert_eq!(
        before.differences(&after),
        ["api.key", "drain", "limits.message", "limits.queue", "rooms", "shards"]
    );
}
