//! Update runs (reference section 4.6): download, install, start, remove, report. A run is remembered in flash until
//! it is over, so a power cut only delays it; a newer desired status takes its place.

use super::{
    agent::{AosAgent, DOWNLOAD, MAIN_NODE, WORK_TIMER},
    download::Fetch,
    store::{Instance, Item, blob_file},
};
use crate::{Behaviour, Context, Image};
use hil_wire::aos::{DesiredItem, DesiredStatus};
use serde_json::Value;
use std::{collections::VecDeque, time::Duration};

/// An update run.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) desired: DesiredStatus,
    /// Items still to be fetched.
    queue: VecDeque<DesiredItem>,
    /// The one being fetched.
    pub(super) current: Option<DesiredItem>,
    /// The blob being fetched.
    pub(super) fetch: Option<Fetch>,
    /// Blobs of the current item still to be fetched.
    pub(super) digests: VecDeque<String>,
    /// Fetched items with their layer.
    fetched: Vec<(DesiredItem, String)>,
    layer: String,
    phase: Phase,
    /// Some item could not be had.
    failed: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Fetch,
    Install,
    Start,
}

impl AosAgent {
    /// A desired status came.
    pub(super) fn desire(&mut self, desired: DesiredStatus, context: &mut Context<'_>) {
        let value = serde_json::to_value(&desired).ok();
        // The same again is what the run is about; unless part of it was given up, and is to be tried again.
        if self.run.as_ref().is_some_and(|run| !run.failed) && value == self.store.desired {
            return;
        }
        self.cancel_run(context);
        self.apply_nodes(&desired, context);
        self.apply_unit_config(&desired, context);
        if self.is_met(&desired) {
            self.store.desired = None;
            return;
        }
        self.store.desired = value;
        self.save(context);
        self.begin(desired, context);
    }

    /// A run that was cut off goes on.
    pub(super) fn resume(&mut self, context: &mut Context<'_>) {
        if let Some(desired) = self.store.desired_status() {
            self.journal("an update run goes on", context);
            self.begin(desired, context);
        }
    }

    fn begin(&mut self, desired: DesiredStatus, context: &mut Context<'_>) {
        let wanted = desired.items.clone().unwrap_or_default();
        // What failed before gets another chance.
        self.store
            .items
            .retain(|item| item.built_in || item.state == "installed");
        let mut queue = VecDeque::new();
        for item in wanted {
            let id = item.item.name().to_owned();
            if self
                .store
                .installed(&id)
                .is_some_and(|have| have.version == item.version)
            {
                continue;
            }
            self.store.items.push(Item {
                id: id.clone(),
                kind: item
                    .item
                    .kind
                    .map_or("service".to_owned(), |kind| kind.to_string()),
                version: item.version.clone(),
                state: "downloading".to_owned(),
                ..Item::default()
            });
            self.item_changed(&id, &item.version, context);
            queue.push_back(item);
        }
        self.run = Some(Run {
            desired,
            queue,
            current: None,
            fetch: None,
            digests: VecDeque::new(),
            fetched: Vec::new(),
            layer: String::new(),
            phase: Phase::Fetch,
            failed: false,
        });
        self.save(context);
        self.next_item(context);
    }

    fn cancel_run(&mut self, context: &mut Context<'_>) {
        if self.run.take().is_some() {
            context.cancel_http(DOWNLOAD);
            context.cancel(WORK_TIMER);
            self.store
                .items
                .retain(|item| item.built_in || item.state == "installed");
            self.store
                .instances
                .retain(|instance| instance.state != "activating");
        }
    }

    /// Nothing would change.
    fn is_met(&self, desired: &DesiredStatus) -> bool {
        let wanted = desired.items.as_deref().unwrap_or_default();
        let have: Vec<&Item> = self.store.items.iter().filter(|item| !item.built_in).collect();
        let same_items = have.len() == wanted.len()
            && wanted.iter().all(|item| {
                let have = self.store.installed(item.item.name());
                have.is_some_and(|have| have.version == item.version)
            });
        same_items && self.wanted_instances(desired) == self.instance_keys()
    }

    fn instance_keys(&self) -> Vec<(String, String, u64)> {
        let key = |i: &Instance| (i.item.clone(), i.subject.clone(), i.number);
        self.store.instances.iter().map(key).collect()
    }

    fn wanted_instances(&self, desired: &DesiredStatus) -> Vec<(String, String, u64)> {
        let mut wanted = Vec::new();
        for group in desired.instances.iter().flatten() {
            for number in 0..group.num_instances {
                wanted.push((
                    group.item.name().to_owned(),
                    group.subject.name().to_owned(),
                    number,
                ));
            }
        }
        wanted
    }

    fn apply_nodes(&mut self, desired: &DesiredStatus, context: &mut Context<'_>) {
        for node in desired.nodes.iter().flatten() {
            let wanted = node.state.to_string();
            let state = self.store.nodes.get_mut(node.item.name());
            if let Some(state) = state.filter(|state| **state != wanted && **state != "unprovisioned") {
                *state = wanted;
                self.part_changed("nodes", context);
            }
        }
    }

    fn apply_unit_config(&mut self, desired: &DesiredStatus, context: &mut Context<'_>) {
        let Some(config) = &desired.unit_config else {
            return;
        };
        let installed = self
            .store
            .unit_config
            .as_ref()
            .and_then(|config| config["version"].as_str());
        let order = installed.map(|installed| semver(&config.version).cmp(&semver(installed)));
        match order {
            None | Some(std::cmp::Ordering::Greater) => {
                self.store.unit_config = serde_json::to_value(config).ok();
                self.store.refused_config = None;
            }
            Some(std::cmp::Ordering::Equal) => return,
            Some(std::cmp::Ordering::Less) => {
                let text = "the version is lower than the installed one".to_owned();
                self.store.refused_config = Some((config.version.clone(), 9, text));
            }
        }
        self.part_changed("unitConfig", context);
        self.watch_quotas(context);
    }

    /// Fetches the next item, or goes on to install what was fetched.
    fn next_item(&mut self, context: &mut Context<'_>) {
        let Some(run) = &mut self.run else { return };
        match run.queue.pop_front() {
            Some(item) => {
                run.digests = VecDeque::from([item.index_digest.clone()]);
                run.current = Some(item);
                run.layer.clear();
                self.next_blob(context);
            }
            None => {
                run.phase = Phase::Install;
                context.timer(WORK_TIMER, STEP);
            }
        }
    }

    /// Fetches the next blob of the current item; blobs already there are not asked for again.
    pub(super) fn next_blob(&mut self, context: &mut Context<'_>) {
        loop {
            let Some(run) = &mut self.run else { return };
            let Some(digest) = run.digests.pop_front() else {
                let layer = run.layer.clone();
                if let Some(item) = run.current.take() {
                    self.set_item_state(&item, "pending", None, context);
                    if let Some(run) = &mut self.run {
                        run.fetched.push((item, layer));
                    }
                }
                return self.next_item(context);
            };
            match context
                .hardware
                .flash
                .read(&blob_file(&digest))
                .map(<[u8]>::to_vec)
            {
                Some(content) => self.blob_is_there(&digest, &content),
                None => return self.fetch(digest, context),
            }
        }
    }

    /// A blob is in flash: an index or manifest names further ones, anything else is a layer or configuration.
    pub(super) fn blob_is_there(&mut self, digest: &str, content: &[u8]) {
        let Some(run) = &mut self.run else { return };
        let parsed: Value = serde_json::from_slice(content).unwrap_or(Value::Null);
        let name = |part: &Value| part["digest"].as_str().map(str::to_owned);
        if let Some(manifests) = parsed["manifests"].as_array() {
            run.digests.extend(manifests.iter().filter_map(name));
        } else if parsed["layers"].is_array() {
            run.digests.extend(name(&parsed["config"]));
            run.digests
                .extend(parsed["layers"].as_array().into_iter().flatten().filter_map(name));
        } else if parsed.is_null() {
            run.layer = digest.to_owned();
        }
    }

    /// The current item cannot be had; the others are not concerned.
    pub(super) fn item_failed(&mut self, code: i64, reason: &str, context: &mut Context<'_>) {
        let Some(run) = &mut self.run else { return };
        run.fetch = None;
        run.failed = true;
        run.digests.clear();
        if let Some(item) = run.current.take() {
            self.set_item_state(&item, "failed", Some((code, reason.to_owned())), context);
        }
        self.next_item(context);
    }

    fn set_item_state(
        &mut self,
        item: &DesiredItem,
        state: &str,
        error: Option<(i64, String)>,
        context: &mut Context<'_>,
    ) {
        let (id, version) = (item.item.name().to_owned(), item.version.clone());
        let known = self.store.items.iter_mut();
        if let Some(known) = known
            .rev()
            .find(|known| known.id == id && known.version == version)
        {
            known.state = state.to_owned();
            known.error = error;
        }
        self.journal(format!("item {id} {version} is {state}"), context);
        self.item_changed(&id, &version, context);
        self.save(context);
    }

    pub(super) fn work_due(&mut self, context: &mut Context<'_>) {
        let Some(run) = &mut self.run else { return };
        match run.phase {
            Phase::Fetch => self.retry_fetch(context),
            Phase::Install => {
                run.phase = Phase::Start;
                for (item, _) in run.fetched.clone() {
                    self.set_item_state(&item, "installing", None, context);
                }
                self.start_instances(context);
                context.timer(WORK_TIMER, STEP);
            }
            Phase::Start => self.finish(context),
        }
    }

    /// New instances begin to run; those of versions that stay go on.
    fn start_instances(&mut self, context: &mut Context<'_>) {
        let Some(run) = &self.run else { return };
        let fetched: Vec<(String, String)> = run
            .fetched
            .iter()
            .map(|(item, _)| (item.item.name().to_owned(), item.version.clone()))
            .collect();
        let wanted = self.wanted_instances(&run.desired);
        for (item, subject, number) in wanted {
            let new = fetched.iter().find(|(id, _)| *id == item);
            let running = self
                .store
                .instances
                .iter()
                .any(|i| (&i.item, &i.subject, i.number) == (&item, &subject, number));
            let version = match (new, running) {
                (Some((_, version)), _) => version.clone(),
                (None, true) => continue,
                (None, false) => match self.store.installed(&item) {
                    Some(item) => item.version.clone(),
                    None => continue,
                },
            };
            self.store.instances.push(Instance {
                item,
                subject,
                number,
                version,
                state: "activating".to_owned(),
            });
        }
        self.part_changed("instances", context);
    }

    /// Judges what was started, goes back where it does not work, removes what is not wanted, and reports.
    fn finish(&mut self, context: &mut Context<'_>) {
        let Some(run) = self.run.take() else { return };
        for (item, layer) in &run.fetched {
            let image = context
                .hardware
                .flash
                .read(&blob_file(layer))
                .and_then(Image::parse);
            let foreign = image
                .as_ref()
                .is_some_and(|image| image.platform != Image::PLATFORM);
            let works = image
                .as_ref()
                .is_none_or(|image| image.behaviour == Behaviour::Healthy);
            let id = item.item.name().to_owned();
            let name = image.map(|image| image.name).unwrap_or_default();
            let new = |i: &Instance| i.item == id && i.version == item.version && i.state == "activating";
            if foreign || !works {
                let (code, reason) = if foreign {
                    (12, "made for another platform")
                } else {
                    (2, "the new version does not work")
                };
                // The previous version was not touched and goes on.
                self.store.instances.retain(|instance| !new(instance));
                self.set_item_state(item, "failed", Some((code, reason.to_owned())), context);
                self.alerts_of_failed_instance(item, reason, context);
                continue;
            }
            self.store
                .items
                .retain(|other| other.id != id || other.version == item.version);
            self.store
                .instances
                .retain(|other| other.item != id || other.version == item.version);
            if let Some(known) = self.store.items.iter_mut().find(|known| known.id == id) {
                known.name = name.clone();
            }
            self.set_item_state(item, "installed", None, context);
            context.hardware.count(&format!("installs/{name}"));
        }
        let wanted = self.wanted_instances(&run.desired);
        let ids: Vec<&str> = run
            .desired
            .items
            .iter()
            .flatten()
            .map(|item| item.item.name())
            .collect();
        self.store
            .items
            .retain(|item| item.built_in || ids.contains(&item.id.as_str()));
        self.store.instances.retain(|i| {
            let key = (i.item.clone(), i.subject.clone(), i.number);
            wanted.contains(&key) && ids.contains(&i.item.as_str())
        });
        let names = self.store.items.clone();
        for instance in &mut self.store.instances {
            if instance.state == "activating" {
                instance.state = "active".to_owned();
                if let Some(item) = names.iter().find(|item| item.id == instance.item) {
                    context.hardware.count(&format!("starts/{}", item.name));
                }
            }
        }
        self.store.instances.sort_by_key(|i| {
            let key = (i.item.clone(), i.subject.clone(), i.number);
            wanted.iter().position(|wanted| *wanted == key)
        });
        self.store.desired = None;
        self.journal(format!("an update run of {MAIN_NODE} is over"), context);
        self.save(context);
        self.report_full(context);
    }
}

fn semver(text: &str) -> Vec<u64> {
    text.split(['.', '-', '+'])
        .map(|part| part.parse().unwrap_or(0))
        .collect()
}

/// Each of the phases of installing and starting takes this long.
const STEP: Duration = Duration::from_secs(2);
