//! What `expect`, `never` and the branches of `one_of` watch for, and whether it can happen at all.

use super::{scenario::Loader, scope::Given};
use crate::{Fields, Moment, Template, Watch, Word};
use hil_diagnostic::{MapReader, Node, format_seconds};

/// A watch with what later steps can refer to.
pub(super) struct Watched {
    pub(super) watch: Watch,
    pub(super) given: Given,
}

impl<'a> Loader<'a> {
    /// The event a verb names and its modifiers. `never` has no `hold` and no `times`.
    pub(super) fn watch(
        &mut self,
        map: &mut MapReader<'a>,
        event_node: &'a Node,
        verb: &'static str,
    ) -> Option<Watched> {
        let words = self.words.map(|words| &words.events);
        let name = self.collector.string(event_node, &format!("`{verb}`"));
        let event = name.and_then(|name| self.word(words, name, event_node, "event"));
        let name = name.unwrap_or_default();
        let matching = self.match_of(map.optional("match"), event, name);
        let condition = map
            .optional("where")
            .and_then(|node| self.condition(node, event, name));
        let (after, before) = self.window(map);
        let within = map
            .optional("within")
            .and_then(|node| self.length(node, "`within`"));
        let (mut hold, mut times) = (None, None);
        if verb != "never" {
            hold = map.optional("hold").and_then(|node| self.length(node, "`hold`"));
            times = map.optional("times").and_then(|node| self.count(node, "`times`"));
        }
        let stimulus = map.optional("stimulus").and_then(|node| self.stimulus(node));
        let given = match verb {
            "never" => Given::Fields(Vec::new()),
            _ => super::step::given(event),
        };
        Some(Watched {
            watch: Watch {
                event: name.to_owned(),
                matching,
                condition,
                after,
                before,
                within,
                hold,
                times,
                stimulus,
            },
            given,
        })
    }

    pub(super) fn match_of(&self, node: Option<&'a Node>, event: Option<&Word>, name: &str) -> Template {
        let template = match event {
            Some(event) => self.matching(node, &event.gives, event.open, &format!("event `{name}`")),
            None => self.matching(node, &Fields::new(), true, name),
        };
        let fault = node.and_then(|node| node.get("fault"));
        if let (Some(fault), true) = (fault, name.starts_with("fault.")) {
            self.fault_name(fault);
        }
        template
    }

    /// The fault an event of a fault speaks of: a fault's name, or a step that injected one.
    fn fault_name(&self, node: &Node) {
        let (Some(scalar), Some(words)) = (node.scalar(), self.words) else {
            return;
        };
        let injected = self
            .scope
            .get(&scalar.text)
            .is_some_and(|named| named.verb == "inject");
        let known = words.faults.contains_key(&scalar.text);
        if !injected && !known && !scalar.text.contains("${") {
            let faults = words.faults.keys().map(String::as_str);
            self.collector.unknown(&node.span, "fault", &scalar.text, faults);
        }
    }

    /// `after` and `before` of a watch.
    fn window(&self, map: &mut MapReader<'a>) -> (Option<Moment>, Option<Moment>) {
        let before_node = map.peek("before");
        let (after, before) = self.moments(map);
        if let (Some(to), Some(node)) = (&before, before_node) {
            self.not_before_an_action(to, node);
        }
        (after, before)
    }

    /// `after` and `before`, in that order in time.
    pub(super) fn moments(&self, map: &mut MapReader<'a>) -> (Option<Moment>, Option<Moment>) {
        let after_node = map.optional("after");
        let before_node = map.optional("before");
        let after = after_node.and_then(|node| self.moment(node, "`after`"));
        let before = before_node.and_then(|node| self.moment(node, "`before`"));
        let (Some(from), Some(to), Some(first), Some(last)) = (&after, &before, after_node, before_node)
        else {
            return (after, before);
        };
        if let Some(seconds) = to.seconds_since(from).filter(|seconds| *seconds <= 0.0) {
            let label = match seconds {
                0.0 => "this is the same moment".to_owned(),
                seconds => format!("this is {} earlier", format_seconds(-seconds)),
            };
            let diagnostic = self
                .collector
                .at(&last.span, "nothing can happen in this window")
                .label(label)
                .related(&first.span, "than this")
                .help("`before` must lie after `after`".to_owned());
            self.collector.report(diagnostic);
        }
        (after, before)
    }

    /// A watch looks back to the last `do` at most, so nothing it sees lies before one.
    fn not_before_an_action(&self, moment: &Moment, node: &Node) {
        let action = self.scope.get(moment.step()).filter(|named| named.verb == "do");
        let beyond = moment.seconds_after_step().is_some_and(|seconds| seconds <= 0.0);
        if action.is_some() && beyond {
            let step = moment.step();
            let label = format!("a step looks at what happened since the last `do`, and `{step}` is one");
            let help = format!("write a moment after it, such as `{step} + 3s`");
            self.collector
                .error(&node.span, "nothing can happen in this window", label, Some(help));
        }
    }

    fn stimulus(&self, node: &Node) -> Option<String> {
        let name = self.collector.string(node, "`stimulus`")?;
        if !self.step_name(name, &node.span) {
            return None;
        }
        let verb = self.scope.get(name).map_or("", |named| named.verb);
        if matches!(verb, "never" | "wait" | "measure" | "for_each") {
            let title = format!("a `{verb}` is no stimulus");
            let label = "expected a step that does something or sees it happen";
            self.collector.error(&node.span, title, label, None);
        }
        Some(name.to_owned())
    }
}
