//! Signatures of S3 requests, Signature Version 4: a chain of HMACs over the request's canonical form.
//!
//! Amazon describes it in "Signature Version 4 for API requests" (IAM User Guide). Prism Central's store takes base64 of `user:password`
//! both as the key's id and as the key, and any region. The body is not part of the signature: TLS carries it, and the
//! image's own digest is checked after the import.

use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

/// What is not encoded in a path or a query.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
/// The body is not part of the signature.
const UNSIGNED: &str = "UNSIGNED-PAYLOAD";
const REGION: &str = "us-east-1";

/// A request to sign.
#[derive(Debug)]
pub struct Signed<'a> {
    /// `PUT`.
    pub method: &'a str,
    /// Host and port as in the `Host` header.
    pub authority: &'a str,
    /// The path, encoded.
    pub path: &'a str,
    /// Keys and values of the query, not encoded.
    pub query: &'a [(&'a str, String)],
}

/// A query as it stands in a URL: sorted and encoded.
pub fn query(pairs: &[(&str, String)]) -> String {
    let encode = |text: &str| utf8_percent_encode(text, ENCODED).to_string();
    let mut encoded: Vec<String> =
        pairs.iter().map(|(key, value)| format!("{}={}", encode(key), encode(value))).collect();
    encoded.sort();
    encoded.join("&")
}

impl Signed<'_> {
    /// Adds the headers that sign this request at this moment.
    pub fn sign(&self, key: &SecretString, now: Timestamp, headers: &mut HeaderMap) {
        let moment = now.strftime("%Y%m%dT%H%M%SZ").to_string();
        let day = moment.get(..8).unwrap_or_default();
        let scope = format!("{day}/{REGION}/s3/aws4_request");
        let names = "host;x-amz-content-sha256;x-amz-date";
        let canonical = format!(
            "{}\n{}\n{}\nhost:{}\nx-amz-content-sha256:{UNSIGNED}\nx-amz-date:{moment}\n\n{names}\n{UNSIGNED}",
            self.method,
            self.path,
            query(self.query),
            self.authority,
        );
        let to_sign =
            format!("AWS4-HMAC-SHA256\n{moment}\n{scope}\n{}", hexadecimal(&Sha256::digest(canonical)));
        let secret = key.expose_secret();
        let signature = signature(secret, day, &to_sign);
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential={secret}/{scope}, SignedHeaders={names}, Signature={signature}"
        );
        for (name, text) in [
            ("authorization", authorization.as_str()),
            ("x-amz-date", &moment),
            ("x-amz-content-sha256", UNSIGNED),
        ] {
            if let Ok(mut value) = HeaderValue::from_str(text) {
                value.set_sensitive(name == "authorization");
                headers.insert(HeaderName::from_static(name), value);
            }
        }
    }
}

fn signature(secret: &str, day: &str, to_sign: &str) -> String {
    let first = mac(format!("AWS4{secret}").as_bytes(), day);
    let key = [REGION, "s3", "aws4_request"].into_iter().fold(first, |key, part| mac(&key, part));
    hexadecimal(&mac(&key, to_sign))
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    // A key of any length is taken.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return Vec::new() };
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_sorted_and_encoded() {
        let pairs = [("uploadId", "a/b+c=".to_owned()), ("partNumber", "1".to_owned())];
        assert_eq!(query(&pairs), "partNumber=1&uploadId=a%2Fb%2Bc%3D");
        assert_eq!(query(&[("uploads", String::new())]), "uploads=");
    }

    #[test]
    fn the_same_request_is_signed_alike_and_another_otherwise() {
        let key = SecretString::from("c2VjcmV0".to_owned());
        let sign = |path| {
            let mut headers = HeaderMap::new();
            Signed { method: "PUT", authority: "pc:9440", path, query: &[] }.sign(
                &key,
                Timestamp::UNIX_EPOCH,
                &mut headers,
            );
            headers["authorization"].to_str().unwrap().to_owned()
        };
        assert!(
            sign("/a")
                .starts_with("AWS4-HMAC-SHA256 Credential=c2VjcmV0/19700101/us-east-1/s3/aws4_request, ")
        );
        assert_eq!(sign("/a"), sign("/a"));
        assert_ne!(sign("/a"), sign("/b"));
    }
}
