//! A Prism Central that is none: what an uploader talks to in tests, over TLS, in this process.
//!
//! It keeps digests of what it is given and the head of an image, never the image. It does what is known of real ones: API v3, API v4 with
//! its store that speaks S3, tasks that take several looks, and the oddities that clients stumbled over (each is a comment where it is
//! done). What real ones do and nobody wrote down, it does not claim to know.
//!
//! | file | what it is |
//! |---|---|
//! | [`state`] | images, tasks, objects |
//! | [`fault`] | what goes wrong, on request |
//! | `server`, `answer`, `login`, `body` | TLS and HTTP, forms of answers, who may in, bytes that come in |
//! | `v3`, `v4`, `objects` | the APIs |

mod answer;
mod body;
pub mod fault;
mod login;
mod objects;
mod server;
pub mod state;
mod v3;
mod v4;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context, Result};
use tempfile::TempDir;

use fault::{Act, Fault};
use state::{Image, State};

/// What a Prism Central is like.
#[derive(Debug, Clone)]
pub struct Options {
    /// Who may in.
    pub user: String,
    /// With this password.
    pub password: String,
    /// Or with this key.
    pub api_key: String,
    /// The newest minor version of API v4; none when it has no v4.
    pub v4: Option<u32>,
    /// Whether it tells the version of API v4.
    pub info: bool,
    /// Whether it has API v3.
    pub v3: bool,
    /// Whether it has a store for files of API v4.
    pub store: bool,
    /// Its version.
    pub product: String,
    /// `pc`, or `pe` for a Prism Element.
    pub env: String,
    /// How many looks at a task it takes until it is over.
    pub looks: u32,
    /// The port; any when 0.
    pub port: u16,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            user: "builder".to_owned(),
            password: "p4ss:w0rd/+=".to_owned(),
            api_key: "key-0123456789".to_owned(),
            v4: Some(2),
            info: true,
            v3: true,
            store: true,
            product: "pc.7.5".to_owned(),
            env: "pc".to_owned(),
            looks: 3,
            port: 0,
        }
    }
}

/// A request that came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// The method.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// What was answered; 0 when the connection was ended instead.
    pub status: u16,
}

struct Shared {
    options: Options,
    state: Mutex<State>,
    faults: Mutex<Vec<Fault>>,
    seen: Mutex<Vec<Seen>>,
    directory: TempDir,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A running Prism Central; it ends when this goes.
pub struct Prism {
    /// Where it listens.
    pub address: SocketAddr,
    shared: Arc<Shared>,
    runtime: Option<tokio::runtime::Runtime>,
    authority: String,
}

impl Prism {
    /// Starts one.
    ///
    /// # Errors
    /// When it cannot listen.
    pub fn start(options: Options) -> Result<Prism> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .context("starting tokio")?;
        let (tls, authority) = server::tls()?;
        let shared = Arc::new(Shared {
            state: Mutex::new(State::new(options.looks)),
            options,
            faults: Mutex::default(),
            seen: Mutex::default(),
            directory: tempfile::tempdir().context("creating a directory for parts")?,
        });
        let listener = runtime.block_on(tokio::net::TcpListener::bind(("127.0.0.1", shared.options.port)))?;
        let address = listener.local_addr()?;
        runtime.spawn(server::serve(listener, tls, Arc::clone(&shared)));
        Ok(Prism { address, shared, runtime: Some(runtime), authority })
    }

    /// Its certificate authority, PEM.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// The images that are there, in any state.
    pub fn images(&self) -> Vec<Image> {
        self.shared.state().images.clone()
    }

    /// The images that are there, whatever is shown of them: for changes by somebody else.
    pub fn with_images<T>(&self, change: impl FnOnce(&mut Vec<Image>) -> T) -> T {
        change(&mut self.shared.state().images)
    }

    /// The keys of objects in the store, and how many uploads in parts are open.
    pub fn objects(&self) -> (Vec<String>, usize) {
        let state = self.shared.state();
        (state.objects.keys().cloned().collect(), state.uploads.len())
    }

    /// Takes sessions back: cookies that were given are worth nothing.
    pub fn expire_sessions(&self) {
        self.shared.state().sessions.clear();
    }

    /// What goes wrong from now on: with requests of that method whose path has that in it.
    pub fn fault(&self, method: &str, path: &str, act: Act) {
        self.fault_after(0, 1, method, path, act);
    }

    /// The same, after `skip` such requests and `times` times.
    pub fn fault_after(&self, skip: u32, times: u32, method: &str, path: &str, act: Act) {
        let fault = Fault { method: method.to_owned(), path: path.to_owned(), skip, times, act };
        self.shared.faults.lock().unwrap_or_else(PoisonError::into_inner).push(fault);
    }

    /// Nothing goes wrong any more.
    pub fn mend(&self) {
        self.shared.faults.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Uploads in parts are forgotten.
    pub fn forget_uploads(&self) {
        self.shared.state().uploads.clear();
    }

    /// Request ids are forgotten: the same request again is another one.
    pub fn forget_requests(&self) {
        self.shared.state().requests.clear();
    }

    /// Tasks are forgotten; what they were to do is done.
    pub fn forget_tasks(&self) {
        self.shared.state().forget_tasks();
    }

    /// The requests that came in.
    pub fn seen(&self) -> Vec<Seen> {
        self.shared.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Where parts are kept while an upload is open.
    pub fn directory(&self) -> PathBuf {
        self.shared.directory.path().to_owned()
    }
}

impl Drop for Prism {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
