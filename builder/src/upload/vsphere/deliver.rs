//! The delivery of one image to one content library: what is there already, what is to be sent, who has the name, who is too old.
//!
//! Each step looks at what is there and does what is missing, so that a delivery that ended anywhere is finished by the next one.

use std::path::Path;
use std::time::{Duration, Instant};

use sha1::{Digest, Sha1};
use tokio::sync::OnceCell;

use super::super::bars::Bar;
use super::super::failure::{Failure, Kind};
use super::super::image::Image;
use super::super::journal::{Begun, Journal};
use super::super::stamp::Stamp;
use super::super::{Delivered, How, Pruned};
use super::Center;
use super::library::{From, Item, Outgoing};
use crate::ova::Appliance;

/// How often files are sent before it is given up.
const TRIES: u32 = 3;
/// The longest name of an item, and what is added to ours while another has it.
const LONGEST: (usize, usize) = (80, 13);

impl Center {
    /// Delivers an image, which is converted when the first target wants it. `journals` is the directory of what has begun.
    ///
    /// # Errors
    /// When it is not there afterwards. Nothing half made is left then, or the journal knows of it.
    pub async fn deliver(
        self,
        image: &Image,
        appliance: &OnceCell<Appliance>,
        journals: &Path,
        bar: &Bar,
    ) -> Result<Delivered, Failure> {
        let begin = Instant::now();
        let local = |error: anyhow::Error| Failure::local(&error);
        if image.name.len() + LONGEST.1 > LONGEST.0 {
            let said = format!(
                "{}: longer than the names of a content library: give another with --name",
                image.name
            );
            return Err(Failure::new(Kind::Target, "", said));
        }
        let journal = Journal::take(journals, &self.label, &image.name).map_err(local)?;
        let journal = journal.ok_or_else(|| {
            let said = format!("another builder uploads {} to {}", image.name, self.label);
            Failure::new(Kind::Taken, "", said)
        })?;
        bar.say("looking for what is there");
        // The digest may have taken longer than a login lasts.
        self.renew().await?;
        self.clear_begun(&journal).await?;
        let items = self.items().await?;
        foreign(image, &items)?;
        let same = |item: &&Item| ours(item, image).is_some_and(|stamp| stamp.sha256 == image.sha256);
        let there = items.iter().filter(same).max_by_key(|item| item.name == image.name);
        let (id, how) = match there {
            Some(item) => (item.id.clone(), How::Present),
            None => (self.send(image, appliance, &journal, bar).await?, How::Uploaded),
        };
        bar.say("giving it its name");
        self.publish(image, &id).await?;
        let pruned = self.prune(image, &id).await;
        journal.forget().map_err(local)?;
        bar.say(if how == How::Present { "was there already" } else { "done" });
        Ok(Delivered {
            how,
            id,
            api: "content library".to_owned(),
            product: "vCenter".to_owned(),
            seconds: begin.elapsed().as_secs_f64(),
            removed: pruned.removed,
            left: pruned.left,
        })
    }

    /// Clears away what an earlier upload left without files.
    async fn clear_begun(&self, journal: &Journal) -> Result<(), Failure> {
        let local = |error: anyhow::Error| Failure::local(&error);
        let Some(begun) = journal.begun().map_err(local)? else { return Ok(()) };
        for item in self.items().await? {
            let left = item.stamp.as_ref().is_some_and(|stamp| stamp.upload == begun.upload);
            if left && !whole(&self.files(&item.id).await?) {
                self.delete(&item.id).await?;
            }
        }
        journal.forget().map_err(local)
    }

    /// Sends the image. What does not work is tried again where that can help, and taken away where it cannot.
    async fn send(
        &self,
        image: &Image,
        appliance: &OnceCell<Appliance>,
        journal: &Journal,
        bar: &Bar,
    ) -> Result<String, Failure> {
        let local = |error: anyhow::Error| Failure::local(&error);
        bar.say("converting it to a VMDK");
        let appliance = appliance.get_or_try_init(|| Appliance::of(&image.path, &image.name)).await;
        let appliance = appliance.map_err(local)?;
        self.renew().await?;
        let begun = Begun {
            upload: uuid::Uuid::new_v4().to_string(),
            sha256: image.sha256.clone(),
            server: self.session.authority(),
            ..Begun::default()
        };
        journal.write(&begun).map_err(local)?;
        let description = Stamp::description(image, &begun.upload);
        let version = format!("{}-{}", image.name, image.short());
        let id = self.create(&version, &description, &begun.upload).await?;
        let sent = self.fill_well(&id, appliance, bar).await;
        let Err(failure) = sent else { return Ok(id) };
        bar.say("clearing away");
        match self.delete(&id).await {
            Ok(()) => journal.forget().map_err(local).and(Err(failure)),
            Err(left) => Err(failure
                .with(&format!("and something half made is left, which the next run clears away: {left}"))),
        }
    }

    async fn fill_well(&self, id: &str, appliance: &Appliance, bar: &Bar) -> Result<(), Failure> {
        let (descriptor, disk) = (&appliance.descriptor, &appliance.disk);
        let sha1 = Sha1::digest(descriptor).iter().map(|byte| format!("{byte:02x}")).collect();
        let files = [
            Outgoing {
                name: appliance.descriptor_name(),
                size: descriptor.len() as u64,
                sha1,
                from: From::Text(descriptor),
            },
            Outgoing {
                name: appliance.disk_name(),
                size: disk.size,
                sha1: disk.sha1.clone(),
                from: From::Path(&disk.path),
            },
        ];
        let moved = bar.moved();
        let (mut tries, mut wait) = (1, Duration::from_secs(1));
        loop {
            moved.store(0, std::sync::atomic::Ordering::Relaxed);
            bar.say("sending");
            let failure = match self.fill(id, &files, &moved).await {
                Ok(()) => break,
                Err(failure) => failure,
            };
            let expired = failure.kind == Kind::Credentials && tries == 1;
            let again = failure.kind.passes() || failure.kind == Kind::Checksum || expired;
            if !again || tries == TRIES {
                return Err(failure);
            }
            if expired {
                self.renew().await?;
            }
            bar.say(&format!("{failure}; trying again"));
            tokio::time::sleep(failure.pause(wait)).await;
            wait *= 2;
            tries += 1;
        }
        let there = self.files(id).await?;
        let arrived = |file: &Outgoing| there.contains(&(file.name.clone(), file.size));
        match files.iter().find(|file| !arrived(file)) {
            None => Ok(()),
            Some(file) => {
                let said = format!("{} of {} bytes was sent, and there is {there:?}", file.name, file.size);
                Err(Failure::new(Kind::Checksum, "looking at the item's files", said))
            }
        }
    }

    /// Gives the item its name, which a version before it may have.
    async fn publish(&self, image: &Image, id: &str) -> Result<(), Failure> {
        let items = self.items().await?;
        for older in items.iter().filter(|item| item.name == image.name && item.id != id) {
            if let Some(stamp) = &older.stamp {
                self.rename(&older.id, &stamp.version_name()).await?;
            }
        }
        match items.iter().find(|item| item.id == id) {
            Some(item) if item.name != image.name => self.rename(id, &image.name).await,
            _ => Ok(()),
        }
    }

    /// Deletes versions before this one, but the newest that are kept.
    async fn prune(&self, image: &Image, id: &str) -> Pruned {
        let mut pruned = Pruned::default();
        let items = match self.items().await {
            Ok(items) => items,
            Err(failure) => return Pruned { left: Some(failure.to_string()), ..pruned },
        };
        let older = |item: &&Item| item.id != id && ours(item, image).is_some();
        let mut versions: Vec<&Item> = items.iter().filter(older).collect();
        versions.sort_by(|a, b| b.created.cmp(&a.created));
        let old = versions.get(usize::from(self.settings.keep)..).unwrap_or_default();
        for version in old {
            if !pruned.count(&version.name, self.delete(&version.id).await) {
                break;
            }
        }
        pruned
    }
}

/// The stamp of an item, when it is a version of this image.
fn ours<'a>(item: &'a Item, image: &Image) -> Option<&'a Stamp> {
    item.stamp.as_ref().filter(|stamp| stamp.image == image.name)
}

/// Whether files are those of an image, and not what an upload left that was killed.
fn whole(files: &[(String, u64)]) -> bool {
    let has = |ending| files.iter().any(|(name, size)| name.ends_with(ending) && *size > 0);
    has(".ovf") && has(".vmdk")
}

/// Refuses to share a name with an item that the builder did not make.
fn foreign(image: &Image, items: &[Item]) -> Result<(), Failure> {
    let other = |item: &&Item| item.name == image.name && ours(item, image).is_none();
    let Some(item) = items.iter().find(other) else { return Ok(()) };
    let said = format!(
        "an item {:?} is there that the builder did not make ({}): rename it, or give yours another name with --name",
        item.name, item.id
    );
    Err(Failure::new(Kind::Target, "looking for what is there", said))
}
