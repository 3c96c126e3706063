//! Golden transcripts: what the program says, byte for byte, in files that are also scripts.
//!
//! Each file of `tests/golden/*/` is played against the program, and the result must equal the file. `GOLDEN=write cargo
//! test --test golden` writes the result instead; read the diff before you commit it. `tests/golden/README.md` says how
//! to read and write one.

mod harness;

#[path = "golden/difference.rs"]
mod difference;
#[path = "golden/inventory.rs"]
mod inventory;
#[path = "golden/literal.rs"]
mod literal;
#[path = "golden/mask.rs"]
mod mask;
#[path = "golden/peer.rs"]
mod peer;
#[path = "golden/player.rs"]
mod player;
#[path = "golden/script.rs"]
mod script;
#[path = "golden/serving.rs"]
mod serving;
#[path = "golden/speak.rs"]
mod speak;
#[path = "golden/told.rs"]
mod told;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::thread;

use player::{Player, Written};

/// Scripts that are played at once: they wait most of the time.
const AT_ONCE: usize = 6;

/// This line in a script says that it is also true with two shards.
const TWO_SHARDS: &str = "# Holds with two shards as well.";

/// Every transcript of `area`.
fn transcripts(area: &str) -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(area);
    let entries = fs::read_dir(&directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    let mut files: Vec<_> = entries.map(|entry| entry.expect("it can be read").path()).collect();
    files.sort();
    files
}

/// The result of playing `text`.
fn played(name: &str, text: &str, shards: usize) -> Result<String, String> {
    let directory = format!("golden-{}-{name}-{shards}", std::process::id());
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(directory);
    let (written, steps) = (Written::default(), script::read(text));
    let player = Player::new(directory, shards, written.clone());
    let played = thread::scope(|scope| scope.spawn(move || player.play(&steps)).join());
    let written = script::without_repeats(&written.lock().expect("nobody panics with it"));
    let why = |panic: Box<dyn std::any::Any + Send>| {
        let text = panic.downcast_ref::<String>().cloned();
        text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
    };
    played.map(|()| written.clone()).map_err(|panic| {
        let last: Vec<_> = written.lines().rev().take(8).collect();
        format!(
            "{}\nThe last lines were\n{}",
            why(panic),
            last.into_iter().rev().collect::<Vec<_>>().join("\n")
        )
    })
}

/// Plays one transcript, and returns what is different.
fn compare(path: &Path) -> Result<(), String> {
    let text = fs::read_to_string(path).expect("a transcript can be read");
    let (area, name) = (path.parent().and_then(Path::file_name), path.file_stem());
    let name = [area, name].map(|part| part.unwrap_or_default().to_string_lossy().into_owned()).join("-");
    let at = |what: String| format!("{}: {what}", path.display());
    let once = played(&name, &text, 1).map_err(at)?;
    if std::env::var("GOLDEN").is_ok_and(|what| what == "write") {
        fs::write(path, &once).map_err(|error| at(error.to_string()))?;
    } else if once != text {
        let renew = "If that is what you mean: GOLDEN=write cargo test --test golden";
        return Err(at(format!("it says something else\n{}{renew}", difference::unified(&text, &once))));
    }
    if !text.lines().any(|line| line == TWO_SHARDS) {
        return Ok(());
    }
    let again = played(&name, &once, 2).map_err(|why| at(format!("with two shards: {why}")))?;
    if again == once {
        return Ok(());
    }
    Err(at(format!("it says something else with two shards\n{}", difference::unified(&once, &again))))
}

/// Plays all of `area`; fails with everything that is different.
fn check(area: &str) {
    let files = Mutex::new(transcripts(area).into_iter());
    let next = || files.lock().expect("nobody panics with it").next();
    let work = || {
        let mut faults = Vec::new();
        while let Some(file) = next() {
            faults.extend(compare(&file).err());
        }
        faults
    };
    let faults: Vec<String> = thread::scope(|scope| {
        let workers: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("faults are told")).collect()
    });
    assert!(faults.is_empty(), "\n{}", faults.join("\n\n"));
}

#[test]
fn native() {
    check("native");
}

#[test]
fn http() {
    check("http");
}

#[test]
fn streams() {
    check("sse");
}

#[test]
fn raw() {
    check("raw");
}

#[test]
fn closes() {
    check("close");
}

#[test]
fn configurations() {
    check("check");
}

#[test]
fn program() {
    check("program");
}
