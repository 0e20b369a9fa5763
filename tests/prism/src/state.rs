//! Images, tasks and objects.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::fault::Act;

/// How far an image is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Its creation has not ended: it is in no list.
    Pending,
    /// It is there, and has no file.
    Empty,
    /// Its file is being imported.
    Importing,
    /// It can be used.
    Complete,
    /// Its import failed.
    Failed,
}

/// An image.
#[derive(Debug, Clone)]
pub struct Image {
    /// Its UUID.
    pub id: String,
    /// Its name, which others may have too.
    pub name: String,
    /// Its description.
    pub description: String,
    /// How far it is.
    pub phase: Phase,
    /// The size of the disk in it, as its header says: the service keeps disks raw.
    pub size: u64,
    /// SHA-256 of the file that arrived.
    pub sha256: String,
    /// When it was created.
    pub created: String,
    /// How often it was changed.
    pub version: u64,
    /// The clusters that it was to be placed on.
    pub clusters: Vec<String>,
    /// Its categories, in the form of the API that it came by.
    pub categories: Value,
    /// Its type.
    pub kind: String,
    pub(crate) tasks: Vec<String>,
    /// The key of the object that it was made of.
    pub(crate) object: Option<String>,
    /// How many looks it still has no size, though its task is over.
    pub(crate) sizeless: u32,
}

/// What a task does in the end.
#[derive(Debug, Clone)]
pub(crate) enum Effect {
    Create,
    Import { size: u64, sha256: String, checked: Result<(), String> },
    Delete,
    None,
}

/// A task.
#[derive(Debug, Clone)]
pub(crate) struct Task {
    pub(crate) image: String,
    pub(crate) left: u32,
    pub(crate) status: &'static str,
    pub(crate) reason: Option<String>,
    pub(crate) operation: &'static str,
    effect: Effect,
    wrong: Option<Act>,
}

/// A file in the store.
#[derive(Debug, Clone)]
pub(crate) struct Object {
    pub(crate) size: u64,
    pub(crate) sha256: String,
    pub(crate) head: Vec<u8>,
}

/// An upload in parts.
#[derive(Debug, Clone)]
pub(crate) struct Upload {
    pub(crate) key: String,
    pub(crate) parts: BTreeMap<u32, (String, PathBuf)>,
}

/// Everything.
pub struct State {
    pub(crate) images: Vec<Image>,
    pub(crate) tasks: BTreeMap<String, Task>,
    pub(crate) objects: BTreeMap<String, Object>,
    pub(crate) uploads: BTreeMap<String, Upload>,
    pub(crate) sessions: BTreeSet<String>,
    /// The task that a request id was answered with.
    pub(crate) requests: BTreeMap<String, String>,
    pub(crate) looks: u32,
    clock: i64,
}

/// The clusters that are there: name, UUID, function.
pub const CLUSTERS: [(&str, &str, &str); 3] = [
    ("cluster-1", "00061111-aaaa-4bbb-8ccc-000000000001", "AOS"),
    ("cluster-2", "00061111-aaaa-4bbb-8ccc-000000000002", "AOS"),
    ("Unnamed", "00061111-aaaa-4bbb-8ccc-000000000000", "PRISM_CENTRAL"),
];
/// The categories that are there: key, value, id of API v4.
pub const CATEGORIES: [(&str, &str, &str); 2] = [
    ("Environment", "Production", "11111111-2222-4333-8444-555555555501"),
    ("Environment", "Staging", "11111111-2222-4333-8444-555555555502"),
];

impl State {
    pub(crate) fn new(looks: u32) -> State {
        State {
            images: Vec::new(),
            tasks: BTreeMap::new(),
            objects: BTreeMap::new(),
            uploads: BTreeMap::new(),
            sessions: BTreeSet::new(),
            requests: BTreeMap::new(),
            looks,
            clock: 1_700_000_000,
        }
    }

    pub(crate) fn add(&mut self, name: &str, description: &str, kind: &str) -> &mut Image {
        self.clock += 1;
        let created =
            jiff::Timestamp::from_second(self.clock).map(|time| time.to_string()).unwrap_or_default();
        self.images.push(Image {
            id: Uuid::new_v4().to_string(),
            name: name.to_owned(),
            description: description.to_owned(),
            phase: Phase::Pending,
            size: 0,
            sha256: String::new(),
            created,
            version: 0,
            clusters: Vec::new(),
            categories: json!({}),
            kind: kind.to_owned(),
            tasks: Vec::new(),
            object: None,
            sizeless: 0,
        });
        let last = self.images.len() - 1;
        &mut self.images[last]
    }

    pub(crate) fn image(&mut self, id: &str) -> Option<&mut Image> {
        self.images.iter_mut().find(|image| image.id == id)
    }

    pub(crate) fn task(
        &mut self,
        image: &str,
        operation: &'static str,
        effect: Effect,
        wrong: Option<Act>,
    ) -> String {
        let id = Uuid::new_v4().to_string();
        let left = match &wrong {
            Some(Act::SlowTask(looks)) => *looks,
            _ => self.looks,
        };
        let image = image.to_owned();
        let status = "QUEUED";
        if let Some(image) = self.image(&image) {
            image.tasks.push(id.clone());
        }
        self.tasks.insert(id.clone(), Task { image, left, status, reason: None, operation, effect, wrong });
        id
    }

    /// Looks at a task: each look brings it a step on.
    pub(crate) fn look(&mut self, id: &str) -> Option<Task> {
        let task = self.tasks.get_mut(id)?;
        if ["QUEUED", "RUNNING"].contains(&task.status) {
            task.left = task.left.saturating_sub(1);
            task.status = if task.left == 0 { "DONE" } else { "RUNNING" };
            if task.left == 0 {
                self.finish(id);
            }
        }
        self.tasks.get(id).cloned()
    }

    /// Looks at an image: its tasks go on.
    pub(crate) fn look_at_image(&mut self, id: &str) -> Option<Image> {
        let tasks = self.image(id)?.tasks.clone();
        for task in tasks {
            self.look(&task);
        }
        let image = self.image(id)?;
        let seen = image.clone();
        if image.phase == Phase::Complete {
            image.sizeless = image.sizeless.saturating_sub(1);
        }
        Some(seen)
    }

    /// Time passes: what is being created goes on by itself.
    pub(crate) fn pass(&mut self) {
        let pending = self.images.iter().filter(|image| image.phase == Phase::Pending);
        let tasks: Vec<String> = pending.flat_map(|image| image.tasks.clone()).collect();
        for task in tasks {
            self.look(&task);
        }
    }

    /// Ends all tasks, and nobody knows of them any more.
    pub(crate) fn forget_tasks(&mut self) {
        let open = self.tasks.iter().filter(|(_, task)| ["QUEUED", "RUNNING"].contains(&task.status));
        for id in open.map(|(id, _)| id.clone()).collect::<Vec<_>>() {
            self.finish(&id);
        }
        self.tasks.clear();
    }

    fn finish(&mut self, id: &str) {
        let Some(task) = self.tasks.get_mut(id) else { return };
        let checked = match &task.effect {
            Effect::Import { checked: Err(reason), .. } => Err(Some(reason.clone())),
            _ => Ok(()),
        };
        let (status, reason) = match (&task.wrong, checked) {
            (Some(Act::FailTask(reason)), _) => ("FAILED", reason.clone()),
            (Some(Act::CancelTask), _) => ("CANCELED", None),
            (_, Err(reason)) => ("FAILED", reason),
            (_, Ok(())) => ("SUCCEEDED", None),
        };
        (task.status, task.reason) = (status, reason);
        let (id, effect) = (task.image.clone(), task.effect.clone());
        if matches!(effect, Effect::Delete) && status == "SUCCEEDED" {
            self.images.retain(|image| image.id != id);
        }
        let Some(image) = self.image(&id) else { return };
        match effect {
            _ if status != "SUCCEEDED" && image.phase == Phase::Pending => {
                // What was never created is in no list and cannot be looked at.
                self.images.retain(|image| image.id != id);
            }
            Effect::Import { .. } if status != "SUCCEEDED" => image.phase = Phase::Failed,
            Effect::Import { size, sha256, .. } => {
                (image.phase, image.size, image.sha256) = (Phase::Complete, size, sha256);
            }
            Effect::Create => image.phase = Phase::Empty,
            Effect::Delete | Effect::None => {}
        }
    }
}

/// The size of the disk in a file: what a qcow2 header says (bytes 24 to 31), else the file's own.
pub(crate) fn virtual_size(head: &[u8], size: u64) -> u64 {
    let said = head.get(24..32).and_then(|bytes| bytes.try_into().ok()).map(u64::from_be_bytes);
    if head.starts_with(b"QFI\xfb") { said.unwrap_or(size) } else { size }
}
