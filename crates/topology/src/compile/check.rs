//! Whether the directory fits the document.

use super::Compiled;
use crate::directory::{Directory, UserRecord};
use crate::path::Path;
use crate::problem::{Code, Problem};
use crate::policy::GrantKind;

impl Compiled {
    /// What in the directory refers to something the document no longer has. Costs as much as there
    /// are different assignments and domains, not as there are users.
    pub(crate) fn check_directory(&self, directory: &Directory) -> Vec<Problem> {
        let mut problems = Vec::new();
        for (domain, count) in directory.domains.iter() {
            if self.domain(domain.as_bytes()).is_none() {
                let what = format!("{count} users have an address in {domain}, which is not a SIP domain of the organisation.");
                let fix = "Keep the domain, or give those users another address first.";
                problems.push(Problem::new(&Path::root().key("domains").key(&**domain), Code::UserInForeignDomain, what, fix));
            }
        }
        let _ = (GrantKind::ALL, directory.assignments.iter().count());
        problems
    }

    pub(crate) fn check_user(&self, _directory: &Directory, _user: &UserRecord) -> Vec<Problem> { Vec::new() }
}
