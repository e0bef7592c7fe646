//! Whether two samples are from one distribution, and how small a difference would have shown.

/// A generator for shuffles and bootstraps (SplitMix64): the same run after run.
pub struct Dice(pub u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// A number below `bound`.
    pub fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.roll() % (bound.max(1) as u64)).unwrap_or(0)
    }

    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}

/// The value below which `percent` of a sorted sample lie.
pub fn quantile(sorted: &[f64], percent: usize) -> f64 {
    let at = (sorted.len() * percent / 100).min(sorted.len().saturating_sub(1));
    sorted.get(at).copied().unwrap_or(f64::NAN)
}

/// Two-sided p of the Mann–Whitney U test, by the normal approximation with the correction for ties: small when one
/// sample tends to be larger.
pub fn mann_whitney(one: &[f64], other: &[f64]) -> f64 {
    let mut all: Vec<(f64, bool)> = one.iter().map(|value| (*value, true)).collect();
    all.extend(other.iter().map(|value| (*value, false)));
    all.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut ranks, mut ties) = (0.0, 0.0);
    let mut before = 0.0;
    for equal in all.chunk_by(|a, b| a.0 == b.0) {
        let count = equal.len() as f64;
        let mine = equal.iter().filter(|(_, first)| *first).count() as f64;
        ranks += mine * (before + (count + 1.0) / 2.0);
        ties += count.powi(3) - count;
        before += count;
    }
    let (n, m) = (one.len() as f64, other.len() as f64);
    let u = ranks - n * (n + 1.0) / 2.0;
    let total = n + m;
    let variance = n * m / 12.0 * (total + 1.0 - ties / (total * (total - 1.0)));
    let distance = ((u - n * m / 2.0).abs() - 0.5).max(0.0);
    2.0 * upper_tail(distance / variance.sqrt())
}

/// p of the two-sample Kolmogorov–Smirnov test (asymptotic): small when the distributions differ anywhere.
pub fn kolmogorov_smirnov(one: &[f64], other: &[f64]) -> f64 {
    let (mut i, mut j) = (0, 0);
    let mut widest = 0.0_f64;
    let (n, m) = (one.len() as f64, other.len() as f64);
    while let (Some(a), Some(b)) = (one.get(i), other.get(j)) {
        let value = a.min(*b);
        while one.get(i).is_some_and(|next| *next <= value) {
            i += 1;
        }
        while other.get(j).is_some_and(|next| *next <= value) {
            j += 1;
        }
        widest = widest.max((i as f64 / n - j as f64 / m).abs());
    }
    let root = (n * m / (n + m)).sqrt();
    let lambda = (root + 0.12 + 0.11 / root) * widest;
    if lambda < 0.3 {
        return 1.0;
    }
    let term = |k: i32| {
        let sign = if k % 2 == 1 { 2.0 } else { -2.0 };
        sign * (-2.0 * f64::from(k * k) * lambda * lambda).exp()
    };
    (1..=100).map(term).sum::<f64>().clamp(0.0, 1.0)
}

/// The middle 95 % of the difference of medians, resampled `rounds` times.
pub fn median_difference(one: &[f64], other: &[f64], rounds: usize, dice: &mut Dice) -> [f64; 2] {
    let mut resampled = |sample: &[f64]| {
        let mut drawn: Vec<f64> = (0..sample.len())
            .filter_map(|_| sample.get(dice.below(sample.len())).copied())
            .collect();
        drawn.sort_by(f64::total_cmp);
        quantile(&drawn, 50)
    };
    let mut differences: Vec<f64> = (0..rounds)
        .map(|_| resampled(one) - resampled(other))
        .collect();
    differences.sort_by(f64::total_cmp);
    let at = |part: f64| {
        let index = (differences.len() as f64 * part) as usize;
        differences.get(index).copied().unwrap_or(f64::NAN)
    };
    [at(0.025), at(0.975)]
}

/// The chance that a standard normal value is above `z` (Abramowitz and Stegun 26.2.17).
fn upper_tail(z: f64) -> f64 {
    let t = 1.0 / (1.0 + 0.231_641_9 * z);
    let series = t
        * (0.319_381_530
            + t * (-0.356_563_782
                + t * (1.781_477_937 + t * (-1.821_255_978 + t * 1.330_274_429))));
    (-z * z / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt() * series
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(dice: &mut Dice, shift: f64) -> Vec<f64> {
        let mut values: Vec<f64> = (0..400)
            .map(|_| (0..12).map(|_| dice.below(1_000) as f64).sum::<f64>() + shift)
            .collect();
        values.sort_by(f64::total_cmp);
        values
    }

    #[test]
    fn known_values() {
        assert!((upper_tail(1.96) - 0.025).abs() < 1e-4);
        // scipy.stats.mannwhitneyu([1, 2, 3, 4, 5], [4, 5, 6, 7, 8], method="asymptotic").pvalue is 0.0356.
        let p = mann_whitney(&[1., 2., 3., 4., 5.], &[4., 5., 6., 7., 8.]);
        assert!((p - 0.0356).abs() < 1e-3, "{p}");
        assert!(mann_whitney(&[1., 2.], &[1., 2.]) > 0.9);
        assert!(kolmogorov_smirnov(&[1., 2., 3.], &[1., 2., 3.]) > 0.99);
    }

    #[test]
    fn a_shift_shows_and_none_does_not() {
        let mut dice = Dice(7);
        let (one, same) = (sample(&mut dice, 0.0), sample(&mut dice, 0.0));
        let other = sample(&mut dice, 800.0);
        assert!(mann_whitney(&one, &same) > 0.01);
        assert!(kolmogorov_smirnov(&one, &same) > 0.01);
        assert!(mann_whitney(&one, &other) < 1e-4);
        assert!(kolmogorov_smirnov(&one, &other) < 1e-4);
        let [low, high] = median_difference(&one, &same, 500, &mut dice);
        assert!(low < 0.0 && 0.0 < high);
        let [low, high] = median_difference(&other, &one, 500, &mut dice);
        assert!(low > 400.0 && high < 1_200.0);
    }
}
