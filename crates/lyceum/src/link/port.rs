//! What the administration API asks of links.

use std::sync::mpsc::sync_channel;
use std::time::Duration;

use lyceum_api::edge::Edge;
use lyceum_api::{Problem, Refusal, Timestamp};
use lyceum_front_end::executor::Post;
use lyceum_sip::WallTime;
use lyceum_store::By;
use lyceum_web::port::Edges;

use super::LinkAuthority;

/// A worker that takes longer than this is very busy; then links count as down.
const PATIENCE: Duration = Duration::from_secs(2);

impl LinkAuthority {
    /// The numbers of the Edges whose links stand.
    fn linked(&self) -> Vec<u32> {
        let mut all = Vec::new();
        for worker in 0..self.handle.workers() {
            let (tell, told) = sync_channel(1);
            let post = Post::Inspect(Box::new(move |core, _| {
                tell.send(core.linked_edges()).ok();
            }));
            if self.handle.worker(worker).post(post).is_ok() {
                all.extend(told.recv_timeout(PATIENCE).unwrap_or_default());
            }
        }
        all
    }
}

impl Edges for LinkAuthority {
    fn edges(&self) -> Result<Vec<Edge>, Problem> {
        let rows = self.rows().map_err(|error| away(&error))?;
        let linked = self.linked();
        let shown = rows.into_iter().map(|row| Edge {
            linked: linked.contains(&row.number),
            name: row.name,
            number: row.number,
            enrolled: row.enrolled.map(|at| Timestamp(at.0)),
            token_ends: row.token_ends.map(|at| Timestamp(at.0)),
        });
        Ok(shown.collect())
    }

    fn token(&self, name: &str, ends: WallTime, by: By<'_>) -> Result<String, Problem> {
        if self.reached.is_empty() {
            return Err(Problem::new(Refusal::EdgeInvalid, "this node has no port for links", "/edges"));
        }
        self.new_token(name, ends, by).map_err(|error| away(&error))
    }

    fn remove(&self, name: &str, by: By<'_>) -> Result<bool, Problem> {
        self.take_away(name, by).map_err(|error| away(&error))
    }
}

fn away(error: &lyceum_store::StoreError) -> Problem {
    Problem::new(Refusal::StoreUnavailable, error.to_string(), "store")
}
