//! What a client does that behaves the same whatever the server does.

use super::random::Random;

/// One step of a script.
pub enum Step {
    /// Sends these requests in one piece. `{room}` stands for the epoch of a room.
    Send(Vec<String>),
    /// Waits until everything is answered.
    Settle,
}

/// Makes up a script about `rooms`.
pub fn script(rooms: &[String], random: &mut Random) -> Vec<Step> {
    // Knowing every epoch lets later joins resume.
    let mut steps = vec![Step::Send(rooms.iter().map(|room| join(room, "")).collect()), Step::Settle];
    let mut sent = 0;
    for _ in 0..10 + random.below(30) {
        let mut requests = Vec::new();
        for _ in 0..=random.below(4) {
            let room: &String = random.one(rooms);
            requests.push(request(room, sent, random));
            sent += 1;
        }
        steps.push(Step::Send(requests));
    }
    steps.push(Step::Settle);
    steps
}

fn join(room: &str, more: &str) -> String {
    format!("{{\"type\":\"join\",\"room\":\"{room}\"{more}}}")
}

fn request(name: &str, id: usize, random: &mut Random) -> String {
    let offset = random.below(12);
    let room = format!("\"room\":\"{name}\",\"id\":{id}");
    let inbox = format!("\"room\":\"$me\",\"id\":{id}");
    let since = format!("\"since\":\"{{{name}}}:{offset}\"");
    match random.below(24) {
        0 => format!("{{\"type\":\"join\",{room}}}"),
        1 => format!("{{\"type\":\"join\",{room},{since}}}"),
        2 => format!("{{\"type\":\"join\",{room},\"history\":{offset}}}"),
        3 | 4 => format!("{{\"type\":\"leave\",{room}}}"),
        5 => format!("{{\"type\":\"history\",{room},{since},\"limit\":{}}}", random.below(5)),
        6 => format!("{{\"type\":\"history\",{room},\"limit\":{}}}", random.below(5)),
        7 => format!("{{\"type\":\"members\",{room}}}"),
        8 => format!("{{\"type\":\"ping\",\"id\":{id}}}"),
        9 => "{\"type\":\"dance\"}".into(),
        10 => format!("{{\"type\":\"publish\",{room},\"data\":{id},\"store\":false}}"),
        11 => format!("{{\"type\":\"publish\",{room},\"data\":{id},\"echo\":false}}"),
        12 => {
            // Under one of a few keys, so that some are said once and answered often.
            let key = random.below(4);
            format!("{{\"type\":\"publish\",{room},\"data\":[{id}],\"idempotency_key\":\"{key}\"}}")
        }
        13 => format!("{{\"type\":\"join\",{inbox},\"history\":{offset}}}"),
        14 => format!("{{\"type\":\"leave\",{inbox}}}"),
        15 => format!("{{\"type\":\"history\",{inbox},\"limit\":{offset}}}"),
        16 => format!("{{\"type\":\"direct\",\"to\":\"bob\",\"data\":{id},\"id\":{id}}}"),
        17 | 18 => format!("{{\"type\":\"direct\",\"to\":\"ann\",\"data\":{id},\"id\":{id}}}"),
        19 => format!("{{\"type\":\"typing\",{room}}}"),
        _ => format!("{{\"type\":\"publish\",{room},\"data\":[{id}]}}"),
    }
}
