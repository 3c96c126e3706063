//! One order for all: what connections saw of a room, compared with each other.
//!
//! Places tell the order of what is stored in native rooms. This tells it of everything else, too: of raw rooms and of
//! messages that are only for who is there now.

use super::plan::Plan;
use super::truth::ensure;
use super::truth::{Stay, Truth, Verdict};

/// Compares every two stays in each room.
pub fn check(truth: &Truth, plan: &Plan) -> Verdict {
    for (index, stay) in truth.stays.iter().enumerate() {
        publishers(truth, stay)?;
        let at = places(truth, stay)?;
        for other in truth.stays[index + 1..].iter().filter(|other| other.room == stay.room) {
            pair(truth, plan, stay, &at, other)?;
        }
    }
    Ok(())
}

/// What one connection said comes in the order in which it said it.
fn publishers(truth: &Truth, stay: &Stay) -> Verdict {
    let mut last = std::collections::BTreeMap::new();
    // What was tried again may come behind what was said between.
    for &number in stay.seen.iter().filter(|&&number| truth.said[number].tries == 1) {
        let before = last.insert(truth.said[number].conn, number);
        ensure!(before < Some(number), "connection {} saw {number} behind {before:?}", stay.conn);
    }
    Ok(())
}

/// Where in a stay each message is.
fn places(truth: &Truth, stay: &Stay) -> Verdict<Vec<Option<usize>>> {
    let mut at = vec![None; truth.said.len()];
    for (place, &number) in stay.seen.iter().enumerate() {
        ensure!(at[number].is_none(), "connection {} saw message {number} twice", stay.conn);
        at[number] = Some(place);
    }
    Ok(at)
}

/// Two stays have what both saw in one order, and between that only what the other was not to get.
fn pair(truth: &Truth, plan: &Plan, one: &Stay, at: &[Option<usize>], other: &Stay) -> Verdict {
    let complete = !plan.rooms[one.room].skips;
    let both = one.lasts && other.lasts;
    let mut last: Option<usize> = None;
    let mut between = Vec::new();
    for &number in &other.seen {
        let Some(place) = at[number] else {
            between.push(number);
            continue;
        };
        if let Some(last) = last {
            ensure!(place > last, "connections {} and {} disagree on {number}", one.conn, other.conn);
            if complete {
                left_out(truth, one.conn, &between)?;
                left_out(truth, other.conn, &one.seen[last + 1..place])?;
            }
        }
        last = Some(place);
        between.clear();
    }
    if let (Some(last), true) = (last, both && complete) {
        left_out(truth, one.conn, &between)?;
        left_out(truth, other.conn, &one.seen[last + 1..])?;
    }
    Ok(())
}

fn left_out(truth: &Truth, conn: usize, numbers: &[usize]) -> Verdict {
    match numbers.iter().find(|&&number| truth.said[number].excluded != Some(conn)) {
        Some(number) => {
            Err(format!("connection {conn} was not sent message {number}: {:?}", truth.said[*number]))
        }
        None => Ok(()),
    }
}
