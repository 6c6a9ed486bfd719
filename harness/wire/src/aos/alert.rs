//! `alerts`: what the unit noticed (reference section 3.3). One flat object serves all tags; which members a
//! tag has is in [`AlertTag::members`].

use super::{
    error_info::ErrorInfo,
    identity::{Identity, IdentityRule},
    object::{names, object},
    report::{Context, Fault},
    rule::{Rules, TextRule},
    text::Text,
};
use crate::oddity::OddityKind;

object! {
    /// A batch of alerts, at most 16 from a unit.
    #[derive(Default)]
    pub struct Alerts<S> {
        /// Unusual here; allowed in every message.
        "correlationId" => optional correlation_id: Option<S> = Rules::text(TextRule::Correlation);
        /// The alerts, never empty.
        "items" => required items: Vec<Alert<S>> = Rules::NONE.list(16).not_empty();
    }
}

names! {
    /// What an alert is about.
    pub enum AlertTag {
        /// The operating system.
        System = "systemAlert",
        /// A core component.
        Core = "coreAlert",
        /// A resource an instance could not have.
        ResourceAllocate = "resourceAllocateAlert",
        /// A quota of a node.
        SystemQuota = "systemQuotaAlert",
        /// A quota of an instance.
        InstanceQuota = "instanceQuotaAlert",
        /// A download.
        DownloadProgress = "downloadProgressAlert",
        /// An instance.
        UpdateItemInstance = "updateItemInstanceAlert",
    }
    spelled { "deviceAllocateAlert" => ResourceAllocate, }
}

impl AlertTag {
    /// The members an alert of this tag needs besides `timestamp` and `tag`.
    pub fn members(self) -> &'static [&'static str] {
        match self {
            AlertTag::System => &["node", "message"],
            AlertTag::Core => &["node", "coreComponent", "message"],
            AlertTag::ResourceAllocate => &["item", "subject", "instance", "node", "deviceId", "message"],
            AlertTag::SystemQuota => &["node", "parameter", "value"],
            AlertTag::InstanceQuota => &["item", "subject", "instance", "parameter", "value"],
            AlertTag::DownloadProgress => &["digest", "url", "downloadedBytes", "totalBytes", "state"],
            AlertTag::UpdateItemInstance => &["item", "subject", "instance", "version", "message"],
        }
    }

    /// The members an alert of this tag may have beyond those.
    pub fn optional_members(self) -> &'static [&'static str] {
        match self {
            AlertTag::DownloadProgress => &["reason", "errorInfo"],
            _ => &[],
        }
    }
}

names! {
    /// The core components.
    pub enum CoreComponent {
        /// Communication manager.
        CommunicationManager = "CM",
        /// Service manager.
        ServiceManager = "SM",
        /// Identity and access manager.
        IdentityManager = "IAM",
        /// Message proxy.
        MessageProxy = "MP",
    }
}

names! {
    /// Where a download is.
    pub enum DownloadState {
        /// Begun.
        Started = "started",
        /// Waiting.
        Paused = "paused",
        /// Cut off.
        Interrupted = "interrupted",
        /// Complete.
        Finished = "finished",
    }
}

object! {
    /// One alert. Which members there are depends on the tag.
    pub struct Alert<S> {
        /// When.
        "timestamp" => required timestamp: S = Rules::text(TextRule::Timestamp);
        /// What it is about.
        "tag" => required tag: AlertTag;
        /// The item of an instance.
        "item" => optional item: Option<Identity<S>> = Rules::identity(IdentityRule::EITHER);
        /// The subject of an instance.
        "subject" | "subjectId" => optional subject: Option<Identity<S>> = Rules::identity(IdentityRule::EITHER);
        /// Number of an instance.
        "instance" => optional instance: Option<u64>;
        /// The node, by code name.
        "node" => optional node: Option<Identity<S>> = Rules::identity(IdentityRule::CODENAME);
        /// The core component.
        "coreComponent" => optional core_component: Option<CoreComponent>;
        /// Name of the resource.
        "deviceId" => optional device_id: Option<S> = Rules::most(64);
        /// What exceeded its quota, such as `ram`; at most 16 characters from a unit.
        "parameter" => optional parameter: Option<S> = Rules::most(16);
        /// The value that did.
        "value" => optional value: Option<i64>;
        /// Digest of the blob.
        "digest" => optional digest: Option<S> = Rules::text(TextRule::Digest);
        /// Where it comes from.
        "url" => optional url: Option<S> = Rules::text(TextRule::Url);
        /// Bytes there.
        "downloadedBytes" => optional downloaded_bytes: Option<u64>;
        /// Bytes in all.
        "totalBytes" => optional total_bytes: Option<u64>;
        /// Where the download is.
        "state" => optional state: Option<DownloadState>;
        /// Why it is there.
        "reason" => optional reason: Option<S> = Rules::most(256);
        /// What went wrong.
        "errorInfo" => optional error_info: Option<ErrorInfo<S>>;
        /// Version of the item.
        "version" => optional version: Option<S> = Rules::most(32);
        /// Text for people, at most 32768 bytes.
        "message" => optional message: Option<S> = Rules::text(TextRule::Limit(32_768));
    }
    cross members_fit_tag;
    settle settle_alert;
}

impl Alert {
    /// An alert with only the members every alert has.
    pub fn new(timestamp: impl Into<String>, tag: AlertTag) -> Self {
        Alert {
            timestamp: timestamp.into(),
            tag,
            item: None,
            subject: None,
            instance: None,
            node: None,
            core_component: None,
            device_id: None,
            parameter: None,
            value: None,
            digest: None,
            url: None,
            downloaded_bytes: None,
            total_bytes: None,
            state: None,
            reason: None,
            error_info: None,
            version: None,
            message: None,
        }
    }

    /// A system alert.
    pub fn system(timestamp: impl Into<String>, node: impl Into<String>, message: impl Into<String>) -> Self {
        Alert {
            node: Some(Identity::codename(node)),
            message: Some(message.into()),
            ..Alert::new(timestamp, AlertTag::System)
        }
    }
}

impl<S: Text> Alert<S> {
    fn presence(&self) -> [(&'static str, bool); 17] {
        [
            ("item", self.item.is_some()),
            ("subject", self.subject.is_some()),
            ("instance", self.instance.is_some()),
            ("node", self.node.is_some()),
            ("coreComponent", self.core_component.is_some()),
            ("deviceId", self.device_id.is_some()),
            ("parameter", self.parameter.is_some()),
            ("value", self.value.is_some()),
            ("digest", self.digest.is_some()),
            ("url", self.url.is_some()),
            ("downloadedBytes", self.downloaded_bytes.is_some()),
            ("totalBytes", self.total_bytes.is_some()),
            ("state", self.state.is_some()),
            ("reason", self.reason.is_some()),
            ("errorInfo", self.error_info.is_some()),
            ("version", self.version.is_some()),
            ("message", self.message.is_some()),
        ]
    }
}

fn members_fit_tag<S: Text>(
    alert: &Alert<S>,
    _rules: &Rules,
    _context: Context,
    tell: &mut dyn FnMut(&'static str, Fault),
) {
    for (name, present) in alert.presence() {
        let needed = alert.tag.members().contains(&name);
        if needed && !present {
            let detail = format!("a {} needs this member", alert.tag);
            tell(name, Fault::invalid(OddityKind::MissingMember, detail));
        } else if present && !needed && !alert.tag.optional_members().contains(&name) {
            let detail = format!("a {} has no such member", alert.tag);
            tell(name, Fault::tolerable(OddityKind::UnknownMember, detail));
        }
    }
}

#[cfg(any(test, feature = "strategies"))]
fn settle_alert<S: Text + super::draw::Draw>(
    alert: &mut Alert<S>,
    _rules: &Rules,
    context: Context,
    tape: &mut super::draw::Tape<'_>,
) {
    use super::draw::{Draw, Tape};
    const NODE: &Rules = &Rules::identity(IdentityRule::CODENAME);
    const WHOSE: &Rules = &Rules::identity(IdentityRule::EITHER);
    fn fit<T: Draw>(
        member: &mut Option<T>,
        wanted: (bool, bool),
        tape: &mut Tape<'_>,
        rules: &Rules,
        context: Context,
    ) {
        match wanted {
            (true, _) => {
                member.get_or_insert_with(|| T::draw(tape, rules, context));
            }
            (false, true) => {}
            (false, false) => *member = None,
        }
    }
    let tag = alert.tag;
    let wanted = |name| {
        (
            tag.members().contains(&name),
            tag.optional_members().contains(&name),
        )
    };
    fit(&mut alert.item, wanted("item"), tape, WHOSE, context);
    fit(&mut alert.subject, wanted("subject"), tape, WHOSE, context);
    fit(
        &mut alert.instance,
        wanted("instance"),
        tape,
        &Rules::NONE,
        context,
    );
    fit(&mut alert.node, wanted("node"), tape, NODE, context);
    fit(
        &mut alert.core_component,
        wanted("coreComponent"),
        tape,
        &Rules::NONE,
        context,
    );
    fit(
        &mut alert.device_id,
        wanted("deviceId"),
        tape,
        &Rules::most(64),
        context,
    );
    fit(
        &mut alert.parameter,
        wanted("parameter"),
        tape,
        &Rules::most(16),
        context,
    );
    fit(&mut alert.value, wanted("value"), tape, &Rules::NONE, context);
    fit(
        &mut alert.digest,
        wanted("digest"),
        tape,
        &Rules::text(TextRule::Digest),
        context,
    );
    fit(
        &mut alert.url,
        wanted("url"),
        tape,
        &Rules::text(TextRule::Url),
        context,
    );
    fit(
        &mut alert.downloaded_bytes,
        wanted("downloadedBytes"),
        tape,
        &Rules::NONE,
        context,
    );
    fit(
        &mut alert.total_bytes,
        wanted("totalBytes"),
        tape,
        &Rules::NONE,
        context,
    );
    fit(&mut alert.state, wanted("state"), tape, &Rules::NONE, context);
    fit(
        &mut alert.reason,
        wanted("reason"),
        tape,
        &Rules::most(256),
        context,
    );
    fit(
        &mut alert.error_info,
        wanted("errorInfo"),
        tape,
        &Rules::NONE,
        context,
    );
    fit(
        &mut alert.version,
        wanted("version"),
        tape,
        &Rules::most(32),
        context,
    );
    fit(&mut alert.message, wanted("message"), tape, &Rules::NONE, context);
}
