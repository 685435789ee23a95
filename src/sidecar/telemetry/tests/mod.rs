mod strict;

use std::collections::BTreeMap;
use std::thread;
use std::time::Duration;

use proptest::prelude::*;
use tokio::time::Instant;

use self::strict::Exposition;
use super::*;
use crate::authentication::Issuer;
use crate::introspection::Introspection;
use crate::jose::Algorithm;
use crate::rejection_kind::RejectionKind;

fn server() -> ResourceServer {
    let keys = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;
    let issuer = Issuer::with_jwks("https://as.example", keys)
        .algorithms([Algorithm::EdDSA])
        .audience("https://api.example");
    ResourceServer::builder().issuer(issuer).build().unwrap()
}

fn scrape(telemetry: &Telemetry, reloads: &Reloads) -> Exposition {
    let text = exposition(telemetry, reloads, Dialect::OpenMetrics).unwrap();
    Exposition::parse(&text).unwrap_or_else(|fault| panic!("{fault}\n{text}"))
}

fn requests(scraped: &Exposition, outcome: Outcome) -> f64 {
    let reason = outcome.reason().unwrap_or_default();
    let labels = [("outcome", outcome.name()), ("reason", reason)];
    scraped.value("portcullis_requests_total", &labels)
}

#[test]
fn what_is_recorded_on_any_thread_is_counted_once() {
    let telemetry = Telemetry::new(server());
    let outcomes: Vec<_> = Outcome::all().collect();
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for (times, outcome) in outcomes.iter().enumerate() {
                    for _ in 0..times {
                        telemetry.record(*outcome, Duration::from_millis(3));
                    }
                }
            });
        }
    });
    let scraped = scrape(&telemetry, &Reloads::default());
    let reading = telemetry.read();
    for (times, outcome) in outcomes.iter().enumerate() {
        assert_eq!(reading.requests.of(*outcome), 4 * times as u64);
        assert_eq!(requests(&scraped, *outcome), (4 * times) as f64);
    }
    for class in Class::ALL {
        let labels = [("outcome", class.name())];
        let count = scraped.value("portcullis_request_duration_seconds_count", &labels);
        let sum = scraped.value("portcullis_request_duration_seconds_sum", &labels);
        assert_eq!(count, reading.requests.of_class(class) as f64);
        assert!((sum - count * 0.003).abs() < 1e-9, "{sum}");
    }
    for kind in UpstreamFailure::ALL {
        let labels = [("kind", kind.name())];
        let count = scraped.value("portcullis_upstream_errors_total", &labels);
        assert_eq!(count, requests(&scraped, Outcome::UpstreamFailed(kind)));
    }
}

#[test]
fn requests_in_flight_are_counted_until_they_end_on_whatever_thread() {
    let telemetry = Telemetry::new(server());
    let in_flight = || {
        let scraped = scrape(&telemetry, &Reloads::default());
        scraped.value("portcullis_requests_in_flight", &[])
    };
    assert_eq!(in_flight(), 0.0);
    let mut open: Vec<_> = (0..3).map(|_| telemetry.in_flight()).collect();
    thread::scope(|scope| {
        let other = scope.spawn(|| telemetry.in_flight());
        open.push(other.join().unwrap());
    });
    assert_eq!(in_flight(), 4.0);
    let moved = open.pop();
    thread::scope(|scope| {
        let first = open.pop();
        scope.spawn(move || drop(first));
    });
    assert_eq!(in_flight(), 3.0);
    drop((open, moved));
    assert_eq!(in_flight(), 0.0);
}

#[test]
fn everything_that_is_promised_is_there() {
    let telemetry = Telemetry::new(server());
    let reloads = Reloads {
        rules: Some(Watched::new("no rules")),
        certificate: Some(Watched::new("localhost")),
    };
    let rules = reloads.rules.as_ref().unwrap();
    (0..2).for_each(|_| rules.loaded("2 rules"));
    rules.failed("line 7");
    let scraped = scrape(&telemetry, &reloads);
    let issuer = ("issuer", "https://as.example");
    assert_eq!(scraped.value("portcullis_jwks_keys", &[issuer]), 1.0);
    for outcome in ["changed", "unchanged", "failed"] {
        let labels = [issuer, ("outcome", outcome)];
        assert!(scraped.find("portcullis_jwks_fetches_total", &labels).is_some(), "{outcome}");
    }
    for (labels, value) in [("good", 2.0), ("failed", 1.0)] {
        let labels = [("outcome", labels)];
        assert_eq!(scraped.value("portcullis_rules_reloads_total", &labels), value);
        assert_eq!(scraped.value("portcullis_tls_reloads_total", &labels), 0.0);
    }
    for name in ["hits_total", "misses_total", "entries"] {
        assert_eq!(scraped.value(&format!("portcullis_token_cache_{name}"), &[]), 0.0);
    }
    let version = [("version", env!("CARGO_PKG_VERSION"))];
    assert_eq!(scraped.value("portcullis_build_info", &version), 1.0);
    assert!(scraped.value("process_start_time_seconds", &[]) > 1.7e9);
    #[cfg(target_os = "linux")]
    assert!(scraped.value("process_resident_memory_bytes", &[]) > 1e6);
}

#[test]
fn what_is_not_configured_is_not_told_of() {
    let issuer = Issuer::discover("https://as.example").audience("https://api.example");
    let server = ResourceServer::builder().issuer(issuer).token_cache(0).build().unwrap();
    let text = exposition(&Telemetry::new(server), &Reloads::default(), Dialect::OpenMetrics);
    let text = text.unwrap();
    for name in ["token_cache", "rules_reloads", "tls_reloads"] {
        assert!(!text.contains(name), "{name}");
    }
    // Keys that were never had have no age.
    assert!(!text.contains("portcullis_jwks_age_seconds{"), "{text}");
    assert!(text.contains("portcullis_jwks_keys{issuer=\"https://as.example\"} 0\n"), "{text}");
}

/// An alert that looks for issuers without keys must not find those that need none.
#[test]
fn keys_that_nobody_needs_are_not_missing() {
    let ask = Introspection::at("https://as.example/introspect").basic("api", "secret");
    let introspected = Issuer::introspected("https://as.example", ask);
    let family = Issuer::matching("https://*.id.example").max_live(2);
    for issuer in [introspected, family] {
        let issuer = issuer.audience("https://api.example");
        let server = ResourceServer::builder().issuer(issuer).build().unwrap();
        let text = exposition(&Telemetry::new(server), &Reloads::default(), Dialect::OpenMetrics);
        let text = text.unwrap();
        assert!(!text.contains("portcullis_jwks_keys{"), "{text}");
        assert!(!text.contains("portcullis_jwks_age_seconds{"), "{text}");
    }
}

/// No token, subject or path can get in, as the only words that are not ours are issuers.
#[test]
fn labels_are_words_of_this_program_and_names_of_issuers() {
    let telemetry = Telemetry::new(server());
    Outcome::all().for_each(|outcome| telemetry.record(outcome, Duration::ZERO));
    let mut values = BTreeMap::<String, Vec<String>>::new();
    for sample in scrape(&telemetry, &Reloads::default()).samples {
        for (name, value) in sample.labels {
            values.entry(name).or_default().push(value);
        }
    }
    let names: Vec<_> = values.keys().map(String::as_str).collect();
    assert_eq!(names, ["issuer", "kind", "le", "outcome", "reason", "version"]);
    assert!(values["issuer"].iter().all(|value| value == "https://as.example"));
    for name in ["kind", "outcome", "reason"] {
        let is_word = |value: &String| value.chars().all(|c| c.is_ascii_lowercase() || c == '_');
        assert!(values[name].iter().all(is_word), "{:?}", values[name]);
    }
}

#[test]
fn both_dialects_say_the_same() {
    let telemetry = Telemetry::new(server());
    telemetry.record(Outcome::Refused(RejectionKind::Expired), Duration::from_millis(1));
    let reloads = Reloads { rules: Some(Watched::new("1 rule")), certificate: None };
    let text = exposition(&telemetry, &reloads, Dialect::Prometheus).unwrap();
    assert!(text.contains("# TYPE portcullis_requests_total counter\n"), "{text}");
    assert!(!text.contains("# EOF"));
    let samples = |text: &str| text.lines().filter(|line| !line.starts_with('#')).count();
    let open_metrics = exposition(&telemetry, &reloads, Dialect::OpenMetrics).unwrap();
    assert_eq!(samples(&text), samples(&open_metrics));
}

#[test]
fn the_last_minutes_are_told_apart_from_what_was_before() {
    let telemetry = Telemetry::new(server());
    let (start, minute) = (Instant::now(), Duration::from_secs(60));
    let expired = Outcome::Refused(RejectionKind::Expired);
    let in_last = |ago, now| {
        let counts = telemetry.read().requests;
        telemetry.since(ago, &counts, now).of(expired)
    };
    for _ in 0..5 {
        telemetry.record(expired, Duration::ZERO);
    }
    // Before there is any sample, all of it is recent.
    assert_eq!(in_last(minute, start), 5);
    telemetry.sample(start);
    telemetry.record(expired, Duration::ZERO);
    assert_eq!(in_last(minute, start + minute / 2), 6);
    assert_eq!(in_last(minute, start + minute), 1);
    telemetry.sample(start + minute);
    assert_eq!(in_last(minute, start + minute * 2), 0);
    assert_eq!(in_last(minute * 2, start + minute * 2), 1);
}

proptest! {
    /// Whatever an issuer is called, what is written can be read, and says the same.
    #[test]
    fn label_values_are_escaped(name in "\\PC{0,40}|[\"\\\\\n{},= ]{0,10}") {
        let mut registry = prometheus_client::registry::Registry::default();
        registry.register_collector(Box::new(strict::Named(name.clone())));
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
        let parsed = Exposition::parse(&text).unwrap();
        prop_assert_eq!(parsed.value("named", &[("name", &name)]), 1.0);
    }
}

#[test]
fn the_parser_of_these_tests_is_strict() {
    let good = "# HELP a x\n# TYPE a counter\na_total{b=\"c\"} 1\n# EOF\n";
    assert!(Exposition::parse(good).is_ok());
    for (from, to) in [
        ("# EOF\n", ""),
        ("# EOF\n", "# EOF"),
        ("# HELP a x\n", ""),
        ("# HELP a x\n", "# HELP a x\n# HELP a x\n"),
        ("# TYPE a counter\n", "# TYPE a counter\n# TYPE a counter\n"),
        ("# TYPE a counter\n", ""),
        ("a_total", "a"),
        ("a_total", "b_total"),
        ("b=\"c\"", "b=\"c"),
        ("b=\"c\"", "b=\"\\c\""),
        ("b=\"c\"", "b=\"c\",b=\"d\""),
        ("b=\"c\"", "1=\"c\""),
        ("} 1", "} one"),
        ("} 1", "} -1"),
        ("1\n", "1\na_total{b=\"c\"} 2\n"),
        ("1\n", "1\n\n"),
    ] {
        let bad = good.replacen(from, to, 1);
        assert!(Exposition::parse(&bad).is_err(), "{bad}");
    }
    let histogram = "# HELP h x\n# TYPE h histogram\nh_sum 1.0\nh_count 2\n\
                     h_bucket{le=\"0.1\"} 1\nh_bucket{le=\"+Inf\"} 2\n# EOF\n";
    assert!(Exposition::parse(histogram).is_ok());
    for (from, to) in [
        ("0.1\"} 1", "0.1\"} 3"),
        ("+Inf\"} 2", "+Inf\"} 3"),
        ("le=\"0.1\"", "lt=\"0.1\""),
        ("h_bucket{le=\"+Inf\"} 2\n", ""),
        ("h_count 2\n", ""),
        ("h_sum 1.0\n", ""),
    ] {
        let bad = histogram.replacen(from, to, 1);
        assert!(Exposition::parse(&bad).is_err(), "{bad}");
    }
}
