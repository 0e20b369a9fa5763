//! The store of files for API v4: as much of S3 as clients use to put one there.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result};
use hyper::body::Incoming;
use uuid::Uuid;

use crate::answer::{self, Answer};
use crate::body::Intake;
use crate::fault::Act;
use crate::server::Head;
use crate::state::{Object, Upload};
use crate::{Shared, body};

const XMLNS: &str = "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"";

pub(crate) async fn answer(
    shared: &Arc<Shared>,
    head: &Head,
    path: &[&str],
    body: Incoming,
) -> Result<Answer> {
    let Some((bucket, key)) = path.split_first().filter(|(bucket, _)| **bucket == "vmm-images") else {
        return Ok(answer::s3(404, "NoSuchBucket", "The specified bucket does not exist"));
    };
    let key = key.join("/");
    let upload = head.query("uploadId");
    let part = head.query("partNumber").and_then(|number| number.parse().ok());
    Ok(match (head.method.as_str(), upload, part) {
        ("PUT", Some(upload), Some(part)) => put_part(shared, head, &upload, part, body).await?,
        ("PUT", None, None) => put(shared, head, &key, body).await?,
        ("POST", Some(upload), None) => complete(shared, head, bucket, &upload, body).await?,
        ("POST", None, None) if head.query("uploads").is_some() => {
            let id = format!("{}/+=", Uuid::new_v4());
            shared.state().uploads.insert(id.clone(), Upload { key: key.clone(), parts: Default::default() });
            xml(&format!(
                "<InitiateMultipartUploadResult {XMLNS}><Bucket>{bucket}</Bucket><Key>{key}</Key><UploadId>{id}</UploadId></InitiateMultipartUploadResult>"
            ))
        }
        ("DELETE", Some(upload), None) => match shared.state().uploads.remove(&upload) {
            Some(upload) => {
                upload.parts.values().for_each(|(_, path)| drop(std::fs::remove_file(path)));
                answer::text(204, "application/xml", "")
            }
            None => no_upload(),
        },
        ("DELETE", None, None) => {
            shared.state().objects.remove(&key);
            answer::text(204, "application/xml", "")
        }
        ("HEAD", None, None) => match shared.state().objects.get(&key) {
            Some(object) => {
                let done = answer::text(200, "application/octet-stream", "");
                let done = answer::header(done, "etag", &format!("\"{}\"", object.sha256));
                answer::header(done, "content-length", &object.size.to_string())
            }
            None => answer::text(404, "application/xml", ""),
        },
        ("GET", None, None) if key.is_empty() => {
            let state = shared.state();
            let one = |(key, object): (&String, &Object)| {
                format!("<Contents><Key>{key}</Key><Size>{}</Size></Contents>", object.size)
            };
            let all: String = state.objects.iter().map(one).collect();
            xml(&format!(
                "<ListBucketResult {XMLNS}><Name>{bucket}</Name><KeyCount>{}</KeyCount><IsTruncated>false</IsTruncated>{all}</ListBucketResult>",
                state.objects.len()
            ))
        }
        _ => answer::s3(405, "MethodNotAllowed", "The specified method is not allowed against this resource"),
    })
}

fn xml(body: &str) -> Answer {
    answer::text(200, "application/xml", format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>{body}"))
}

fn no_upload() -> Answer {
    answer::s3(404, "NoSuchUpload", "The specified upload does not exist")
}

async fn put(shared: &Arc<Shared>, head: &Head, key: &str, body: Incoming) -> Result<Answer> {
    let received = body::receive(body, &head.headers, None, head.wrong.as_ref()).await?;
    let object = Object { size: received.size, sha256: received.sha256, head: received.head };
    let etag = format!("\"{}\"", object.sha256);
    shared.state().objects.insert(key.to_owned(), object);
    Ok(answer::header(answer::text(200, "application/xml", ""), "etag", &etag))
}

/// Parts come in any order, several at a time.
async fn put_part(
    shared: &Arc<Shared>,
    head: &Head,
    upload: &str,
    part: u32,
    body: Incoming,
) -> Result<Answer> {
    if !shared.state().uploads.contains_key(upload) {
        tokio::spawn(body::linger(body));
        return Ok(no_upload());
    }
    let path: PathBuf = shared.directory.path().join(Uuid::new_v4().to_string());
    let received = body::receive(body, &head.headers, Some(&path), head.wrong.as_ref()).await?;
    let etag = format!("\"{}\"", received.sha256);
    if let Some(upload) = shared.state().uploads.get_mut(upload) {
        upload.parts.insert(part, (etag.clone(), path));
    }
    Ok(answer::header(answer::text(200, "application/xml", ""), "etag", &etag))
}

async fn complete(
    shared: &Arc<Shared>,
    head: &Head,
    bucket: &str,
    id: &str,
    body: Incoming,
) -> Result<Answer> {
    let named = String::from_utf8_lossy(&body::small(body).await?).into_owned();
    let known = shared.state().uploads.get(id).cloned();
    let Some(upload) = known else { return Ok(no_upload()) };
    if matches!(head.wrong, Some(Act::Spoil)) {
        // 200, and an error all the same: the store begins to answer before it knows.
        return Ok(xml(
            "<Error><Code>InternalError</Code><Message>We encountered an internal error.</Message></Error>",
        ));
    }
    let mut intake = Intake::new(None);
    for (number, (etag, path)) in &upload.parts {
        let etag = etag.trim_matches('"');
        if !named.contains(&format!("<PartNumber>{number}</PartNumber>")) || !named.contains(etag) {
            return Ok(answer::s3(
                400,
                "InvalidPart",
                "One or more of the specified parts could not be found",
            ));
        }
        absorb(path, &mut intake).await?;
    }
    let received = intake.end()?;
    let object = Object { size: received.size, sha256: received.sha256, head: received.head };
    let etag = object.sha256.clone();
    let mut state = shared.state();
    state.objects.insert(upload.key.clone(), object);
    state.uploads.remove(id);
    upload.parts.values().for_each(|(_, path)| drop(std::fs::remove_file(path)));
    let key = upload.key;
    Ok(xml(&format!(
        "<CompleteMultipartUploadResult {XMLNS}><Bucket>{bucket}</Bucket><Key>{key}</Key><ETag>\"{etag}\"</ETag></CompleteMultipartUploadResult>"
    )))
}

async fn absorb(path: &std::path::Path, intake: &mut Intake) -> Result<()> {
    use tokio::io::AsyncReadExt;
    let mut file = tokio::fs::File::open(path).await.context("reading a part")?;
    let mut buffer = vec![0; 1 << 20];
    loop {
        let count = file.read(&mut buffer).await?;
        if count == 0 {
            return Ok(());
        }
        intake.take(&buffer[..count])?;
    }
}
