//! One connection to a server: TLS, login, patience, and which requests are made again when they fail.
//!
//! A request that only looks, or that means the same when it arrives twice, is made again after every failure that passes. Any other is
//! made again only when it surely was not acted on: no connection, or the server refused it as too much (429, 503). Waits double,
//! and follow `Retry-After`.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::StreamExt;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Certificate, Client, Method, RequestBuilder, Response, Url};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use super::failure::{Failure, Kind};
use super::said::said;
use crate::target::Patience;

/// How often a request is made before it is given up.
const TRIES: u32 = 6;
/// The first wait between tries.
const WAIT: Duration = Duration::from_millis(500);
/// The largest answer that is read.
const LARGEST: usize = 32 << 20;
/// How much longer than a stall a server may be silent when it has a whole file: it may be writing it away.
const DIGEST: u32 = 15;

/// How one logs in.
#[derive(Clone)]
pub enum Login {
    /// User and password.
    Password(String, SecretString),
    /// A key in a header of Prism's.
    ApiKey(SecretString),
}

/// What makes a connection trusted.
#[derive(Debug, Clone, Default)]
pub enum Trust {
    /// The system's certificate authorities.
    #[default]
    System,
    /// These alone: PEM.
    Only(Vec<u8>),
    /// Anything.
    Anything,
}

impl Trust {
    /// What a target says of certificates. Relative paths start from `directory`.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn of(ca: Option<&Path>, insecure: bool, directory: &Path) -> Result<Trust, Failure> {
        match ca {
            _ if insecure => Ok(Trust::Anything),
            Some(ca) => {
                let path = directory.join(ca);
                let wrong =
                    |error| Failure::new(Kind::Target, "", format!("reading {}: {error}", path.display()));
                std::fs::read(&path).map(Trust::Only).map_err(wrong)
            }
            None => Ok(Trust::System),
        }
    }
}

/// Whether a request may arrive twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Twice {
    /// It means the same.
    Harmless,
    /// It would be done twice.
    No,
}

/// What a server answered.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Answer {
    /// The body as JSON.
    ///
    /// # Errors
    /// When it is none.
    pub fn json(&self, doing: &str) -> Result<Value, Failure> {
        serde_json::from_slice(&self.body).map_err(|error| {
            Failure::new(Kind::Answer, doing, format!("no JSON came back ({error}): {}", said(&self.body)))
        })
    }

    /// A header's text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// A request that fits in memory.
#[derive(Debug, Clone)]
pub struct Ask {
    method: Method,
    path: String,
    headers: HeaderMap,
    body: Option<Bytes>,
    twice: Twice,
    /// Whether the server has to write a file away before it answers.
    slow: bool,
    doing: String,
}

impl Ask {
    /// A request; `doing` is what messages say of it.
    pub fn new(method: Method, path: impl Into<String>, doing: impl Into<String>) -> Ask {
        let looks = matches!(method, Method::GET | Method::HEAD | Method::OPTIONS | Method::DELETE);
        let twice = if looks { Twice::Harmless } else { Twice::No };
        Ask {
            method,
            path: path.into(),
            headers: HeaderMap::new(),
            body: None,
            twice,
            slow: false,
            doing: doing.into(),
        }
    }

    /// With a body of JSON.
    pub fn json(mut self, body: &Value) -> Ask {
        self.body = Some(Bytes::from(body.to_string()));
        self.header("content-type", "application/json")
    }

    /// With a body.
    pub fn body(mut self, body: impl Into<Bytes>) -> Ask {
        self.body = Some(body.into());
        self
    }

    /// With a header; one that cannot be sent is left out.
    pub fn header(mut self, name: &'static str, value: &str) -> Ask {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(HeaderName::from_static(name), value);
        }
        self
    }

    /// Answered when the server has written a file away: that may take longer than a stall.
    pub fn slow(mut self) -> Ask {
        self.slow = true;
        self
    }

    /// Harmless when it arrives twice.
    pub fn harmless(mut self) -> Ask {
        self.twice = Twice::Harmless;
        self
    }
}

/// A server, and how to get in.
pub struct Session {
    client: Client,
    base: Url,
    login: Login,
    /// Its patience.
    pub patience: Patience,
    /// Whether the login was ever accepted.
    accepted: AtomicBool,
}

impl Session {
    /// A session; nothing is sent yet.
    ///
    /// # Errors
    /// When the certificates are none.
    pub fn new(
        host: &str,
        port: u16,
        login: Login,
        trust: Trust,
        patience: Patience,
    ) -> Result<Session, Failure> {
        // Refused when it is set already, by another target.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let wrong = |error: reqwest::Error| Failure::new(Kind::Target, "preparing TLS", causes(&error));
        let builder = Client::builder()
            .user_agent(concat!("trempe-builder/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(Duration::from_secs(patience.connect.into()))
            .redirect(reqwest::redirect::Policy::none())
            // A server may close a connection at rest in the moment in which the next request goes out on it, and whether an image
            // was created is not known then. Requests are few: each has a connection of its own.
            .pool_max_idle_per_host(0)
            .tcp_nodelay(true);
        let builder = match trust {
            Trust::System => builder,
            Trust::Anything => builder.tls_danger_accept_invalid_certs(true),
            Trust::Only(pem) => {
                let certificates = Certificate::from_pem_bundle(&pem).map_err(wrong)?;
                if certificates.is_empty() {
                    return Err(Failure::new(
                        Kind::Target,
                        "preparing TLS",
                        "the file under ca has no certificate in it (PEM)",
                    ));
                }
                builder.tls_certs_only(certificates)
            }
        };
        let base = Url::parse(&format!("https://{host}:{port}")).map_err(|error| {
            Failure::new(Kind::Target, "preparing TLS", format!("{host}:{port}: {error}"))
        })?;
        let client = builder.build().map_err(wrong)?;
        Ok(Session { client, base, login, patience, accepted: AtomicBool::new(false) })
    }

    /// How it logs in.
    pub fn login(&self) -> &Login {
        &self.login
    }

    /// Host and port, as requests name them.
    pub fn authority(&self) -> String {
        // The port is left out only when it is the usual one of HTTPS.
        let port = self.base.port().map_or(String::new(), |port| format!(":{port}"));
        format!("{}{port}", self.base.host_str().unwrap_or_default())
    }

    /// The headers that log in.
    fn logged_in(&self) -> HeaderMap {
        let (name, text) = match &self.login {
            Login::Password(user, password) => {
                let pair = STANDARD.encode(format!("{user}:{}", password.expose_secret()));
                ("authorization", format!("Basic {pair}"))
            }
            Login::ApiKey(key) => ("x-ntnx-api-key", key.expose_secret().to_owned()),
        };
        let mut headers = HeaderMap::new();
        if let Ok(mut value) = HeaderValue::from_str(&text) {
            value.set_sensitive(true);
            headers.insert(HeaderName::from_static(name), value);
        }
        headers
    }

    /// Makes a request, again where that is harmless, and gives a successful answer.
    ///
    /// # Errors
    /// When it does not succeed.
    pub async fn ask(&self, ask: Ask) -> Result<Answer, Failure> {
        self.ask_with(&ask, |headers| headers.extend(self.logged_in())).await
    }

    /// The same, with headers that are made anew for each try.
    ///
    /// # Errors
    /// When it does not succeed.
    pub async fn ask_with(&self, ask: &Ask, sign: impl Fn(&mut HeaderMap)) -> Result<Answer, Failure> {
        let mut wait = WAIT;
        let mut expired = false;
        let mut tries = 1;
        loop {
            let failure = match self.once(self.request(ask, &sign), &ask.doing).await {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            // A login that was accepted before may have run out on the server: the same is tried once more.
            let renew =
                failure.kind == Kind::Credentials && self.accepted.load(Ordering::Relaxed) && !expired;
            expired |= renew;
            let unseen = matches!(failure.kind, Kind::Unreachable | Kind::Busy);
            let again = renew || (failure.kind.passes() && (ask.twice == Twice::Harmless || unseen));
            if !again || tries == TRIES {
                return Err(failure);
            }
            tokio::time::sleep(failure.pause(wait)).await;
            wait *= 2;
            tries += 1;
        }
    }

    fn request(&self, ask: &Ask, sign: impl Fn(&mut HeaderMap)) -> RequestBuilder {
        let mut headers = ask.headers.clone();
        headers.entry("accept").or_insert(HeaderValue::from_static("application/json"));
        sign(&mut headers);
        let request = self.client.request(ask.method.clone(), self.url(&ask.path)).headers(headers);
        let seconds = self.patience.stall.saturating_mul(if ask.slow { DIGEST } else { 1 });
        let request = request.timeout(Duration::from_secs(seconds.into()));
        match &ask.body {
            Some(body) => request.body(body.clone()),
            None => request,
        }
    }

    /// Sends a file's bytes, once. `moved` counts them as they go, up to `until`.
    ///
    /// # Errors
    /// When it does not succeed, or nothing moves for too long.
    pub async fn send(
        &self,
        ask: &Ask,
        sign: impl Fn(&mut HeaderMap),
        body: reqwest::Body,
        (moved, until): (&AtomicU64, u64),
    ) -> Result<Answer, Failure> {
        let mut headers = ask.headers.clone();
        sign(&mut headers);
        let request =
            self.client.request(ask.method.clone(), self.url(&ask.path)).headers(headers).body(body);
        tokio::select! {
            answer = self.once(request, &ask.doing) => answer,
            seconds = stalled(moved, until, self.patience.stall) => {
                let said = format!("{}: nothing moved for {seconds} seconds", self.authority());
                Err(Failure::new(Kind::Interrupted, &ask.doing, said))
            }
        }
    }

    /// Headers that log in, for [`Session::send`].
    pub fn sign(&self, headers: &mut HeaderMap) {
        headers.extend(self.logged_in());
    }

    fn url(&self, path: &str) -> Url {
        // A path of ours always joins.
        self.base.join(path).unwrap_or_else(|_| self.base.clone())
    }

    async fn once(&self, request: RequestBuilder, doing: &str) -> Result<Answer, Failure> {
        let broken = |error| self.broken(&error, doing);
        let response = request.send().await.map_err(broken)?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = read(response).await.map_err(broken)?;
        if (200..300).contains(&status) {
            self.accepted.store(true, Ordering::Relaxed);
            return Ok(Answer { status, headers, body });
        }
        let after = after(&headers);
        // A gateway also answers 503 when a server went away over a request; one that names a time has not begun.
        let kind = if status == 503 && after.is_some() { Kind::Busy } else { Kind::of(status) };
        let told = self.scrub(&said(&body));
        let failure = Failure::new(kind, doing, format!("{} answered {status}: {told}", self.authority()));
        Err(Failure { after, ..failure })
    }

    /// A failure without an answer.
    fn broken(&self, error: &reqwest::Error, doing: &str) -> Failure {
        let why = causes(error);
        let tls = ["certificate", "tls", "handshake"].iter().any(|word| why.to_lowercase().contains(word));
        let kind = match error {
            _ if tls && error.is_connect() => Kind::Tls,
            _ if error.is_connect() => Kind::Unreachable,
            _ if error.is_builder() => Kind::Local,
            _ => Kind::Interrupted,
        };
        Failure::new(kind, doing, format!("{}: {}", self.authority(), self.scrub(&why)))
    }

    /// A text without what logs in, should a server have repeated it.
    fn scrub(&self, text: &str) -> String {
        let secrets = match &self.login {
            Login::Password(user, password) => {
                let password = password.expose_secret();
                vec![STANDARD.encode(format!("{user}:{password}")), password.to_owned()]
            }
            Login::ApiKey(key) => vec![key.expose_secret().to_owned()],
        };
        secrets.iter().fold(text.to_owned(), |text, secret| text.replace(secret.as_str(), "[secret]"))
    }
}

/// When a refusal asks to be asked again: `Retry-After` in seconds.
fn after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get("retry-after")?.to_str().ok()?;
    text.trim().parse().ok().map(Duration::from_secs)
}

/// A body, as long as it is small enough to be an answer.
async fn read(response: Response) -> Result<Bytes, reqwest::Error> {
    let mut body = Vec::new();
    let mut stream = response.bytes_stream();
    while let Some(part) = stream.next().await {
        let part = part?;
        if body.len() + part.len() > LARGEST {
            break;
        }
        body.extend_from_slice(&part);
    }
    Ok(Bytes::from(body))
}

/// Ends when nothing has moved for so many seconds; later once all has, and the server is writing it away.
async fn stalled(moved: &AtomicU64, until: u64, seconds: u32) -> u32 {
    let (mut last, mut still) = (moved.load(Ordering::Relaxed), 0);
    loop {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let now = moved.load(Ordering::Relaxed);
        still = if now == last { still + 1 } else { 0 };
        last = now;
        let allowed = if now >= until { seconds.saturating_mul(DIGEST) } else { seconds };
        if still >= allowed {
            return allowed;
        }
    }
}

/// An error with its causes.
fn causes(error: &dyn std::error::Error) -> String {
    let mut parts = Vec::new();
    let mut next = error.source();
    while let Some(cause) = next {
        let text = cause.to_string();
        // rustls points to its manual.
        let text = text.split(": https://").next().unwrap_or_default().to_owned();
        if !parts.iter().any(|part: &String| part.contains(&text)) {
            parts.push(text);
        }
        next = cause.source();
    }
    if parts.is_empty() { error.to_string() } else { parts.join(": ") }
}
