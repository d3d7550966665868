//! The local socket: mode 0600, and the kernel says who connects.

use super::{CONNECTIONS, Drain, connection};
use crate::peer::{Peer, user_name};
use axum::Router;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// The bound local socket; the file goes away with it.
pub struct LocalListener {
    listener: UnixListener,
    path: PathBuf,
    own_uid: u32,
}

impl LocalListener {
    /// Binds `path`. A file that a dead server left is replaced; one that answers is `AddrInUse`.
    ///
    /// Needs a tokio runtime.
    pub fn bind(path: &Path) -> io::Result<LocalListener> {
        if std::os::unix::net::UnixStream::connect(path).is_ok() {
            return Err(io::Error::new(io::ErrorKind::AddrInUse, "another server answers on this socket"));
        }
        // Bound under another name and renamed, so that nobody meets the socket before its mode is set.
        let new = path.with_extension(format!("new-{}", std::process::id()));
        std::fs::remove_file(&new).ok();
        let listener = UnixListener::bind(&new)?;
        std::fs::set_permissions(&new, std::fs::Permissions::from_mode(0o600))?;
        std::fs::rename(&new, path)?;
        let own_uid = UnixStream::pair()?.0.peer_cred()?.uid();
        Ok(LocalListener { listener, path: path.to_owned(), own_uid })
    }

    /// The socket's path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Accepts connections until the server drains, then removes the file.
    pub async fn serve(self, router: Router, mut drain: Drain) -> io::Result<()> {
        let places = Arc::new(Semaphore::new(CONNECTIONS));
        let mut open = JoinSet::new();
        loop {
            let Ok(place) = places.clone().acquire_owned().await else { break };
            let accepted = tokio::select! {
                accepted = self.listener.accept() => accepted,
                () = drain.begun() => break,
            };
            while open.try_join_next().is_some() {}
            let Ok((stream, _)) = accepted else { continue };
            let Ok(credentials) = stream.peer_cred() else { continue };
            let uid = credentials.uid();
            let peer = Peer::Local { user: user_name(uid), trusted: uid == 0 || uid == self.own_uid };
            let (router, drain) = (router.clone(), drain.clone());
            open.spawn(async move {
                connection(stream, peer, router, drain).await;
                drop(place);
            });
        }
        while open.join_next().await.is_some() {}
        std::fs::remove_file(&self.path).ok();
        Ok(())
    }
}
