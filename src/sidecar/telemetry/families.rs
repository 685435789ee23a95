//! Metric families, written one after the other.

use std::fmt;

use prometheus_client::encoding::{DescriptorEncoder, EncodeGaugeValue, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;

use super::histogram::{BOUNDS, Durations};

/// Names and values.
type Labels<'a, const N: usize> = [(&'static str, &'a str); N];

/// Writes families. `_total` is added to the names of counters.
pub(super) struct Families<'a>(pub(super) DescriptorEncoder<'a>);

impl Families<'_> {
    pub(super) fn counters<'l, const N: usize>(
        &mut self,
        name: &str,
        help: &str,
        counts: impl IntoIterator<Item = (Labels<'l, N>, u64)>,
    ) -> fmt::Result {
        let mut family = self.0.encode_descriptor(name, help, None, MetricType::Counter)?;
        counts.into_iter().try_for_each(|(labels, count)| {
            with(&mut family, &labels, |metric| {
                metric.encode_counter::<NoLabelSet, _, u64>(&count, None)
            })
        })
    }

    pub(super) fn gauges<'l, const N: usize>(
        &mut self,
        name: &str,
        help: &str,
        values: impl IntoIterator<Item = (Labels<'l, N>, impl EncodeGaugeValue)>,
    ) -> fmt::Result {
        let mut family = self.0.encode_descriptor(name, help, None, MetricType::Gauge)?;
        values.into_iter().try_for_each(|(labels, value)| {
            with(&mut family, &labels, |metric| metric.encode_gauge(&value))
        })
    }

    pub(super) fn histograms<'l, const N: usize>(
        &mut self,
        name: &str,
        help: &str,
        values: impl IntoIterator<Item = (Labels<'l, N>, Durations)>,
    ) -> fmt::Result {
        let mut family = self.0.encode_descriptor(name, help, None, MetricType::Histogram)?;
        values.into_iter().try_for_each(|(labels, durations)| {
            let bounds = BOUNDS.iter().map(|bound| bound.as_secs_f64()).chain([f64::INFINITY]);
            let buckets: Vec<_> = bounds.zip(durations.buckets).collect();
            let count = durations.buckets.iter().sum();
            let sum = durations.total.as_secs_f64();
            with(&mut family, &labels, |metric| {
                metric.encode_histogram::<NoLabelSet>(sum, count, &buckets, None)
            })
        })
    }
}

/// Without labels no braces are written.
fn with<const N: usize>(
    family: &mut MetricEncoder<'_>,
    labels: &Labels<'_, N>,
    write: impl FnOnce(&mut MetricEncoder<'_>) -> fmt::Result,
) -> fmt::Result {
    if labels.is_empty() { write(family) } else { write(&mut family.encode_family(labels)?) }
}
