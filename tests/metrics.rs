//! What is counted about keys (feature `metrics`).

mod support;

use std::collections::BTreeMap;

use metrics_util::debugging::{DebugValue, DebuggingRecorder};
use portcullis::RejectionKind;
use support::keys::Key;
use support::simulated_as::{Reply, SimulatedAs, kind, lasting_token};

#[test]
fn attempts_keys_and_unknown_keys_are_counted_by_issuer() {
    let recorder = DebuggingRecorder::new();
    let counted = recorder.snapshotter();
    // The runtime has one thread, so the recorder of this one hears all.
    metrics::with_local_recorder(&recorder, || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (key, forged) = (Key::new("k1"), Key::new("k2"));
            // Where there are no keys at all, none is called unknown.
            let without_keys = SimulatedAs::new(|_| Reply::Unreachable).server();
            let refused = kind(&without_keys, &lasting_token(&key)).await;
            assert_eq!(refused, Some(RejectionKind::KeysUnavailable));

            let fake = SimulatedAs::publishing(key.jwks());
            let server = fake.server();
            server.load_keys().await.unwrap();
            assert_eq!(kind(&server, &lasting_token(&key)).await, None);
            for _ in 0..3 {
                let refused = kind(&server, &lasting_token(&forged)).await;
                assert_eq!(refused, Some(RejectionKind::UnknownKey));
            }
            fake.answer_with(|_| Reply::Unreachable);
            server.load_keys().await.unwrap_err();
        });
    });
    let mut seen = BTreeMap::new();
    for (key, _, _, value) in counted.snapshot().into_vec() {
        let (name, labels) = key.key().clone().into_parts();
        let labels: Vec<_> =
            labels.iter().map(|label| format!("{}={}", label.key(), label.value())).collect();
        seen.insert(format!("{} {}", name.as_str(), labels.join(" ")), value);
    }
    let fetches = "portcullis_jwks_fetches_total issuer=https://as.example outcome";
    assert_eq!(seen[&format!("{fetches}=changed")], DebugValue::Counter(1));
    // For the first of the unknown keys.
    assert_eq!(seen[&format!("{fetches}=unchanged")], DebugValue::Counter(1));
    assert_eq!(seen[&format!("{fetches}=failed")], DebugValue::Counter(2));
    let of = |name: &str| &seen[&format!("portcullis_{name} issuer=https://as.example")];
    assert_eq!(*of("jwks_keys"), DebugValue::Gauge(1.0.into()));
    assert_eq!(*of("unknown_keys_total"), DebugValue::Counter(3));
    let DebugValue::Histogram(durations) = of("jwks_fetch_duration_seconds") else { panic!() };
    assert_eq!(durations.len(), 4);
    let DebugValue::Gauge(last) = of("jwks_last_success_timestamp_seconds") else { panic!() };
    assert!(last.into_inner() >= support::keys::now() as f64 - 60.0);
    assert_eq!(seen.len(), 7, "{:?}", seen.keys());
}
