//! What is different between two texts, as `diff -u` shows it.

/// Lines that are shown around each difference.
const AROUND: usize = 3;

/// One line: in both, only in the one, or only in the other.
#[derive(Clone, Copy)]
struct Line<'a>(char, &'a str);

/// The difference from `old` to `new`; empty if there is none.
pub(crate) fn unified(old: &str, new: &str) -> String {
    let all = compared(&old.lines().collect::<Vec<_>>(), &new.lines().collect::<Vec<_>>());
    let changed: Vec<_> = (0..all.len()).filter(|at| all[*at].0 != ' ').collect();
    let near = |at: usize| changed.iter().any(|changed| at.abs_diff(*changed) <= AROUND);
    let (mut shown, mut skipped, mut number) = (String::new(), true, 0);
    for (at, Line(mark, text)) in all.iter().enumerate() {
        number += usize::from(*mark != '+');
        if !near(at) {
            skipped = true;
            continue;
        }
        if std::mem::take(&mut skipped) {
            shown.push_str(&format!("@@ line {} @@\n", number.max(1)));
        }
        shown.push_str(&format!("{mark}{text}\n"));
    }
    shown
}

/// By the longest common sequence of lines; transcripts are short.
fn compared<'a>(old: &[&'a str], new: &[&'a str]) -> Vec<Line<'a>> {
    let mut common = vec![vec![0u32; new.len() + 1]; old.len() + 1];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            common[i][j] = if old[i] == new[j] {
                common[i + 1][j + 1] + 1
            } else {
                common[i + 1][j].max(common[i][j + 1])
            };
        }
    }
    let (mut i, mut j, mut lines) = (0, 0, Vec::new());
    while i < old.len() || j < new.len() {
        if i < old.len() && j < new.len() && old[i] == new[j] {
            lines.push(Line(' ', old[i]));
            (i, j) = (i + 1, j + 1);
        } else if j == new.len() || (i < old.len() && common[i + 1][j] >= common[i][j + 1]) {
            lines.push(Line('-', old[i]));
            i += 1;
        } else {
            lines.push(Line('+', new[j]));
            j += 1;
        }
    }
    lines
}

#[test]
fn a_difference_is_shown_with_its_neighbours() {
    let old = "1\n2\n3\n4\n5\n6\n7\n8\n9\n";
    assert_eq!(unified(old, old), "");
    let new = old.replace("6", "six");
    assert_eq!(unified(old, &new), "@@ line 3 @@\n 3\n 4\n 5\n-6\n+six\n 7\n 8\n 9\n");
}
