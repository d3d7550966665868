//! What a machine must have, and how it gets it.

use std::path::Path;

use crate::command::{Step, which};

/// A program from outside, and the Debian package that brings it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Tool {
    /// The file looked for on `PATH`.
    pub program: &'static str,
    /// Debian's package.
    pub package: &'static str,
}

const fn tool(program: &'static str, package: &'static str) -> Tool {
    Tool { program, package }
}

/// A C compiler: SQLite and the TLS provider are built from source.
pub const COMPILER: Tool = tool("cc", "build-essential");
/// What the web pages are built with.
pub const NODE: &[Tool] = &[tool("node", "nodejs"), tool("npm", "npm")];
/// What the web pages are looked at with.
pub const BROWSER: &[Tool] = &[tool("node", "nodejs"), tool("npm", "npm"), tool("chromium", "chromium")];
/// The server that benchmarks compare with.
pub const KAMAILIO: Tool = tool("kamailio", "kamailio");
/// libFuzzer is C++.
pub const FUZZ: &[Tool] = &[tool("g++", "g++")];
/// Instruction counts.
pub const VALGRIND: &[Tool] = &[tool("valgrind", "valgrind")];
/// The foreign clients, and what listens to them.
pub const INTEROP: &[Tool] = &[
    tool("baresip", "baresip-core"),
    tool("linphonec", "linphone-cli"),
    tool("sipp", "sip-tester"),
    tool("sox", "sox"),
    tool("espeak-ng", "espeak-ng"),
    tool("strace", "strace"),
    tool("openssl", "openssl"),
    tool("slapd", "slapd"),
    tool("ldapmodify", "ldap-utils"),
    tool("clamd", "clamav-daemon"),
    tool("faketime", "faketime"),
    tool("turnutils_uclient", "coturn"),
    tool("ip", "iproute2"),
    tool("nft", "nftables"),
    tool("tshark", "tshark"),
    tool("named", "bind9"),
    tool("named-checkzone", "bind9-utils"),
    tool("rsvg-convert", "librsvg2-bin"),
    // A library for Debian's own Python: it has no program.
    tool("/usr/lib/python3/dist-packages/openpyxl/__init__.py", "python3-openpyxl"),
    tool("python3", "python3-minimal"),
    // The judge of speech is built by pip.
    tool("pip3", "python3-pip"),
    tool("python3-config", "python3-dev"),
    tool("node", "nodejs"),
    tool("npm", "npm"),
    tool("chromium", "chromium"),
];

/// Those of `tools` that this machine lacks.
pub fn missing(tools: &[Tool]) -> Vec<Tool> {
    let mut found: Vec<Tool> = Vec::new();
    for tool in tools {
        if which(tool.program).is_none() && !found.contains(tool) {
            found.push(*tool);
        }
    }
    found
}

/// The command a person would type for them.
pub fn install_command(tools: &[Tool]) -> String {
    let packages: Vec<&str> = tools.iter().map(|tool| tool.package).collect();
    format!("apt-get update && apt-get install -y --no-install-recommends {}", packages.join(" "))
}

/// Installs what is missing, when we may; otherwise says the exact command.
pub fn ensure(root: &Path, tools: &[Tool], log: &Path) -> Result<(), String> {
    let lacking = missing(tools);
    if lacking.is_empty() {
        return Ok(());
    }
    let line = install_command(&lacking);
    if which("apt-get").is_none() || !is_root() {
        return Err(format!("this machine lacks {}; as root: {line}", names(&lacking)));
    }
    println!("  installing {} (log: {})", names(&lacking), log.display());
    let done = Step::new(root, "sh", &["-c", &line], log).env("DEBIAN_FRONTEND", "noninteractive").limit(600).run();
    let still = missing(&lacking);
    if still.is_empty() {
        return Ok(());
    }
    Err(format!("could not install {} ({}); try: {line}\n{}", names(&still), done.how, done.tail(12)))
}

fn names(tools: &[Tool]) -> String {
    tools.iter().map(|tool| tool.program).collect::<Vec<_>>().join(", ")
}

/// Whether packages can be installed: the owner of `/proc/self` is who we are.
fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self").is_ok_and(|us| us.uid() == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_is_not_missing() {
        assert_eq!(missing(&[tool("sh", "dash"), tool("no-such-tool", "nothing")]), [tool("no-such-tool", "nothing")]);
    }

    #[test]
    fn the_command_names_every_package_once() {
        let lacking = missing(&[tool("no-such-a", "a"), tool("no-such-b", "b"), tool("no-such-a", "a")]);
        assert_eq!(install_command(&lacking), "apt-get update && apt-get install -y --no-install-recommends a b");
    }
}
