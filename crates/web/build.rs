//! Embeds the built web client: what `web/client/dist` holds, or nothing when it was not built.
//!
//! Writes `client.rs` with one `Asset` per file, each with its precompressed forms.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let client = Path::new(&env::var("CARGO_MANIFEST_DIR").unwrap_or_default()).join("../../web/client");
    let dist = client.join("dist");
    // Of a folder that is not there cargo would think at every build that it has changed.
    let watched = if dist.is_dir() { &dist } else { &client };
    println!("cargo::rerun-if-changed={}", watched.display());

    let out = PathBuf::from(env::var("OUT_DIR").unwrap_or_default());
    let copies = out.join("client");
    let mut table = String::from("/// Every file of the client, by path.\npub static CLIENT: &[Asset] = &[\n");
    if dist.join("index.html").is_file() {
        fs::create_dir_all(&copies)?;
        let mut files = Vec::new();
        collect(&dist, &dist, &mut files)?;
        files.sort();
        for path in files.iter().filter(|path| !path.ends_with(".br") && !path.ends_with(".gz")) {
            row(&mut table, &dist, &copies, path, &files)?;
        }
    }
    table.push_str("];\n");
    fs::write(out.join("client.rs"), table)
}

fn collect(root: &Path, folder: &Path, files: &mut Vec<String>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(root, &path, files)?;
        } else if let Some(name) = path.strip_prefix(root).ok().and_then(Path::to_str) {
            files.push(name.to_owned());
        }
    }
    Ok(())
}

fn row(table: &mut String, dist: &Path, copies: &Path, path: &str, files: &[String]) -> io::Result<()> {
    // Copies, so that a build of the client in the middle of ours changes nothing under the compiler.
    let embed = |name: &str| -> io::Result<String> {
        let copy = copies.join(name.replace('/', "~"));
        fs::copy(dist.join(name), &copy)?;
        Ok(format!("include_bytes!({:?})", copy.display().to_string()))
    };
    let packed = |ending: &str| -> io::Result<String> {
        let name = format!("{path}{ending}");
        if files.contains(&name) { Ok(format!("Some({})", embed(&name)?)) } else { Ok("None".to_owned()) }
    };
    let tag = fnv1a(&fs::read(dist.join(path))?);
    let (plain, brotli, gzip) = (embed(path)?, packed(".br")?, packed(".gz")?);
    writeln!(
        table,
        "    Asset {{ path: {path:?}, tag: \"\\\"{tag:016x}\\\"\", plain: {plain}, brotli: {brotli}, gzip: {gzip} }},"
    )
    .map_err(io::Error::other)
}

/// Tells one content from another for the browser's cache; not against forgery.
fn fnv1a(data: &[u8]) -> u64 {
    data.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}
