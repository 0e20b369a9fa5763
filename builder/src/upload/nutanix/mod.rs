//! Nutanix Prism Central: an image goes in by API v4 (a store that speaks S3, then an image made of what is in it) or by API v3 (an empty
//! image, then its file).
//!
//! | step | file | what it does |
//! |---|---|---|
//! | connect | [`connect`] | logs in, finds the API and its version, the clusters and the categories |
//! | deliver | [`deliver`] | what is there already, what is to be sent, which version has the name, which are too old |
//! | send | [`v4`], [`objects`], [`v3`] | the file becomes an image |
//!
//! The image has its name only when it is complete; until then, and when a newer one took its place, it is called `NAME-DIGEST`. Images
//! that the builder did not make ([`stamp`](super::stamp)) are never touched.

pub mod connect;
pub mod deliver;
mod objects;
mod sigv4;
mod v3;
mod v4;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::failure::{Failure, Kind};
use super::http::Session;
use super::stamp;
use crate::target::Nutanix;

/// The first wait between looks at a task, and the longest.
const LOOKS: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(5));
/// How many images a Prism Central may have: more, and something is wrong with the paging.
const MOST: usize = 20_000;

/// A Prism Central that is logged in to.
pub struct Central {
    /// What the target is called.
    pub label: String,
    /// The connection.
    pub session: Session,
    /// The API that files go by.
    pub api: Version,
    /// Its own version, as `pc.2024.3`.
    pub product: String,
    settings: Nutanix,
    /// The UUIDs of the clusters that get the image.
    clusters: Vec<String>,
    /// Categories by key and value, and for API v4 their ids.
    categories: BTreeMap<String, Vec<String>>,
    category_ids: Vec<String>,
}

/// An API with the minor versions that both sides know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// v3.
    V3,
    /// v4.
    V4 {
        /// Of images.
        vmm: u32,
        /// Of tasks and categories.
        prism: u32,
        /// Of clusters.
        clusters: u32,
    },
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Version::V3 => f.write_str("v3"),
            Version::V4 { vmm, .. } => write!(f, "v4.{vmm}"),
        }
    }
}

/// An image that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Remote {
    id: String,
    name: String,
    description: String,
    state: State,
    /// RFC 3339, which sorts as it stands.
    created: String,
}

/// How far an image is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Ready,
    Working,
    Failed,
}

impl Remote {
    fn stamp(&self) -> Option<stamp::Stamp> {
        stamp::Stamp::find(&self.description)
    }
}

impl Central {
    async fn images(&self) -> Result<Vec<Remote>, Failure> {
        match self.api {
            Version::V3 => v3::images(self).await,
            Version::V4 { .. } => v4::images(self).await,
        }
    }

    async fn rename(&self, image: &Remote, name: &str) -> Result<(), Failure> {
        match self.api {
            Version::V3 => v3::rename(self, image, name).await,
            Version::V4 { .. } => v4::rename(self, image, name).await,
        }
    }

    /// Deletes an image; one that is gone is deleted.
    async fn delete(&self, id: &str) -> Result<(), Failure> {
        let done = match self.api {
            Version::V3 => v3::delete(self, id).await,
            Version::V4 { .. } => v4::delete(self, id).await,
        };
        match done {
            Err(failure) if failure.kind == Kind::Missing => Ok(()),
            other => other,
        }
    }

    fn deadline(&self) -> Deadline {
        Deadline { seconds: self.session.patience.import, begun: Instant::now(), wait: LOOKS.0 }
    }
}

/// Looks again and again, less and less often, until patience is over.
struct Deadline {
    seconds: u32,
    begun: Instant,
    wait: Duration,
}

impl Deadline {
    /// Waits until the next look.
    async fn next(&mut self, doing: &str) -> Result<(), Failure> {
        if self.begun.elapsed() > Duration::from_secs(self.seconds.into()) {
            return Err(Failure::new(
                Kind::Patience,
                doing,
                format!("not finished after {} seconds", self.seconds),
            ));
        }
        tokio::time::sleep(self.wait).await;
        self.wait = self.wait.mul_f64(1.5).min(LOOKS.1);
        Ok(())
    }
}

/// The text at a path of keys.
fn text<'a>(value: &'a Value, path: &[&str]) -> Option<&'a str> {
    at(value, path)?.as_str()
}

/// The value at a path of keys.
fn at<'a>(value: &'a Value, path: &[&str]) -> Option<&'a Value> {
    path.iter().try_fold(value, |value, key| value.get(key))
}

/// The items of a list at a path of keys; none when there is no list.
fn items<'a>(value: &'a Value, path: &[&str]) -> &'a [Value] {
    at(value, path).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// What a task that failed says: its kind and its words.
fn failed(doing: &str, how: &str, said: &str) -> Failure {
    let said = if said.is_empty() || said == "nothing more is said" { "no reason is given" } else { said };
    let kind = if said.to_lowercase().contains("checksum") { Kind::Checksum } else { Kind::Task };
    Failure::new(kind, doing, format!("the task {how}: {said}"))
}
