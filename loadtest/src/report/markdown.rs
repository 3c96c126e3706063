//! Replaces the tables of a Markdown file, between their markers, by what was measured.
//!
//! A block is `<!-- measured: NAME -->` to `<!-- /measured -->`. NAME is a shape's, or `summary` for the table of all
//! shapes, or `machine`.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use crate::compare::Compared;
use crate::compare::shapes::Goal;
use crate::compare::shards::Scaling;
use crate::compare::table::{Row, Table};
use crate::machine::Machine;
use crate::target::Family;

const END: &str = "<!-- /measured -->";

/// Replaces every block of the file for which there is a measurement. The summary is replaced only when `complete`: a run
/// of some shapes must not remove the others from it.
///
/// # Errors
///
/// The file cannot be read or written, or has no block for anything that was measured.
pub(crate) fn write(path: &Path, compared: &[Compared], complete: bool) -> Result<()> {
    let mut text = fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?;
    let tables: Vec<(&str, Table)> = compared.iter().map(|one| (one.shape.name, Table::of(one))).collect();
    let mut replaced = 0;
    let mut replace = |name: &str, block: &str| {
        if let Some(new) = with_block(&text, name, block) {
            text = new;
            replaced += 1;
        }
    };
    for (name, table) in &tables {
        replace(name, &shape(table));
    }
    if complete {
        let tables: Vec<&Table> = tables.iter().map(|(_, table)| table).collect();
        replace("summary", &summary(&tables));
    }
    replace("machine", &format!("{}\n", Machine::here()));
    ensure!(replaced > 0, "{} has no `<!-- measured: NAME -->` block for what was measured", path.display());
    fs::write(path, text).with_context(|| format!("{} cannot be written", path.display()))
}

/// Replaces the block `shards` by the figures for each number of shards.
///
/// # Errors
///
/// As [`write()`]'s.
pub(crate) fn write_shards(path: &Path, scaled: &[Compared]) -> Result<()> {
    let text = fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?;
    let scalings: Vec<Scaling> = scaled.iter().map(Scaling::of).collect();
    let new = with_block(&text, "shards", &shards(&scalings));
    let new = new.with_context(|| format!("{} has no `<!-- measured: shards -->` block", path.display()))?;
    fs::write(path, new).with_context(|| format!("{} cannot be written", path.display()))
}

fn shards(scalings: &[Scaling]) -> String {
    let mut text = "| shape | server | messages a second | low to high | times the first | µs of server CPU a delivery |\n\
                    | --- | --- | ---: | ---: | ---: | ---: |\n"
        .to_owned();
    for scaling in scalings {
        for row in &scaling.rows {
            let number = |value: Option<f64>| value.map_or(String::new(), figure);
            let spread =
                row.rate.map_or(String::new(), |rate| format!("{:.0} to {:.0}", rate.low, rate.high));
            let (rate, more, cost) =
                (number(row.rate.map(|rate| rate.median)), number(row.more), number(row.cost));
            text.push_str(&format!(
                "| {} | {} | {rate} | {spread} | {more} | {cost} |\n",
                scaling.title, row.name
            ));
        }
    }
    for scaling in scalings {
        if let Some(bound) = scaling.bound() {
            text.push_str(&format!("\n{}, {bound}.\n", scaling.title));
        }
    }
    text
}

/// The text with the named block's content replaced; `None` where there is no such block.
fn with_block(text: &str, name: &str, content: &str) -> Option<String> {
    let marker = format!("<!-- measured: {name} -->\n");
    let start = text.find(&marker)? + marker.len();
    let end = start + text[start..].find(END)?;
    Some(format!("{}\n{content}\n{}", &text[..start], &text[end..]))
}

/// The table of one shape, with its goals below it.
fn shape(table: &Table) -> String {
    let mut text =
        format!("| | {} | low to high | of the best tokio peer | p50 | p99 |\n", table.cost.unit());
    text.push_str("| --- | ---: | ---: | ---: | ---: | ---: |\n");
    for row in &table.rows {
        let spread =
            row.cost.map_or(String::new(), |cost| format!("{} to {}", figure(cost.low), figure(cost.high)));
        let latency = |value: Option<f64>| value.map_or(String::new(), crate::progress::micros);
        text.push_str(&format!(
            "| {} | {} | {spread} | {} | {} | {} |\n",
            row.name,
            cost(row),
            row.of_tokio.map_or(String::new(), |share| format!("{share:.2}")),
            latency(row.p50),
            latency(row.p99)
        ));
    }
    for verdict in &table.verdicts {
        text.push_str(&format!("\n{verdict}.\n"));
    }
    text
}

/// One row a shape, one column a target.
fn summary(tables: &[&Table]) -> String {
    let mut names: Vec<&str> = Vec::new();
    for row in tables.iter().flat_map(|table| &table.rows) {
        if !names.contains(&row.name.as_str()) {
            names.push(&row.name);
        }
    }
    let mut text = format!("| shape | unit | {} | ratio | to reach |\n", names.join(" | "));
    text.push_str(&format!("| --- | --- |{} ---: | ---: |\n", " ---: |".repeat(names.len())));
    for table in tables {
        let of = |name: &&str| table.rows.iter().find(|row| row.name == *name).map_or(String::new(), cost);
        let costs: Vec<String> = names.iter().map(of).collect();
        let (reached, goals): (Vec<String>, Vec<String>) =
            table.verdicts.iter().map(|verdict| (figure(verdict.reached), goal(verdict.goal))).unzip();
        let unit = table.cost.unit();
        text.push_str(&format!(
            "| {} | {unit} | {} | {} | {} |\n",
            table.title,
            costs.join(" | "),
            reached.join(", "),
            goals.join(", ")
        ));
    }
    text
}

fn goal(goal: Goal) -> String {
    match goal {
        Goal::Share(Family::Floor, share) => format!("{share:.2} of the floor"),
        Goal::Share(_, share) => format!("{share:.2} of tokio"),
        Goal::AtMost(most) => figure(most),
    }
}

fn cost(row: &Row) -> String {
    row.cost.map_or(String::new(), |cost| figure(cost.median))
}

/// About three significant digits.
fn figure(value: f64) -> String {
    let digits = match value.abs() {
        value if value >= 100.0 => 0,
        value if value >= 10.0 => 1,
        _ => 2,
    };
    format!("{value:.digits$}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::shapes;
    use crate::outcome::tests::outcome;
    use crate::target;

    fn compared() -> Compared {
        let targets = target::all(None).expect("known");
        let find = |name| target::find(&targets, name).expect("known");
        Compared {
            shape: shapes::chosen(&["room-1000".to_owned()]).expect("known").remove(0),
            targets: vec![find("switchboard"), find("floor"), find("tokio-tungstenite")],
            outcomes: vec![
                vec![outcome(1_000, 0.003)],
                vec![outcome(1_000, 0.0029)],
                vec![outcome(1_000, 0.004)],
            ],
            failures: Vec::new(),
        }
    }

    #[test]
    fn a_block_is_replaced_and_the_rest_stays() {
        let text =
            "a\n<!-- measured: x -->\nold\n<!-- /measured -->\nb\n<!-- measured: y -->\n<!-- /measured -->\n";
        let new = with_block(text, "x", "new").expect("there");
        assert_eq!(
            new,
            "a\n<!-- measured: x -->\n\nnew\n<!-- /measured -->\nb\n<!-- measured: y -->\n<!-- /measured -->\n"
        );
        assert_eq!(with_block(&new, "x", "new"), Some(new.clone()));
        assert_eq!(with_block(text, "z", "new"), None);
    }

    #[test]
    fn the_table_of_a_shape() {
        let text = shape(&Table::of(&compared()));
        assert!(text.contains("| switchboard | 3.00 | 3.00 to 3.00 | 0.75 |"), "{text}");
        assert!(text.contains("0.75 of the best tokio peer, to reach 0.82: reached."), "{text}");
        assert!(text.contains("1.03 of the floor, to reach 1.06: reached."), "{text}");
    }

    #[test]
    fn the_summary_has_a_column_a_target() {
        let text = summary(&[&Table::of(&compared())]);
        assert!(
            text.starts_with(
                "| shape | unit | switchboard | floor | tokio-tungstenite | ratio | to reach |\n"
            )
        );
        assert!(
            text.contains("| 3.00 | 2.90 | 4.00 | 0.75, 1.03 | 0.82 of tokio, 1.06 of the floor |"),
            "{text}"
        );
    }

    #[test]
    fn a_file_without_markers_is_refused() {
        let path = std::env::temp_dir().join(format!("loadtest-markdown-{}", std::process::id()));
        fs::write(&path, "# Nothing\n").expect("written");
        assert!(write(&path, &[compared()], false).is_err());
        fs::write(&path, "<!-- measured: room-1000 -->\n<!-- /measured -->\n").expect("written");
        assert!(write(&path, &[compared()], false).is_ok());
        assert!(fs::read_to_string(&path).expect("read").contains("| floor | 2.90 |"));
        fs::remove_file(&path).expect("removed");
    }
}
