//! How requests have ended, in the last minutes and since the start.

use std::time::Duration;

use tokio::time::Instant;

use super::super::html::Html;
use super::super::shown::Count;
use super::meaning::{class_name, meaning};
use super::section;
use crate::sidecar::telemetry::{Class, Counts, Outcome, Telemetry};

/// What the columns are about.
struct Columns {
    /// The last five and the last fifteen minutes, and all.
    counts: [Counts; 3],
}

const MINUTE: Duration = Duration::from_secs(60);

pub(super) fn sections(html: &mut Html, telemetry: &Telemetry, now: Instant) {
    let reading = telemetry.read();
    let in_last = |minutes| telemetry.since(MINUTE * minutes, &reading.requests, now);
    let columns = Columns { counts: [in_last(5), in_last(15), reading.requests.clone()] };
    section(html, "Requests", |html| {
        columns.table(html, "Outcome", |html| {
            for class in Class::ALL {
                columns.row(
                    html,
                    |counts| counts.of_class(class),
                    |html| {
                        html.text(class_name(class));
                    },
                );
            }
        });
        let in_flight = Count(reading.in_flight as u64);
        html.line("p", format_args!("{in_flight} in flight now."));
    });
    section(html, "What went wrong", |html| columns.refusals(html));
}

impl Columns {
    fn table(&self, html: &mut Html, first: &'static str, rows: impl FnOnce(&mut Html)) {
        html.element("table class=counts", |html| {
            html.element("thead", |html| {
                html.element("tr", |html| {
                    html.line("th scope=col", first);
                    for title in ["5 min", "15 min", "Since start"] {
                        html.line("th scope=col class=number", title);
                    }
                });
            });
            html.element("tbody", rows);
        });
    }

    fn row(&self, html: &mut Html, count: impl Fn(&Counts) -> u64, title: impl FnOnce(&mut Html)) {
        html.element("tr", |html| {
            html.element("th scope=row", title);
            for counts in &self.counts {
                html.line("td class=number", Count(count(counts)));
            }
        });
    }

    /// Those that there were, the most frequent of the last minutes first.
    fn refusals(&self, html: &mut Html) {
        let number = |outcome: Outcome| self.counts.each_ref().map(|counts| counts.of(outcome));
        let [_, _, all] = &self.counts;
        let mut reasons: Vec<_> = Outcome::all()
            .filter_map(|outcome| Some((outcome, outcome.reason()?, meaning(outcome)?)))
            .filter(|(outcome, ..)| all.of(*outcome) > 0)
            .collect();
        reasons.sort_by_key(|(outcome, ..)| std::cmp::Reverse(number(*outcome)));
        if reasons.is_empty() {
            html.line("p", "Nothing since the start.");
            return;
        }
        self.table(html, "Reason", |html| {
            for (outcome, reason, meaning) in reasons {
                self.row(
                    html,
                    |counts| counts.of(outcome),
                    |html| {
                        html.line("code", reason);
                        html.line("span class=meaning", meaning);
                    },
                );
            }
        });
    }
}
