//! The store that API v4 takes files from: Objects Lite, which speaks S3 at `/api/prism/v4.0/objects/`, bucket `vmm-images`.
//!
//! Small files go in one request, others in parts. A part can be sent again, and parts that are there stay there: what the journal knows
//! of a killed upload is gone on with.

use std::sync::atomic::Ordering;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use reqwest::Method;
use reqwest::header::HeaderMap;
use secrecy::{ExposeSecret, SecretString};

use super::super::bars::Bar;
use super::super::failure::{Failure, Kind};
use super::super::http::{Answer, Ask, Login};
use super::super::image::Image;
use super::super::journal::{Begun, Journal, Object};
use super::Central;
use super::sigv4::{Signed, query};

const BUCKET: &str = "/api/prism/v4.0/objects/vmm-images";
/// The size of a part, and of files that go in one request.
const PART: u64 = 64 << 20;
/// How many parts there may be: S3 ends at 10 000.
const PARTS: u64 = 9000;
/// How often a part is sent.
const TRIES: u32 = 5;
const DOING: &str = "uploading the file";

/// Puts the image's file into the store, or the rest of it.
///
/// # Errors
/// [`Kind::Missing`] when there is no such store. Parts that are there stay, and the journal knows of them.
pub async fn put(
    central: &Central,
    image: &Image,
    begun: &mut Begun,
    journal: &Journal,
    bar: &Bar,
) -> Result<(), Failure> {
    let part_size = PART.max(image.size.div_ceil(PARTS).next_multiple_of(1 << 20));
    let fresh = || Object { key: format!("{}-{}", image.name, begun.upload), part_size, ..Object::default() };
    let mut object = begun.object.take().filter(|object| object.part_size == part_size).unwrap_or_else(fresh);
    let write = |begun: &mut Begun, object: &Object| {
        begun.object = Some(object.clone());
        journal.write(begun).map_err(|error| Failure::local(&error))
    };
    write(begun, &object)?;
    let store = Store { central, image, bar };
    if object.whole {
        bar.moved().store(image.size, Ordering::Relaxed);
        return Ok(());
    }
    if image.size <= part_size {
        bar.say("uploading");
        store.send(&object.key, &[], 0, image.size).await?;
    } else {
        // Parts of an upload that the store has forgotten are of no use: once more from the beginning.
        let known = object.parts_id.is_some();
        let mut done = store.parts(&mut object, &mut |object| write(begun, object)).await;
        if known && done.as_ref().is_err_and(|failure| failure.kind == Kind::Missing) {
            (object.parts_id, object.parts) = (None, Vec::new());
            done = store.parts(&mut object, &mut |object| write(begun, object)).await;
        }
        done?;
    }
    object.whole = true;
    write(begun, &object)
}

/// Takes away what was put there, whole or in parts.
///
/// # Errors
/// When it is left there.
pub async fn clear(central: &Central, object: &Object) -> Result<(), Failure> {
    let gone = |done: Result<Answer, Failure>| match done {
        Err(failure) if failure.kind != Kind::Missing => Err(failure),
        _ => Ok(()),
    };
    if let Some(id) = &object.parts_id
        && !object.whole
    {
        gone(ask(central, Method::DELETE, &object.key, &[("uploadId", id.clone())], None).await)?;
    }
    if object.whole { remove(central, &object.key).await } else { Ok(()) }
}

/// Removes an object.
///
/// # Errors
/// When it is left there.
pub async fn remove(central: &Central, key: &str) -> Result<(), Failure> {
    match ask(central, Method::DELETE, key, &[], None).await {
        Err(failure) if failure.kind != Kind::Missing => Err(failure),
        _ => Ok(()),
    }
}

struct Store<'a> {
    central: &'a Central,
    image: &'a Image,
    bar: &'a Bar,
}

type Note<'a> = dyn FnMut(&Object) -> Result<(), Failure> + Send + 'a;

impl Store<'_> {
    /// Sends the parts that are not there yet, and puts them together. `note` is told of each that is there.
    async fn parts(&self, object: &mut Object, note: &mut Note<'_>) -> Result<(), Failure> {
        let key = object.key.clone();
        let id = match &object.parts_id {
            Some(id) => id.clone(),
            None => {
                let query = [("uploads", String::new())];
                let answer = ask(self.central, Method::POST, &key, &query, Some(String::new())).await?;
                let id = element(&answer, "UploadId").ok_or_else(|| {
                    Failure::new(Kind::Missing, DOING, "what answers is no store that speaks S3")
                })?;
                object.parts_id = Some(id.clone());
                note(object)?;
                id
            }
        };
        let count = self.image.size.div_ceil(object.part_size);
        let there = object.parts.len() as u64;
        self.bar.say(&if there > 0 {
            format!("uploading, {there} of {count} parts are there")
        } else {
            "uploading".to_owned()
        });
        for part in there..count {
            let from = part * object.part_size;
            let length = object.part_size.min(self.image.size - from);
            let query = [("partNumber", (part + 1).to_string()), ("uploadId", id.clone())];
            let answer = self.send(&key, &query, from, length).await?;
            let etag = answer.header("etag").unwrap_or_default().to_owned();
            object.parts.push(etag);
            note(object)?;
        }
        self.complete(object, &id).await
    }

    /// Puts the parts together.
    async fn complete(&self, object: &Object, id: &str) -> Result<(), Failure> {
        let mut xml =
            String::from("<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
        for (number, etag) in (1..).zip(&object.parts) {
            let etag = quick_xml::escape::escape(etag.as_str());
            xml.push_str(&format!("<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>"));
        }
        xml.push_str("</CompleteMultipartUpload>");
        let query = [("uploadId", id.to_owned())];
        for attempt in 1.. {
            match ask(self.central, Method::POST, &object.key, &query, Some(xml.clone())).await {
                // The store may answer 200 before it has tried, and say what went wrong in the body.
                Ok(answer) if element(&answer, "Code").is_some() && attempt < TRIES => {
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
                Ok(answer) if element(&answer, "Code").is_some() => {
                    let said = super::super::said::said(&answer.body);
                    return Err(Failure::new(Kind::Unavailable, DOING, said));
                }
                Ok(_) => break,
                // A first try may have done it, and its answer was lost.
                Err(failure) if failure.kind == Kind::Missing => {
                    let there = ask(self.central, Method::HEAD, &object.key, &[], None).await;
                    let size =
                        there.ok().and_then(|answer| answer.header("content-length")?.parse::<u64>().ok());
                    return if size == Some(self.image.size) { Ok(()) } else { Err(failure) };
                }
                Err(failure) => return Err(failure),
            }
        }
        Ok(())
    }

    /// Sends a stretch of the file, again when the connection ends over it.
    async fn send(
        &self,
        key: &str,
        pairs: &[(&str, String)],
        from: u64,
        length: u64,
    ) -> Result<Answer, Failure> {
        let moved = self.bar.moved();
        let ask = Ask::new(Method::PUT, address(key, pairs), DOING)
            .header("content-type", "application/octet-stream")
            .header("content-length", &length.to_string());
        let mut wait = Duration::from_millis(500);
        let mut tries = 1;
        loop {
            moved.store(from, Ordering::Relaxed);
            let body = self.image.body(from, length, self.bar.moved());
            let body = body.map_err(|error| Failure::new(Kind::Local, DOING, error.to_string()))?;
            let sign = |headers: &mut HeaderMap| sign(self.central, "PUT", key, pairs, headers);
            let failure = match self.central.session.send(&ask, sign, body, (&moved, from + length)).await {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            let again = failure.kind.passes()
                || failure.kind == Kind::Server
                || failure.kind == Kind::Credentials && tries == 1;
            if !again || tries == TRIES {
                return Err(failure);
            }
            self.bar.say(&format!("{failure}; trying again"));
            tokio::time::sleep(failure.pause(wait)).await;
            wait *= 2;
            tries += 1;
        }
    }
}

/// A request of the store's that fits in memory. Each means the same when it arrives twice.
async fn ask(
    central: &Central,
    method: Method,
    key: &str,
    pairs: &[(&str, String)],
    body: Option<String>,
) -> Result<Answer, Failure> {
    let word = method.as_str().to_owned();
    let ask = Ask::new(method, address(key, pairs), DOING).harmless();
    let ask = ask.header("content-type", "application/xml").header("accept", "application/xml");
    let ask = match body {
        Some(body) => ask.body(body).slow(),
        None => ask,
    };
    central.session.ask_with(&ask, |headers| sign(central, &word, key, pairs, headers)).await
}

fn address(key: &str, pairs: &[(&str, String)]) -> String {
    let query = query(pairs);
    // Names of images need no encoding.
    if query.is_empty() { format!("{BUCKET}/{key}") } else { format!("{BUCKET}/{key}?{query}") }
}

/// The store knows a user by base64 of name and password, as id and as key.
fn sign(central: &Central, method: &str, key: &str, pairs: &[(&str, String)], headers: &mut HeaderMap) {
    if let Login::Password(user, password) = central.session.login() {
        let pair = SecretString::from(STANDARD.encode(format!("{user}:{}", password.expose_secret())));
        let (authority, path) = (central.session.authority(), format!("{BUCKET}/{key}"));
        Signed { method, authority: &authority, path: &path, query: pairs }.sign(
            &pair,
            Timestamp::now(),
            headers,
        );
    }
}

/// The text of an element of an answer.
fn element(answer: &Answer, name: &str) -> Option<String> {
    let text = String::from_utf8_lossy(&answer.body);
    let rest = text.split_once(&format!("<{name}>"))?.1;
    let inside = rest.split_once("</")?.0;
    quick_xml::escape::unescape(inside).ok().map(|text| text.into_owned())
}
