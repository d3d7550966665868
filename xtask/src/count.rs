//! Reading the number of checks out of what the programs print.

use std::ops::AddAssign;

/// Checks that held and checks that did not.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Count {
    /// Held.
    pub passed: u32,
    /// Did not hold.
    pub failed: u32,
}

impl AddAssign for Count {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

impl Count {
    /// One check.
    pub fn one(held: bool) -> Self {
        Self { passed: u32::from(held), failed: u32::from(!held) }
    }

    /// From `cargo test`: the sum of its `test result:` lines.
    pub fn of_cargo_test(output: &str) -> Self {
        let mut sum = Self::default();
        for line in output.lines().filter_map(|line| line.trim().strip_prefix("test result: ")) {
            sum += Self { passed: before(line, " passed"), failed: before(line, " failed") };
        }
        sum
    }

    /// From a harness that closes with `N passed, N failed`, or prints one line for each case: `ok NAME` or
    /// `FAIL NAME why`.
    pub fn of_cases(output: &str) -> Self {
        let closing = |line: &&str| line.contains(" passed, ") && line.ends_with(" failed");
        if let Some(line) = output.lines().rev().find(closing) {
            return Self { passed: before(line, " passed"), failed: before(line, " failed") };
        }
        let mut sum = Self::default();
        for line in output.lines() {
            if line.starts_with("ok ") {
                sum.passed += 1;
            } else if line.starts_with("FAIL ") {
                sum.failed += 1;
            }
        }
        sum
    }

    /// From a table whose rows end with a verdict.
    pub fn of_rows(output: &str, held: &str, not: &str) -> Self {
        let end = |line: &str| line.trim_end_matches([' ', '|']).to_owned();
        let ending = |verdict| output.lines().filter(|line| end(line).ends_with(verdict)).count();
        let number = |count| u32::try_from(count).unwrap_or(u32::MAX);
        Self { passed: number(ending(held)), failed: number(ending(not)) }
    }

    /// A program that failed without naming a check that did is one failed check.
    pub fn and_exit(mut self, ok: bool) -> Self {
        if !ok && self.failed == 0 {
            self.failed = 1;
        }
        self
    }
}

/// The number that stands right before `word`.
fn before(line: &str, word: &str) -> u32 {
    let Some(at) = line.find(word) else { return 0 };
    line[..at].rsplit(|c: char| !c.is_ascii_digit()).next().and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn result_lines_of_cargo_test_are_summed() {
        let output = "\
running 3 tests
test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s
test result: FAILED. 12 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s
";
        assert_eq!(Count::of_cargo_test(output), Count { passed: 15, failed: 2 });
    }

    #[test]
    fn cases_are_counted_by_their_first_word() {
        let output = "ok a\nnot ok\nFAIL b no answer\n  ok indented\nok c\n";
        assert_eq!(Count::of_cases(output), Count { passed: 2, failed: 1 });
        assert_eq!(Count::of_cases("1000 seeds: 998 passed, 2 failed\n"), Count { passed: 998, failed: 2 });
    }

    #[test]
    fn rows_are_counted_by_their_verdict() {
        let output =
            "operation  instructions  result\nparse  5100  ok\nforward  9000  too many\n| call | 1 | ok       |\n";
        assert_eq!(Count::of_rows(output, "ok", "too many"), Count { passed: 2, failed: 1 });
    }

    #[test]
    fn a_silent_failure_is_one_failed_check() {
        assert_eq!(Count::default().and_exit(false), Count { passed: 0, failed: 1 });
        assert_eq!(Count { passed: 1, failed: 1 }.and_exit(false), Count { passed: 1, failed: 1 });
        assert_eq!(Count { passed: 1, failed: 0 }.and_exit(true), Count { passed: 1, failed: 0 });
    }
}
