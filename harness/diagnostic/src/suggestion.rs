//! Words a misspelled one may have meant.

/// The known word nearest to a misspelled one, if it is near enough to be meant.
pub fn suggest<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if wrong.len() > LONGEST_WORD {
        return None;
    }
    let lower = wrong.to_lowercase();
    known
        .into_iter()
        .map(|word| (distance(&lower, &word.to_lowercase()), word))
        .filter(|(distance, word)| {
            let length = word.chars().count();
            // A word of which nothing is left was not meant.
            *distance <= length.max(3) / 3 && *distance < length
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, word)| word)
}

/// The sentence that offers the nearest word.
pub fn did_you_mean<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    suggest(wrong, known).map(|word| format!("did you mean `{word}`?"))
}

/// Words as a list people read: `a`, `one of a, b, c`; a long list is cut.
pub fn one_of<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let words: Vec<&str> = words.into_iter().collect();
    match words.as_slice() {
        [] => "nothing".to_owned(),
        [word] => (*word).to_owned(),
        words if words.len() > LONGEST_LIST => {
            format!("one of {}, …", words[..LONGEST_LIST].join(", "))
        }
        words => format!("one of {}", words.join(", ")),
    }
}

/// Edits between two words; a different separator or part order of a dotted name counts as one.
fn distance(a: &str, b: &str) -> usize {
    let plain = strsim::damerau_levenshtein(a, b);
    match (a.rsplit_once('.'), b.rsplit_once('.')) {
        (None, Some((_, last))) | (Some((_, last)), None) if last == a || last == b => 1,
        _ if squeeze(a) == squeeze(b) => plain.min(1),
        _ => plain,
    }
}

fn squeeze(word: &str) -> String {
    word.chars().filter(|c| c.is_alphanumeric()).collect()
}

/// Longer ones are no words, and comparing them takes time.
const LONGEST_WORD: usize = 200;
const LONGEST_LIST: usize = 24;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_words_are_found_and_far_ones_are_not() {
        let known = ["unit.ack", "unit.poll", "cloud.ack_answer"];
        assert_eq!(suggest("unit.akc", known), Some("unit.ack"));
        assert_eq!(suggest("ack", known), Some("unit.ack"));
        assert_eq!(suggest("cloud.ackAnswer", known), Some("cloud.ack_answer"));
        assert_eq!(suggest("fault.acted", known), None);
        assert_eq!(suggest("x", ["y", "z"]), None);
        assert_eq!(suggest("b", ["bb", "z"]), Some("bb"));
    }
}
