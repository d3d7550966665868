//! The tables of the bandwidth calculator.

use super::{Bandwidth, Rate, Verdict};
use crate::capacity::choices_table;
use crate::table::{Table, row};

impl Verdict {
    /// The verdict in words.
    pub fn words(self) -> &'static str {
        match self {
            Verdict::Fits => "fits",
            Verdict::Critical => "critical: more is wanted than its policy may admit",
            Verdict::OverShare => "red: real-time traffic is above its share",
            Verdict::OverSpeed => "red: more than the whole link",
            Verdict::NoSpeed => "no speed given",
        }
    }
}

impl Bandwidth {
    /// Links, flows by direction and modality, admission policies, rates, and the choices between sources.
    pub fn tables(&self) -> Vec<Table> {
        vec![
            self.links_table(),
            self.flows_table(),
            self.admission_table(),
            self.rates_table(),
            choices_table(&self.choices),
        ]
    }

    fn links_table(&self) -> Table {
        let columns = [
            "from",
            "to",
            "speed (Mbps)",
            "direction",
            "typical (kbps)",
            "planned (kbps)",
            "maximum (kbps)",
            "share (kbps)",
            "lacks (kbps)",
            "needed (Mbps)",
            "verdict",
        ];
        let mut table = Table::new("Links", &columns);
        for link in &self.links {
            for (way, direction) in link.directions.iter().enumerate() {
                table.rows.push(row![
                    &link.from,
                    &link.to,
                    link.mbps,
                    if way == 0 { format!("to {}", link.to) } else { format!("to {}", link.from) },
                    direction.typical_kbps.round(),
                    direction.planned_kbps.round(),
                    direction.maximum_kbps.round(),
                    link.share_kbps.as_ref().map(|figure| figure.value),
                    link.lack_kbps.as_ref().map(|figure| figure.value.ceil()),
                    link.needed_mbps.value,
                    link.verdict.words(),
                ]);
            }
        }
        table.notes.extend(self.warnings.iter().cloned());
        table
    }

    fn flows_table(&self) -> Table {
        let columns = [
            "from",
            "to",
            "modality",
            "streams",
            "typical (kbps)",
            "planned (kbps)",
            "maximum (kbps)",
            "working",
            "rule",
            "source",
        ];
        let mut table = Table::new("Traffic by link, direction and modality", &columns);
        for link in &self.links {
            for (way, direction) in link.directions.iter().enumerate() {
                let (from, to) = if way == 0 { (&link.from, &link.to) } else { (&link.to, &link.from) };
                for flow in &direction.flows {
                    table.rows.push(row![
                        from,
                        to,
                        flow.modality.name(),
                        flow.streams,
                        flow.typical_kbps,
                        flow.planned.value,
                        flow.maximum_kbps,
                        &flow.planned.working,
                        flow.planned.rule,
                        flow.planned.source,
                    ]);
                }
            }
        }
        for (modality, kbps) in &self.totals {
            table.rows.push(row!["all", "all", modality.name(), "", "", *kbps, "", "", "", ""]);
        }
        table
    }

    fn admission_table(&self) -> Table {
        let columns = [
            "from",
            "to",
            "AudioBWLimit (kbps)",
            "AudioBWSessionLimit (kbps)",
            "VideoBWLimit (kbps)",
            "VideoBWSessionLimit (kbps)",
            "audio refused (kbps)",
            "video refused (kbps)",
            "working",
        ];
        let mut table = Table::new("Admission policies (one way)", &columns);
        for link in self.links.iter().filter(|link| link.to != "internet") {
            let policy = &link.admission;
            table.rows.push(row![
                &link.from,
                &link.to,
                policy.audio_limit.value,
                policy.audio_session.value,
                policy.video_limit.value,
                policy.video_session.value,
                policy.audio_refused_kbps.ceil(),
                policy.video_refused_kbps.ceil(),
                format!("audio {}; video {}", policy.audio_limit.working, policy.video_limit.working),
            ]);
        }
        table
    }

    fn rates_table(&self) -> Table {
        let columns =
            ["stream", "codec", "typical (kbps)", "planned (kbps)", "maximum (kbps)", "admission (kbps)", "source"];
        let mut table = Table::new("What one stream takes (one way)", &columns);
        let rates = &self.rates;
        let rows: [(&str, &Rate); 9] = [
            ("audio between two", &rates.peer_audio),
            ("audio of meetings", &rates.meeting_audio),
            ("audio to the PSTN", &rates.pstn_audio),
            ("video between two", &rates.peer_video),
            ("video of meetings, received", &rates.meeting_video_receive),
            ("video of meetings, sent", &rates.meeting_video_send),
            ("shared screen", &rates.sharing),
            ("slides and boards", &rates.data),
            ("signalling of an endpoint", &rates.signalling),
        ];
        for (name, rate) in rows {
            let admission = (rate.admission > 0.0).then_some(rate.admission);
            table.rows.push(row![name, rate.codec, rate.typical, rate.planned, rate.maximum, admission, rate.source]);
        }
        table
    }
}
