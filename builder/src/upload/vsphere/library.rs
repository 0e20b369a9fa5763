//! The requests of the content library's API, in the form that vCenter 6.5 to 8 know: `/rest/com/vmware/content`.

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Url};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::super::failure::{Failure, Kind};
use super::super::http::Ask;
use super::super::stamp::Stamp;
use super::Center;

const ITEMS: &str = "/rest/com/vmware/content/library/item";
const UPDATES: &str = "/rest/com/vmware/content/library/item/update-session";
const FILES: &str = "/rest/com/vmware/content/library/item/updatesession/file";
/// How often a long transfer says that it still goes on.
const ALIVE: Duration = Duration::from_secs(60);
/// The longest wait between looks at what the vCenter makes of files.
const LOOK: Duration = Duration::from_secs(5);

/// An item that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Its id.
    pub id: String,
    /// Its name, which is its own within the library.
    pub name: String,
    /// RFC 3339, which sorts as it stands.
    pub created: String,
    /// What the builder wrote into its description.
    pub stamp: Option<Stamp>,
}

/// A file to be sent.
pub struct Outgoing<'a> {
    /// What it is called there.
    pub name: String,
    /// Its size in bytes.
    pub size: u64,
    /// Its SHA-1.
    pub sha1: String,
    /// Where its bytes are.
    pub from: From<'a>,
}

/// Where bytes are.
pub enum From<'a> {
    /// In memory.
    Text(&'a str),
    /// In a file.
    Path(&'a std::path::Path),
}

/// What an answer is about.
pub fn value(answer: &Value) -> Value {
    answer.get("value").cloned().unwrap_or(Value::Null)
}

/// The texts in a list.
pub fn texts(list: &Value) -> Vec<String> {
    let list = list.as_array().map_or(&[][..], Vec::as_slice);
    list.iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// A part of a path.
pub fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

impl Center {
    /// Makes a request, and gives what is in its answer. Where the login has run out meanwhile, it is made anew.
    pub(super) async fn ask(&self, ask: Ask) -> Result<Value, Failure> {
        let mut answer = self.session.ask_with(&ask, |headers| self.sign(headers)).await;
        if answer.as_ref().is_err_and(|failure| failure.kind == Kind::Credentials) {
            self.renew().await?;
            answer = self.session.ask_with(&ask, |headers| self.sign(headers)).await;
        }
        let answer = answer?;
        if answer.body.is_empty() {
            return Ok(Value::Null);
        }
        Ok(value(&answer.json("reading an answer")?))
    }

    fn sign(&self, headers: &mut HeaderMap) {
        let token = self.token.lock().unwrap_or_else(PoisonError::into_inner);
        if let Ok(mut value) = HeaderValue::from_str(token.expose_secret()) {
            value.set_sensitive(true);
            headers.insert(HeaderName::from_static("vmware-api-session-id"), value);
        }
    }

    /// Every item of the library.
    pub(super) async fn items(&self) -> Result<Vec<Item>, Failure> {
        let doing = "looking for what is there";
        let list = format!("{ITEMS}?library_id={}", encoded(&self.id));
        let ids = texts(&self.ask(Ask::new(Method::GET, list, doing)).await?);
        let mut items = Vec::new();
        for id in ids {
            match self.ask(Ask::new(Method::GET, format!("{ITEMS}/id:{}", encoded(&id)), doing)).await {
                Ok(item) => items.push(Item {
                    name: item["name"].as_str().unwrap_or_default().to_owned(),
                    created: item["creation_time"].as_str().unwrap_or_default().to_owned(),
                    stamp: item["description"].as_str().and_then(Stamp::find),
                    id,
                }),
                // Somebody deleted it a moment ago.
                Err(failure) if failure.kind == Kind::Missing => {}
                Err(failure) => return Err(failure),
            }
        }
        Ok(items)
    }

    /// Name and size of each file of an item.
    pub(super) async fn files(&self, item: &str) -> Result<Vec<(String, u64)>, Failure> {
        let path = format!("{ITEMS}/file?library_item_id={}", encoded(item));
        let files = self.ask(Ask::new(Method::GET, path, "looking at the item's files")).await?;
        let file = |file: &Value| Some((file["name"].as_str()?.to_owned(), file["size"].as_u64()?));
        Ok(files.as_array().map_or(Vec::new(), |files| files.iter().filter_map(file).collect()))
    }

    /// Makes an item without files. The same `token` makes one item, however often it is asked.
    pub(super) async fn create(&self, name: &str, description: &str, token: &str) -> Result<String, Failure> {
        let doing = "creating the item";
        let spec = json!({
            "client_token": token,
            "create_spec": {"library_id": self.id, "name": name, "type": "ovf", "description": description},
        });
        let made = self.ask(Ask::new(Method::POST, ITEMS, doing).json(&spec)).await?;
        made.as_str().map(str::to_owned).ok_or_else(|| Failure::new(Kind::Answer, doing, "no id came back"))
    }

    /// Gives an item another name.
    pub(super) async fn rename(&self, item: &str, name: &str) -> Result<(), Failure> {
        let path = format!("{ITEMS}/id:{}", encoded(item));
        let spec = json!({"update_spec": {"name": name}});
        self.ask(Ask::new(Method::PATCH, path, "giving the item its name").json(&spec).harmless()).await?;
        Ok(())
    }

    /// Deletes an item; one that is gone is deleted.
    pub(super) async fn delete(&self, item: &str) -> Result<(), Failure> {
        let path = format!("{ITEMS}/id:{}", encoded(item));
        match self.ask(Ask::new(Method::DELETE, path, "deleting an item")).await {
            Err(failure) if failure.kind != Kind::Missing => Err(failure),
            _ => Ok(()),
        }
    }

    /// Sends files into an item: all of them, or the item is as it was.
    pub(super) async fn fill(
        &self,
        item: &str,
        files: &[Outgoing<'_>],
        moved: &Arc<AtomicU64>,
    ) -> Result<(), Failure> {
        let doing = "sending the files";
        let spec = json!({"create_spec": {"library_item_id": item}});
        let made = self.ask(Ask::new(Method::POST, UPDATES, doing).json(&spec)).await?;
        let update = made.as_str().map(encoded);
        let update = update.ok_or_else(|| Failure::new(Kind::Answer, doing, "no id came back"))?;
        let sent = tokio::select! {
            sent = self.send_all(&update, files, moved) => sent,
            never = self.keep_alive(&update) => never,
        };
        let sent = match sent {
            Ok(()) => self.complete(&update).await,
            Err(failure) => Err(failure),
        };
        if sent.is_err() {
            // What cannot be taken back ends by itself after a while.
            let cancel = Ask::new(Method::POST, format!("{UPDATES}/id:{update}?~action=cancel"), doing);
            let _ = self.ask(cancel.harmless()).await;
        }
        sent
    }

    async fn send_all(
        &self,
        update: &str,
        files: &[Outgoing<'_>],
        moved: &Arc<AtomicU64>,
    ) -> Result<(), Failure> {
        let doing = "sending the files";
        let wrong = |said: &str| Failure::new(Kind::Answer, doing, said);
        for file in files {
            let spec = json!({"file_spec": {
                "name": file.name, "source_type": "PUSH", "size": file.size,
                "checksum_info": {"algorithm": "SHA1", "checksum": file.sha1},
            }});
            let path = format!("{FILES}/id:{update}?~action=add");
            let added = self.ask(Ask::new(Method::POST, path, doing).json(&spec).harmless()).await?;
            let address = added["upload_endpoint"]["uri"].as_str();
            let address = address.and_then(|address| Url::parse(address).ok());
            let address = address.ok_or_else(|| wrong("no address to send a file to came back"))?;
            if address.scheme() != "https" {
                return Err(wrong("the address to send a file to is not encrypted"));
            }
            let (already, length) = (moved.load(std::sync::atomic::Ordering::Relaxed), file.size);
            let body = match &file.from {
                From::Text(text) => reqwest::Body::from((*text).to_owned()),
                From::Path(path) => {
                    super::super::image::body(path, 0, length, Arc::clone(moved)).map_err(|error| {
                        Failure::new(Kind::Local, doing, format!("{}: {error}", path.display()))
                    })?
                }
            };
            // The token goes to the vCenter alone; another host has its word in the address.
            let own = address.host_str().is_some_and(|host| host == self.settings.address.value.host);
            let ask = Ask::new(Method::PUT, address.to_string(), doing)
                .header("content-type", "application/octet-stream")
                .header("content-length", &length.to_string());
            let sign = |headers: &mut HeaderMap| {
                if own {
                    self.sign(headers);
                }
            };
            self.session.send(&ask, sign, body, (moved, already + length)).await?;
        }
        Ok(())
    }

    /// Keeps an update and the login from running out, for as long as it is waited for.
    async fn keep_alive<T>(&self, update: &str) -> T {
        loop {
            tokio::time::sleep(ALIVE).await;
            let path = format!("{UPDATES}/id:{update}?~action=keep-alive");
            // What is wrong with the connection shows where the file is sent.
            let _ = self.ask(Ask::new(Method::POST, path, "sending the files").harmless()).await;
        }
    }

    /// Ends an update, and waits for what becomes of its files.
    async fn complete(&self, update: &str) -> Result<(), Failure> {
        let doing = "waiting for what becomes of the files";
        let path = format!("{UPDATES}/id:{update}");
        self.ask(Ask::new(Method::POST, format!("{path}?~action=complete"), doing).harmless()).await?;
        let (begun, mut wait) = (Instant::now(), Duration::from_millis(200));
        let patience = self.session.patience.import;
        loop {
            let told = self.ask(Ask::new(Method::GET, path.clone(), doing)).await?;
            let said = told["error_message"]["default_message"].as_str().unwrap_or("no reason is given");
            match told["state"].as_str() {
                Some("DONE") => return Ok(()),
                Some("ERROR") if said.to_lowercase().contains("checksum") => {
                    return Err(Failure::new(Kind::Checksum, doing, said));
                }
                Some("ERROR" | "CANCELED") => return Err(Failure::new(Kind::Task, doing, said)),
                _ if begun.elapsed() > Duration::from_secs(patience.into()) => {
                    return Err(Failure::new(
                        Kind::Patience,
                        doing,
                        format!("not finished after {patience} seconds"),
                    ));
                }
                _ => tokio::time::sleep(wait).await,
            }
            wait = wait.mul_f64(1.5).min(LOOK);
        }
    }
}
