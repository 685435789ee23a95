//! A small and strict reader of OpenMetrics text.

use std::collections::BTreeSet;
use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;

use super::super::families::Families;

/// What was read, in its order.
pub(super) struct Exposition {
    pub(super) samples: Vec<Sample>,
}

pub(super) struct Sample {
    pub(super) name: String,
    pub(super) labels: Vec<(String, String)>,
    pub(super) value: f64,
}

struct Family {
    name: String,
    kind: String,
    samples: Vec<Sample>,
}

/// One gauge with this label.
#[derive(Debug)]
pub(super) struct Named(pub(super) String);

impl Collector for Named {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        Families(encoder).gauges("named", "Has a name.", [([("name", &*self.0)], 1_u64)])
    }
}

type Parsed<T> = Result<T, String>;

impl Exposition {
    pub(super) fn parse(text: &str) -> Parsed<Self> {
        let body = text.strip_suffix("# EOF\n").ok_or("no end")?;
        let mut families: Vec<Family> = Vec::new();
        let mut lines = body.split_terminator('\n').peekable();
        while let Some(line) = lines.next() {
            let (name, help) = described(line, "# HELP ")?;
            if help.is_empty() || families.iter().any(|family| family.name == name) {
                return Err(format!("no help, or the second time: {line}"));
            }
            let (same, kind) = described(lines.next().ok_or("no type")?, "# TYPE ")?;
            if same != name || !["counter", "gauge", "histogram"].contains(&kind) {
                return Err(format!("not the type of {name}: {same} {kind}"));
            }
            let mut samples = Vec::new();
            while let Some(line) = lines.next_if(|line| !line.starts_with('#')) {
                samples.push(Sample::parse(line)?);
            }
            let family = Family { name: name.to_owned(), kind: kind.to_owned(), samples };
            family.check()?;
            families.push(family);
        }
        let samples: Vec<_> = families.into_iter().flat_map(|family| family.samples).collect();
        let ids: BTreeSet<_> = samples.iter().map(|one| (&one.name, &one.labels)).collect();
        if ids.len() != samples.len() {
            return Err("a sample is there twice".to_owned());
        }
        Ok(Self { samples })
    }

    pub(super) fn find(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let is_same = |sample: &&Sample| {
            let of_sample = sample.labels.iter().map(|(name, value)| (&**name, &**value));
            sample.name == name && of_sample.eq(labels.iter().copied())
        };
        self.samples.iter().find(is_same).map(|sample| sample.value)
    }

    pub(super) fn value(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        self.find(name, labels).unwrap_or_else(|| panic!("no {name} {labels:?}"))
    }
}

impl Family {
    fn check(&self) -> Parsed<()> {
        let suffixes: &[&str] = match &*self.kind {
            "counter" => &["_total"],
            "histogram" => &["_bucket", "_count", "_sum"],
            _ => &[""],
        };
        for sample in &self.samples {
            let suffix = sample.name.strip_prefix(&self.name).ok_or("of another family")?;
            if !suffixes.contains(&suffix) {
                return Err(format!("{} in a {}", sample.name, self.kind));
            }
            if sample.value < 0.0 || sample.value.is_nan() {
                return Err(format!("{} is {}", sample.name, sample.value));
            }
        }
        if self.kind == "histogram" { self.check_histograms() } else { Ok(()) }
    }

    /// Sum, count, and then buckets that rise to it, for each set of labels.
    fn check_histograms(&self) -> Parsed<()> {
        let mut samples = self.samples.iter().peekable();
        while let Some(sum) = samples.next() {
            let count = samples.next().ok_or("no count")?;
            if !sum.name.ends_with("_sum") || !count.name.ends_with("_count") {
                return Err("sum or count is missing".to_owned());
            }
            let (mut bound, mut below) = (f64::NEG_INFINITY, 0.0);
            while let Some(bucket) = samples.next_if(|one| one.name.ends_with("_bucket")) {
                let (le, rest) = bucket.labels.split_first().ok_or("no bound")?;
                let next = if le.1 == "+Inf" { f64::INFINITY } else { number(&le.1)? };
                if le.0 != "le" || rest != sum.labels || next <= bound || bucket.value < below {
                    return Err(format!("not the next bucket: {le:?} {}", bucket.value));
                }
                (bound, below) = (next, bucket.value);
            }
            if bound != f64::INFINITY || below != count.value {
                return Err("the buckets do not add up".to_owned());
            }
        }
        Ok(())
    }
}

impl Sample {
    fn parse(line: &str) -> Parsed<Self> {
        let end = line.find(['{', ' ']).ok_or("no value")?;
        let (name, mut rest) = line.split_at(end);
        let mut labels: Vec<(String, String)> = Vec::new();
        if let Some(inside) = rest.strip_prefix('{') {
            rest = inside;
            loop {
                let (label, after) = rest.split_once("=\"").ok_or("no label")?;
                let (value, after) = quoted(after)?;
                if !is_name(label) || labels.iter().any(|(known, _)| known == label) {
                    return Err(format!("no name, or the second time: {label}"));
                }
                labels.push((label.to_owned(), value));
                match after.split_at_checked(1) {
                    Some((",", after)) => rest = after,
                    Some(("}", after)) => {
                        rest = after;
                        break;
                    }
                    _ => return Err(format!("after a label: {after}")),
                }
            }
        }
        let value = number(rest.strip_prefix(' ').ok_or("no space")?)?;
        if !is_name(name) {
            return Err(format!("no name: {name}"));
        }
        Ok(Self { name: name.to_owned(), labels, value })
    }
}

fn described<'a>(line: &'a str, start: &str) -> Parsed<(&'a str, &'a str)> {
    let rest = line.strip_prefix(start).ok_or_else(|| format!("not {start}: {line}"))?;
    let (name, text) = rest.split_once(' ').ok_or("only a name")?;
    if is_name(name) { Ok((name, text)) } else { Err(format!("no name: {name}")) }
}

/// Up to the closing quotation mark, and what is behind it.
fn quoted(text: &str) -> Parsed<(String, &str)> {
    let mut value = String::new();
    let mut chars = text.chars();
    loop {
        match chars.next().ok_or("no end of a value")? {
            '"' => return Ok((value, chars.as_str())),
            '\\' => value.push(match chars.next() {
                Some('n') => '\n',
                Some(plain @ ('"' | '\\')) => plain,
                other => return Err(format!("escaped: {other:?}")),
            }),
            plain => value.push(plain),
        }
    }
}

fn number(text: &str) -> Parsed<f64> {
    text.parse().map_err(|_| format!("no number: {text}"))
}

fn is_name(text: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.chars().all(is_part) && text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
}
