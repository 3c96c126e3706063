//! Instructions and allocations of the server for one operation, without the kernel. A busy machine gives the same
//! figures as an idle one. Without arguments each shape runs twice under valgrind, and the difference is printed.

#[path = "../house.rs"]
mod house;
mod shape;
mod valgrind;

use shape::SHAPES;
use valgrind::Cost;

/// Operations of the short run and of the long one. The setup is in both.
const RUNS: [u32; 2] = [100, 1_100];

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [name, rounds] if rounds.parse::<u32>().is_ok() => {
            shape::run(name, rounds.parse().unwrap_or_default());
        }
        _ if args.iter().any(|arg| arg == "--bench") => table(&args),
        // `cargo test` only checks that everything still runs.
        _ => SHAPES.iter().for_each(|name| shape::run(name, 2)),
    }
}

/// Measures the shapes whose names contain one of the words in `args`, or all.
fn table(args: &[String]) {
    let words: Vec<&String> = args.iter().filter(|arg| !arg.starts_with('-')).collect();
    let wanted = |name: &str| words.is_empty() || words.iter().any(|word| name.contains(word.as_str()));
    println!("{:<24} {:>14} {:>12}", "one operation", "instructions", "allocations");
    for name in SHAPES.into_iter().filter(|name| wanted(name)) {
        let [short, long] = RUNS.map(|rounds| Cost::of(name, rounds));
        let each = |short: u64, long: u64| (long - short) as f64 / f64::from(RUNS[1] - RUNS[0]);
        let (instructions, allocations) =
            (each(short.instructions, long.instructions), each(short.allocations, long.allocations));
        println!("{name:<24} {instructions:>14.0} {allocations:>12.2}");
    }
}
