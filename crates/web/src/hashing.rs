//! The one thread that hashes administrators' passwords. A hash takes 19 MiB and tens of milliseconds on purpose: what a
//! stranger sends waits in a short queue, and beyond it is refused.

use crate::refused::Refused;
use lyceum_api::Refusal;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

/// Hashes that wait at most, less than a second's work; more are answered 503 with Retry-After.
const QUEUE: usize = 16;

type Job = Box<dyn FnOnce() + Send>;

/// Speaks to the thread; it ends with this value.
pub struct Hashing(SyncSender<Job>);

impl Hashing {
    /// Starts the thread.
    pub fn start() -> Hashing {
        let (sender, jobs) = sync_channel(QUEUE);
        let started = std::thread::Builder::new().name("passwords".to_owned()).spawn(move || work_off(&jobs));
        if let Err(error) = started {
            tracing::error!(%error, "no thread for passwords: nobody can sign in to administer");
        }
        Hashing(sender)
    }

    /// Runs one job on the thread.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Refused> + Send + 'static,
    ) -> Result<T, Refused> {
        let (answer, wait) = tokio::sync::oneshot::channel();
        let job = Box::new(move || {
            answer.send(work()).ok();
        });
        self.0.try_send(job).map_err(|_| {
            let what = "too many passwords are being checked at this moment";
            Refused::new(Refusal::ServerBusy, what, "server").retry_after(1)
        })?;
        wait.await
            .map_err(|_| Refused::new(Refusal::InternalFault, "the request failed inside the server", "server"))?
    }
}

fn work_off(jobs: &Receiver<Job>) {
    for job in jobs {
        if catch_unwind(AssertUnwindSafe(job)).is_err() {
            tracing::error!("a request failed");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Hashing, QUEUE};
    use std::pin::Pin;
    use std::sync::{Arc, Barrier};
    use std::task::{Context, Waker};

    /// Polls once; the job is in the queue then.
    fn queued<T>(future: &mut Pin<Box<impl Future<Output = T>>>) -> bool {
        future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending()
    }

    #[tokio::test]
    async fn what_does_not_fit_the_queue_is_refused_at_once() {
        let hashing = Hashing::start();
        let (entered, gate) = (Arc::new(Barrier::new(2)), Arc::new(Barrier::new(2)));
        let held = (entered.clone(), gate.clone());
        let mut first = Box::pin(hashing.run(move || {
            held.0.wait();
            held.1.wait();
            Ok(0)
        }));
        assert!(queued(&mut first));
        entered.wait();
        let mut waiting: Vec<_> = (0..QUEUE).map(|n| Box::pin(hashing.run(move || Ok(n)))).collect();
        assert!(waiting.iter_mut().all(queued));
        let refused = hashing.run(|| Ok(99)).await.expect_err("the queue is full");
        assert_eq!((refused.problem().status, &*refused.problem().code), (503, "server-busy"));
        gate.wait();
        assert_eq!(first.await.ok(), Some(0));
        for (n, one) in waiting.into_iter().enumerate() {
            assert_eq!(one.await.ok(), Some(n));
        }
    }

    #[tokio::test]
    async fn a_fault_of_one_job_does_not_end_the_thread() {
        let hashing = Hashing::start();
        let failed = hashing.run::<()>(|| panic!("a fault of the test")).await;
        assert_eq!(failed.expect_err("a fault").problem().status, 500);
        assert_eq!(hashing.run(|| Ok(1)).await.ok(), Some(1));
    }
}
