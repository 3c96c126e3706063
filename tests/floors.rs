//! The floors of the code: imports point down, only the loop knows sockets and clocks, and a file is about one noun.
//!
//! Sources are read as tokens, so comments and strings do not count, but inline paths do.

#[path = "floors/source.rs"]
mod source;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use source::{Source, Use};

/// The floors from the ground up, as `ARCHITECTURE.md` has them. A module may import from its own floor and from those below.
static FLOORS: LazyLock<Vec<Vec<String>>> =
    LazyLock::new(|| floors(&fs::read_to_string("ARCHITECTURE.md").expect("the file can be read")));

/// The table of floors in `page`, the ground first: a row is a number and the modules in backticks, and then what is said of them.
fn floors(page: &str) -> Vec<Vec<String>> {
    let rows = page.lines().filter_map(|line| {
        let (number, rest) = line.strip_prefix("| ")?.split_once(" `")?;
        number.parse::<u8>().ok()?;
        rest.split('|').next()
    });
    let names =
        |row: &str| row.split(['`', ' ']).filter(|name| !name.is_empty()).map(str::to_owned).collect();
    let mut floors: Vec<Vec<String>> = rows.map(names).collect();
    floors.reverse();
    floors
}

/// Modules that must not know each other. They meet in `session` and `shard`.
const STRANGERS: [(&str, &str); 5] =
    [("broker", "http"), ("broker", "ws"), ("broker", "sse"), ("http", "ws"), ("ws", "http")];

/// Lines of a file, at most: more is two nouns.
const LINES: usize = 450;

/// What only the loop and the program around the library may use, as the tokens that show it.
const OUTSIDE: [&str; 6] =
    ["mio ::", "socket2 ::", "TcpStream", "TcpListener", "Instant :: now", "SystemTime :: now"];
const OUTSIDERS: [&str; 3] = ["reactor", "cli", "main"];

/// What speaks with clients in values alone: no dialect has a name there.
const SPEECHLESS: [&str; 3] = ["shard", "broker", "engine"];

/// The dialects, which are the folders of `dialect`.
fn dialects() -> Vec<String> {
    let entries = fs::read_dir("src/dialect").expect("the directory can be read").flatten();
    let folders = entries.filter(|entry| entry.path().is_dir());
    folders.map(|folder| folder.file_name().to_string_lossy().into_owned()).collect()
}

/// The ways in which a file can name a dialect.
fn names_of(dialect: &str) -> [String; 3] {
    let (first, rest) = dialect.split_at(1);
    [
        format!("{dialect} ::"),
        format!("dialect :: {dialect}"),
        format!("Dialect :: {}{rest}", first.to_uppercase()),
    ]
}

fn floor(module: &str) -> Option<usize> {
    FLOORS.iter().position(|floor| floor.iter().any(|name| name == module))
}

/// What is wrong with an import, if anything is.
fn judge(from: &str, to: &str) -> Option<String> {
    let Some(here) = floor(from) else {
        return Some(format!("`{from}` has no floor: give it one in ARCHITECTURE.md"));
    };
    // A name at the root of the crate is the library's public interface, which belongs to the top floor.
    let there = floor(to).unwrap_or(FLOORS.len() - 1);
    if there > here {
        return Some(format!("floor {here} (`{from}`) imports floor {there} (`{to}`)"));
    }
    STRANGERS.contains(&(from, to)).then(|| format!("`{from}` must not know `{to}`"))
}

/// Everything that is wrong with one file.
fn faults(path: &Path, text: &str) -> Vec<String> {
    let source = Source::read(path, text);
    let module = source.module().to_owned();
    let at = |what: String| format!("{}: {what}", path.display());
    let mut faults: Vec<String> =
        source.uses().iter().filter_map(|Use(to)| judge(&module, to)).map(at).collect();
    if !OUTSIDERS.contains(&module.as_str()) {
        let seen = OUTSIDE.iter().filter(|tokens| source.has(tokens));
        faults.extend(seen.map(|tokens| at(format!("`{tokens}` is for the reactor alone"))));
    }
    if SPEECHLESS.contains(&module.as_str()) {
        let named = dialects()
            .into_iter()
            .filter(|dialect| names_of(dialect).iter().any(|tokens| source.has(tokens)));
        faults.extend(named.map(|dialect| at(format!("the dialect `{dialect}` is named"))));
    }
    let lines = text.lines().count();
    if lines > LINES {
        faults.push(at(format!("{lines} lines are more than one noun")));
    }
    faults
}

/// All Rust files below `directory`.
fn files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).expect("the directory can be read").flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

#[test]
fn the_floors_are_kept() {
    let sources = files(Path::new("src"));
    assert!(sources.len() > 60, "only {} files were found", sources.len());
    let faults: Vec<String> = sources
        .iter()
        .flat_map(|path| {
            let inside = path.strip_prefix("src").expect("it is below src");
            faults(inside, &fs::read_to_string(path).expect("the file can be read"))
        })
        .collect();
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn every_name_on_a_floor_is_a_module() {
    assert_eq!(FLOORS.len(), 6, "{FLOORS:?}");
    let is_there = |name: &&String| {
        Path::new("src").join(name).is_dir() || Path::new("src").join(name).with_extension("rs").is_file()
    };
    let gone: Vec<_> = FLOORS.iter().flatten().filter(|name| !is_there(name)).collect();
    assert!(gone.is_empty(), "{gone:?}");
    let mut names: Vec<_> = FLOORS.iter().flatten().collect();
    names.sort();
    assert!(names.is_sorted_by(|one, next| one < next), "a module is on one floor: {names:?}");
}

#[test]
fn tests_are_one_noun_a_file_too() {
    let long =
        |path: &PathBuf| fs::read_to_string(path).expect("the file can be read").lines().count() > LINES;
    let long: Vec<_> = files(Path::new("tests")).into_iter().filter(long).collect();
    assert!(long.is_empty(), "more than {LINES} lines: {long:?}");
}

/// The packages from which `package` is built, itself and those of its tests included, by Cargo's lock file.
fn built_from(package: &str) -> BTreeSet<String> {
    let lock: toml::Table =
        fs::read_to_string("Cargo.lock").expect("it is there").parse().expect("it is TOML");
    let needs = |package: &str| {
        let all = lock["package"].as_array().expect("a list of packages").iter();
        let versions = all.filter(|one| one["name"].as_str() == Some(package));
        let needs = versions.filter_map(|one| one.get("dependencies")?.as_array()).flatten();
        // A package with two versions is named with its version.
        needs.filter_map(|need| need.as_str()?.split(' ').next()).map(str::to_owned).collect::<Vec<_>>()
    };
    let (mut found, mut next) = (BTreeSet::new(), vec![package.to_owned()]);
    while let Some(package) = next.pop() {
        if !found.contains(&package) {
            next.extend(needs(&package));
            found.insert(package);
        }
    }
    found
}

/// A program that embeds the server chooses its runtime, or has none.
#[test]
fn there_is_no_async_runtime_in_the_tree() {
    let tree = built_from("switchboard");
    assert!(tree.contains("mio") && tree.len() > 50, "{tree:?}");
    let runtimes =
        ["tokio", "async-std", "smol", "async-executor", "async-io", "futures-executor", "monoio", "glommio"];
    let found: Vec<_> = runtimes.iter().filter(|runtime| tree.contains(**runtime)).collect();
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn every_way_to_import_is_seen() {
    for text in [
        "use crate::shard::Shard;",
        "use crate::{shard::Shard, time::Tick};",
        "use crate::{time::Tick, shard};",
        "pub(crate) use crate::shard::*;",
        "use crate::shard as s;",
        "fn f() -> crate::shard::Shard { todo!() }",
        "fn f() { assert!(matches!(x, crate::shard::X)); }",
        "type A = Vec<Box<dyn Fn(&crate::shard::Shard)>>;",
        "impl crate::shard::Trait for A {}",
        "#[derive(A)] struct A { #[serde(with = \"x\")] b: crate::shard::B }",
        "use super::super::shard::Shard;",
        "use super::super::{time, shard::Shard};",
        "mod tests { use super::super::super::shard::Shard; }",
        "mod tests { mod deep { fn f() { crate::shard::f(); } } }",
        "use ::switchboard::shard::Shard;",
    ] {
        let faults = faults(Path::new("broker/lane.rs"), text);
        assert_eq!(faults, ["broker/lane.rs: floor 2 (`broker`) imports floor 3 (`shard`)"], "{text}");
    }
}

#[test]
fn what_is_no_import_is_none() {
    for text in [
        "// use crate::shard::Shard;",
        "/// See [`crate::shard::Shard`].\nstruct A;",
        "const A: &str = \"crate::shard\";",
        "use crate::time::Tick;",
        "use super::shard::X; // broker::shard, if there were one",
        "use self::shard::X;",
        "mod tests { use super::shard::X; }",
        "use std::shard::X;",
    ] {
        assert_eq!(faults(Path::new("broker/lane.rs"), text), [""; 0], "{text}");
    }
}

#[test]
fn every_law_can_be_broken() {
    for (path, text, fault) in [
        ("time.rs", "use crate::http::Head;", "floor 0 (`time`) imports floor 1 (`http`)"),
        ("http/head.rs", "use crate::broker::home::Home;", "floor 1 (`http`) imports floor 2 (`broker`)"),
        ("broker/mod.rs", "use crate::ws::frame;", "`broker` must not know `ws`"),
        ("broker/mod.rs", "use crate::http::Head;", "`broker` must not know `http`"),
        ("ws/handshake.rs", "use crate::http::Head;", "`ws` must not know `http`"),
        ("shard/mod.rs", "use crate::reactor::Inbox;", "floor 3 (`shard`) imports floor 4 (`reactor`)"),
        ("reactor/turn.rs", "use crate::config::read;", "floor 4 (`reactor`) imports floor 5 (`config`)"),
        ("shard/mod.rs", "use crate::Handle;", "floor 3 (`shard`) imports floor 5 (`Handle`)"),
        ("attic.rs", "use crate::time::Tick;", "`attic` has no floor: give it one in ARCHITECTURE.md"),
        ("shard/mod.rs", "use mio::Token;", "`mio ::` is for the reactor alone"),
        ("server.rs", "use std::net::{IpAddr, TcpListener};", "`TcpListener` is for the reactor alone"),
        ("broker/home.rs", "fn f() { Instant::now(); }", "`Instant :: now` is for the reactor alone"),
        (
            "api/body.rs",
            "fn f() { std::time::SystemTime::now(); }",
            "`SystemTime :: now` is for the reactor alone",
        ),
        ("shard/reply.rs", "use crate::dialect::native::event;", "the dialect `native` is named"),
        (
            "shard/reply.rs",
            "use crate::dialect::{told, raw}; fn f() { raw::X; }",
            "the dialect `raw` is named",
        ),
        ("shard/tests/users.rs", "fn f() { raw::X; }", "the dialect `raw` is named"),
        ("engine/local.rs", "const A: Dialect = Dialect::Echo;", "the dialect `echo` is named"),
        ("id.rs", &"\n".repeat(LINES + 1), "451 lines are more than one noun"),
    ] {
        assert_eq!(faults(Path::new(path), text), [format!("{path}: {fault}")], "{text}");
    }
    for (path, text) in [
        ("reactor/clock.rs", "use mio::Token; fn f() { Instant::now(); }"),
        ("main.rs", "use switchboard::shard::Shard;"),
        ("engine/local.rs", "use crate::dialect::kept;"),
        ("shard/reply.rs", "use crate::dialect::Dialect; fn f(echo: bool) { Space::Raw; }"),
        ("session/mod.rs", "use crate::dialect::native::event;"),
        ("config/mod.rs", "use crate::settings::Settings; use crate::reactor::X;"),
    ] {
        assert_eq!(faults(Path::new(path), text), [""; 0], "{text}");
    }
}
