//! What cloud-init is set to: `/etc/cloud/cloud.cfg`, then `/etc/cloud/cloud.cfg.d/*.cfg` in the order of their names.
//!
//! A later file outdoes an earlier one; a list replaces a list (`cloudinit.util.read_conf_with_confd`, the same from 20.4 to 26.2).
//! Our own drop-in is left out: what is worked out from the others must not depend on it.

use std::path::{Path, PathBuf};

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::drop_in;
use crate::config::written::document;
use crate::system::System;

/// The main file: where it is not, cloud-init is not installed.
pub const FILE: &str = "/etc/cloud/cloud.cfg";
const DIRECTORY: &str = "/etc/cloud/cloud.cfg.d";

/// The keys that matter here.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// What runs in the network stage.
    pub cloud_init_modules: Option<Vec<Module>>,
    /// What runs in the config stage.
    pub cloud_config_modules: Option<Vec<Module>>,
    /// What runs in the final stage.
    pub cloud_final_modules: Option<Vec<Module>>,
    /// What is to be made of the network.
    pub network: Option<Network>,
    /// What belongs to the distribution.
    pub system_info: SystemInfo,
    /// Files that are read after our drop-in, with the keys of ours that they set.
    #[serde(skip)]
    pub stronger: Vec<(PathBuf, Vec<&'static str>)>,
}

/// An entry of a list of modules: a name, or a name with how often it runs and its arguments.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(untagged)]
pub enum Module {
    /// The name alone.
    Name(String),
    /// With the rest.
    With(Vec<String>),
}

impl Module {
    /// The module's name, which may be written with either dash.
    pub fn name(&self) -> String {
        let name = match self {
            Module::Name(name) => Some(name),
            Module::With(words) => words.first(),
        };
        name.map(|name| name.replace('-', "_")).unwrap_or_default()
    }
}

/// The section `network`: a configuration, or the word that says there is none.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Network {
    /// `disabled`, or something that is no word.
    config: Option<serde_json::Value>,
}

impl Network {
    /// Whether cloud-init leaves the network alone.
    pub fn is_disabled(&self) -> bool {
        self.config.as_ref().and_then(|config| config.as_str()) == Some("disabled")
    }
}

/// The section `system_info`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct SystemInfo {
    /// The account that is made where nobody asks for others.
    pub default_user: DefaultUser,
}

/// The account that is made where nobody asks for others.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct DefaultUser {
    /// Its name.
    pub name: Option<String>,
}

impl Settings {
    /// Reads all files.
    ///
    /// # Errors
    /// When one cannot be read or understood.
    pub fn read(system: &System) -> Result<Settings> {
        let mut settings = Settings::default();
        let further = system.drop_ins(DIRECTORY, ".cfg")?;
        for path in std::iter::once(PathBuf::from(FILE)).chain(further) {
            let own = Path::new(drop_in::FILE);
            if path == own {
                continue;
            }
            let text = system.read_text(&path)?.unwrap_or_default();
            settings.lay(document(&text, &path.display().to_string())?);
            if path.parent() == own.parent() && path > *own {
                settings.stronger.push((path, drop_in::keys_in(&text)));
            }
        }
        settings.stronger.retain(|(_, keys)| !keys.is_empty());
        Ok(settings)
    }

    fn lay(&mut self, over: Settings) {
        let lists = [
            (&mut self.cloud_init_modules, over.cloud_init_modules),
            (&mut self.cloud_config_modules, over.cloud_config_modules),
            (&mut self.cloud_final_modules, over.cloud_final_modules),
        ];
        for (list, over) in lists {
            *list = over.or(list.take());
        }
        self.network = over.network.or(self.network.take());
        let name = &mut self.system_info.default_user.name;
        *name = over.system_info.default_user.name.or(name.take());
    }
}
