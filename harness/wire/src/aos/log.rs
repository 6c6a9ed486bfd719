//! Logs: `requestLog` and `pushLog` (reference sections 3.18 and 3.6).

use super::{
    error_info::ErrorInfo,
    identity::{Identity, IdentityRule},
    object::{names, object},
    report::{Context, Fault},
    rule::{Rules, TextRule},
    text::Text,
};
use crate::oddity::OddityKind;

names! {
    /// Which log is asked for.
    pub enum LogType {
        /// The node's journal.
        System = "systemLog",
        /// The output of instances.
        Instance = "instanceLog",
        /// The output of instances around their last crash.
        Crash = "crashLog",
    }
}

object! {
    /// The cloud asks for a log.
    pub struct RequestLog<S> {
        /// Names the batch of answers.
        "correlationId" => required correlation_id: S = Rules::text(TextRule::NeededCorrelation);
        /// Which log.
        "logType" => required log_type: LogType;
        /// Which part of it.
        "filter" => required filter: LogFilter<S>;
        /// Where to put it, if not into `pushLog`.
        "uploadOptions" => optional upload_options: Option<UploadOptions<S>>;
    }
}

object! {
    /// Which part of a log. What is absent does not restrict.
    #[derive(Default)]
    pub struct LogFilter<S> {
        /// Not before.
        "from" => optional from: Option<S> = Rules::text(TextRule::Timestamp);
        /// Not after.
        "till" => optional till: Option<S> = Rules::text(TextRule::Timestamp);
        /// Nodes by code name; with an empty list units give no answer.
        "nodeIds" => optional node_ids: Option<Vec<Identity<S>>> = Rules::identity(IdentityRule::CODENAME).list(16);
        /// The item.
        "item" => optional item: Option<Identity<S>>;
        /// The subject.
        "subject" => optional subject: Option<Identity<S>>;
        /// Number of the instance.
        "instance" => optional instance: Option<u64>;
    }
}

names! {
    /// How a log is uploaded.
    pub enum UploadType {
        /// By HTTPS.
        Https = "https",
    }
    publisher {
        /// By secure WebSocket (reference section 0, row D23).
        Wss = "wss",
    }
}

object! {
    /// Where to put a log.
    pub struct UploadOptions<S> {
        /// How.
        "type" => required kind: UploadType;
        /// Where.
        "url" => optional url: Option<S> = Rules::text(TextRule::Url);
        /// Bearer token to show there.
        "bearerToken" => optional bearer_token: Option<S> = Rules::most(256);
        /// Until when the token is good.
        "bearerTokenTtl" => optional bearer_token_ttl: Option<S> = Rules::text(TextRule::Timestamp);
    }
}

names! {
    /// What a part of a log holds.
    pub enum LogStatus {
        /// Lines.
        Ok = "ok",
        /// Nothing: the log could not be had.
        Error = "error",
        /// Nothing: there are no lines.
        Empty = "empty",
        /// Nothing: no such instance, no crash.
        Absent = "absent",
    }
    spelled { "failed" => Error, }
}

object! {
    /// One part of a log.
    pub struct PushLog<S> {
        /// That of the request.
        "correlationId" => required correlation_id: S = Rules::text(TextRule::NeededCorrelation);
        /// Where it comes from, by code name.
        "node" => required node: Identity<S> = Rules::identity(IdentityRule::CODENAME);
        /// Number of this part, from 1; 0 in a lone message that holds nothing.
        "part" => required part: u64;
        /// Number of parts.
        "partsCount" => required parts_count: u64;
        /// Base64 of a gzip stream of this part alone; may be empty.
        "content" => required content: S = Rules::text(TextRule::Base64(usize::MAX));
        /// What it holds.
        "status" => required status: LogStatus;
        /// What went wrong.
        "errorInfo" => optional error_info: Option<ErrorInfo<S>>;
    }
    cross part_is_one_of_them;
    settle settle_part;
}

fn part_is_one_of_them<S: Text>(
    log: &PushLog<S>,
    _rules: &Rules,
    _context: Context,
    tell: &mut dyn FnMut(&'static str, Fault),
) {
    if log.part > log.parts_count {
        let detail = format!("part {} of {}", log.part, log.parts_count);
        tell("part", Fault::invalid(OddityKind::Contradiction, detail));
    } else if log.part == 0 && log.parts_count > 0 {
        tell(
            "part",
            Fault::tolerable(OddityKind::Dialect, "parts count from 1"),
        );
    }
}

#[cfg(any(test, feature = "strategies"))]
fn settle_part<S: Text>(
    log: &mut PushLog<S>,
    _rules: &Rules,
    _context: Context,
    _tape: &mut super::draw::Tape<'_>,
) {
    log.part = log.part.min(log.parts_count);
    if log.part == 0 {
        log.parts_count = 0;
    }
}
