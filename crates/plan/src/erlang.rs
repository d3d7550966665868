//! Erlang's loss formula: how many calls find no line, and how many lines leave few enough without one.

/// More lines than any plan asks for; the search ends here.
pub const MAX_LINES: u64 = 2_000_000;

/// The share of calls that find all `lines` taken when `erlang` of traffic is offered (Erlang B).
pub fn blocking(erlang: f64, lines: u64) -> f64 {
    if erlang <= 0.0 {
        return if lines == 0 { 1.0 } else { 0.0 };
    }
    // 1/B grows by the recursion 1/B(n) = 1 + n/A * 1/B(n-1), which neither overflows early nor cancels.
    let mut inverse = 1.0_f64;
    for line in 1..=lines {
        inverse = 1.0 + line as f64 / erlang * inverse;
        if !inverse.is_finite() {
            return 0.0;
        }
    }
    1.0 / inverse
}

/// The least number of lines at which at most `share` of the calls finds none. Without traffic none is needed.
pub fn lines(erlang: f64, share: f64) -> u64 {
    if erlang <= 0.0 {
        return 0;
    }
    let mut inverse = 1.0_f64;
    for line in 1..=MAX_LINES {
        inverse = 1.0 + line as f64 / erlang * inverse;
        if inverse * share >= 1.0 {
            return line;
        }
    }
    MAX_LINES
}

/// The traffic that `lines` carry when at most `share` of the calls may find none, to a thousandth.
pub fn offered(lines: u64, share: f64) -> f64 {
    let (mut low, mut high) = (0.0_f64, lines as f64 / (1.0 - share).max(0.01) + 1.0);
    while high - low > 0.0005 {
        let middle = f64::midpoint(low, high);
        if blocking(middle, lines) <= share { low = middle } else { high = middle }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocking_is_what_erlangs_tables_say() {
        // Values of any Erlang B table: 1 % at 5 lines carries 1.36 erlang, at 30 lines 20.3, at 100 lines 84.1.
        for (lines, erlang) in [(5, 1.36), (30, 20.34), (100, 84.06)] {
            assert!((offered(lines, 0.01) - erlang).abs() < 0.01, "{lines}");
        }
        assert!((blocking(1.0, 1) - 0.5).abs() < 1e-12);
        assert!((blocking(2.0, 2) - 0.4).abs() < 1e-12);
    }

    #[test]
    fn lines_are_the_least_that_suffice() {
        for erlang in [0.01, 0.5, 7.0, 123.4, 5000.0] {
            let found = lines(erlang, 0.01);
            assert!(blocking(erlang, found) <= 0.01 && blocking(erlang, found - 1) > 0.01, "{erlang}: {found}");
        }
        assert_eq!(lines(0.0, 0.01), 0);
        assert_eq!(blocking(0.0, 0), 1.0);
    }
}
