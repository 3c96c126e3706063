//! One HTML file with everything in it: it needs no other file and no network, and can be printed.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::plot::{Axis, Series, bars, lines, nines};
use crate::compare::Compared;
use crate::compare::shards::Scaling;
use crate::compare::table::{Row, Table};
use crate::machine::Machine;
use crate::outcome::Outcome;
use crate::progress::micros;

const STYLE: &str = "
body { font: 1rem/1.5 system-ui, sans-serif; color: #111; max-width: 56rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.7rem } h2 { font-size: 1.25rem; margin-top: 2.5rem } h3 { font-size: 1rem; margin: 1.4rem 0 .3rem }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; font-size: .92rem }
th, td { text-align: right; padding: .25rem .5rem; border-bottom: 1px solid #ddd; white-space: nowrap } th { white-space: normal } th:first-child, td:first-child { text-align: left }
svg { max-width: 100%; height: auto; display: block } figure { margin: 1rem 0; break-inside: avoid }
figcaption { font-size: .9rem; color: #444 } .note { font-size: .9rem; color: #633 }
.met { color: #06623b } .missed { color: #a11 } dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1.2rem }
dd { margin: 0 } h2, h3, thead { break-after: avoid } table, p { break-inside: avoid }
@media screen and (prefers-color-scheme: dark) {
  :root { color-scheme: dark } body { color: #ddd; background: #16181c } th, td { border-color: #444 }
  svg { filter: invert(.9) hue-rotate(180deg) } figcaption { color: #aaa } .note { color: #d9a9a9 }
  .met { color: #6cc79a } .missed { color: #f08080 }
}
@media print { @page { margin: 15mm } html { font-size: 11px } body { margin: 0; padding: 0; max-width: none } h2 { margin-top: 1.5rem } svg { max-width: 85% } }
";

/// Writes `index.html` with the page of a single run.
pub(crate) fn write_run(directory: &Path, outcome: &Outcome) -> Result<()> {
    let title = format!("{} against {}", outcome.scenario, outcome.target);
    write(directory, &page(&title, &html! { (run_figures(outcome)) (plots(std::slice::from_ref(outcome))?) }))
}

/// Writes `index.html` with the page of a comparison.
pub(crate) fn write_comparison(directory: &Path, compared: &[Compared]) -> Result<()> {
    let mut body = Vec::new();
    for one in compared {
        let table = Table::of(one);
        // The middle run stands for its target.
        let runs: Vec<Outcome> =
            one.outcomes.iter().filter_map(|runs| middle(runs, |run| table.cost.of(run))).collect();
        let costs: Vec<(String, f64)> =
            table.rows.iter().filter_map(|row| Some((row.name.clone(), row.cost?.median))).collect();
        body.push(html! {
            h2 { (table.title) }
            (rows(&table))
            (figure(&bars(table.cost.unit(), &costs)?, "What it costs, beside each peer: medians, less is better."))
            (plots(&runs)?)
        });
    }
    write(directory, &page("Switchboard beside its peers", &html! { @for part in &body { (part) } }))
}

/// Writes `index.html` with the page of several numbers of shards.
pub(crate) fn write_shards(directory: &Path, scaled: &[Compared]) -> Result<()> {
    let parts: Vec<Markup> = scaled.iter().map(|one| scaling(&Scaling::of(one))).collect();
    write(directory, &page("Switchboard with several shards", &html! { @for part in &parts { (part) } }))
}

fn scaling(scaling: &Scaling) -> Markup {
    let number = |value: Option<f64>, digits: usize| {
        value.map_or("–".to_owned(), |value| format!("{value:.digits$}"))
    };
    html! {
        h2 { (scaling.title) }
        table {
            thead { tr {
                th { "server" } th { "messages/s" } th { "low – high" } th { "times the first" }
                th { "µs of server CPU a delivery" } th { "cores of the server" } th { "of the load" }
            } }
            tbody { @for row in &scaling.rows { tr {
                td { (row.name) }
                td { (number(row.rate.map(|rate| rate.median), 0)) }
                td { (number(row.rate.map(|rate| rate.low), 0)) " – " (number(row.rate.map(|rate| rate.high), 0)) }
                td { (number(row.more, 2)) } td { (number(row.cost, 3)) }
                td { (number(row.server, 2)) } td { (number(row.load, 2)) }
            } } }
        }
        @for note in scaling.bound().iter().chain(&scaling.notes) { p class="note" { (note) } }
    }
}

/// The run with the median figure, or the next above it.
fn middle(runs: &[Outcome], figure: impl Fn(&Outcome) -> Option<f64>) -> Option<Outcome> {
    let mut sorted: Vec<&Outcome> = runs.iter().collect();
    sorted.sort_by(|a, b| figure(a).unwrap_or(0.0).total_cmp(&figure(b).unwrap_or(0.0)));
    sorted.get(sorted.len() / 2).map(|run| (*run).clone())
}

fn write(directory: &Path, page: &Markup) -> Result<()> {
    fs::create_dir_all(directory).with_context(|| format!("{} cannot be made", directory.display()))?;
    let path = directory.join("index.html");
    fs::write(&path, page.0.as_bytes()).with_context(|| format!("{} cannot be written", path.display()))
}

fn page(title: &str, body: &Markup) -> Markup {
    let machine = Machine::here();
    html! {
        (DOCTYPE)
        html lang="en" {
            head { meta charset="utf-8"; title { (title) } style { (PreEscaped(STYLE)) } }
            body {
                h1 { (title) }
                p { (machine.to_string()) }
                (body)
            }
        }
    }
}

fn run_figures(outcome: &Outcome) -> Markup {
    let optional = |value: Option<f64>, unit: &str| value.map(|value| format!("{value:.3} {unit}"));
    let latency = outcome.latency.as_ref();
    let figures = [
        ("Connections", Some(outcome.connections.to_string())),
        ("Measured", Some(format!("{:.2} s", outcome.seconds))),
        ("Delivered", Some(format!("{} ({:.0} a second)", outcome.delivered, outcome.rate()))),
        ("Server CPU a delivery", optional(outcome.cpu_per_delivery(), "µs")),
        ("Memory a connection", optional(outcome.memory_per_connection(), "KiB")),
        ("Latency p50", latency.map(|latency| micros(latency.p50))),
        ("Latency p99", latency.map(|latency| micros(latency.p99))),
        ("Latency p99.9", latency.map(|latency| micros(latency.p999))),
        ("Latency, longest", latency.map(|latency| micros(latency.max))),
    ];
    html! {
        dl {
            @for (name, value) in figures { @if let Some(value) = value { dt { (name) } dd { (value) } } }
            @for fact in &outcome.facts { dt { (fact.name) } dd { (fact.text()) } }
        }
        @for finding in &outcome.findings {
            p class=(if finding.holds == Some(false) { "missed" } else { "met" }) { (finding.word()) ": " (finding.sentence) }
        }
        @for warning in &outcome.warnings { p class="note" { "Warning: " (warning) } }
    }
}

fn rows(table: &Table) -> Markup {
    let number = |value: Option<f64>, digits: usize| {
        value.map_or("–".to_owned(), |value| format!("{value:.digits$}"))
    };
    let row = |row: &Row| {
        html! {
            tr {
                td { (row.name) }
                td { (number(row.cost.map(|cost| cost.median), 3)) }
                td { (number(row.cost.map(|cost| cost.low), 3)) " – " (number(row.cost.map(|cost| cost.high), 3)) }
                td { (number(row.of_tokio, 2)) }
                td { (format!("{:.0}", row.rate)) }
                td { (row.p50.map_or("–".to_owned(), micros)) }
                td { (row.p99.map_or("–".to_owned(), micros)) }
                td { (row.runs) }
            }
        }
    };
    html! {
        table {
            thead { tr {
                th { "target" } th { (table.cost.unit()) } th { "low – high" } th { "of the best tokio" }
                th { "messages/s" } th { "p50" } th { "p99" } th { "runs" }
            } }
            tbody { @for one in &table.rows { (row(one)) } }
        }
        @for verdict in &table.verdicts {
            p class=(if verdict.holds() { "met" } else { "missed" }) { (verdict.to_string()) }
        }
        @for note in &table.notes { p class="note" { (note) } }
    }
}

fn plots(runs: &[Outcome]) -> Result<Markup> {
    let series = |points: fn(&Outcome) -> Vec<(f64, f64)>| -> Vec<Series> {
        let all = runs.iter().map(|run| Series { name: run.target.clone(), points: points(run) });
        all.filter(|series| series.points.len() > 1).collect()
    };
    let seconds = Axis::Number("seconds");
    let p99 =
        series(|run| run.timeline.iter().filter(|point| point.p99 > 0.0).map(|p| (p.at, p.p99)).collect());
    let quantiles = series(|run| {
        let latency = run.latency.iter().flat_map(|latency| &latency.quantiles);
        latency.map(|(quantile, micros)| (nines(*quantile), *micros)).collect()
    });
    let rate = series(|run| run.timeline.iter().filter(|p| p.rate > 0.0).map(|p| (p.at, p.rate)).collect());
    let memory = series(|run| {
        run.memory
            .iter()
            .map(|memory| (memory.connections as f64, memory.bytes as f64 / 1_048_576.0))
            .collect()
    });
    Ok(html! {
        (figure(&lines(seconds, Axis::Latency, &p99)?, "Latency over time: the 99th percentile of each quarter second."))
        (figure(&lines(Axis::Nines, Axis::Latency, &quantiles)?, "Latency by percentile."))
        (figure(&lines(seconds, Axis::Number("messages a second"), &rate)?, "Throughput."))
        (figure(&lines(Axis::Number("connections"), Axis::Number("MiB"), &memory)?, "Memory against connections."))
    })
}

/// A plot with its caption; empty if there is nothing to show.
fn figure(svg: &str, caption: &str) -> Markup {
    html! { @if !svg.is_empty() { figure { (PreEscaped(svg)) figcaption { (caption) } } } }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::meter::Point;
    use crate::outcome::tests::outcome;

    #[test]
    fn a_page_stands_alone_and_escapes() {
        let mut run = outcome(100, 0.1);
        run.target = "<mine>".to_owned();
        run.timeline = (1..4).map(|at| Point { at: f64::from(at), rate: 10.0, p50: 1.0, p99: 2.0 }).collect();
        let page = page(
            "a & b",
            &html! { (run_figures(&run)) (plots(&[run.clone(), run.clone()]).expect("drawn")) },
        )
        .0;
        assert!(page.contains("a &amp; b") && page.contains("&lt;mine&gt;") && !page.contains("<mine>"));
        assert!(page.contains("<svg") && page.contains("Latency over time"));
        assert!(!page.contains("<script") && !page.contains("<link") && !page.contains("src="));
    }

    #[test]
    fn the_run_in_the_middle() {
        let runs = [outcome(100, 0.3), outcome(100, 0.1), outcome(100, 0.2)];
        let found = middle(&runs, Outcome::cpu_per_delivery).expect("three runs");
        assert_eq!(found.server_cpu, Some(0.2));
        assert!(middle(&[], Outcome::cpu_per_delivery).is_none());
    }
}
