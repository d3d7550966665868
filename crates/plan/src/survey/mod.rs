//! Lists that people bring along, judged: a Wi-Fi survey, an inventory of equipment and clients.

mod inventory;
mod sheet;
mod wifi;

pub use inventory::{Inventory, Item, QualifiedRow, Standing, judge_inventory, qualified};
pub(crate) use sheet::Sheet;
pub use sheet::{Fault, Faults, MAX_ROWS};
pub use wifi::{Floor, Point, Shortfall, WifiSurvey, judge_wifi};
