//! Whether history is what was asked for: all of it, or the newest.

use switchboard::position::Position;

use super::event::{self, Event};
use super::plan::Plan;
use super::truth::ensure;
use super::truth::{Truth, Verdict};

/// Judges an answer to `since`. `held` is how many messages the room surely keeps.
pub fn recovered(
    recovered: bool,
    since: Option<Position>,
    end: Position,
    run: Option<(u64, u64)>,
    limit: Option<u64>,
    held: Option<u64>,
    truth: &mut Truth,
) -> Verdict {
    let Some(since) = since else {
        ensure!(!recovered, "recovered since rubbish");
        return Ok(());
    };
    let missed = end.offset.checked_sub(since.offset).filter(|_| since.epoch == end.epoch);
    if recovered {
        truth.count("recovered");
        let missed = missed.ok_or(format!("recovered {since} at {end}"))?;
        let due = missed.min(limit.unwrap_or(u64::MAX));
        let whole = (due > 0).then(|| (since.offset + 1, since.offset + due));
        ensure!(run == whole, "recovered {since} at {end} with {run:?}");
    } else {
        truth.count("not recovered");
        let reached = missed.is_some_and(|missed| held.is_some_and(|held| missed <= held));
        ensure!(!reached, "{since} was not recovered at {end}");
    }
    Ok(())
}

/// Judges a look at history.
pub fn looked(
    event: &Event<'_>,
    room: usize,
    end: Position,
    since: Option<Position>,
    limit: Option<u64>,
    truth: &mut Truth,
    plan: &Plan,
) -> Verdict {
    let run = event::excerpt(&event.messages, room, end, truth, plan)?;
    let held = plan.odds.is_none().then_some(plan.rooms[room].history);
    let last = run.map(|(_, last)| last).or(since.filter(|_| event.recovered).map(|since| since.offset));
    if event.recovered {
        ensure!(since.is_some(), "recovered without since");
        ensure!(event.more == (last < Some(end.offset)), "more is {} at {last:?} of {end}", event.more);
    } else {
        ensure!(
            !event.more && run.is_none_or(|(_, last)| last == end.offset),
            "the newest go to {run:?} of {end}"
        );
    }
    match since {
        Some(since) => recovered(event.recovered, Some(since), end, run, limit, held, truth),
        None => {
            let due = held.map(|held| held.min(end.offset).min(limit.unwrap_or(u64::MAX)));
            let count = event.messages.len() as u64;
            ensure!(due.is_none_or(|due| due == count), "{count} messages where {due:?} were due");
            Ok(())
        }
    }
}
