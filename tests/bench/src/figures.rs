//! What many measurements come to.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::measure::Sample;

/// The value that so many of a hundred are not above (nearest rank); `None` of nothing.
pub fn percentile(values: &[f64], percent: f64) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (percent / 100.0 * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.max(1) - 1).copied()
}

/// The middle one, or the mean of the middle two.
pub fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let upper = *sorted.get(sorted.len() / 2)?;
    let lower = *sorted.get((sorted.len() - 1) / 2)?;
    Some(f64::midpoint(lower, upper))
}

/// The median of the ratios of each round, in which a slow minute of the machine cancels out.
pub fn ratio(of: &[f64], to: &[f64]) -> Option<f64> {
    let ratios = of.iter().zip(to).filter(|(_, to)| **to > 0.0);
    median(&ratios.map(|(of, to)| of / to).collect::<Vec<_>>())
}

/// Something that is measured in each round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// Init and the first event.
    Cold,
    /// The first event.
    First,
    /// The usual later event.
    Warm,
    /// CPU time of a later event.
    Cpu,
}

impl Metric {
    /// Its value in one round.
    pub fn of(self, sample: &Sample) -> f64 {
        match self {
            Self::Cold => sample.init_ms + sample.first_ms,
            Self::First => sample.first_ms,
            Self::Warm => median(&sample.warm_ms).unwrap_or(f64::NAN),
            Self::Cpu => sample.cpu_us,
        }
    }
}

/// What a target has needed for a scenario: medians over all rounds, of later events over all events.
#[derive(Debug, Clone, Serialize)]
pub struct Figures {
    /// From the start of the process to its first asking for an event.
    pub init_ms: f64,
    /// The first event.
    pub first_ms: f64,
    /// Both.
    pub cold_ms: f64,
    /// Later events.
    pub warm_p50_ms: f64,
    /// Those that are slow.
    pub warm_p99_ms: f64,
    /// CPU time of a later event.
    pub cpu_us: f64,
    /// Memory in use after the first event, in MB of a million bytes.
    pub memory_mb: f64,
    /// Calls of a later event, by their name.
    pub calls: BTreeMap<String, f64>,
    /// Connections of a sandbox in all.
    pub connections: f64,
    /// How many rounds there were.
    pub rounds: usize,
}

impl Figures {
    /// Of the samples of all rounds; `None` if there are none.
    pub fn of(samples: &[Sample]) -> Option<Self> {
        let of = |value: fn(&Sample) -> f64| median(&samples.iter().map(value).collect::<Vec<_>>());
        let warm: Vec<f64> = samples
            .iter()
            .flat_map(|sample| sample.warm_ms.clone())
            .collect();
        Some(Self {
            init_ms: of(|sample| sample.init_ms)?,
            first_ms: of(|sample| sample.first_ms)?,
            cold_ms: of(|sample| Metric::Cold.of(sample))?,
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
    fn percentiles_are_values_that_were_measured() {
        let values: Vec<f64> = (1..=200).rev().map(f64::from).collect();
        assert_eq!(percentile(&values, 50.0), Some(100.0));
        assert_eq!(percentile(&values, 99.0), Some(198.0));
        assert_eq!(percentile(&values, 100.0), Some(200.0));
        assert_eq!(percentile(&[7.0], 1.0), Some(7.0));
        assert_eq!(percentile(&[], 50.0), None);
    }

    #[test]
    fn a_median_is_in_the_middle() {
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
    fn figures_are_of_all_rounds() {
        let sample = |init_ms, warm: &[f64], count| Sample {
            init_ms,
            first_ms: 1.0,
            warm_ms: warm.into(),
            cpu_us: 100.0,
            memory_mb: 8.0,
            calls: [("GetItem".to_owned(), count)].into(),
            connections: 3,
        };
        let samples = [sample(2.0, &[1.0, 2.0], 2), sample(4.0, &[3.0, 4.0], 4)];
        let figures = Figures::of(&samples).unwrap();
        assert_eq!((figures.init_ms, figures.cold_ms), (3.0, 4.0));
        assert_eq!((figures.warm_p50_ms, figures.warm_p99_ms), (2.0, 4.0));
        assert_eq!(figures.calls["GetItem"], 1.5);
        assert!(Figures::of(&[]).is_none());
    }
}
