//! What a server uses: CPU time and memory of a process with its children, from /proc.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// The processes with all their descendants.
#[must_use]
pub fn tree(roots: &[u32]) -> Vec<u32> {
    let mut found = roots.to_vec();
    let parents: Vec<(u32, u32)> = numbers("/proc").filter_map(|pid| Some((pid, parent_of(pid)?))).collect();
    let mut at = 0;
    while at < found.len() {
        let parent = found[at];
        let children = parents.iter().filter(|(child, of)| *of == parent && !found.contains(child));
        let children: Vec<u32> = children.map(|(child, _)| *child).collect();
        found.extend(children);
        at += 1;
    }
    found
}

fn numbers(folder: &str) -> impl Iterator<Item = u32> + use<> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

fn parent_of(pid: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}

/// The threads of a process.
pub fn threads(pid: u32) -> impl Iterator<Item = u32> {
    numbers(&format!("/proc/{pid}/task"))
}

/// CPU time of all threads so far, to the nanosecond.
#[must_use]
pub fn cpu(pids: &[u32]) -> Duration {
    let of_thread = |path: String| {
        let text = fs::read_to_string(path).ok()?;
        text.split_whitespace().next()?.parse::<u64>().ok()
    };
    let all = pids.iter().flat_map(|&pid| threads(pid).map(move |thread| (pid, thread)));
    let nanos = all.filter_map(|(pid, thread)| of_thread(format!("/proc/{pid}/task/{thread}/schedstat"))).sum();
    Duration::from_nanos(nanos)
}

/// Proportional set size in bytes: shared pages count once over all processes that share them.
#[must_use]
pub fn memory(pids: &[u32]) -> u64 {
    let of_process = |pid: &u32| {
        let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
        let line = text.lines().find(|line| line.starts_with("Pss:"))?;
        line.split_whitespace().nth(1)?.parse::<u64>().ok()
    };
    pids.iter().filter_map(of_process).sum::<u64>() * 1024
}

/// True while the process runs.
#[must_use]
pub fn alive(pid: u32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| stat.rsplit_once(')').is_some_and(|(_, rest)| !rest.trim_start().starts_with('Z')))
}

/// CPU spent between two moments.
#[derive(Debug)]
pub struct Meter {
    pids: Vec<u32>,
    before: Duration,
}

impl Meter {
    /// Begins.
    #[must_use]
    pub fn start(roots: &[u32]) -> Meter {
        let pids = tree(roots);
        Meter { before: cpu(&pids), pids }
    }

    /// Seconds of CPU since.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        (cpu(&self.pids).saturating_sub(self.before)).as_secs_f64()
    }
}

/// A look at the server once a second.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// Seconds since the sampling began.
    pub at: f64,
    /// Seconds of CPU since then.
    pub cpu: f64,
    /// Bytes of PSS.
    pub memory: u64,
}

/// Takes samples on a thread of its own until it is asked for them.
#[derive(Debug)]
pub struct Sampler {
    thread: JoinHandle<Vec<Sample>>,
    stop: Arc<AtomicBool>,
}

impl Sampler {
    /// Begins.
    #[must_use]
    pub fn start(roots: &[u32]) -> Sampler {
        let pids = tree(roots);
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let (begin, before) = (Instant::now(), cpu(&pids));
            let mut samples = Vec::new();
            while !stopped.load(Ordering::Relaxed) {
                let next = Duration::from_secs(samples.len() as u64);
                std::thread::sleep(next.saturating_sub(begin.elapsed()));
                let spent = cpu(&pids).saturating_sub(before).as_secs_f64();
                samples.push(Sample { at: begin.elapsed().as_secs_f64(), cpu: spent, memory: memory(&pids) });
            }
            samples
        });
        Sampler { thread, stop }
    }

    /// Ends and gives what was seen.
    #[must_use]
    pub fn finish(self) -> Vec<Sample> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn we_use_cpu_and_memory() {
        let me = [std::process::id()];
        let meter = Meter::start(&me);
        let begin = Instant::now();
        while begin.elapsed() < Duration::from_millis(30) {
            std::hint::black_box(tree(&me));
        }
        assert!(meter.seconds() > 0.001);
        assert!(memory(&me) > 100_000);
        assert!(alive(me[0]) && !alive(u32::MAX));
    }
}
