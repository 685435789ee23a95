mod decisions;
mod faults;
mod routing;
mod warnings;

use super::Rules;

fn rules(text: &str) -> Rules {
    Rules::parse(text).unwrap_or_else(|faults| panic!("{faults:?}\n{text}"))
}

/// The faults of a file, one line each.
fn faults(text: &str) -> Vec<String> {
    match Rules::parse(text) {
        Ok(_) => Vec::new(),
        Err(faults) => faults.iter().map(ToString::to_string).collect(),
    }
}
