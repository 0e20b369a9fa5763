//! API v4: the file goes into the store ([`super::objects`]), and an image is made of what is in it.
//!
//! What makes an image has a request id: the server knows a repeated request by it and makes no second image.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use super::super::bars::Bar;
use super::super::failure::{Failure, Kind};
use super::super::http::{Answer, Ask};
use super::super::image::Image;
use super::super::journal::{Begun, Journal};
use super::super::said::said;
use super::super::stamp::Stamp;
use super::connect::encoded;
use super::{Central, Remote, State, Version, at, failed, items, objects, text};

/// How often an image is changed when others change it too.
const CHANGES: u32 = 5;
/// How often an image is looked at after its task ended: it may be without a size for a while.
const LOOKS: u32 = 60;
const IMPORTING: &str = "importing the image";

fn path(central: &Central, rest: &str) -> String {
    let minor = if let Version::V4 { vmm, .. } = central.api { vmm } else { 0 };
    format!("/api/vmm/v4.{minor}/content/images{rest}")
}

/// Every image.
pub async fn images(central: &Central) -> Result<Vec<Remote>, Failure> {
    let list = central.pages_v4(&path(central, ""), "listing the images").await?;
    Ok(list.iter().filter_map(remote).collect())
}

fn remote(image: &Value) -> Option<Remote> {
    let word = |key: &str| text(image, &[key]).unwrap_or_default().to_owned();
    let size = image.get("sizeBytes").and_then(Value::as_u64).unwrap_or_default();
    Some(Remote {
        id: text(image, &["extId"])?.to_owned(),
        name: word("name"),
        description: word("description"),
        state: if size > 0 { State::Ready } else { State::Working },
        created: word("createTime"),
    })
}

/// Makes an image of an object. Gives the task.
async fn create(central: &Central, image: &Image, begun: &Begun, key: &str) -> Result<String, Failure> {
    let doing = "creating the image";
    let stamp =
        Stamp { image: image.name.clone(), sha256: image.sha256.clone(), upload: begun.upload.clone() };
    let mut body = json!({
        "$objectType": "vmm.v4.content.Image",
        "name": stamp.version_name(),
        "description": Stamp::description(image, &begun.upload),
        "type": "DISK_IMAGE",
        "source": {"$objectType": "vmm.v4.content.ObjectsLiteSource", "key": key},
        "checksum": {"$objectType": "vmm.v4.content.ImageSha256Checksum", "hexDigest": image.sha256},
    });
    if !central.clusters.is_empty() {
        body["clusterLocationExtIds"] = json!(central.clusters);
    }
    if !central.category_ids.is_empty() {
        body["categoryExtIds"] = json!(central.category_ids);
    }
    let ask = Ask::new(Method::POST, path(central, ""), doing).json(&body).harmless();
    let answer = central.session.ask(ask.header("ntnx-request-id", &begun.upload)).await?;
    task(&answer, doing)
}

/// The task that an answer names.
fn task(answer: &Answer, doing: &str) -> Result<String, Failure> {
    let body = answer.json(doing)?;
    let task = text(&body, &["data", "extId"]).map(str::to_owned);
    task.ok_or_else(|| Failure::new(Kind::Answer, doing, "the answer names no task"))
}

/// Waits for a task. Gives the image that it is about, where it says so.
async fn finished(central: &Central, task: &str, doing: &str) -> Result<Option<String>, Failure> {
    let minor = if let Version::V4 { prism, .. } = central.api { prism } else { 0 };
    let path = format!("/api/prism/v4.{minor}/config/tasks/{}", encoded(task));
    let mut deadline = central.deadline();
    loop {
        let body = central.session.ask(Ask::new(Method::GET, &path, doing)).await?.json(doing)?;
        let image = items(&body, &["data", "entitiesAffected"])
            .iter()
            .find(|entity| text(entity, &["rel"]) == Some("vmm:content:image"))
            .and_then(|entity| text(entity, &["extId"]));
        let reasons = || {
            let told =
                at(&body, &["data", "errorMessages"]).or_else(|| at(&body, &["data", "legacyErrorMessage"]));
            said(told.unwrap_or(&Value::Null).to_string().as_bytes())
        };
        match text(&body, &["data", "status"]) {
            Some("SUCCEEDED") => return Ok(image.map(str::to_owned)),
            Some("FAILED") => return Err(failed(doing, "failed", &reasons())),
            Some("CANCELED") => return Err(failed(doing, "was cancelled", &reasons())),
            _ => deadline.next(doing).await?,
        }
    }
}

/// Waits until an image can be used: its task may end before that.
async fn usable(central: &Central, id: &str) -> Result<(), Failure> {
    let doing = "waiting for the image";
    let mut deadline = central.deadline();
    for _ in 0..LOOKS {
        let body = get(central, id, doing).await?.json(doing)?;
        if body.get("data").and_then(remote).is_some_and(|image| image.state == State::Ready) {
            return Ok(());
        }
        deadline.next(doing).await?;
    }
    Err(Failure::new(Kind::Task, doing, "its task succeeded, and yet it stays without a size"))
}

async fn get(central: &Central, id: &str, doing: &str) -> Result<Answer, Failure> {
    central.session.ask(Ask::new(Method::GET, path(central, &format!("/{id}")), doing)).await
}

/// Gives an image another name. Others may change it at the same time (412): it is looked at anew then.
pub async fn rename(central: &Central, image: &Remote, name: &str) -> Result<(), Failure> {
    let doing = format!("renaming {} to {name}", image.name);
    let mut wait = Duration::from_millis(500);
    for change in 1.. {
        let answer = get(central, &image.id, &doing).await?;
        let mut body = answer.json(&doing)?["data"].take();
        let etag = ["etag", "x-ntnx-etag"].into_iter().find_map(|header| answer.header(header));
        let etag = etag.or_else(|| text(&body, &["$reserved", "ETag"])).unwrap_or_default().to_owned();
        body["name"] = json!(name);
        // Harmless twice: the second has an old ETag.
        let ask =
            Ask::new(Method::PUT, path(central, &format!("/{}", image.id)), &doing).json(&body).harmless();
        let ask = ask.header("if-match", &etag).header("ntnx-request-id", &uuid::Uuid::new_v4().to_string());
        match central.session.ask(ask).await {
            Ok(answer) => return finished(central, &task(&answer, &doing)?, &doing).await.map(|_| ()),
            Err(failure) if matches!(failure.kind, Kind::Stale | Kind::Conflict) && change < CHANGES => {}
            Err(failure) => return Err(failure),
        }
        tokio::time::sleep(wait).await;
        wait *= 2;
    }
    Ok(())
}

/// Deletes an image.
pub async fn delete(central: &Central, id: &str) -> Result<(), Failure> {
    let doing = "deleting an image";
    let ask = Ask::new(Method::DELETE, path(central, &format!("/{id}")), doing);
    let answer =
        central.session.ask(ask.header("ntnx-request-id", &uuid::Uuid::new_v4().to_string())).await?;
    finished(central, &task(&answer, doing)?, doing).await.map(|_| ())
}

/// Sends the image, or goes on with what was begun. Gives its id.
pub async fn send(
    central: &Central,
    image: &Image,
    begun: &mut Begun,
    journal: &Journal,
    bar: &Bar,
) -> Result<String, Failure> {
    let local = |error: anyhow::Error| Failure::local(&error);
    objects::put(central, image, begun, journal, bar).await?;
    let key = begun.object.as_ref().map(|object| object.key.clone()).unwrap_or_default();
    let asked = std::mem::replace(&mut begun.sent, true);
    journal.write(begun).map_err(local)?;
    bar.say("importing");
    let there = if asked { resumed(central, begun).await? } else { None };
    let id = match there {
        Some(id) => id,
        None => import(central, image, begun, journal, &key).await?,
    };
    begun.image = Some(id.clone());
    journal.write(begun).map_err(local)?;
    usable(central, &id).await?;
    if central.settings.remove_object {
        objects::remove(central, &key).await?;
    }
    Ok(id)
}

/// Has an image made of an object, and waits for it. Gives its id.
async fn import(
    central: &Central,
    image: &Image,
    begun: &mut Begun,
    journal: &Journal,
    key: &str,
) -> Result<String, Failure> {
    let task = create(central, image, begun, key).await?;
    begun.task = Some(task.clone());
    journal.write(begun).map_err(|error| Failure::local(&error))?;
    let named = finished(central, &task, IMPORTING).await?;
    let found = if named.is_some() { named } else { by_stamp(central, begun).await? };
    found.ok_or_else(|| Failure::new(Kind::Answer, IMPORTING, "the task succeeded, and there is no image"))
}

/// The image that an earlier run asked for, when it is there or its task goes on. Asking again would make a second one: servers do not
/// know a request again for ever.
async fn resumed(central: &Central, begun: &Begun) -> Result<Option<String>, Failure> {
    if let Some(task) = &begun.task {
        match finished(central, task, IMPORTING).await {
            Ok(Some(id)) => return Ok(Some(id)),
            Ok(None) => {}
            // Tasks are forgotten, too.
            Err(failure) if failure.kind == Kind::Missing => {}
            Err(failure) => return Err(failure),
        }
    }
    by_stamp(central, begun).await
}

/// The image of this upload, where nobody names it.
async fn by_stamp(central: &Central, begun: &Begun) -> Result<Option<String>, Failure> {
    let ours = |image: &Remote| image.stamp().is_some_and(|stamp| stamp.upload == begun.upload);
    Ok(images(central).await?.into_iter().find(ours).map(|image| image.id))
}
