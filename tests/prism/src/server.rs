//! TLS and HTTP: takes requests in, lets faults happen, hands them to the API that they are for.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{HeaderMap, Request};
use hyper_util::rt::TokioIo;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::answer::{self, Answer};
use crate::fault::Act;
use crate::{Seen, Shared, body, login, objects, v3, v4};

/// A request without its body.
pub(crate) struct Head {
    pub(crate) method: String,
    /// Decoded, without empty parts: clients write `//` here and there.
    pub(crate) path: Vec<String>,
    /// As it was sent.
    pub(crate) raw: String,
    pub(crate) query: String,
    pub(crate) headers: HeaderMap,
    pub(crate) wrong: Option<Act>,
}

impl Head {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    pub(crate) fn query(&self, name: &str) -> Option<String> {
        login::pairs(&self.query).into_iter().find(|(key, _)| key == name).map(|(_, value)| value)
    }
}

/// A certificate for this machine by an authority of its own, and that authority.
pub(crate) fn tls() -> Result<(TlsAcceptor, String)> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new(Vec::<String>::new())?;
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(rcgen::DnType::CommonName, "Prism of tests");
    let authority = params.self_signed(&key)?;
    let issuer = Issuer::new(params, key);
    let own = KeyPair::generate()?;
    let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    let certificate = CertificateParams::new(names)?.signed_by(&own, &issuer)?;
    let secret = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(own.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], secret)?;
    Ok((TlsAcceptor::from(Arc::new(config)), authority.pem()))
}

pub(crate) async fn serve(listener: TcpListener, tls: TlsAcceptor, shared: Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        let (tls, shared) = (tls.clone(), Arc::clone(&shared));
        tokio::spawn(async move {
            let _ = stream.set_nodelay(true);
            let Ok(stream) = tls.accept(stream).await else { return };
            let service = service_fn(move |request| {
                let shared = Arc::clone(&shared);
                async move { handle(&shared, request).await }
            });
            // A connection that ends is nobody's business.
            let _ = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

async fn handle(shared: &Arc<Shared>, request: Request<Incoming>) -> Result<Answer> {
    let (parts, body) = request.into_parts();
    let raw = parts.uri.path().to_owned();
    let decode = |part: &str| percent_encoding::percent_decode_str(part).decode_utf8_lossy().into_owned();
    let method = parts.method.as_str().to_owned();
    let whole = parts.uri.to_string();
    let wrong = shared.fault_for(&method, &whole);
    let head = Head {
        path: raw.split('/').filter(|part| !part.is_empty()).map(decode).collect(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers: parts.headers,
        method,
        raw,
        wrong,
    };
    let done = answer(shared, &head, body).await;
    let status = done.as_ref().map_or(0, |answer| answer.status().as_u16());
    let seen = Seen { method: head.method.clone(), path: whole, status };
    shared.seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(seen);
    let done = done?;
    let done = answer::header(done, "server", "envoy");
    let done = answer::header(done, "x-ntnx-env", &shared.options.env);
    let done = answer::header(done, "x-envoy-upstream-service-time", "7");
    Ok(answer::header(done, "x-ntnx-product", &shared.options.product))
}

async fn answer(shared: &Arc<Shared>, head: &Head, body: Incoming) -> Result<Answer> {
    match &head.wrong {
        Some(Act::Early(status)) => {
            tokio::spawn(body::linger(body));
            return Ok(answer::error(*status, &head.raw, "refused on request"));
        }
        Some(Act::Answer { status, after, body: told }) => {
            body::receive(body, &head.headers, None, None).await?;
            let done = match told.as_str() {
                "" => answer::error(*status, &head.raw, "refused on request"),
                told => answer::text(*status, "application/json", told.to_owned()),
            };
            return Ok(match after {
                Some(seconds) => answer::header(done, "retry-after", &seconds.to_string()),
                None => done,
            });
        }
        Some(Act::Hang(seconds)) => tokio::time::sleep(Duration::from_secs(*seconds)).await,
        _ => {}
    }
    let done = route(shared, head, body).await?;
    if matches!(head.wrong, Some(Act::LoseAnswer)) {
        bail!("ended on request");
    }
    Ok(done)
}

async fn route(shared: &Arc<Shared>, head: &Head, body: Incoming) -> Result<Answer> {
    let path: Vec<&str> = head.path.iter().map(String::as_str).collect();
    if let ["api", "prism", "v4.0", "objects", rest @ ..] = path.as_slice() {
        if !shared.options.store || shared.options.v4.is_none() {
            return Ok(answer::not_served());
        }
        if let Err(why) = shared.signed(&head.method, &head.raw, &head.query, &head.headers) {
            return Ok(answer::s3(403, "SignatureDoesNotMatch", &why));
        }
        return objects::answer(shared, head, rest, body).await;
    }
    let Some(session) = shared.enter(&head.headers) else { return Ok(answer::unauthorized()) };
    let done = match path.as_slice() {
        ["api", "nutanix", "v3", rest @ ..] if shared.options.v3 => {
            v3::answer(shared, head, rest, body).await?
        }
        ["api", part, rest @ ..] => match shared.options.v4 {
            Some(newest) => v4::answer(shared, head, (part, newest), rest, body).await?,
            None => answer::not_served(),
        },
        _ => answer::not_served(),
    };
    Ok(match session {
        Some(session) => {
            let cookie = format!("{}={session}; Path=/; Secure; HttpOnly; SameSite=Lax", login::COOKIE);
            answer::header(done, "set-cookie", &cookie)
        }
        None => done,
    })
}

/// A body as JSON.
pub(crate) async fn given(body: Incoming) -> Result<serde_json::Value> {
    let bytes = body::small(body).await?;
    serde_json::from_slice(&bytes).context("reading the body")
}
