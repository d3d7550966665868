//! From what was counted to a verdict that names the place.

use super::wire::{Counted, HopSeen};
use lyceum_plan::{Cell, Table};
use lyceum_topology::qos::{Dscp, Modality};

/// One modality in one direction.
pub struct Leg {
    pub modality: Modality,
    /// In words: `to the agent`.
    pub direction: &'static str,
    pub dscp: Dscp,
    pub sent: u32,
    pub counted: Counted,
    pub round_trip_ms: Option<f64>,
    /// Who is at its end, to be named where no router is known.
    pub end: String,
    /// Why nothing was sent.
    pub not_tried: Option<String>,
}

impl Leg {
    /// Whether the mark arrived, and what happened otherwise.
    pub fn verdict(&self) -> (bool, String) {
        if let Some(why) = &self.not_tried {
            return (false, format!("not tried: {why}"));
        }
        let wanted = self.dscp.value();
        let other: Vec<&(u8, u32)> = self.counted.marks.iter().filter(|(mark, _)| *mark != wanted).collect();
        match (self.counted.received, other.as_slice()) {
            (0, _) => (false, "nothing arrived: a filter in between drops these ports".to_owned()),
            (_, []) => (true, "the mark arrived".to_owned()),
            (_, [(mark, _)]) => (false, format!("the mark became {}{}", named(*mark), self.place())),
            (_, several) => {
                let marks: Vec<String> =
                    several.iter().map(|(mark, count)| format!("{} ({count})", named(*mark))).collect();
                (false, format!("the mark became {}{}", marks.join(", "), self.place()))
            }
        }
    }

    /// Between which two the mark changed. A router quotes a packet as it came to it, so whoever quotes the changed mark
    /// first stands behind the one that changed it.
    fn place(&self) -> String {
        let Some(hops) = &self.counted.hops else {
            return "; who did it is told when both ends run as root".to_owned();
        };
        let whole = hops.iter().take_while(|hop| hop.dscp == self.dscp.value()).count();
        let before = match whole {
            0 => "the sender's own host".to_owned(),
            at => hops[at - 1].router.to_string(),
        };
        let behind = hops.get(whole).map_or_else(|| self.end.clone(), |hop: &HopSeen| hop.router.to_string());
        format!(" at {before}: {behind} is the first to see it")
    }

    fn row(&self) -> Vec<Cell> {
        let (passed, words) = self.verdict();
        let lost = match (self.sent, self.not_tried.is_some()) {
            (_, true) | (0, _) => Cell::Empty,
            (sent, _) => Cell::Number(100.0 * f64::from(sent.saturating_sub(self.counted.received)) / f64::from(sent)),
        };
        let marks: Vec<String> = self.counted.marks.iter().map(|(mark, count)| format!("{mark} ({count})")).collect();
        vec![
            self.modality.as_str().into(),
            self.direction.into(),
            u64::from(self.dscp.value()).into(),
            marks.join(", ").into(),
            lost,
            self.not_tried.is_none().then_some(self.counted.jitter_ms).into(),
            self.round_trip_ms.into(),
            passed.into(),
            words.into(),
        ]
    }
}

fn named(mark: u8) -> String {
    Dscp::new(mark).map_or_else(|_| mark.to_string(), |dscp| dscp.to_string())
}

/// All legs as a table.
pub fn table(legs: &[Leg]) -> Table {
    let columns = [
        "modality",
        "direction",
        "DSCP sent",
        "DSCP arrived",
        "lost (%)",
        "jitter (ms)",
        "round trip (ms)",
        "arrived",
        "what was found",
    ];
    Table {
        title: "Marks".to_owned(),
        columns: columns.map(str::to_owned).into(),
        rows: legs.iter().map(Leg::row).collect(),
        notes: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leg(marks: &[(u8, u32)], hops: Option<&[(&str, u8)]>) -> Leg {
        let hop = |(router, dscp): &(&str, u8)| HopSeen { router: router.parse().expect("an address"), dscp: *dscp };
        Leg {
            modality: Modality::Audio,
            direction: "to the agent",
            dscp: Dscp::new(46).expect("a mark"),
            sent: 50,
            counted: Counted {
                received: marks.iter().map(|(_, count)| count).sum(),
                marks: marks.to_vec(),
                jitter_ms: 0.0,
                hops: hops.map(|hops| hops.iter().map(hop).collect()),
            },
            round_trip_ms: None,
            end: "the agent".to_owned(),
            not_tried: None,
        }
    }

    #[test]
    fn verdicts_name_the_place() {
        type Case = (&'static [(u8, u32)], Option<&'static [(&'static str, u8)]>, &'static str);
        let cases: [Case; 6] = [
            (&[(46, 50)], None, "the mark arrived"),
            (&[], None, "nothing arrived: a filter in between drops these ports"),
            (&[(0, 50)], None, "the mark became 0 (default); who did it is told when both ends run as root"),
            (
                &[(0, 50)],
                Some(&[("10.0.0.1", 46), ("10.0.1.1", 0)]),
                "the mark became 0 (default) at 10.0.0.1: 10.0.1.1 is the first to see it",
            ),
            (
                &[(8, 50)],
                Some(&[("10.0.0.1", 46)]),
                "the mark became 8 (CS1) at 10.0.0.1: the agent is the first to see it",
            ),
            (
                &[(0, 50)],
                Some(&[("10.0.0.1", 0)]),
                "the mark became 0 (default) at the sender's own host: 10.0.0.1 is the first to see it",
            ),
        ];
        for (marks, hops, words) in cases {
            let (passed, said) = leg(marks, hops).verdict();
            assert_eq!((passed, said.as_str()), (words == "the mark arrived", words));
        }
    }
}
