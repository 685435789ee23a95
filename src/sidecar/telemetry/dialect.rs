//! The two texts that scrapers read.

use std::collections::HashSet;
use std::fmt::Write as _;

/// A text format for metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sidecar) enum Dialect {
    /// OpenMetrics 1.0.0.
    OpenMetrics,
    /// The older format of Prometheus, 0.0.4, for whoever does not ask for the other.
    Prometheus,
}

impl Dialect {
    /// What an `Accept` field asks for.
    pub(in crate::sidecar) fn accepted(field: &str) -> Self {
        let is_open_metrics = |range: &str| {
            let mut parts = range.split(';').map(str::trim);
            let name = parts.next().unwrap_or_default();
            let is_refused = |parameter: &str| {
                let quality = parameter.strip_prefix("q=").or(parameter.strip_prefix("Q="));
                quality.is_some_and(|quality| quality.parse() == Ok(0.0))
            };
            name.eq_ignore_ascii_case("application/openmetrics-text") && !parts.any(is_refused)
        };
        if field.split(',').any(is_open_metrics) { Self::OpenMetrics } else { Self::Prometheus }
    }

    pub(in crate::sidecar) const fn media_type(self) -> &'static str {
        match self {
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
        }
    }

    /// The same metrics in this dialect.
    pub(super) fn of(self, open_metrics: String) -> String {
        match self {
            Self::OpenMetrics => open_metrics,
            Self::Prometheus => older(&open_metrics),
        }
    }
}

/// In the older format a family of counters has the name of its members, with `_total`, and there
/// is no mark at the end.
fn older(text: &str) -> String {
    let counters: HashSet<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.strip_suffix(" counter"))
        .collect();
    let mut older = String::with_capacity(text.len() + counters.len() * 16);
    for line in text.lines().filter(|line| *line != "# EOF") {
        let described = ["# HELP ", "# TYPE "].into_iter().find_map(|start| {
            let (name, rest) = line.strip_prefix(start)?.split_once(' ')?;
            counters.contains(name).then_some((start, name, rest))
        });
        // Writing to a String does not fail.
        let _ = match described {
            Some((start, name, rest)) => writeln!(older, "{start}{name}_total {rest}"),
            None => writeln!(older, "{line}"),
        };
    }
    older
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_metrics_is_for_those_who_ask_for_it() {
        // What Prometheus 3 sends.
        let prometheus = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,\
             application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.2";
        for (accept, dialect) in [
            (prometheus, Dialect::OpenMetrics),
            ("text/plain, Application/OpenMetrics-Text", Dialect::OpenMetrics),
            ("application/openmetrics-text;q=0", Dialect::Prometheus),
            ("application/openmetrics-text; q=0.000, */*", Dialect::Prometheus),
            ("application/openmetrics-textual", Dialect::Prometheus),
            ("text/plain;version=0.0.4", Dialect::Prometheus),
            ("text/html,*/*;q=0.8", Dialect::Prometheus),
            ("", Dialect::Prometheus),
        ] {
            assert_eq!(Dialect::accepted(accept), dialect, "{accept}");
        }
    }

    #[test]
    fn counters_are_described_by_their_full_name_in_the_older_format() {
        let text = "# HELP a Counts a.\n# TYPE a counter\na_total 1\n\
                    # HELP ab A gauge.\n# TYPE ab gauge\nab 2\n# EOF\n";
        assert_eq!(
            Dialect::Prometheus.of(text.to_owned()),
            "# HELP a_total Counts a.\n# TYPE a_total counter\na_total 1\n\
             # HELP ab A gauge.\n# TYPE ab gauge\nab 2\n"
        );
        assert_eq!(Dialect::OpenMetrics.of(text.to_owned()), text);
    }
}
