//! API v3.

use std::sync::Arc;

use anyhow::Result;
use hyper::body::Incoming;
use serde_json::{Value, json};

use crate::answer::{self, Answer};
use crate::fault::Act;
use crate::server::{Head, given};
use crate::state::{CATEGORIES, CLUSTERS, Effect, Image, Phase, State, virtual_size};
use crate::{Shared, body};

pub(crate) async fn answer(
    shared: &Arc<Shared>,
    head: &Head,
    path: &[&str],
    body: Incoming,
) -> Result<Answer> {
    let state = || shared.state();
    Ok(match (head.method.as_str(), path) {
        ("GET", ["users", "me"]) => {
            answer::json(200, &json!({"status": {"name": shared.options.user, "state": "COMPLETE"}}))
        }
        ("GET", ["prism_central"]) => {
            answer::json(200, &json!({"resources": {"version": shared.options.product}}))
        }
        ("POST", ["clusters", "list"]) => answer::json(200, &clusters()),
        ("GET", ["categories", key, value]) => {
            match CATEGORIES.iter().find(|(k, v, _)| k == key && v == value) {
                Some(_) => answer::json(200, &json!({"name": key, "value": value})),
                None => missing(),
            }
        }
        ("POST", ["images"]) => create(shared, head, &given(body).await?),
        ("POST", ["images", "list"]) => {
            let given = given(body).await?;
            list(&mut state(), &given)
        }
        ("GET", ["images", id]) => match state().look_at_image(id) {
            Some(image) => answer::json(200, &entity(&image)),
            None => missing(),
        },
        ("PUT", ["images", id]) => {
            let given = given(body).await?;
            update(&mut state(), head, id, &given)
        }
        ("PUT", ["images", id, "file"]) => fill(shared, head, id, body).await?,
        ("DELETE", ["images", id]) => delete(&mut state(), head, id),
        ("GET", ["tasks", id]) => task(&mut state(), id),
        _ => answer::v3(404, "ENTITY_NOT_FOUND", "no such address"),
    })
}

fn missing() -> Answer {
    answer::v3(404, "ENTITY_NOT_FOUND", "The requested entity does not exist.")
}

fn clusters() -> Value {
    let entity = |(name, uuid, function): &(&str, &str, &str)| {
        json!({
            "status": {"name": name, "state": "COMPLETE", "resources": {"config": {"service_list": [function]}}},
            "metadata": {"kind": "cluster", "uuid": uuid},
        })
    };
    let entities: Vec<Value> = CLUSTERS.iter().map(entity).collect();
    json!({"api_version": "3.1", "metadata": {"kind": "cluster", "total_matches": 3, "length": 3, "offset": 0}, "entities": entities})
}

fn create(shared: &Shared, head: &Head, given: &Value) -> Answer {
    let text = |path: &str| given.pointer(path).and_then(Value::as_str).unwrap_or_default();
    if given.get("api_version").is_none() {
        return answer::v3(422, "INVALID_REQUEST", "'api_version' is a required property");
    }
    let name = text("/spec/name");
    if name.is_empty()
        || name.len() > 256
        || text("/spec/description").len() > 1000
        || text("/metadata/kind") != "image"
    {
        return answer::v3(422, "INVALID_REQUEST", "name, description or kind is wrong");
    }
    let categories = given.pointer("/metadata/categories_mapping").cloned().unwrap_or_else(|| json!({}));
    let known = |key: &str, value: &Value| CATEGORIES.iter().any(|(k, v, _)| *k == key && value == v);
    let wanted = categories.as_object().into_iter().flatten();
    for (key, values) in wanted {
        if !values.as_array().is_some_and(|values| values.iter().all(|value| known(key, value))) {
            return answer::v3(422, "INVALID_REQUEST", "no such category");
        }
    }
    let placed = given.pointer("/spec/resources/initial_placement_ref_list").and_then(Value::as_array);
    let clusters = placed.into_iter().flatten().filter_map(|one| Some(one.get("uuid")?.as_str()?.to_owned()));
    let mut state = shared.state();
    // Names are not unique here: a repeated request makes a second image.
    let image = state.add(name, text("/spec/description"), text("/spec/resources/image_type"));
    (image.clusters, image.categories) = (clusters.collect(), categories);
    let id = image.id.clone();
    let task = state.task(&id, "create", Effect::Create, head.wrong.clone());
    // A string here, a list when the image is looked at.
    answer::json(
        202,
        &json!({
            "api_version": "3.1",
            "status": {"state": "PENDING", "execution_context": {"task_uuid": task}},
            "spec": given["spec"],
            "metadata": {"kind": "image", "uuid": id, "spec_version": 0, "use_categories_mapping": false},
        }),
    )
}

fn entity(image: &Image) -> Value {
    let state = match image.phase {
        Phase::Pending | Phase::Importing => "PENDING",
        Phase::Empty | Phase::Complete => "COMPLETE",
        Phase::Failed => "ERROR",
    };
    let mut resources = json!({"image_type": image.kind, "architecture": "X86_64"});
    if image.size > 0 {
        resources["size_bytes"] = json!(image.size);
        resources["retrieval_uri_list"] =
            json!([format!("https://127.0.0.1:9440/api/nutanix/v3/images/{}/file", image.id)]);
    }
    json!({
        "api_version": "3.1",
        "status": {
            "state": state, "name": image.name, "description": image.description, "resources": resources,
            "execution_context": {"task_uuid": image.tasks},
        },
        "spec": {"name": image.name, "description": image.description, "resources": {"image_type": image.kind}},
        "metadata": {
            "kind": "image", "uuid": image.id, "spec_version": image.version, "creation_time": image.created,
            "categories_mapping": image.categories,
        },
    })
}

fn list(state: &mut State, given: &Value) -> Answer {
    state.pass();
    let number = |key: &str, default: usize| {
        given.get(key).and_then(Value::as_u64).and_then(|n| usize::try_from(n).ok()).unwrap_or(default)
    };
    let length = number("length", 20);
    if length > 500 {
        return answer::v3(422, "INVALID_REQUEST", "length is 500 at most");
    }
    let filter = given.get("filter").and_then(Value::as_str).unwrap_or_default();
    let named = filter.split(';').find_map(|part| part.strip_prefix("name=="));
    // What was never created is not listed.
    let shown: Vec<Value> = state
        .images
        .iter()
        .filter(|image| image.phase != Phase::Pending && named.is_none_or(|name| image.name == name))
        .map(entity)
        .collect();
    let page: Vec<&Value> = shown.iter().skip(number("offset", 0)).take(length).collect();
    answer::json(
        200,
        &json!({
            "api_version": "3.1",
            "metadata": {"kind": "image", "total_matches": shown.len(), "length": page.len(), "offset": number("offset", 0)},
            "entities": page,
        }),
    )
}

fn update(state: &mut State, head: &Head, id: &str, given: &Value) -> Answer {
    if let Some(image) = state.image(id).filter(|_| matches!(head.wrong, Some(Act::ChangeBefore))) {
        image.version += 1;
    }
    let Some(image) = state.image(id) else { return missing() };
    if given.pointer("/metadata/spec_version").and_then(Value::as_u64) != Some(image.version) {
        return answer::v3(409, "CONCURRENT_REQUESTS_NOT_ALLOWED", "Edit conflict: please retry change.");
    }
    image.version += 1;
    for (field, key) in [(&mut image.name, "name"), (&mut image.description, "description")] {
        if let Some(text) = given["spec"].get(key).and_then(Value::as_str) {
            text.clone_into(field);
        }
    }
    let version = image.version;
    let task = state.task(id, "update", Effect::None, head.wrong.clone());
    answer::json(
        202,
        &json!({
            "api_version": "3.1", "spec": given["spec"],
            "status": {"state": "PENDING", "execution_context": {"task_uuid": task}},
            "metadata": {"kind": "image", "uuid": id, "spec_version": version},
        }),
    )
}

async fn fill(shared: &Arc<Shared>, head: &Head, id: &str, body: Incoming) -> Result<Answer> {
    let phase = shared.state().image(id).map(|image| image.phase);
    match phase {
        None | Some(Phase::Pending) => return Ok(missing()),
        // A file can be put into an image once.
        Some(Phase::Importing | Phase::Complete | Phase::Failed) => {
            return Ok(answer::v3(422, "INVALID_REQUEST", "The image has a file already."));
        }
        Some(Phase::Empty) => {}
    }
    if head.header("content-type") != Some("application/octet-stream") {
        return Ok(answer::v3(415, "UNSUPPORTED_MEDIA_TYPE_ERROR", "application/octet-stream is wanted"));
    }
    // No client is known that sends chunks, so nobody knows whether they are taken.
    if head.header("content-length").is_none() {
        return Ok(answer::v3(411, "INVALID_REQUEST", "Content-Length is wanted"));
    }
    if let Some(image) = shared.state().image(id) {
        image.phase = Phase::Importing;
    }
    let received = match body::receive(body, &head.headers, None, head.wrong.as_ref()).await {
        Ok(received) => received,
        Err(error) => {
            if let Some(image) = shared.state().image(id) {
                image.phase = Phase::Failed;
            }
            return Err(error);
        }
    };
    let wanted = head.header("x-nutanix-checksum-bytes").unwrap_or_default();
    let found = match head.header("x-nutanix-checksum-type") {
        Some("SHA_256") => &received.sha256,
        Some("SHA_1") => &received.sha1,
        // Without the headers whatever arrives is taken.
        _ => wanted,
    };
    let checked =
        if found.eq_ignore_ascii_case(wanted) { Ok(()) } else { Err("Image checksum mismatch".to_owned()) };
    let size = virtual_size(&received.head, received.size);
    let effect = Effect::Import { size, sha256: received.sha256.clone(), checked };
    // A wrong checksum is no error of this request: its task fails.
    shared.state().task(id, "upload", effect, head.wrong.clone());
    Ok(answer::text(200, "application/json", ""))
}

fn delete(state: &mut State, head: &Head, id: &str) -> Answer {
    if state.image(id).is_none() {
        return missing();
    }
    let task = state.task(id, "delete", Effect::Delete, head.wrong.clone());
    // The spec is an empty string.
    answer::json(
        202,
        &json!({
            "api_version": "3.1", "spec": "",
            "status": {"state": "DELETE_PENDING", "execution_context": {"task_uuid": task}},
            "metadata": {"kind": "image", "uuid": id},
        }),
    )
}

fn task(state: &mut State, id: &str) -> Answer {
    let Some(task) = state.look(id) else { return answer::v3(404, "ENTITY_NOT_FOUND", "no such task") };
    let status = if task.status == "CANCELED" { "ABORTED" } else { task.status };
    let mut told = json!({
        "api_version": "3.1", "uuid": id, "status": status, "operation_type": task.operation,
        "percentage_complete": if task.left == 0 { 100 } else { 50 },
        "entity_reference_list": [{"kind": "image", "uuid": task.image}],
    });
    if let Some(reason) = task.reason {
        told["error_detail"] = json!(reason);
        told["error_code"] = json!("INTERNAL_ERROR");
    }
    answer::json(200, &told)
}
