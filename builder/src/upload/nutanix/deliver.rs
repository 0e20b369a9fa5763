//! The delivery of one image to one Prism Central: what is there already, what is to be sent, who has the name, who is too old.
//!
//! Each step looks at what is there and does what is missing, so that a delivery that ended anywhere is finished by the next one.

use std::path::Path;
use std::time::{Duration, Instant};

use super::super::bars::Bar;
use super::super::failure::{Failure, Kind};
use super::super::http::Login;
use super::super::image::Image;
use super::super::journal::{Begun, Journal};
use super::super::stamp::Stamp;
use super::super::{Delivered, How, Pruned};
use super::{Central, Remote, State, Version, objects, v3, v4};
use crate::target::Api;

/// How often a file is sent before it is given up.
const TRIES: u32 = 3;

impl Central {
    /// Delivers an image. `journals` is the directory of what has begun.
    ///
    /// # Errors
    /// When it is not there afterwards. Nothing half made is left then, or the journal knows of it.
    pub async fn deliver(mut self, image: &Image, journals: &Path, bar: &Bar) -> Result<Delivered, Failure> {
        let begin = Instant::now();
        let local = |error: anyhow::Error| Failure::local(&error);
        let journal = Journal::take(journals, &self.label, &image.name).map_err(local)?;
        let journal = journal.ok_or_else(|| {
            let said = format!("another builder uploads {} to {}", image.name, self.label);
            Failure::new(Kind::Taken, "", said)
        })?;
        bar.say("looking for what is there");
        let images = self.images().await?;
        self.foreign(image, &images)?;
        let images = self.clear_begun(image, images, &journal, bar).await?;
        let same = |found: &&Remote| {
            found.state == State::Ready
                && found.stamp().is_some_and(|stamp| is(&stamp, image) && stamp.sha256 == image.sha256)
        };
        // The one that has the name already goes before its doubles.
        let there = images.iter().filter(same).max_by_key(|found| found.name == image.name);
        let (id, how) = match there {
            Some(found) => (found.id.clone(), How::Present),
            None => (self.send(image, &journal, bar).await?, How::Uploaded),
        };
        bar.say("giving it its name");
        let images = self.images().await?;
        self.publish(image, &id, &images).await?;
        let pruned = self.prune(image, &id, &images).await;
        journal.forget().map_err(local)?;
        let how_said = if how == How::Present { "was there already" } else { "done" };
        bar.say(how_said);
        Ok(Delivered {
            how,
            id,
            api: self.api.to_string(),
            product: self.product.clone(),
            seconds: begin.elapsed().as_secs_f64(),
            removed: pruned.removed,
            left: pruned.left,
        })
    }

    /// Refuses to share a name with an image that the builder did not make.
    fn foreign(&self, image: &Image, images: &[Remote]) -> Result<(), Failure> {
        let other = |found: &&Remote| {
            found.name == image.name && !found.stamp().is_some_and(|stamp| is(&stamp, image))
        };
        let Some(found) = images.iter().find(other) else { return Ok(()) };
        let said = format!(
            "an image {:?} is there that the builder did not make ({}): rename it, or give yours another name with --name",
            found.name, found.id
        );
        Err(Failure::new(Kind::Target, "looking for what is there", said))
    }

    /// Clears away what an earlier upload left half made, unless it can be gone on with. Gives what is there then.
    async fn clear_begun(
        &self,
        image: &Image,
        images: Vec<Remote>,
        journal: &Journal,
        bar: &Bar,
    ) -> Result<Vec<Remote>, Failure> {
        let local = |error: anyhow::Error| Failure::local(&error);
        let begun = journal.begun().map_err(local)?;
        // What failed while nobody looked is not gone on with.
        let lost = |begun: &Begun| {
            let failed =
                |found: &Remote| found.state == State::Failed && begun.image.as_ref() == Some(&found.id);
            images.iter().any(failed)
        };
        let resumed = begun.as_ref().is_some_and(|begun| self.resumes(begun, image) && !lost(begun));
        let of_this = |found: &Remote| {
            let mine = |stamp: &Stamp| begun.as_ref().is_some_and(|begun| begun.upload == stamp.upload);
            found.state != State::Ready
                && found.stamp().is_some_and(|stamp| is(&stamp, image) && mine(&stamp))
        };
        let failed = |found: &Remote| {
            found.state == State::Failed && found.stamp().is_some_and(|stamp| is(&stamp, image))
        };
        let mut left = Vec::new();
        for found in images {
            if failed(&found) || (of_this(&found) && !resumed) {
                bar.say("clearing away what an earlier upload left");
                self.delete(&found.id).await?;
            } else {
                left.push(found);
            }
        }
        if let Some(begun) = begun.filter(|_| !resumed) {
            if begun.server == self.session.authority() {
                self.clear_unlisted(&begun, &left).await?;
            }
            journal.forget().map_err(local)?;
        }
        Ok(left)
    }

    /// Clears away what no list shows: an image whose creation has not ended, and what is in the store.
    async fn clear_unlisted(&self, begun: &Begun, listed: &[Remote]) -> Result<(), Failure> {
        let ready = |id: &String| listed.iter().any(|found| found.id == *id && found.state == State::Ready);
        let by_password = matches!(self.session.login(), Login::Password(..));
        match (&begun.image, &begun.object) {
            (Some(id), _) if !ready(id) => self.delete(id).await?,
            // It was asked for, and the answer never read.
            (None, None) if self.api == Version::V3 => {
                let found = v3::find(self, &begun.upload).await?;
                if let Some(found) = found.filter(|found| found.state != State::Ready) {
                    self.delete(&found.id).await?;
                }
            }
            _ => {}
        }
        match &begun.object {
            Some(object) if by_password => objects::clear(self, object).await,
            _ => Ok(()),
        }
    }

    /// Whether what was begun can be gone on with: the same image, the same server, and an API that can.
    fn resumes(&self, begun: &Begun, image: &Image) -> bool {
        let same = begun.sha256 == image.sha256 && begun.server == self.session.authority();
        same && match self.api {
            Version::V3 => begun.sent && begun.image.is_some() && begun.object.is_none(),
            Version::V4 { .. } => begun.object.is_some(),
        }
    }

    /// Sends the image. What does not work is tried again where that can help, and taken away where it cannot.
    async fn send(&mut self, image: &Image, journal: &Journal, bar: &Bar) -> Result<String, Failure> {
        let mut wait = Duration::from_secs(1);
        let mut tries = 1;
        loop {
            let known = journal.begun().map_err(|error| Failure::local(&error))?;
            let resumed = known.as_ref().is_some_and(|begun| begun.sent);
            let mut begun = known.unwrap_or_else(|| Begun {
                upload: uuid::Uuid::new_v4().to_string(),
                sha256: image.sha256.clone(),
                server: self.session.authority(),
                ..Begun::default()
            });
            let sent = match self.api {
                Version::V3 => v3::send(self, image, &mut begun, journal, bar).await,
                Version::V4 { .. } => v4::send(self, image, &mut begun, journal, bar).await,
            };
            let failure = match sent {
                Ok(id) => return Ok(id),
                Err(failure) => failure,
            };
            let no_store = failure.kind == Kind::Missing && !begun.sent && self.api != Version::V3;
            let failure = self.give_up(&begun, journal, failure, bar).await;
            if no_store && self.settings.api.value == Api::Auto {
                bar.say("this Prism Central has no store for files of API v4; using v3");
                self.api = Version::V3;
                continue;
            }
            // What v4 can do again, it has done already.
            let broken = self.api == Version::V3 && !begun.sent;
            let passes = failure.kind.passes() || failure.kind == Kind::Credentials;
            // The import of an earlier run has failed since, or what it made is gone: that says nothing of another one.
            let stale = resumed && matches!(failure.kind, Kind::Task | Kind::Missing);
            let again = failure.kind == Kind::Checksum || (broken && passes) || stale;
            if !again || tries == TRIES {
                return Err(failure);
            }
            bar.say(&format!("{failure}; trying again"));
            tokio::time::sleep(failure.pause(wait)).await;
            wait *= 2;
            tries += 1;
        }
    }

    /// Takes away what a failed upload made, unless the next can go on with it.
    async fn give_up(&self, begun: &Begun, journal: &Journal, failure: Failure, bar: &Bar) -> Failure {
        let waits = failure.kind.passes() || failure.kind == Kind::Patience;
        let goes_on = match self.api {
            Version::V3 => begun.sent && waits,
            Version::V4 { .. } => waits,
        };
        if goes_on {
            let Some(object) = &begun.object else { return failure };
            let parts = object.parts.len();
            return match (object.whole, parts) {
                (false, 0) => failure,
                (false, _) => {
                    failure.with(&format!("{parts} parts are there; the next run goes on from them"))
                }
                (true, _) => failure.with("the file is there; the next run goes on from it"),
            };
        }
        // The journal keeps it for the next run.
        if failure.kind == Kind::Unknown {
            return failure;
        }
        bar.say("clearing away");
        let image = self.remove_made(begun).await;
        let object = match &begun.object {
            Some(object) => objects::clear(self, object).await,
            None => Ok(()),
        };
        match image.and(object) {
            Ok(()) => match journal.forget() {
                Ok(()) => failure,
                Err(error) => failure.with(&format!("{error:#}")),
            },
            Err(left) => failure
                .with(&format!("and something half made is left, which the next run clears away: {left}")),
        }
    }

    /// Deletes the image that an upload made, known or found by its stamp.
    async fn remove_made(&self, begun: &Begun) -> Result<(), Failure> {
        if let Some(id) = &begun.image {
            return self.delete(id).await;
        }
        if begun.sent {
            let ours = |found: &Remote| found.stamp().is_some_and(|stamp| stamp.upload == begun.upload);
            for found in self.images().await?.iter().filter(|found| ours(found)) {
                self.delete(&found.id).await?;
            }
        }
        Ok(())
    }

    /// Gives the image its name, which a version before it may have.
    async fn publish(&self, image: &Image, id: &str, images: &[Remote]) -> Result<(), Failure> {
        for older in images.iter().filter(|found| found.name == image.name && found.id != id) {
            if let Some(stamp) = older.stamp() {
                self.rename(older, &stamp.version_name()).await?;
            }
        }
        match images.iter().find(|found| found.id == id) {
            Some(found) if found.name != image.name => self.rename(found, &image.name).await,
            Some(_) => Ok(()),
            None => {
                let said = "the image is complete, and yet not in the list of images";
                Err(Failure::new(Kind::Answer, "giving the image its name", said))
            }
        }
    }

    /// Deletes versions before this one, but the newest that are kept.
    async fn prune(&self, image: &Image, id: &str, images: &[Remote]) -> Pruned {
        let older = |found: &&Remote| {
            found.id != id
                && found.state == State::Ready
                && found.stamp().is_some_and(|stamp| is(&stamp, image))
        };
        let mut versions: Vec<&Remote> = images.iter().filter(older).collect();
        versions.sort_by(|a, b| b.created.cmp(&a.created));
        let old = versions.get(usize::from(self.settings.keep)..).unwrap_or_default();
        let mut pruned = Pruned::default();
        for version in old {
            // The list is from before it gave its name away.
            let name = version.stamp().map_or_else(|| version.name.clone(), |stamp| stamp.version_name());
            if !pruned.count(&name, self.delete(&version.id).await) {
                break;
            }
        }
        pruned
    }
}

fn is(stamp: &Stamp, image: &Image) -> bool {
    stamp.image == image.name
}
