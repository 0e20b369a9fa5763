//! API v4: images, tasks, clusters, categories.

use std::sync::Arc;

use anyhow::Result;
use hyper::body::Incoming;
use serde_json::{Value, json};

use crate::answer::{self, Answer};
use crate::fault::Act;
use crate::server::{Head, given};
use crate::state::{CATEGORIES, CLUSTERS, Effect, Image, Phase, State, virtual_size};
use crate::{Shared, body};

/// What task ids begin with: base64 of `ergon`, and a colon.
const ERGON: &str = "ZXJnb24=:";

pub(crate) async fn answer(
    shared: &Arc<Shared>,
    head: &Head,
    (part, newest): (&str, u32),
    path: &[&str],
    body: Incoming,
) -> Result<Answer> {
    if let ("OPTIONS", ["unversioned", "info"]) = (head.method.as_str(), path) {
        return Ok(if shared.options.info {
            answer::json(200, &json!({"data": format!("v4.{newest}")}))
        } else {
            answer::not_served()
        });
    }
    let served = |version: &&str| {
        version
            .strip_prefix("v4.")
            .and_then(|minor| minor.parse::<u32>().ok())
            .is_some_and(|minor| minor <= newest)
    };
    let Some((_, path)) = path.split_first().filter(|(version, _)| served(version)) else {
        return Ok(answer::not_served());
    };
    let state = || shared.state();
    Ok(match (head.method.as_str(), part, path) {
        ("POST", "vmm", ["content", "images"]) => {
            let text = body::small(body).await?;
            match serde_json::from_slice(&text) {
                Ok(given) => create(&mut state(), head, given),
                Err(_) => answer::v4_schema(&head.raw, "@.body", "no JSON"),
            }
        }
        ("GET", "vmm", ["content", "images"]) => list(&mut state(), head),
        ("GET", "vmm", ["content", "images", id]) => {
            let image = state().look_at_image(id).filter(|image| image.phase != Phase::Pending);
            image.map_or_else(missing, |image| looked(&image))
        }
        ("PUT", "vmm", ["content", "images", id]) => {
            let given = given(body).await?;
            update(&mut state(), head, id, &given)
        }
        ("DELETE", "vmm", ["content", "images", id]) => {
            let mut state = state();
            if state.image(id).is_none() {
                return Ok(missing());
            }
            let task = state.task(id, "ImageDelete", Effect::Delete, head.wrong.clone());
            reference(&task)
        }
        ("GET", "prism", ["config", "tasks", id]) => task(&mut state(), id),
        ("GET", "prism", ["config", "categories"]) => categories(head),
        ("GET", "clustermgmt", ["config", "clusters"]) => clusters(head),
        _ => answer::not_served(),
    })
}

fn categories(head: &Head) -> Answer {
    let one = |(key, value, id): &(&str, &str, &str)| json!({"$objectType": "prism.v4.config.Category", "extId": id, "key": key, "value": value});
    paged(head, CATEGORIES.iter().map(one).collect(), "prism.v4.config.Category")
}

fn clusters(head: &Head) -> Answer {
    let one = |(name, id, function): &(&str, &str, &str)| {
        let config = json!({"$objectType": "clustermgmt.v4.config.ClusterConfigReference", "clusterFunction": [function]});
        json!({"$objectType": "clustermgmt.v4.config.Cluster", "extId": id, "name": name, "config": config})
    };
    paged(head, CLUSTERS.iter().map(one).collect(), "clustermgmt.v4.config.Cluster")
}

fn missing() -> Answer {
    answer::v4(
        404,
        "VMM-20005",
        "ENTITY_NOT_FOUND",
        "Failed to perform the operation on the image as it does not exist.",
    )
}

fn reference(task: &str) -> Answer {
    answer::json(
        202,
        &json!({
            "data": {
                "$objectType": "prism.v4.config.TaskReference", "$reserved": {"$fv": "v4.r0"}, "$unknownFields": {},
                "extId": format!("{ERGON}{task}"),
            },
            "$dataItemDiscriminator": "prism.v4.config.TaskReference",
            "metadata": {"flags": [{"name": "hasError", "value": false}], "links": [], "totalAvailableResults": 1},
        }),
    )
}

fn create(state: &mut State, head: &Head, given: Value) -> Answer {
    let Some(request) = head.header("ntnx-request-id").map(str::to_owned) else {
        return answer::v4(400, "PLAT-10009", "INVALID_REQUEST", "NTNX-Request-Id is missing");
    };
    // The same request again: the same task, and no second image.
    if let Some(task) = state.requests.get(&request) {
        return reference(task);
    }
    if let Some(refused) = refused(head, &given) {
        return refused;
    }
    let Some(effect) = import(state, &given) else {
        return answer::v4_schema(&head.raw, "@.body.source", "source is of no known kind");
    };
    let (name, description, kind) =
        (text(&given, "/name"), text(&given, "/description"), text(&given, "/type"));
    let key = text(&given, "/source/key");
    let image = state.add(name, description, kind);
    image.object = (!key.is_empty()).then(|| key.to_owned());
    let clusters = ids(&given, "clusterLocationExtIds");
    image.clusters = clusters.iter().filter_map(|id| Some(id.as_str()?.to_owned())).collect();
    image.categories = json!(ids(&given, "categoryExtIds"));
    // The task may end before the image has a size.
    image.sizeless = 1;
    let id = image.id.clone();
    let task = state.task(&id, "ImageCreate", effect, head.wrong.clone());
    state.requests.insert(request, task.clone());
    reference(&task)
}

fn text<'a>(given: &'a Value, path: &str) -> &'a str {
    given.pointer(path).and_then(Value::as_str).unwrap_or_default()
}

fn ids<'a>(given: &'a Value, key: &str) -> &'a [Value] {
    given.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// What is wrong with a new image.
fn refused(head: &Head, given: &Value) -> Option<Answer> {
    let name = text(given, "/name");
    if name.is_empty() || name.len() > 256 || text(given, "/description").len() > 1000 {
        let wanted = "name is of 1 to 256 characters, description of 1000 at most";
        return Some(answer::v4_schema(&head.raw, "@.body.name", wanted));
    }
    if !["DISK_IMAGE", "ISO_IMAGE"].contains(&text(given, "/type")) {
        return Some(answer::v4_schema(&head.raw, "@.body.type", "type is not an image's"));
    }
    let known = |id: &Value| CATEGORIES.iter().any(|(.., known)| id == known);
    let all = ids(given, "categoryExtIds").iter().all(known);
    (!all).then(|| answer::v4(422, "VMM-20010", "INVALID_REQUEST", "no such category"))
}

/// What comes of a source.
fn import(state: &State, given: &Value) -> Option<Effect> {
    let wanted = text(given, "/checksum/hexDigest");
    Some(match text(given, "/source/$objectType") {
        "vmm.v4.content.ObjectsLiteSource" => match state.objects.get(text(given, "/source/key")) {
            Some(object) => {
                let good = wanted.is_empty() || wanted.eq_ignore_ascii_case(&object.sha256);
                let checked = if good { Ok(()) } else { Err("Checksum mismatch of the image".to_owned()) };
                let size = virtual_size(&object.head, object.size);
                Effect::Import { size, sha256: object.sha256.clone(), checked }
            }
            // A wrong key is no error of this request: its task fails.
            None => Effect::Import {
                size: 0,
                sha256: String::new(),
                checked: Err("Failed to read the object.".to_owned()),
            },
        },
        "vmm.v4.content.UrlSource" => {
            Effect::Import { size: 1 << 30, sha256: String::new(), checked: Ok(()) }
        }
        _ => return None,
    })
}

/// An image as it is told: without what it was given as checksum, and with an address for the object that it was made of.
fn entity(image: &Image) -> Value {
    let mut told = json!({
        "$objectType": "vmm.v4.content.Image",
        "$reserved": {"$fv": "v4.r0", "ETag": etag(image)},
        "$unknownFields": {},
        "extId": image.id, "name": image.name, "description": image.description, "type": image.kind,
        "createTime": image.created, "lastUpdateTime": image.created,
        "ownerExtId": "00000000-0000-0000-0000-000000000000", "ownerName": "admin",
    });
    if image.phase == Phase::Complete && image.sizeless == 0 {
        told["sizeBytes"] = json!(image.size);
    }
    if !image.clusters.is_empty() {
        told["clusterLocationExtIds"] = json!(image.clusters);
    }
    if let Some(key) = &image.object {
        let url = format!("https://127.0.0.1:9440/api/prism/v4.0/objects/vmm-images/{key}");
        told["source"] = json!({"$objectType": "vmm.v4.content.UrlSource", "$reserved": {}, "$unknownFields": {}, "url": url});
    }
    told
}

fn etag(image: &Image) -> String {
    // Base64 of application/json, and a number.
    format!("YXBwbGljYXRpb24vanNvbg==:{}", image.version)
}

fn looked(image: &Image) -> Answer {
    let body = json!({
        "data": entity(image), "$dataItemDiscriminator": "vmm.v4.content.Image",
        "metadata": {"flags": [{"name": "hasError", "value": false}], "links": [], "totalAvailableResults": 1},
    });
    answer::header(answer::json(200, &body), "etag", &etag(image))
}

fn list(state: &mut State, head: &Head) -> Answer {
    state.pass();
    let filter = head.query("$filter").unwrap_or_default();
    let named = filter
        .strip_prefix("name eq '")
        .and_then(|rest| rest.strip_suffix('\''))
        .map(|name| name.replace("''", "'"));
    let images = state.images.iter().filter(|image| image.phase != Phase::Pending);
    let shown = images.filter(|image| named.as_ref().is_none_or(|name| image.name == *name)).map(entity);
    paged(head, shown.collect(), "vmm.v4.content.Image")
}

/// A page of a list. An empty one has no `data`.
fn paged(head: &Head, all: Vec<Value>, kind: &str) -> Answer {
    let number =
        |name: &str, default: usize| head.query(name).and_then(|text| text.parse().ok()).unwrap_or(default);
    let limit = number("$limit", 50);
    if !(1..=100).contains(&limit) {
        return answer::v4_schema(&head.raw, "@.query.$limit", "$limit is of 1 to 100");
    }
    let total = all.len();
    let page: Vec<Value> = all.into_iter().skip(number("$page", 0) * limit).take(limit).collect();
    let mut body = json!({
        "$dataItemDiscriminator": format!("List<{kind}>"),
        "metadata": {"flags": [{"name": "hasError", "value": false}], "links": [], "totalAvailableResults": total},
    });
    if !page.is_empty() {
        body["data"] = json!(page);
    }
    answer::json(200, &body)
}

fn update(state: &mut State, head: &Head, id: &str, given: &Value) -> Answer {
    if let Some(image) = state.image(id).filter(|_| matches!(head.wrong, Some(Act::ChangeBefore))) {
        image.version += 1;
    }
    let Some(image) = state.image(id) else { return missing() };
    let Some(seen) = head.header("if-match").filter(|etag| !etag.is_empty()) else {
        return answer::v4(428, "PLAT-10004", "MISSING_ETAG_HEADER", "If-Match is missing");
    };
    if seen != etag(image) {
        return answer::v4(412, "PLAT-10005", "PRECONDITION_FAILED", "The image was changed since.");
    }
    image.version += 1;
    for (field, key) in [(&mut image.name, "name"), (&mut image.description, "description")] {
        if let Some(text) = given.get(key).and_then(Value::as_str) {
            text.clone_into(field);
        }
    }
    let task = state.task(id, "ImageUpdate", Effect::None, head.wrong.clone());
    reference(&task)
}

fn task(state: &mut State, id: &str) -> Answer {
    let Some((id, task)) = id.strip_prefix(ERGON).and_then(|id| Some((id.to_owned(), state.look(id)?)))
    else {
        return answer::v4(404, "PRISM-30001", "ENTITY_NOT_FOUND", "The task does not exist.");
    };
    let mut data = json!({
        "$objectType": "prism.v4.config.Task", "$reserved": {"$fv": "v4.r0"}, "$unknownFields": {},
        "extId": format!("{ERGON}{id}"), "operation": task.operation, "status": task.status,
        "progressPercentage": if task.left == 0 { 100 } else { 50 },
        "isCancelable": false, "createdTime": "2026-01-01T00:00:00Z", "lastUpdatedTime": "2026-01-01T00:00:00Z",
    });
    // The image is told when there is one.
    if task.status == "SUCCEEDED" {
        data["entitiesAffected"] = json!([{
            "$objectType": "prism.v4.config.EntityReference", "extId": task.image, "rel": "vmm:content:image",
        }]);
    }
    if let Some(reason) = task.reason {
        let kind = "prism.v4.error.AppMessage";
        data["errorMessages"] = json!([{"$objectType": kind, "message": reason, "code": "VMM-20001", "errorGroup": "INTERNAL_ERROR"}]);
    }
    answer::json(200, &json!({"data": data, "$dataItemDiscriminator": "prism.v4.config.Task"}))
}
