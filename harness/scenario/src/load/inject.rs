//! `inject`: which fault, its arguments, and when it begins to act.

use super::{scenario::Loader, scope::Given, step::given};
use crate::{Fields, Template, Trigger, Verb, When, Word};
use hil_diagnostic::{MapReader, Node};
use hil_fault::{FaultError, FaultSpec, Site};
use serde_json::Value;

impl<'a> Loader<'a> {
    /// A fault with its arguments and trigger.
    pub(super) fn injection(&mut self, map: &mut MapReader<'a>, node: &'a Node) -> Option<(Verb, Given)> {
        let with = map.optional("with");
        let when = map.optional("when");
        let fault = self.collector.string(node, "`inject`")?;
        let word = self.word(self.words.map(|words| &words.faults), fault, node, "fault");
        let template = match word {
            Some(word) => self.fault_arguments(fault, word, with, node),
            None => with.map_or_else(Template::empty, |node| self.open_arguments(node)),
        };
        let on_unit = word.is_some_and(|word| word.site == Some(Site::Unit));
        let verb = Verb::Inject {
            fault: fault.to_owned(),
            with: template,
            when: when.map(|node| self.when(node, on_unit)).unwrap_or_default(),
        };
        Some((verb, given(word)))
    }

    /// Arguments of a fault; stimuli bring arguments of their own.
    pub(super) fn fault_arguments(
        &mut self,
        fault: &str,
        word: &Word,
        with: Option<&'a Node>,
        node: &Node,
    ) -> Template {
        let inner = match (fault, self.words) {
            ("unit.stimulus", Some(words)) => Some(("stimulus", &words.stimuli)),
            _ => None,
        };
        let mistakes = self.collector.len();
        let template = self.arguments_with_inner(fault, word, inner, with, node);
        if self.collector.len() == mistakes {
            self.fits_together(fault, &template, with.unwrap_or(node));
        }
        template
    }

    /// What the vocabulary cannot say of arguments: whether they fit together.
    fn fits_together(&self, fault: &str, template: &Template, node: &Node) {
        let Some(Value::Object(arguments)) = template.constant() else {
            return;
        };
        if let Err(FaultError::BadArgument {
            argument, problem, ..
        }) = FaultSpec::parse(fault, &arguments)
        {
            let title = format!("`{argument}` of `{fault}` does not fit");
            self.collector.error(&node.span, title, problem, None);
        }
    }

    /// `when`: a moment or a span, or a map that says more.
    pub(super) fn when(&mut self, node: &'a Node, on_unit: bool) -> When {
        if node.scalar().is_some() {
            return When {
                trigger: self.at(node, "`when`").unwrap_or_default(),
                probability: None,
            };
        }
        let Some(mut map) = MapReader::new(self.collector, node, "`when`") else {
            return When::default();
        };
        let at = map.optional("at");
        let event = map.optional("event");
        let matching = map.optional("match");
        let nth = map.optional_integer("nth");
        let times = map.optional("times");
        let offset = map.optional("offset");
        let probability = map
            .optional("probability")
            .and_then(|node| self.probability(node));
        map.finish();
        let trigger = match (at, event) {
            (Some(at), Some(_)) => {
                let help = "write `at` for a time, `event` for something that happens".to_owned();
                let label = "beside an `event`";
                self.collector
                    .error(&at.span, "a fault waits for one thing", label, Some(help));
                None
            }
            (Some(at), None) => self.at(at, "`at`"),
            (None, Some(event)) => self.at_event(event, matching, nth, times, offset),
            (None, None) => None,
        };
        if let Some(times) = times.filter(|_| !on_unit) {
            let help = "it acts on what it matches from then on; `times` under `with` says how often";
            let title = "`times` beside an event is for faults of the unit";
            let label = "this fault is made live once";
            self.collector
                .error(&times.span, title, label, Some(help.to_owned()));
        }
        let lonely = [("match", matching), ("times", times), ("offset", offset)];
        if event.is_none() {
            for (name, node) in lonely.into_iter().filter_map(|(name, node)| Some((name, node?))) {
                let title = format!("`{name}` belongs to an event");
                self.collector
                    .error(&node.span, title, "there is no `event` beside it", None);
            }
        }
        When {
            trigger: trigger.unwrap_or_default(),
            probability,
        }
    }

    /// A moment such as `start + 30s`, or a span from now on.
    fn at(&mut self, node: &'a Node, what: &str) -> Option<Trigger> {
        let text = node.scalar().map_or("", |scalar| scalar.text.trim());
        let is_span =
            text.starts_with(|first: char| first.is_ascii_digit() || first == '.') || text.starts_with("${");
        if is_span {
            return self.length(node, what).map(Trigger::In);
        }
        self.moment(node, what).map(Trigger::At)
    }

    fn at_event(
        &mut self,
        node: &'a Node,
        matching: Option<&'a Node>,
        nth: Option<i64>,
        times: Option<&'a Node>,
        offset: Option<&'a Node>,
    ) -> Option<Trigger> {
        let name = self.collector.string(node, "`event`")?;
        let word = self.word(self.words.map(|words| &words.events), name, node, "event");
        let matching = match word {
            Some(word) => self.matching(matching, &word.gives, word.open, &format!("event `{name}`")),
            None => self.matching(matching, &Fields::new(), true, name),
        };
        let nth = match nth.map(u32::try_from) {
            None => 1,
            Some(Ok(nth @ 1..)) => nth,
            Some(_) => {
                self.collector.error(
                    &node.span,
                    "`nth` must be 1 or more",
                    "events are counted from 1",
                    None,
                );
                1
            }
        };
        Some(Trigger::Event {
            event: name.to_owned(),
            matching,
            nth,
            times: times.map_or(1, |times| self.how_often(times)),
            offset: offset.and_then(|node| self.length(node, "`offset`")),
        })
    }

    fn how_often(&self, node: &Node) -> u32 {
        let count = self.collector.integer(node, "`times`");
        match count.map(u32::try_from) {
            Some(Ok(times @ 1..)) => times,
            None => 1,
            Some(_) => {
                let label = "expected a whole number of at least 1";
                self.collector
                    .error(&node.span, "`times` is out of range", label, None);
                1
            }
        }
    }

    fn probability(&self, node: &Node) -> Option<f64> {
        let number = self.collector.number(node, "`probability`")?;
        if !(0.0..=1.0).contains(&number) {
            let label = "expected a number from 0 to 1";
            self.collector
                .error(&node.span, "`probability` is out of range", label, None);
        }
        Some(number)
    }

    /// The name of a step that injected a fault.
    pub(super) fn injected(&self, node: &Node) {
        let Some(scalar) = node.scalar().filter(|s| !s.text.contains("${")) else {
            return;
        };
        if !self.step_name(&scalar.text, &node.span) {
            return;
        }
        let verb = self.scope.get(&scalar.text).map_or("", |named| named.verb);
        if verb != "inject" {
            let title = format!("step `{}` injects no fault", scalar.text);
            let label = format!("it is a `{verb}` step");
            self.collector.error(&node.span, title, label, None);
        }
    }
}
