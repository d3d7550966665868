use crate::document::Document;
use crate::problem::Problem;
impl Document {
    /// Everything that is wrong with the document.
    pub fn validate(&self) -> Vec<Problem> { Vec::new() }
}
