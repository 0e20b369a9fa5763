//! VMware vCenter: an image becomes an item of a content library, which every vCenter since 6.5 makes machines of.
//!
//! | step | file | what it does |
//! |---|---|---|
//! | connect | this one | logs in, finds the library |
//! | deliver | [`deliver`] | what is there already, what is to be sent, which version has the name, which are too old |
//! | ask | [`library`] | the requests of the content library's API (`/rest/com/vmware/content`) |
//!
//! The item has its name only when it is complete; until then, and when a newer one took its place, it is called `NAME-DIGEST`. Items that
//! the builder did not make ([`stamp`](super::stamp)) are never touched.

mod deliver;
mod library;

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use reqwest::Method;
use secrecy::SecretString;
use serde_json::json;

use super::failure::{Failure, Kind};
use super::http::{Ask, Login, Session, Trust};
use crate::target::Vsphere;
use crate::target::secret::Secrets;

/// The port of a vCenter.
const PORT: u16 = 443;

/// What a connection is made from: everything that is looked up on this machine.
pub struct Way {
    label: String,
    settings: Vsphere,
    login: Login,
    trust: Trust,
}

/// A content library of a vCenter that is logged in to.
pub struct Center {
    label: String,
    session: Session,
    settings: Vsphere,
    /// What requests are let in by; it runs out.
    token: Mutex<SecretString>,
    /// The library's id.
    id: String,
}

impl Way {
    /// Looks up secrets and certificates.
    ///
    /// # Errors
    /// When one is not there.
    pub async fn find(
        label: &str,
        settings: &Vsphere,
        secrets: &mut Secrets,
        directory: &Path,
    ) -> Result<Way, Failure> {
        let local = |error: anyhow::Error| Failure::new(Kind::Target, "", format!("{error:#}"));
        let password = secrets.get(&settings.password, directory).await.map_err(local)?;
        let ca = settings.ca.as_ref().map(|ca| ca.value.as_path());
        Ok(Way {
            label: label.to_owned(),
            settings: settings.clone(),
            login: Login::Password(settings.user.clone(), password),
            trust: Trust::of(ca, settings.insecure, directory)?,
        })
    }

    /// Logs in.
    ///
    /// # Errors
    /// When that does not work, or the library is not there, or is filled from elsewhere.
    pub async fn connect(self) -> Result<Center, Failure> {
        let address = &self.settings.address.value;
        let session = Session::new(
            &address.host,
            address.port.unwrap_or(PORT),
            self.login,
            self.trust,
            self.settings.patience,
        )?;
        let token = token(&session).await?;
        let token = Mutex::new(token);
        let mut center =
            Center { label: self.label, session, settings: self.settings, token, id: String::new() };
        center.id = center.find_library().await?;
        Ok(center)
    }
}

/// Logs in.
async fn token(session: &Session) -> Result<SecretString, Failure> {
    let doing = "logging in";
    // A session more does no harm: it ends by itself.
    let ask = Ask::new(Method::POST, "/rest/com/vmware/cis/session", doing).harmless();
    let answer = session.ask(ask).await?.json(doing)?;
    match library::value(&answer).as_str() {
        Some(token) => Ok(SecretString::from(token)),
        None => Err(Failure::new(Kind::Answer, doing, "no session came back")),
    }
}

impl Center {
    /// Logs in once more.
    async fn renew(&self) -> Result<(), Failure> {
        let token = token(&self.session).await?;
        *self.token.lock().unwrap_or_else(PoisonError::into_inner) = token;
        Ok(())
    }

    /// The library's name.
    pub fn library(&self) -> &str {
        &self.settings.library
    }

    /// The library that the target names.
    async fn find_library(&self) -> Result<String, Failure> {
        let doing = "finding the content library";
        let name = self.library();
        let find = Ask::new(Method::POST, "/rest/com/vmware/content/library?~action=find", doing);
        let found = self.ask(find.json(&json!({"spec": {"name": name}})).harmless()).await?;
        let ids = library::texts(&found);
        let wrong = |said: String| Err(Failure::new(Kind::Target, doing, said));
        let [id] = ids.as_slice() else {
            return wrong(match ids.len() {
                0 => format!("there is no content library {name:?}: create one, or name another"),
                _ => format!("several content libraries are called {name:?}"),
            });
        };
        let path = format!("/rest/com/vmware/content/library/id:{}", library::encoded(id));
        let about = self.ask(Ask::new(Method::GET, path, doing)).await?;
        if about["type"] == "SUBSCRIBED" {
            return wrong(format!("the content library {name:?} is filled from another one: name that"));
        }
        Ok(id.clone())
    }
}
