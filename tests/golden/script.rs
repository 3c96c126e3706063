//! A transcript is also a script: its lines are steps, and `who < …` are the answers to them.

/// One step.
pub(crate) struct Step {
    /// The line.
    pub(crate) line: String,
    /// The answers in the transcript, unchanged.
    pub(crate) recorded: Vec<Answer>,
}

/// A line of an answer.
pub(crate) struct Answer {
    pub(crate) who: String,
    pub(crate) what: String,
}

impl Answer {
    fn read(line: &str) -> Option<Self> {
        let (who, what) = line.split_once(" <")?;
        let is_name = !who.is_empty() && who.bytes().all(|byte| byte.is_ascii_alphanumeric());
        is_name.then(|| Self { who: who.into(), what: what.trim_start().into() })
    }
}

/// Reads a transcript.
pub(crate) fn read(text: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for line in text.lines() {
        match (Answer::read(line), steps.last_mut()) {
            (Some(answer), Some(step)) => step.recorded.push(answer),
            _ => steps.push(Step { line: line.to_owned(), recorded: Vec::new() }),
        }
    }
    steps
}

/// The lines of a transcript as its text. Many equal answers are written once, with their number.
pub(crate) fn without_repeats(lines: &[String]) -> String {
    let mut text = String::new();
    for same in lines.chunk_by(|one, other| one == other) {
        match Answer::read(&same[0]).filter(|_| same.len() > 3) {
            Some(Answer { who, .. }) => {
                text.push_str(&format!("{}\n{who} < {{and {} more of these}}\n", same[0], same.len() - 1));
            }
            None => same.iter().for_each(|line| text.push_str(&format!("{line}\n"))),
        }
    }
    text
}

/// The first word of `text`, and the rest.
pub(crate) fn word(text: &str) -> (&str, &str) {
    text.split_once(' ').unwrap_or((text, ""))
}

/// Takes the fields in front: `[Origin: http://a] [Range: x] rest`.
pub(crate) fn fields(mut text: &str) -> (String, &str) {
    let mut fields = String::new();
    while let Some((field, rest)) = text.strip_prefix('[').and_then(|text| text.split_once("] ")) {
        fields.push_str(field);
        fields.push_str("\r\n");
        text = rest;
    }
    (fields, text)
}

#[test]
fn what_is_said_again_and_again_is_counted() {
    let lines = ["a < x", "a < x", "a < x", "a < x", "a < y", "a < y", "", "", "", ""].map(str::to_owned);
    assert_eq!(without_repeats(&lines), "a < x\na < {and 3 more of these}\na < y\na < y\n\n\n\n\n");
}

#[test]
fn answers_belong_to_what_they_answer() {
    let steps = read("# a comment\na text x < y\na < one\nb < two\na <\n| z < 1\n");
    let lines: Vec<_> = steps.iter().map(|step| (step.line.as_str(), step.recorded.len())).collect();
    assert_eq!(lines, [("# a comment", 0), ("a text x < y", 3), ("| z < 1", 0)]);
    assert_eq!((&*steps[1].recorded[1].who, &*steps[1].recorded[1].what), ("b", "two"));
    assert_eq!(fields("[A: b] [C: d] /x y"), ("A: b\r\nC: d\r\n".to_owned(), "/x y"));
}
