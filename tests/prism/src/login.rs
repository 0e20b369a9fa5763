//! Who may in: Basic, a session's cookie, an API key; for the store, S3's signatures.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use hyper::HeaderMap;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use sha2::{Digest, Sha256};

use crate::Shared;
use crate::body::hexadecimal;

/// The cookie of a session.
pub(crate) const COOKIE: &str = "NTNX_IGW_SESSION";
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

fn word<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

impl Shared {
    /// Whether these headers let one in; a new session's cookie with them, where one logged in anew.
    pub(crate) fn enter(&self, headers: &HeaderMap) -> Option<Option<String>> {
        let options = &self.options;
        let pair = STANDARD.encode(format!("{}:{}", options.user, options.password));
        if word(headers, "x-ntnx-api-key").is_some_and(|key| key == options.api_key) {
            return Some(None);
        }
        let cookie = word(headers, "cookie").and_then(|all| {
            all.split(';')
                .find_map(|one| one.trim().strip_prefix(COOKIE)?.strip_prefix('=').map(str::to_owned))
        });
        if cookie.is_some_and(|session| self.state().sessions.contains(&session)) {
            return Some(None);
        }
        if word(headers, "authorization") == Some(format!("Basic {pair}").as_str()) {
            let session = uuid::Uuid::new_v4().to_string();
            self.state().sessions.insert(session.clone());
            return Some(Some(session));
        }
        None
    }

    /// Whether a request of the store's is signed by the user: the id of the key is base64 of user and password, and so is the key.
    pub(crate) fn signed(
        &self,
        method: &str,
        path: &str,
        query: &str,
        headers: &HeaderMap,
    ) -> Result<(), String> {
        let authorization = word(headers, "authorization").ok_or("no Authorization")?;
        let fields = authorization.strip_prefix("AWS4-HMAC-SHA256").ok_or("not signature version 4")?;
        let field = |name: &str| {
            fields
                .split(',')
                .find_map(|field| field.trim().strip_prefix(name)?.strip_prefix('='))
                .ok_or(format!("no {name}"))
        };
        // From the right: an id of base64 may have slashes in it.
        let scope: Vec<&str> = field("Credential")?.rsplitn(5, '/').collect();
        let [last, service, region, day, id] = scope.as_slice() else { return Err("no scope".to_owned()) };
        let pair = STANDARD.encode(format!("{}:{}", self.options.user, self.options.password));
        if (*last, *service) != ("aws4_request", "s3") || *id != pair {
            return Err("InvalidAccessKeyId".to_owned());
        }
        let names = field("SignedHeaders")?;
        let mut canonical = format!("{method}\n{path}\n{}\n", sorted(query));
        for name in names.split(';') {
            let value = word(headers, name).ok_or(format!("{name} is signed and not there"))?;
            canonical
                .push_str(&format!("{name}:{}\n", value.split_whitespace().collect::<Vec<_>>().join(" ")));
        }
        let content = word(headers, "x-amz-content-sha256").ok_or("no x-amz-content-sha256")?;
        canonical.push_str(&format!("\n{names}\n{content}"));
        let moment = word(headers, "x-amz-date").ok_or("no x-amz-date")?;
        let to_sign = format!(
            "AWS4-HMAC-SHA256\n{moment}\n{day}/{region}/s3/aws4_request\n{}",
            hexadecimal(&Sha256::digest(canonical.as_bytes()))
        );
        let first = mac(format!("AWS4{pair}").as_bytes(), day);
        let key = [*region, "s3", "aws4_request"].into_iter().fold(first, |key, part| mac(&key, part));
        if hexadecimal(&mac(&key, &to_sign)) == field("Signature")? {
            Ok(())
        } else {
            Err("SignatureDoesNotMatch".to_owned())
        }
    }
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return Vec::new() };
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

/// A query in canonical form.
fn sorted(query: &str) -> String {
    let mut pairs: Vec<String> = pairs(query)
        .into_iter()
        .map(|(key, value)| {
            format!("{}={}", utf8_percent_encode(&key, ENCODED), utf8_percent_encode(&value, ENCODED))
        })
        .collect();
    pairs.sort();
    pairs.join("&")
}

/// The pairs of a query, decoded. A `+` is a space here, as the SDK sends it.
pub(crate) fn pairs(query: &str) -> Vec<(String, String)> {
    let decode = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
    let parts = query.split('&').filter(|part| !part.is_empty());
    parts
        .map(|part| part.split_once('=').unwrap_or((part, "")))
        .map(|(key, value)| (decode(key), decode(value)))
        .collect()
}
