//! WILD-01, -02, -03 and -07: vectors, reference implementations, counted steps.

use proptest::prelude::*;

use super::*;
use crate::scope::ScopePattern;

/// SPEC.md §25.6: number, pattern, candidate, expected. `{x^n}` is x repeated n times.
const MATCH_VECTORS: &str = "
V01 read                  read                        match
V02 read                  Read                        no
V03 read                  reads                       no
V04 a.b                   axb                         no
V05 a+b                   aab                         no
V06 a?c                   abc                         no
V07 a?c                   a?c                         match
V08 [ab]                  a                           no
V09 send*                 sendMessage                 match
V10 send*                 send                        match
V11 send*                 SendMessage                 no
V12 send*                 resend                      no
V13 push.application.*    push.application.com.foo    match
V14 push.application.*    push.application.           match
V15 push.application.*    push.application            no
V16 *Message              Message                     match
V17 *Message              Messages                    no
V18 *.write               messages.write              match
V19 *.write               write                       no
V20 a*c                   ac                          match
V21 a*c                   abcbc                       match
V22 a*c                   acb                         no
V23 a*a                   a                           no
V24 ab*ba                 aba                         no
V25 ab*ba                 abba                        match
V26 *a*                   bab                         match
V27 *a*                   b                           no
V28 *a*b*                 xaybz                       match
V29 *a*b*                 xbya                        no
V30 *ab*ab*               aba                         no
V31 *aba*aba*             ababa                       no
V32 *aba*aba*             abaaba                      match
V33 a*b*c                 a.b.b.c                     match
V34 a**b                  ab                          match
V35 **                    x                           match
V36 *                     read                        match
V37 *                     !                           match
V38 *                     a:b/c?d=e&f                 match
V39 *                     *                           match
V40 read                  *                           no
V41 read.*                *                           no
V42 a*                    a*                          match
V43 *.write               *.write                     match
V44 a%2A                  a*                          no
V45 a%2A                  a%2A                        match
V46 a.*.c                 a.b.x.c                     match
V47 a.*.c                 a.c                         no
V48 https://api.example/* https://api.example/users/1 match
V49 urn:x:*:read          urn:x:a:b:read              match
V50 *read                 read.write                  no
V51 read*                 thread                      no
V52 *a*ab                 aab                         match
V53 a*ab                  ab                          no
V54 *aab*                 aaab                        match
V55 *abcab*abd            xabcabcabd                  match
V56 *issip*ss*            mississippi                 no
V57 *iss*ssip*            mississippi                 match
V58 {a*^50}b              {a^5000}                    no
V59 {a*^50}b              {a^5000}b                   match
V60 {*a^100}*             {a^99}                      no
V61 {*a^100}*             {a^100}                     match
V62 *{a^200}b*            {a^5000}                    no
V63 *{a^200}b*            {a^5000}b                   match
V64 {*^250}               {x^5000}                    match
V65 {*^250}y              {x^5000}                    no
V66 *{ab^50}c*{ab^50}d    {ab^2500}                   no
V67 {a^127}*{a^127}       {a^253}                     no
V68 {a^127}*{a^127}       {a^254}                     match
V69 *{a^100}*{a^100}*     {a^199}                     no
V70 *{a^100}*{a^100}*     {a^200}                     match
";

fn rows() -> impl Iterator<Item = (&'static str, String, String, bool)> {
    MATCH_VECTORS.lines().filter(|row| !row.is_empty()).map(|row| {
        let cells: Vec<&str> = row.split_whitespace().collect();
        (row, expand(cells[1]), expand(cells[2]), cells[3] == "match")
    })
}

fn expand(text: &str) -> String {
    let Some((before, rest)) = text.split_once('{') else { return text.into() };
    let (repeat, after) = rest.split_once('}').unwrap();
    let (what, times) = repeat.split_once('^').unwrap();
    before.to_owned() + &what.repeat(times.parse().unwrap()) + &expand(after)
}

#[test]
fn wild_01_wild_02_wild_03_match_vectors_v01_to_v70() {
    assert_eq!(rows().count(), 70);
    for (row, pattern, candidate, expected) in rows() {
        let pattern = ScopePattern::new(&pattern).expect(row);
        assert_eq!(pattern.matches(&candidate), expected, "{row}");
        assert_eq!(reference(pattern.as_str(), &candidate), expected, "{row}: the reference");
    }
}

/// The definition, by dynamic programming: `reached[j]` tells whether what was read of the pattern
/// matches the candidate's first `j` bytes.
fn reference(pattern: &str, candidate: &str) -> bool {
    let candidate = candidate.as_bytes();
    let mut reached = vec![false; candidate.len() + 1];
    reached[0] = true;
    for byte in pattern.bytes() {
        let mut next = vec![false; reached.len()];
        for j in 0..reached.len() {
            next[j] = match byte {
                b'*' => reached[j] || (j > 0 && next[j - 1]),
                _ => j > 0 && reached[j - 1] && candidate[j - 1] == byte,
            };
        }
        reached = next;
    }
    reached[candidate.len()]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn wild_01_matching_agrees_with_the_reference(
        pattern in "[ab*]{0,10}",
        candidate in "[ab*]{0,12}",
    ) {
        prop_assert_eq!(matches(&pattern, &candidate), reference(&pattern, &candidate));
    }

    #[test]
    fn wild_01_a_pattern_whose_stars_are_filled_in_matches(
        pieces in prop::collection::vec("[!-)+-~]{0,40}", 1..6),
        fillings in prop::collection::vec("[!-~]{0,40}", 6),
    ) {
        let mut candidate = pieces[0].clone();
        for (piece, filling) in pieces[1..].iter().zip(&fillings) {
            candidate.push_str(filling);
            candidate.push_str(piece);
        }
        prop_assert!(matches(&pieces.join("*"), &candidate));
    }
}

/// Every string over the letters up to this length.
fn all_strings(letters: &[char], longest: usize) -> Vec<String> {
    let mut all = vec![String::new()];
    let mut start = 0;
    for _ in 0..longest {
        let shorter = all[start..].to_vec();
        start = all.len();
        all.extend(shorter.iter().flat_map(|s| letters.iter().map(move |c| format!("{s}{c}"))));
    }
    all
}

/// Each pattern with the candidates it matches, one bit for each.
fn with_matches(patterns: Vec<String>, candidates: &[String]) -> Vec<(String, Vec<u64>)> {
    let set = |pattern: &str| {
        let bits = |some: &[String]| {
            some.iter().fold(0, |bits, c| bits << 1 | u64::from(reference(pattern, c)))
        };
        candidates.chunks(64).map(bits).collect()
    };
    patterns.into_iter().map(|pattern| (pattern.clone(), set(&pattern))).collect()
}

#[test]
fn overlap_is_exact_on_every_pair_of_short_patterns() {
    // A shortest common string of two patterns is no longer than both together.
    let candidates = all_strings(&['a', 'b'], 8);
    let patterns = with_matches(all_strings(&['a', 'b', '*'], 4), &candidates);
    for (one, of_one) in &patterns {
        for (other, of_other) in &patterns {
            let common = of_one.iter().zip(of_other).any(|(x, y)| x & y != 0);
            assert_eq!(overlap(one, other), common, "{one} and {other}");
        }
    }
}

#[test]
fn three_patterns_have_a_common_string_if_each_two_have() {
    let candidates = all_strings(&['a', 'b'], 9);
    let patterns = with_matches(all_strings(&['a', 'b', '*'], 3), &candidates);
    for (a, of_a) in &patterns {
        for (b, of_b) in &patterns {
            for (c, of_c) in &patterns {
                let pairwise = overlap(a, b) && overlap(b, c) && overlap(a, c);
                let common = of_a.iter().zip(of_b).zip(of_c).any(|((x, y), z)| x & y & z != 0);
                assert_eq!(pairwise, common, "{a}, {b} and {c}");
            }
        }
    }
}

#[test]
fn covering_includes_everything_that_the_other_matches() {
    let candidates = all_strings(&['a', 'b'], 6);
    let patterns = with_matches(all_strings(&['a', 'b', '*'], 4), &candidates);
    for (wide, of_wide) in &patterns {
        for (narrow, of_narrow) in patterns.iter().filter(|(narrow, _)| matches(wide, narrow)) {
            let included = of_narrow.iter().zip(of_wide).all(|(x, y)| x & !y == 0);
            assert!(included, "{wide} covers {narrow}");
        }
    }
}

/// The steps of a match: each end of the pattern and each of its stars looked at, and every
/// comparison of a textbook linear search (Knuth, Morris, Pratt) in place of `memmem`. That one
/// cannot be counted from outside; it promises the same growth for whatever it is handed.
fn steps(pattern: &str, candidate: &str) -> (bool, usize) {
    let mut steps = 2 * pattern.len();
    let matched =
        Cut::of(pattern).matches_with(candidate, |room, piece| search(room, piece, &mut steps));
    (matched, steps)
}

fn search(text: &[u8], piece: &[u8], steps: &mut usize) -> Option<usize> {
    let mut borders = vec![0; piece.len()];
    let mut length = 0;
    for at in 1..piece.len() {
        length = extend(piece, &borders, length, piece[at], steps);
        borders[at] = length;
    }
    length = 0;
    for (at, byte) in text.iter().enumerate() {
        length = extend(piece, &borders, length, *byte, steps);
        if length == piece.len() {
            return Some(at + 1 - length);
        }
    }
    None
}

fn extend(
    piece: &[u8],
    borders: &[usize],
    mut length: usize,
    byte: u8,
    steps: &mut usize,
) -> usize {
    loop {
        *steps += 1;
        if piece[length] == byte {
            return length + 1;
        }
        if length == 0 {
            return 0;
        }
        length = borders[length - 1];
    }
}

#[test]
fn wild_07_steps_are_at_most_four_times_both_lengths() {
    for (row, pattern, candidate, expected) in rows() {
        let (matched, steps) = steps(&pattern, &candidate);
        assert_eq!(matched, expected, "{row}");
        assert!(steps <= 4 * (pattern.len() + candidate.len()), "{row}: {steps} steps");
    }
}

#[test]
fn wild_07_doubling_both_lengths_doubles_the_steps() {
    type Family = fn(usize) -> (String, String);
    let families: [Family; 5] = [
        |n| ("a*".repeat(n) + "b", "a".repeat(2 * n)),
        |n| ("*a".repeat(n) + "*", "a".repeat(n - 1)),
        |n| (format!("*{}b*", "a".repeat(n)), "a".repeat(4 * n)),
        |n| (format!("*{0}c*{0}d", "ab".repeat(n)), "ab".repeat(4 * n) + "d"),
        |n| ("*".repeat(n) + "y", "x".repeat(4 * n)),
    ];
    for (number, family) in families.iter().enumerate() {
        let of_size = |n| {
            let (pattern, candidate) = family(n);
            steps(&pattern, &candidate).1
        };
        let (once, twice) = (of_size(1000), of_size(2000));
        assert!(2 * twice <= 5 * once, "family {number}: {once} steps, then {twice}");
    }
}
