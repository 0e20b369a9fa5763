//! Stage 5, upload: an image goes to all targets at once, and what becomes of it at one is nothing to the others.
//!
//! | file | what it is |
//! |---|---|
//! | [`image`] | what is sent: looked at, digested once, read in pieces |
//! | [`http`] | a connection: TLS, login, patience, what is asked again |
//! | [`failure`] | why it did not work, and what to do |
//! | [`journal`] | what has begun and is not finished, on disk |
//! | [`bars`] | how far it is |
//! | [`stamp`] | how an image of ours is known again |
//! | [`nutanix`] | Prism Centrals |
//! | [`vsphere`] | content libraries of vCenters |
//!
//! To add a kind of target, add a module with its `connect` and `deliver`, and a line to [`Way`] and [`Place`].

pub mod bars;
pub mod failure;
pub mod http;
pub mod image;
pub mod journal;
pub mod nutanix;
mod said;
pub mod stamp;
pub mod vsphere;

use std::path::Path;
use std::sync::Arc;

use anyhow::Result;
use futures_util::future::join_all;
use serde::Serialize;
use tokio::sync::OnceCell;

use crate::target::secret::Secrets;
use crate::target::{Target, Targets};
use bars::Bars;
use failure::Failure;
use image::Image;

/// How an image came to be at a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum How {
    /// It was sent.
    Uploaded,
    /// It was there already.
    Present,
}

/// An image that is at a target.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Delivered {
    /// How.
    #[serde(rename = "result")]
    pub how: How,
    /// What the target calls it.
    pub id: String,
    /// The API that it went by.
    pub api: String,
    /// The target's own version.
    pub product: String,
    /// How long it took.
    pub seconds: f64,
    /// How many older versions were removed.
    pub removed: usize,
    /// Why one that is too old is still there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left: Option<String>,
}

/// Versions that are too old, removed one after the other until one cannot be. That is no failure of the delivery: the image is there.
#[derive(Debug, Default)]
struct Pruned {
    removed: usize,
    left: Option<String>,
}

impl Pruned {
    /// Counts one. Gives whether to go on.
    fn count(&mut self, name: &str, deleted: Result<(), Failure>) -> bool {
        match deleted {
            Ok(()) => self.removed += 1,
            Err(failure) => self.left = Some(format!("{name}: {failure}")),
        }
        self.left.is_none()
    }
}

/// A target, and what became of it.
pub type Outcome<T> = (String, Result<T, Failure>);

/// Everything that a connection to a target needs of this machine.
pub enum Way {
    /// To a Prism Central.
    Nutanix(Box<nutanix::connect::Way>),
    /// To a vCenter.
    Vsphere(Box<vsphere::Way>),
}

/// A target that is connected to.
pub enum Place {
    /// A Prism Central.
    Nutanix(Box<nutanix::Central>),
    /// A content library of a vCenter.
    Vsphere(Box<vsphere::Center>),
}

impl Place {
    /// What people are told of it.
    pub fn about(&self) -> String {
        match self {
            Place::Nutanix(central) => {
                let product = if central.product.is_empty() { "Prism Central" } else { &central.product };
                format!("{product}, API {}", central.api)
            }
            Place::Vsphere(center) => format!("vCenter, content library {}", center.library()),
        }
    }
}

/// Connects to all targets at once: certificates, logins, and whether what they name is there. Nothing is changed.
///
/// Secrets are looked up one after the other, since their commands may ask questions; those that are known already are not looked up.
///
/// # Errors
/// When there is no target of a name.
pub async fn connect(
    targets: &Targets,
    names: &[String],
    secrets: &mut Secrets,
) -> Result<Vec<Outcome<Place>>> {
    let mut ways = Vec::new();
    for (label, target) in targets.select(names)? {
        let directory = &targets.directory;
        let way = match target {
            Target::Nutanix(settings) => {
                let way = nutanix::connect::Way::find(&label, settings, secrets, directory).await;
                way.map(|way| Way::Nutanix(Box::new(way)))
            }
            Target::Vsphere(settings) => {
                let way = vsphere::Way::find(&label, settings, secrets, directory).await;
                way.map(|way| Way::Vsphere(Box::new(way)))
            }
        };
        ways.push((label, way));
    }
    let connecting = ways.into_iter().map(async |(label, way)| {
        let place = match way {
            Ok(Way::Nutanix(way)) => way.connect().await.map(|central| Place::Nutanix(Box::new(central))),
            Ok(Way::Vsphere(way)) => way.connect().await.map(|center| Place::Vsphere(Box::new(center))),
            Err(failure) => Err(failure),
        };
        (label, place)
    });
    Ok(join_all(connecting).await)
}

/// Delivers an image to all places at once.
pub async fn deliver(
    places: Vec<Outcome<Place>>,
    image: &Image,
    journals: &Path,
    bars: &Bars,
) -> Vec<Outcome<Delivered>> {
    // Converted once, when the first vCenter wants it.
    let appliance = Arc::new(OnceCell::new());
    let delivering = places.into_iter().map(|(label, place)| {
        let appliance = Arc::clone(&appliance);
        let (image, journals, bar) = (image.clone(), journals.to_owned(), bars.add(&label, image.size));
        // A task of its own each: one that encrypts does not hold up the others.
        let delivery = tokio::spawn(async move {
            match place {
                Ok(Place::Nutanix(central)) => central.deliver(&image, &journals, &bar).await,
                Ok(Place::Vsphere(center)) => center.deliver(&image, &appliance, &journals, &bar).await,
                Err(failure) => Err(failure),
            }
        });
        async move {
            let ended = delivery.await.unwrap_or_else(|error| {
                Err(Failure::new(failure::Kind::Local, "", format!("the upload ended: {error}")))
            });
            (label, ended)
        }
    });
    join_all(delivering).await
}
