//! API v3: an empty image is made, its file is put into it, and the tasks it has are waited for.
//!
//! A file that did not arrive whole cannot be put again: the image goes, and another is made.

use std::sync::atomic::Ordering;
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use super::super::bars::Bar;
use super::super::failure::{Failure, Kind};
use super::super::http::Ask;
use super::super::image::Image;
use super::super::journal::{Begun, Journal};
use super::super::said::said;
use super::super::stamp::Stamp;
use super::{Central, Remote, State, at, failed, text};

const IMAGES: &str = "/api/nutanix/v3/images";
/// How often an image is changed when others change it too.
const CHANGES: u32 = 5;

/// Every image.
pub async fn images(central: &Central) -> Result<Vec<Remote>, Failure> {
    let list = central.pages_v3(&format!("{IMAGES}/list"), "image", "listing the images").await?;
    Ok(list.iter().filter_map(remote).collect())
}

fn remote(entity: &Value) -> Option<Remote> {
    let word = |path: &[&str]| text(entity, path).unwrap_or_default().to_owned();
    let state = match text(entity, &["status", "state"]) {
        Some("COMPLETE") => State::Ready,
        Some("ERROR") => State::Failed,
        _ => State::Working,
    };
    // An image without a file is complete as well, for this API.
    let size = at(entity, &["status", "resources", "size_bytes"]).and_then(Value::as_u64).unwrap_or_default();
    Some(Remote {
        id: text(entity, &["metadata", "uuid"])?.to_owned(),
        name: word(&["status", "name"]),
        description: word(&["status", "description"]),
        state: if state == State::Ready && size == 0 { State::Working } else { state },
        created: word(&["metadata", "creation_time"]),
    })
}

/// Makes the empty image. Gives its id, and the answer that names the task.
async fn create(central: &Central, image: &Image, begun: &Begun) -> Result<(String, Value), Failure> {
    let doing = "creating the image";
    let placed: Vec<Value> =
        central.clusters.iter().map(|uuid| json!({"kind": "cluster", "uuid": uuid})).collect();
    let mut resources = json!({"image_type": "DISK_IMAGE"});
    if !placed.is_empty() {
        resources["initial_placement_ref_list"] = json!(placed);
    }
    let mut metadata = json!({"kind": "image"});
    if !central.categories.is_empty() {
        metadata["use_categories_mapping"] = json!(true);
        metadata["categories_mapping"] = json!(central.categories);
    }
    let stamp =
        Stamp { image: image.name.clone(), sha256: image.sha256.clone(), upload: begun.upload.clone() };
    let spec = json!({
        "name": stamp.version_name(),
        "description": Stamp::description(image, &begun.upload),
        "resources": resources,
    });
    let body = json!({"api_version": "3.1.0", "metadata": metadata, "spec": spec});
    let asked = central.session.ask(Ask::new(Method::POST, IMAGES, doing).json(&body)).await;
    let answer = match asked {
        Ok(answer) => answer.json(doing)?,
        // The answer is lost, and the image may be there.
        Err(failure) if matches!(failure.kind, Kind::Interrupted | Kind::Unavailable) => {
            return Ok((adopt(central, begun, failure).await?, Value::Null));
        }
        Err(failure) => return Err(failure),
    };
    let uuid = text(&answer, &["metadata", "uuid"])
        .ok_or_else(|| Failure::new(Kind::Answer, doing, "the answer names no image"))?
        .to_owned();
    Ok((uuid, answer))
}

/// The image of a request whose answer was lost, if there is one.
async fn adopt(central: &Central, begun: &Begun, failure: Failure) -> Result<String, Failure> {
    match find(central, &begun.upload).await? {
        Some(found) => Ok(found.id),
        None => Err(Failure { kind: Kind::Unknown, ..failure }.with("whether it was created is not known")),
    }
}

/// Looks for the image of an upload for a while: until its creation has ended it is in no list.
pub async fn find(central: &Central, upload: &str) -> Result<Option<Remote>, Failure> {
    for seconds in [1, 2, 4] {
        tokio::time::sleep(Duration::from_secs(seconds)).await;
        let ours = |image: &Remote| image.stamp().is_some_and(|stamp| stamp.upload == upload);
        if let Some(found) = images(central).await?.into_iter().find(ours) {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// Puts the file into the image.
pub async fn put(central: &Central, image: &Image, id: &str, bar: &Bar) -> Result<(), Failure> {
    let doing = "uploading the file";
    let moved = bar.moved();
    moved.store(0, Ordering::Relaxed);
    let body = image.body(0, image.size, bar.moved());
    let body = body.map_err(|error| Failure::new(Kind::Local, doing, error.to_string()))?;
    let ask = Ask::new(Method::PUT, format!("{IMAGES}/{id}/file"), doing)
        .header("content-type", "application/octet-stream")
        .header("content-length", &image.size.to_string())
        .header("x-nutanix-checksum-type", "SHA_256")
        .header("x-nutanix-checksum-bytes", &image.sha256);
    central.session.send(&ask, |headers| central.session.sign(headers), body, (&moved, image.size)).await?;
    Ok(())
}

/// Waits until all tasks of the image are over and it can be used.
pub async fn ready(central: &Central, id: &str) -> Result<(), Failure> {
    let doing = "importing the image";
    let mut deadline = central.deadline();
    loop {
        let entity = get(central, id, doing).await?;
        for task in tasks(&entity) {
            finished(central, &task, doing, &mut deadline).await?;
        }
        let entity = get(central, id, doing).await?;
        match remote(&entity).map(|image| image.state) {
            Some(State::Ready) => return Ok(()),
            Some(State::Failed) => {
                let told = said(entity.get("status").unwrap_or(&Value::Null).to_string().as_bytes());
                return Err(failed(doing, "failed", &told));
            }
            _ => deadline.next(doing).await?,
        }
    }
}

/// The tasks of an answer: one string after a change, a list on an image.
fn tasks(entity: &Value) -> Vec<String> {
    match at(entity, &["status", "execution_context", "task_uuid"]) {
        Some(Value::String(task)) => vec![task.clone()],
        Some(Value::Array(tasks)) => {
            tasks.iter().filter_map(|task| Some(task.as_str()?.to_owned())).collect()
        }
        _ => Vec::new(),
    }
}

async fn finished(
    central: &Central,
    task: &str,
    doing: &str,
    deadline: &mut super::Deadline,
) -> Result<(), Failure> {
    loop {
        let path = format!("/api/nutanix/v3/tasks/{task}");
        let body = central.session.ask(Ask::new(Method::GET, path, doing)).await?.json(doing)?;
        match text(&body, &["status"]) {
            Some("SUCCEEDED") => return Ok(()),
            Some("FAILED") => return Err(failed(doing, "failed", &said(body.to_string().as_bytes()))),
            Some("ABORTED") => return Err(failed(doing, "was aborted", &said(body.to_string().as_bytes()))),
            _ => deadline.next(doing).await?,
        }
    }
}

async fn get(central: &Central, id: &str, doing: &str) -> Result<Value, Failure> {
    central.session.ask(Ask::new(Method::GET, format!("{IMAGES}/{id}"), doing)).await?.json(doing)
}

/// Waits for the task that a change was answered with.
async fn settled(central: &Central, answer: &Value, doing: &str) -> Result<(), Failure> {
    let mut deadline = central.deadline();
    for task in tasks(answer) {
        finished(central, &task, doing, &mut deadline).await?;
    }
    Ok(())
}

/// Gives an image another name. Others may change it at the same time (409): it is looked at anew then.
pub async fn rename(central: &Central, image: &Remote, name: &str) -> Result<(), Failure> {
    let doing = format!("renaming {} to {name}", image.name);
    let mut wait = Duration::from_millis(500);
    for change in 1.. {
        let mut entity = get(central, &image.id, &doing).await?;
        entity["spec"]["name"] = json!(name);
        let body = json!({"api_version": "3.1.0", "metadata": entity["metadata"], "spec": entity["spec"]});
        let path = format!("{IMAGES}/{}", image.id);
        // Harmless twice: the second has an old spec_version.
        let asked = central.session.ask(Ask::new(Method::PUT, path, &doing).json(&body).harmless()).await;
        match asked {
            Ok(answer) => return settled(central, &answer.json(&doing)?, &doing).await,
            Err(failure) if failure.kind == Kind::Conflict && change < CHANGES => {}
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
    let answer = central.session.ask(Ask::new(Method::DELETE, format!("{IMAGES}/{id}"), doing)).await?;
    settled(central, &answer.json(doing)?, doing).await
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
    if let Some(id) = begun.image.clone().filter(|_| begun.sent) {
        bar.say("waiting for the import that was begun");
        ready(central, &id).await?;
        return Ok(id);
    }
    bar.say("creating the image");
    journal.write(begun).map_err(local)?;
    let (id, answer) = create(central, image, begun).await?;
    begun.image = Some(id.clone());
    journal.write(begun).map_err(local)?;
    settled(central, &answer, "creating the image").await?;
    bar.say("uploading");
    put(central, image, &id, bar).await?;
    begun.sent = true;
    journal.write(begun).map_err(local)?;
    bar.say("importing");
    ready(central, &id).await?;
    Ok(id)
}
