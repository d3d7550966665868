//! `lyceum effective-policy`.

use crate::failure::Failure;
use crate::output::{Columns, Format};
use crate::session::Run;
use clap::Args;
use serde_json::Value;

const COLUMNS: Columns = Columns::first(5, &["kind", "setting", "value", "unit", "from", "otherwise"]);

#[derive(Debug, Args)]
pub struct EffectivePolicy {
    /// Address
    user: String,
    /// Only this kind
    #[arg(long)]
    kind: Option<String>,
}

impl EffectivePolicy {
    pub fn run(self, run: &mut Run<'_>) -> Result<(), Failure> {
        let mut answer = run.get(&format!("{}/effective-policy", super::user::path(&self.user)), &[])?;
        let Some(Value::Array(mut values)) = answer.get_mut("values").map(Value::take) else {
            return Err(Failure::Failed("the server's answer has no values".to_owned()));
        };
        if let Some(kind) = &self.kind {
            values.retain(|v| v["kind"] == kind.as_str());
        }
        if matches!(run.common.output, Format::Json | Format::Yaml) {
            answer["values"] = Value::Array(values);
            return run.object(answer, COLUMNS);
        }
        run.list(values, COLUMNS)
    }
}
