//! Figures in Prometheus' text format.

use crate::port::{Figure, FigureKind};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, MetricEncoder, text::encode};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;
use std::fmt;

/// Media type of [`text`].
pub const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

#[derive(Debug)]
struct Figures(Vec<Figure>);

impl Collector for Figures {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let mut names: Vec<&str> = self.0.iter().map(|f| f.name).collect();
        names.sort_unstable();
        names.dedup();
        for name in names {
            let same: Vec<&Figure> = self.0.iter().filter(|f| f.name == name).collect();
            family(&mut encoder, &same)?;
        }
        Ok(())
    }
}

fn family(encoder: &mut DescriptorEncoder<'_>, figures: &[&Figure]) -> fmt::Result {
    let Some(first) = figures.first() else { return Ok(()) };
    let counter = ConstCounter::new(0.0);
    let gauge = ConstGauge::new(0.0);
    let kind = match first.kind {
        FigureKind::Counter => counter.metric_type(),
        FigureKind::Gauge => gauge.metric_type(),
    };
    let mut metric = encoder.encode_descriptor(first.name, first.help, None, kind)?;
    if first.labels.is_empty() {
        // A figure without labels is alone under its name.
        return value(first, metric);
    }
    figures.iter().try_for_each(|figure| value(figure, metric.encode_family(&figure.labels)?))
}

fn value(figure: &Figure, encoder: MetricEncoder<'_>) -> fmt::Result {
    match figure.kind {
        FigureKind::Counter => ConstCounter::new(figure.value).encode(encoder),
        FigureKind::Gauge => ConstGauge::new(figure.value).encode(encoder),
    }
}

/// The figures as text.
pub fn text(figures: Vec<Figure>) -> String {
    let mut registry = Registry::with_prefix("lyceum");
    registry.register_collector(Box::new(Figures(figures)));
    let mut out = String::new();
    // Writing into a String does not fail.
    encode(&mut out, &registry).ok();
    out
}

#[cfg(test)]
mod tests {
    use crate::port::{Figure, FigureKind};

    #[test]
    fn figures_of_one_name_share_one_heading() {
        let figure = |method: &str, value| Figure {
            name: "sip_requests",
            help: "Requests received",
            kind: FigureKind::Counter,
            labels: vec![("method", method.to_owned())],
            value,
        };
        let gauge = Figure { name: "calls", help: "Calls up", kind: FigureKind::Gauge, labels: vec![], value: 3.0 };
        assert_eq!(
            super::text(vec![figure("INVITE", 7.0), gauge, figure("BYE", 6.0)]),
            "# HELP lyceum_calls Calls up\n# TYPE lyceum_calls gauge\nlyceum_calls 3.0\n\
             # HELP lyceum_sip_requests Requests received\n# TYPE lyceum_sip_requests counter\n\
             lyceum_sip_requests_total{method=\"INVITE\"} 7.0\nlyceum_sip_requests_total{method=\"BYE\"} 6.0\n# EOF\n"
        );
    }
}
