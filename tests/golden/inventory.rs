//! Every code that `docs/protocol.md` names is in a transcript.

use std::fs;
use std::path::Path;

/// Codes that no peer ever gets, and why.
const EXCEPTIONS: [(&str, &str); 2] = [
    ("] 1005", "it stands for a close frame without a code"),
    ("] 1006", "it stands for an end without a close frame"),
];

/// The rows of the tables below a heading of the protocol's document, cell by cell.
fn rows(heading: &str) -> Vec<Vec<String>> {
    let document = include_str!("../../docs/protocol.md");
    let (_, section) = document.split_once(&format!("\n{heading}\n")).expect("the document has this heading");
    let level = heading.split(' ').next().unwrap_or_default();
    let end = |line: &&str| {
        line.starts_with('#') && line.split(' ').next().is_some_and(|own| own.len() <= level.len())
    };
    let lines = section.lines().take_while(|line| !end(line)).filter_map(|line| line.strip_prefix("| "));
    lines.map(|line| line.split(" | ").map(str::to_owned).collect()).collect()
}

/// The words in code marks.
fn marked(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

/// Everything that a transcript must have.
fn wanted() -> Vec<String> {
    let mut wanted = Vec::new();
    for row in rows("### Errors").iter().skip(1) {
        wanted.extend(marked(&row[0]).iter().map(|code| format!("\"code\":\"{code}\"")));
    }
    for row in rows("### What HTTP refuses") {
        if row[0].parse::<u16>().is_ok() {
            wanted.push(format!("HTTP/1.1 {} ", row[0]));
            wanted.extend(marked(&row[1]).iter().map(|code| format!("\"code\":\"{code}\"")));
        }
    }
    for row in rows("## How a connection ends") {
        for code in row[0].split(", ").filter(|code| code.parse::<u16>().is_ok()) {
            let reasons = marked(&row[1]);
            wanted
                .extend(reasons.iter().map(|reason| format!("] {code} {}", reason.replace(" N ", " {n} "))));
            wanted.extend(reasons.is_empty().then(|| format!("] {code}")));
        }
    }
    wanted
}

#[test]
fn every_code_of_the_protocol_is_in_a_transcript() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let areas = fs::read_dir(root).expect("it can be read").flatten().filter(|entry| entry.path().is_dir());
    let files = areas.flat_map(|area| fs::read_dir(area.path()).expect("it can be read").flatten());
    let read = |entry: fs::DirEntry| fs::read_to_string(entry.path()).expect("a transcript is text");
    let all: String = files.map(read).collect();
    let wanted = wanted();
    assert!(wanted.len() > 60, "only {} codes were found in the document", wanted.len());
    let is_missing = |code: &&String| !all.contains(code.as_str());
    let missing: Vec<_> = wanted.iter().filter(is_missing).map(String::as_str).collect();
    assert_eq!(missing, EXCEPTIONS.map(|(code, _)| code), "codes without a transcript, and the exceptions");
}
