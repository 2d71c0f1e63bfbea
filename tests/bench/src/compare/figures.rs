//! Computes medians, percentiles and ratios of samples.

use std::collections::BTreeMap;

use serde::Serialize;

use super::measure::Sample;

/// Returns the nearest-rank percentile; `None` without values.
pub fn percentile(values: &[f64], percent: f64) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (percent / 100.0 * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.max(1) - 1).copied()
}

/// Returns the middle value, or the mean of the two middle values; `None` without values.
pub fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let upper = *sorted.get(sorted.len() / 2)?;
    let lower = *sorted.get((sorted.len() - 1) / 2)?;
    Some(f64::midpoint(lower, upper))
}

/// Returns the median of the ratios of all rounds. In a slow round, both values are larger, but their ratio stays the
/// same.
pub fn ratio(of: &[f64], to: &[f64]) -> Option<f64> {
    let ratios = of.iter().zip(to).filter(|(_, to)| **to > 0.0);
    median(&ratios.map(|(of, to)| of / to).collect::<Vec<_>>())
}

impl Sample {
    /// Returns the duration of init and the first event.
    pub fn cold_ms(&self) -> f64 {
        self.init_ms + self.first_ms
    }

    pub fn median_warm_ms(&self) -> f64 {
        median(&self.warm_ms).unwrap_or(f64::NAN)
    }
}

/// The figures of a case. Unless stated otherwise, a figure is the median over the rounds.
#[derive(Debug, Clone, Serialize)]
pub struct Figures {
    /// The time from the start of the process to its first request for an event.
    pub init_ms: f64,
    pub first_ms: f64,
    /// The sum of the durations of init and of the first event of the same process.
    pub cold_ms: f64,
    /// The median over the warm events of all rounds.
    pub warm_p50_ms: f64,
    /// The 99th percentile over the warm events of all rounds.
    pub warm_p99_ms: f64,
    /// The mean CPU time of a round's warm events.
    pub cpu_us: f64,
    /// The resident memory after the first event, in MB.
    pub memory_mb: f64,
    /// The number of calls of a warm event, by operation.
    pub calls: BTreeMap<String, f64>,
    /// The number of connections that a process opens.
    pub connections: f64,
    pub rounds: usize,
}

impl Figures {
    /// Returns `None` without samples.
    pub fn of(samples: &[Sample]) -> Option<Self> {
        let of = |value: fn(&Sample) -> f64| median(&samples.iter().map(value).collect::<Vec<_>>());
        let warm: Vec<f64> = samples
            .iter()
            .flat_map(|sample| sample.warm_ms.clone())
            .collect();
        Some(Self {
            init_ms: of(|sample| sample.init_ms)?,
            first_ms: of(|sample| sample.first_ms)?,
            cold_ms: of(Sample::cold_ms)?,
            warm_p50_ms: percentile(&warm, 50.0)?,
            warm_p99_ms: percentile(&warm, 99.0)?,
            cpu_us: of(|sample| sample.cpu_us)?,
            memory_mb: of(|sample| sample.memory_mb)?,
            calls: calls(samples),
            connections: of(|sample| sample.connections as f64)?,
            rounds: samples.len(),
        })
    }
}

fn calls(samples: &[Sample]) -> BTreeMap<String, f64> {
    let events: usize = samples.iter().map(|sample| sample.warm_ms.len()).sum();
    let mut calls = BTreeMap::<&String, u64>::new();
    for (name, count) in samples.iter().flat_map(|sample| &sample.calls) {
        *calls.entry(name).or_default() += count;
    }
    let each = calls.into_iter();
    each.map(|(name, count)| (name.clone(), count as f64 / events as f64))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_a_measured_value() {
        let values: Vec<f64> = (1..=200).rev().map(f64::from).collect();
        assert_eq!(percentile(&values, 50.0), Some(100.0));
        assert_eq!(percentile(&values, 99.0), Some(198.0));
        assert_eq!(percentile(&values, 100.0), Some(200.0));
        assert_eq!(percentile(&[7.0], 1.0), Some(7.0));
        assert_eq!(percentile(&[], 50.0), None);
    }

    #[test]
    fn a_median_is_the_middle_value_or_the_mean_of_the_two_middle_values() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!(median(&[]), None);
    }

    #[test]
    fn a_slow_round_does_not_change_a_ratio() {
        assert_eq!(ratio(&[1.0, 10.0, 1.2], &[2.0, 20.0, 2.4]), Some(0.5));
        assert_eq!(ratio(&[1.0], &[0.0]), None);
    }

    #[test]
    fn figures_include_all_rounds() {
        let sample = |init_ms, warm: &[f64], count| Sample {
            init_ms,
            warm_ms: warm.into(),
            calls: [("GetItem".to_owned(), count)].into(),
            ..Sample::with_first_ms(1.0)
        };
        let samples = [sample(2.0, &[1.0, 2.0], 2), sample(4.0, &[3.0, 4.0], 4)];
        let figures = Figures::of(&samples).unwrap();
        assert_eq!((figures.init_ms, figures.cold_ms), (3.0, 4.0));
        assert_eq!((figures.warm_p50_ms, figures.warm_p99_ms), (2.0, 4.0));
        assert_eq!(figures.calls["GetItem"], 1.5);
        assert!(Figures::of(&[]).is_none());
    }
}
