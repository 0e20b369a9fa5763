//! The forms that answers have.

use bytes::Bytes;
use http_body_util::Full;
use hyper::Response;
use serde_json::{Value, json};

pub(crate) type Answer = Response<Full<Bytes>>;

/// Text of any type.
pub(crate) fn text(status: u16, kind: &str, body: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(Full::new(body.into()));
    if let Ok(status) = status.try_into() {
        *answer.status_mut() = status;
    }
    header(answer, "content-type", kind)
}

/// JSON.
pub(crate) fn json(status: u16, body: &Value) -> Answer {
    text(status, "application/json", body.to_string())
}

/// With a header.
pub(crate) fn header(mut answer: Answer, name: &'static str, value: &str) -> Answer {
    if let Ok(value) = value.parse() {
        answer.headers_mut().append(name, value);
    }
    answer
}

/// An error as v3 tells it. `details` is a string here and an object there.
pub(crate) fn v3(status: u16, reason: &str, message: &str) -> Answer {
    let details = if status == 422 { json!({"": [message]}) } else { json!(reason) };
    let list = json!([{"message": message, "reason": reason, "details": details}]);
    json(
        status,
        &json!({"api_version": "3.1", "code": status, "kind": "image", "state": "ERROR", "message_list": list}),
    )
}

/// An error as v4 tells it.
pub(crate) fn v4(status: u16, code: &str, group: &str, message: &str) -> Answer {
    let error = json!([{
        "$objectType": "vmm.v4.error.AppMessage", "message": message, "code": code, "locale": "en_US",
        "errorGroup": group, "severity": "ERROR", "argumentsMap": {},
    }]);
    let data = json!({
        "$objectType": "vmm.v4.error.ErrorResponse",
        "$errorItemDiscriminator": "List<vmm.v4.error.AppMessage>",
        "error": error,
    });
    json(
        status,
        &json!({
            "data": data,
            "$dataItemDiscriminator": "vmm.v4.error.ErrorResponse",
            "metadata": {"flags": [{"name": "hasError", "value": true}]},
        }),
    )
}

/// What does not fit the schema of v4: there, `error` is an object.
pub(crate) fn v4_schema(path: &str, location: &str, message: &str) -> Answer {
    let error = json!({
        "$objectType": "vmm.v4.error.SchemaValidationError",
        "timestamp": "2026-01-01T00:00:00Z", "statusCode": 400, "error": "Bad Request", "path": path,
        "validationErrorMessages": [{
            "$objectType": "vmm.v4.error.SchemaValidationErrorMessage",
            "location": location, "message": message, "attributePath": location,
        }],
    });
    let data = json!({"$objectType": "vmm.v4.error.ErrorResponse", "error": error});
    json(400, &json!({"data": data, "$dataItemDiscriminator": "vmm.v4.error.ErrorResponse"}))
}

/// An error as the store tells it.
pub(crate) fn s3(status: u16, code: &str, message: &str) -> Answer {
    text(
        status,
        "application/xml",
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>{code}</Code><Message>{message}</Message></Error>"
        ),
    )
}

/// An error in the form of the API that a path belongs to.
pub(crate) fn error(status: u16, path: &str, message: &str) -> Answer {
    if path.contains("/objects/") {
        return s3(status, "InternalError", message);
    }
    if path.contains("/nutanix/v3") {
        let reason = match status {
            401 => return unauthorized(),
            403 => "ACCESS_DENIED",
            404 => "ENTITY_NOT_FOUND",
            409 => "CONCURRENT_REQUESTS_NOT_ALLOWED",
            422 => "INVALID_REQUEST",
            429 => "TOO_MANY_REQUESTS",
            503 => "SERVICE_UNAVAILABLE",
            _ => "INTERNAL_ERROR",
        };
        return v3(status, reason, message);
    }
    match status {
        401 => unauthorized(),
        403 => v4(403, "RBA-10001", "FORBIDDEN", message),
        412 => v4(412, "PLAT-10005", "PRECONDITION_FAILED", message),
        429 => v4(429, "PLAT-10003", "RATE_LIMIT_EXCEEDED", message),
        // A gateway has its own page.
        502 | 504 => {
            text(status, "text/html", format!("<html><body><h1>{status}</h1>{message}</body></html>"))
        }
        _ => v4(status, "PLAT-10000", "INTERNAL_ERROR", message),
    }
}

/// Not JSON, whatever was asked for.
pub(crate) fn unauthorized() -> Answer {
    text(
        401,
        "text/html",
        "<!doctype html><html><title>401 Unauthorized</title><h1>An Authentication object was not found</h1></html>",
    )
}

/// A path that nobody serves: a minor version that is too new, for one.
pub(crate) fn not_served() -> Answer {
    let message = "The requested URL was not found on the server. If you entered the URL manually please check your spelling and try again.";
    json(404, &json!({"message": message}))
}
