//! Kamailio, as Debian packages it.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use md5::{Digest, Md5};

use super::{DOMAIN, Running, free_port, log_file, spawn};
use crate::users::User;

const CONFIGURATION: &str = include_str!("../../peers/kamailio.cfg");
/// MiB of shared memory; it fills it up only as far as it needs.
const SHARED: &str = "4096";

/// The table of credentials, in the text form that db_text reads.
fn credentials(users: &[User]) -> String {
    let head = "id(int,auto) key_name(string) key_type(int) value_type(int) key_value(string) expires(int) \n";
    users.iter().enumerate().fold(head.to_owned(), |mut text, (number, user)| {
        let hash = Md5::new().chain_update(&user.name).chain_update(format!(":{DOMAIN}:"));
        let hash = hash.chain_update(user.password.reveal()).finalize();
        let hex = hash.iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{}:{}:0:0:{hex}:0", number + 1, user.name);
        text
    })
}

pub(super) fn start(folder: &Path, users: &[User], core: usize) -> Result<Running, String> {
    let write = |name: &str, text: &str| {
        std::fs::write(folder.join(name), text).map_err(|error| format!("{}: {error}", folder.display()))
    };
    write("version", "table_name(string) table_version(int) \nhtable:2\n")?;
    write("htable", &credentials(users))?;
    write("kamailio.cfg", CONFIGURATION)?;
    let version = Command::new("kamailio").arg("-v").output();
    let version = version.map_err(|error| format!("kamailio: {error}; `apt-get install kamailio` brings it"))?;
    let version = String::from_utf8_lossy(&version.stdout).split_whitespace().nth(2).unwrap_or("?").to_owned();
    let sip = ([127, 0, 0, 1], free_port()?).into();
    let mut command = Command::new("kamailio");
    command.args(["-DD", "-E", "-m", SHARED, "-M", "16", "-A", "LOAD_CHILDREN=4"]);
    command.arg("-f").arg(folder.join("kamailio.cfg")).arg("-Y").arg(folder);
    command.arg("-l").arg(format!("udp:{sip}"));
    command.arg("-A").arg(format!("LOAD_USERS=\"text://{}\"", folder.display()));
    command.stdout(log_file(folder)?).stderr(log_file(folder)?);
    let child = spawn(&mut command, core)?;
    Ok(Running { child, folder: folder.to_owned(), name: "kamailio", version, sip, tls: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_hashed_with_the_domain() {
        let table = credentials(&crate::users::made_up(1));
        // printf 'u000000:bench.test:pwu000000' | md5sum
        assert_eq!(table.lines().nth(1), Some("1:u000000:0:0:4cd5ca379c5e5dc318013874b75e8029:0"));
    }
}
