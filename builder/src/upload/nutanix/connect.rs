//! Logging in: the certificate, the login, which API, and whether what the target names is there. Nothing is changed.

use std::collections::BTreeMap;
use std::path::Path;

use reqwest::Method;
use serde_json::{Value, json};

use super::super::failure::{Failure, Kind};
use super::super::http::{Answer, Ask, Login, Session, Trust};
use super::{Central, Version, items, text};
use crate::target::secret::Secrets;
use crate::target::{Api, Nutanix};

/// The port of Prism Central.
const PORT: u16 = 9440;
/// The newest minor version of API v4 whose documents this was written by.
const NEWEST: u32 = 3;
/// The largest page of lists in API v4, and one that v3 takes.
const PAGE: usize = 100;

/// What a connection is made from: everything that is looked up on this machine.
pub struct Way {
    /// What the target is called.
    pub label: String,
    settings: Nutanix,
    login: Login,
    trust: Trust,
}

impl Way {
    /// Looks up secrets and certificates.
    ///
    /// # Errors
    /// When one is not there.
    pub async fn find(
        label: &str,
        settings: &Nutanix,
        secrets: &mut Secrets,
        directory: &Path,
    ) -> Result<Way, Failure> {
        let local = |error: anyhow::Error| Failure::new(Kind::Target, "", format!("{error:#}"));
        let login = match (&settings.user, &settings.password, &settings.api_key) {
            (Some(user), Some(password), _) => {
                Login::Password(user.clone(), secrets.get(password, directory).await.map_err(local)?)
            }
            (_, _, Some(key)) => Login::ApiKey(secrets.get(key, directory).await.map_err(local)?),
            _ => return Err(Failure::new(Kind::Target, "", "there is nothing to log in with")),
        };
        let ca = settings.ca.as_ref().map(|ca| ca.value.as_path());
        let trust = Trust::of(ca, settings.insecure, directory)?;
        Ok(Way { label: label.to_owned(), settings: settings.clone(), login, trust })
    }

    /// Logs in.
    ///
    /// # Errors
    /// When that does not work, or clusters or categories that the target names are not there.
    pub async fn connect(self) -> Result<Central, Failure> {
        let address = &self.settings.address.value;
        let session = Session::new(
            &address.host,
            address.port.unwrap_or(PORT),
            self.login,
            self.trust,
            self.settings.patience,
        )?;
        let (api, product) = negotiate(&session, self.settings.api.value).await?;
        let mut central = Central {
            label: self.label,
            session,
            api,
            product,
            clusters: Vec::new(),
            categories: BTreeMap::new(),
            category_ids: Vec::new(),
            settings: self.settings,
        };
        central.find_clusters().await?;
        central.find_categories().await?;
        Ok(central)
    }
}

/// Finds the API, logs in by it, and tells Prism Central's own version.
async fn negotiate(session: &Session, wanted: Api) -> Result<(Version, String), Failure> {
    let by_password = matches!(session.login(), Login::Password(..));
    if wanted != Api::V3 && by_password {
        let vmm = minor(session, "vmm").await?;
        let path = |minor| format!("/api/vmm/v4.{minor}/content/images?$page=0&$limit=1");
        let looked = session.ask(Ask::new(Method::GET, path(vmm.unwrap_or(0)), "logging in (API v4)")).await;
        match looked {
            Ok(answer) => {
                let prism = minor(session, "prism").await?.unwrap_or(0);
                let clusters = minor(session, "clustermgmt").await?.unwrap_or(0);
                return Ok((Version::V4 { vmm: vmm.unwrap_or(0), prism, clusters }, product(&answer)?));
            }
            Err(failure) if failure.kind == Kind::Missing && wanted == Api::Auto => {}
            Err(failure) => return Err(failure),
        }
    }
    let answer =
        session.ask(Ask::new(Method::GET, "/api/nutanix/v3/users/me", "logging in (API v3)")).await?;
    Ok((Version::V3, product(&answer)?))
}

/// The minor version of a part of API v4 that both sides know; `None` where the server does not say.
async fn minor(session: &Session, part: &str) -> Result<Option<u32>, Failure> {
    let path = format!("/api/{part}/unversioned/info");
    let doing = format!("asking for the version of API v4 ({part})");
    match session.ask(Ask::new(Method::OPTIONS, path, &doing)).await {
        Ok(answer) => {
            let body = answer.json(&doing)?;
            let minor = text(&body, &["data"]).and_then(|data| data.strip_prefix("v4."));
            // Release candidates say v4.0.b1: their API is another one.
            Ok(minor.and_then(|minor| minor.parse::<u32>().ok()).map(|minor| minor.min(NEWEST)))
        }
        Err(failure) if failure.kind == Kind::Missing => Ok(None),
        Err(failure) => Err(failure),
    }
}

/// Prism Central's version, which it writes on every answer.
fn product(answer: &Answer) -> Result<String, Failure> {
    if answer.header("x-ntnx-env").is_some_and(|env| env.eq_ignore_ascii_case("pe")) {
        let said = "this is a Prism Element: images for several clusters belong to its Prism Central";
        return Err(Failure::new(Kind::Target, "logging in", said));
    }
    Ok(answer.header("x-ntnx-product").unwrap_or_default().to_owned())
}

impl Central {
    /// Finds the clusters that the target names.
    async fn find_clusters(&mut self) -> Result<(), Failure> {
        if self.settings.clusters.is_empty() {
            return Ok(());
        }
        let known = self.all_clusters().await?;
        for wanted in &self.settings.clusters {
            let same = |(name, id): &&(String, String)| name == wanted || id.eq_ignore_ascii_case(wanted);
            let found: Vec<_> = known.iter().filter(same).collect();
            let names = || known.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ");
            match found.as_slice() {
                [(_, id)] => self.clusters.push(id.clone()),
                [] => {
                    let said = format!("there is no cluster {wanted:?}; there are: {}", names());
                    return Err(Failure::new(Kind::Target, "finding the clusters", said));
                }
                _ => {
                    let said = format!("several clusters are called {wanted:?}: name one by its UUID");
                    return Err(Failure::new(Kind::Target, "finding the clusters", said));
                }
            }
        }
        Ok(())
    }

    /// Name and UUID of every cluster that has storage of its own.
    async fn all_clusters(&self) -> Result<Vec<(String, String)>, Failure> {
        let doing = "finding the clusters";
        let (list, function, name, id): (_, &[&str], &[&str], &[&str]) = match self.api {
            Version::V3 => (
                self.pages_v3("/api/nutanix/v3/clusters/list", "cluster", doing).await?,
                &["status", "resources", "config", "service_list"],
                &["status", "name"],
                &["metadata", "uuid"],
            ),
            Version::V4 { clusters, .. } => (
                self.pages_v4(&format!("/api/clustermgmt/v4.{clusters}/config/clusters"), doing).await?,
                &["config", "clusterFunction"],
                &["name"],
                &["extId"],
            ),
        };
        let of = |cluster: &Value| {
            let itself = items(cluster, function).iter().any(|function| function == "PRISM_CENTRAL");
            let named = (text(cluster, name)?.to_owned(), text(cluster, id)?.to_owned());
            (!itself).then_some(named)
        };
        Ok(list.iter().filter_map(of).collect())
    }

    /// Finds the categories that the target names.
    async fn find_categories(&mut self) -> Result<(), Failure> {
        let doing = "finding the categories";
        let wanted: Vec<(String, String)> = self
            .settings
            .categories
            .iter()
            .flat_map(|(key, values)| values.all().iter().map(|value| (key.clone(), value.clone())))
            .collect();
        let missing = |key: &str, value: &str| {
            let said = format!("there is no category {key}: {value}: create it, or leave it out");
            Failure::new(Kind::Target, doing, said)
        };
        let known = match self.api {
            Version::V4 { prism, .. } if !wanted.is_empty() => {
                self.pages_v4(&format!("/api/prism/v4.{prism}/config/categories"), doing).await?
            }
            _ => Vec::new(),
        };
        for (key, value) in wanted {
            if self.api == Version::V3 {
                let path = format!("/api/nutanix/v3/categories/{}/{}", encoded(&key), encoded(&value));
                let looked = self.session.ask(Ask::new(Method::GET, path, doing)).await;
                looked.map_err(|failure| {
                    if failure.kind == Kind::Missing { missing(&key, &value) } else { failure }
                })?;
            } else {
                let same = |found: &&Value| {
                    text(found, &["key"]) == Some(&key) && text(found, &["value"]) == Some(&value)
                };
                let id = known.iter().find(same).and_then(|found| text(found, &["extId"]));
                self.category_ids.push(id.ok_or_else(|| missing(&key, &value))?.to_owned());
            }
            self.categories.entry(key).or_default().push(value);
        }
        Ok(())
    }

    /// Every entity of a list of API v3.
    pub(super) async fn pages_v3(&self, path: &str, kind: &str, doing: &str) -> Result<Vec<Value>, Failure> {
        let mut all = Vec::new();
        loop {
            let page = json!({"kind": kind, "offset": all.len(), "length": PAGE});
            let answer = self.session.ask(Ask::new(Method::POST, path, doing).json(&page).harmless()).await?;
            let body = answer.json(doing)?;
            let entities = items(&body, &["entities"]);
            all.extend(entities.iter().cloned());
            let total = super::at(&body, &["metadata", "total_matches"]).and_then(Value::as_u64);
            if ended(entities.len(), all.len(), total, doing)? {
                return Ok(all);
            }
        }
    }

    /// Every entity of a list of API v4. Filters are not used: their grammar is not the same in all versions.
    pub(super) async fn pages_v4(&self, path: &str, doing: &str) -> Result<Vec<Value>, Failure> {
        let mut all = Vec::new();
        let mut page = 0;
        loop {
            let path = format!("{path}?$page={page}&$limit={PAGE}");
            let body = self.session.ask(Ask::new(Method::GET, path, doing)).await?.json(doing)?;
            // An empty list has no data at all.
            let entities = items(&body, &["data"]);
            all.extend(entities.iter().cloned());
            let total = super::at(&body, &["metadata", "totalAvailableResults"]).and_then(Value::as_u64);
            if ended(entities.len(), all.len(), total, doing)? {
                return Ok(all);
            }
            page += 1;
        }
    }
}

/// Whether a page was the last one.
fn ended(page: usize, so_far: usize, total: Option<u64>, doing: &str) -> Result<bool, Failure> {
    if so_far > super::MOST {
        return Err(Failure::new(Kind::Answer, doing, format!("a list goes on after {so_far} entries")));
    }
    let whole = total.is_some_and(|total| so_far as u64 >= total);
    Ok(page == 0 || whole || (total.is_none() && page < PAGE))
}

/// A part of a path.
pub(super) fn encoded(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}
