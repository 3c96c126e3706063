//! What the program is about.

use serde::Serialize;

/// A question and how often each answer was given.
#[derive(Serialize)]
pub struct Poll {
    question: &'static str,
    answers: Vec<Answer>,
}

#[derive(Serialize)]
struct Answer {
    text: &'static str,
    votes: u64,
}

impl Poll {
    /// A poll without votes.
    pub fn new(question: &'static str, answers: &[&'static str]) -> Self {
        let answers = answers.iter().map(|text| Answer { text, votes: 0 }).collect();
        Self { question, answers }
    }

    /// Counts a vote for an answer by its number from 0; false if there is no such answer.
    pub fn vote(&mut self, number: usize) -> bool {
        let answer = self.answers.get_mut(number);
        answer.map(|answer| answer.votes += 1).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn votes_are_counted_where_there_is_an_answer() {
        let mut poll = Poll::new("?", &["yes", "no"]);
        assert!(poll.vote(1));
        assert!(!poll.vote(2));
        let json = r#"{"question":"?","answers":[{"text":"yes","votes":0},{"text":"no","votes":1}]}"#;
        assert_eq!(serde_json::to_string(&poll).unwrap(), json);
    }
}
