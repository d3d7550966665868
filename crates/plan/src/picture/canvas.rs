//! An SVG as it is drawn: shapes with classes, so that one style sheet serves day, night and paper.

use std::fmt::Write;

use super::measure;
use crate::markup::escape;

/// The colours and faces of all pictures. Plain rules, so that renderers without variables show the day's colours; the
/// eight kinds of traffic are told apart by people who see few colours too, and have their order besides.
pub(crate) const STYLE: &str = "\
.paper{fill:#fff}.t{font:12px system-ui,-apple-system,'Segoe UI',Helvetica,Arial,sans-serif;fill:#1d2430}\
.b{font-weight:600}.h{font-size:17px;font-weight:600}.s{font-size:11px}.m{fill:#566072}.e{text-anchor:end}\
.c{text-anchor:middle}.card{fill:#f5f7fa;stroke:#aab4c3}.main{fill:#e8f0fb;stroke:#3b6fb5}\
.band{fill:#fbfcfe;stroke:#d3dae4}.wire{fill:none;stroke:#6b7789}.tip{fill:#6b7789}.thin{stroke:#d3dae4;fill:none}\
.ok{stroke:#2f7d4f}.near{stroke:#b06a00}.over{stroke:#c0341d}.none{stroke:#8a94a4;stroke-dasharray:6 4}\
.fok{fill:#2f7d4f}.fnear{fill:#9a5c00}.fover{fill:#b32e18}.fnone{fill:#566072}.limit{stroke:#1d2430;fill:none}\
.k0{fill:#0072b2}.k1{fill:#56b4e9}.k2{fill:#009e73}.k3{fill:#d55e00}.k4{fill:#e69f00}.k5{fill:#cc79a7}.k6{fill:#b8ab1f}\
.k7{fill:#8c8c8c}\
@media screen and (prefers-color-scheme:dark){.paper{fill:#14181f}.t{fill:#e6eaf0}.m{fill:#a3adbd}\
.card{fill:#1e2530;stroke:#4a566a}.main{fill:#1b2c45;stroke:#6ea3e6}.band{fill:#181d26;stroke:#333d4d}\
.wire{stroke:#93a0b4}.tip{fill:#93a0b4}.thin{stroke:#333d4d}.ok{stroke:#5fbf86}.near{stroke:#e5a63c}.over{stroke:#f0765f}\
.none{stroke:#7d8899}.fok{fill:#5fbf86}.fnear{fill:#e5a63c}.fover{fill:#f58a75}.fnone{fill:#a3adbd}.limit{stroke:#e6eaf0}}";

/// The size of plain text, of small text, of a heading.
pub(super) const TEXT: f64 = 12.0;
pub(super) const SMALL: f64 = 11.0;

/// A picture while it is drawn.
pub(super) struct Canvas {
    body: String,
    width: f64,
}

/// Coordinates need no more than tenths.
fn tenth(number: f64) -> f64 {
    (number * 10.0).round() / 10.0
}

impl Canvas {
    /// An empty picture `width` wide.
    pub(super) fn new(width: f64) -> Canvas {
        Canvas { body: String::new(), width }
    }

    /// A box with round corners.
    pub(super) fn card(&mut self, class: &str, (x, y): (f64, f64), (width, height): (f64, f64)) {
        self.bar(class, (x, y), (width, height), 8.0);
    }

    /// A box with corners of `radius`.
    pub(super) fn bar(&mut self, class: &str, (x, y): (f64, f64), (width, height): (f64, f64), radius: f64) {
        let [x, y, width, height] = [x, y, width.max(0.0), height].map(tenth);
        let _ = writeln!(
            self.body,
            "<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"{radius}\"/>"
        );
    }

    /// A line through `points`, `thick` wide.
    pub(super) fn line(&mut self, class: &str, thick: f64, points: &[(f64, f64)]) {
        let points: Vec<String> = points.iter().map(|(x, y)| format!("{},{}", tenth(*x), tenth(*y))).collect();
        let _ = writeln!(
            self.body,
            "<polyline class=\"wire {class}\" stroke-width=\"{}\" stroke-linejoin=\"round\" points=\"{}\"/>",
            tenth(thick),
            points.join(" ")
        );
    }

    /// A level arrow from `from` to `to`, its head at `to`.
    pub(super) fn arrow(&mut self, from: f64, to: f64, y: f64) {
        let back = if to > from { -8.0 } else { 8.0 };
        self.line("", 1.5, &[(from, y), (to + back, y)]);
        let [to, edge, top, bottom] = [to, to + back, y - 4.0, y + 4.0].map(tenth);
        let _ =
            writeln!(self.body, "<polygon class=\"tip\" points=\"{to},{} {edge},{top} {edge},{bottom}\"/>", tenth(y));
    }

    /// Text whose base line begins (or ends, or has its middle, by its class) at a point.
    pub(super) fn text(&mut self, class: &str, (x, y): (f64, f64), text: &str) {
        let (x, y) = (tenth(x), tenth(y));
        let _ = writeln!(self.body, "<text class=\"t {class}\" x=\"{x}\" y=\"{y}\">{}</text>", escape(text));
    }

    /// Text that is cut to `room`, whole in a hint where it had to be.
    pub(super) fn fitted(&mut self, class: &str, (x, y): (f64, f64), text: &str, size: f64, room: f64) {
        let bold = class.split(' ').any(|name| matches!(name, "b" | "h"));
        let cut = measure::fit(text, size, if bold { room / 1.1 } else { room });
        if cut == text {
            return self.text(class, (x, y), text);
        }
        let (x, y) = (tenth(x), tenth(y));
        let _ = writeln!(
            self.body,
            "<text class=\"t {class}\" x=\"{x}\" y=\"{y}\"><title>{}</title>{}</text>",
            escape(text),
            escape(&cut)
        );
    }

    /// Text with the paper's colour behind it, its middle at a point; `upright` turns it to read upwards.
    pub(super) fn label(&mut self, class: &str, (x, y): (f64, f64), text: &str, upright: bool) {
        let (half, high) = (measure::width(text, SMALL) / 2.0 + 4.0, 16.0);
        let turn =
            if upright { format!(" transform=\"rotate(-90 {} {})\"", tenth(x), tenth(y)) } else { String::new() };
        let _ = writeln!(self.body, "<g{turn}>");
        self.bar("paper", (x - half, y - high / 2.0), (half * 2.0, high), 3.0);
        self.text(&format!("s c {class}"), (x, y + 4.0), text);
        self.body.push_str("</g>\n");
    }

    /// The elements of the picture, `height` high, in an `svg` element that names and describes itself.
    pub(super) fn finish(self, height: f64, title: &str, description: &str) -> String {
        let (width, height) = (tenth(self.width), tenth(height));
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
             height=\"{height}\" role=\"img\">\n<title>{}</title>\n<desc>{}</desc>\n\
             <rect class=\"paper\" width=\"100%\" height=\"100%\"/>\n{}</svg>\n",
            escape(title),
            escape(description),
            self.body
        )
    }
}
