//! Which machine the figures come from.

use std::fs;

use serde_json::{Value, json};

fn field(path: &str, name: &str) -> String {
    let text = fs::read_to_string(path).unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with(name));
    line.and_then(|line| line.split_once(':')).map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
}

/// Processor, cores, memory, kernel and distribution.
#[must_use]
pub fn describe() -> Value {
    let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
    let system = release.lines().find_map(|line| line.strip_prefix("PRETTY_NAME=")).unwrap_or_default();
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let kib = field("/proc/meminfo", "MemTotal").split(' ').next().and_then(|n| n.parse::<u64>().ok()).unwrap_or(0);
    json!({
        "processor": field("/proc/cpuinfo", "model name"),
        "model": field("/proc/cpuinfo", "model"),
        // Not those that we are pinned to.
        "cores": fs::read_to_string("/proc/cpuinfo").unwrap_or_default().matches("processor\t").count(),
        "memory_gib": (kib as f64 / 1024.0 / 1024.0).round(),
        "kernel": kernel.trim(),
        "system": system.trim_matches('"'),
        "load_average": fs::read_to_string("/proc/loadavg").unwrap_or_default().split(' ').next().unwrap_or_default(),
    })
}

/// One line of it.
#[must_use]
pub fn sentence(machine: &Value) -> String {
    let text = |name: &str| machine[name].as_str().unwrap_or_default().to_owned();
    format!(
        "{} (model {}), {} cores, {} GiB, {}, Linux {}",
        text("processor"),
        text("model"),
        machine["cores"],
        machine["memory_gib"],
        text("system"),
        text("kernel")
    )
}
