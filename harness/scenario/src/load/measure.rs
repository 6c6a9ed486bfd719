//! `measure`: two ends, bounds of each value, bounds over all repeats.

use super::{scenario::Loader, scope::Given};
use crate::{End, Limits, Measure, Occurrence, Span as Length, Verb, Which};
use hil_diagnostic::{Entry, MapReader, Node};
use hil_trace::{Drift, Quantile};

impl<'a> Loader<'a> {
    pub(super) fn measure(&mut self, node: &'a Node) -> Option<(Verb, Given)> {
        let mut map = MapReader::new(self.collector, node, "`measure`")?;
        let from_node = map.required("from");
        let from = from_node.and_then(|node| self.end(node, "`from`"));
        let to_node = map.required("to");
        let to = to_node.and_then(|node| self.end(node, "`to`"));
        if let (Some(first), Some(last)) = (from_node, to_node) {
            self.ends_differ(first, last);
        }
        let each = self.limits(&mut map);
        let mut quantiles = Vec::new();
        for quantile in Quantile::ALL {
            if let Some(entry) = map.entry(quantile.name()) {
                self.repeats_suffice(entry, quantile.fewest());
                quantiles.extend(self.quantile(entry).map(|limits| (quantile, limits)));
            }
        }
        let drift = map.entry("drift").and_then(|entry| {
            self.repeats_suffice(entry, Drift::FEWEST);
            let drift = self.length(&entry.value, "`drift`")?;
            self.same_in_all_repeats(&drift, &entry.value);
            Some(drift)
        });
        map.finish();
        let measure = Measure {
            from: from?,
            to: to?,
            each,
            quantiles,
            drift,
        };
        Some((Verb::Measure(Box::new(measure)), Given::Fields(Vec::new())))
    }

    fn end(&mut self, node: &'a Node, what: &str) -> Option<End> {
        if node.entries().is_some() {
            return self.occurrence(node, what).map(|it| End::Event(Box::new(it)));
        }
        if node.scalar().is_none() || node.is_null() {
            let expected = "the name of a step, or `{event: EVENT}`";
            self.collector.wrong_type(node, what, expected, None);
            return None;
        }
        let name = self.collector.string(node, what)?;
        // What would be an event stands in a map of its own.
        let event = self.words.is_some_and(|words| words.events.contains_key(name));
        if event && self.scope.get(name).is_none() {
            let help = Some(format!("write `{{event: {name}}}`"));
            let label = "expected the name of a step";
            self.collector
                .error(&node.span, format!("`{name}` is an event"), label, help);
            return None;
        }
        self.step_name(name, &node.span)
            .then(|| End::Step(name.to_owned()))
    }

    fn occurrence(&mut self, node: &'a Node, what: &str) -> Option<Occurrence> {
        let mut map = MapReader::new(self.collector, node, what)?;
        let words = self.words.map(|words| &words.events);
        let event_node = map.required("event");
        let name = event_node.and_then(|node| self.collector.string(node, "`event`"));
        let event = name
            .zip(event_node)
            .and_then(|(name, node)| self.word(words, name, node, "event"));
        let event_name = name.unwrap_or_default();
        let matching = self.match_of(map.optional("match"), event, event_name);
        let condition = map
            .optional("where")
            .and_then(|node| self.condition(node, event, event_name));
        let (after, before) = self.moments(&mut map);
        let which = map.optional_word("which", Which::ALL.map(Which::name));
        map.finish();
        Some(Occurrence {
            event: name?.to_owned(),
            matching,
            condition,
            after,
            before,
            which: which
                .and_then(|word| Which::ALL.into_iter().find(|which| which.name() == word))
                .unwrap_or_default(),
        })
    }

    /// Two ends that are written alike are the same.
    fn ends_differ(&self, from: &Node, to: &Node) {
        let text = |node: &Node| self.collector.source().text().get(node.span.clone());
        if text(from).is_none_or(|text| text.is_empty()) || text(from) != text(to) {
            return;
        }
        let (title, label) = match from.scalar() {
            Some(scalar) => (
                format!("nothing lies between `{}` and itself", scalar.text),
                "expected another step than `from`",
            ),
            None => (
                "nothing lies between an event and itself".to_owned(),
                "expected another event than `from`, or another `which`",
            ),
        };
        self.collector.error(&to.span, title, label, None);
    }

    fn limits(&self, map: &mut MapReader<'a>) -> Limits {
        let min = map.optional("min").and_then(|node| self.length(node, "`min`"));
        let max_node = map.optional("max");
        let max = max_node.and_then(|node| self.length(node, "`max`"));
        if let (Some(low), Some(high), Some(node)) = (&min, &max, max_node)
            && high.seconds_beyond(low).is_some_and(|seconds| seconds < 0.0)
        {
            let label = format!("less than `min`, {low}");
            self.collector
                .error(&node.span, "nothing can lie between these bounds", label, None);
        }
        Limits { min, max }
    }

    fn quantile(&self, entry: &'a Entry) -> Option<Limits> {
        let what = format!("`{}`", entry.key);
        if entry.value.entries().is_none() {
            let example = entry.value.scalar().map(|scalar| scalar.text.as_str());
            let example = example.filter(|text| !text.is_empty()).unwrap_or("3s");
            let help = Some(format!("write `{}: {{max: {example}}}`", entry.key));
            let expected = "a map of `min` and `max`";
            self.collector.wrong_type(&entry.value, &what, expected, help);
            return None;
        }
        let mut map = MapReader::new(self.collector, &entry.value, what.clone())?;
        let limits = self.limits(&mut map);
        for key in ["min", "max"] {
            let node = entry.value.get(key);
            let length = if key == "min" { &limits.min } else { &limits.max };
            if let (Some(length), Some(node)) = (length, node) {
                self.same_in_all_repeats(length, node);
            }
        }
        map.finish();
        if entry.value.get("min").is_none() && entry.value.get("max").is_none() {
            let label = "expected `min`, `max` or both";
            self.collector
                .error(&entry.value.head(), format!("{what} bounds nothing"), label, None);
        }
        Some(limits)
    }

    /// A bound over all repeats may refer to nothing that a single one of them does.
    fn same_in_all_repeats(&self, length: &Length, node: &Node) {
        let roots = length.references().into_iter();
        let roots = roots.map(|path| path.split('.').next().unwrap_or_default());
        for root in roots.filter(|root| self.scope.get(root).is_some()) {
            let title = format!("a bound over all repeats cannot depend on `{root}`");
            let label = "each repeat may give it another value";
            let help = Some("refer to `params` or `unit`".to_owned());
            self.collector.error(&self.locate(node, root), title, label, help);
        }
    }

    /// A scenario that repeats itself must do so often enough for what it states of all its repeats.
    fn repeats_suffice(&self, entry: &Entry, fewest: usize) {
        let Some((repeat, span)) = &self.repeat else {
            return;
        };
        if *repeat < 2 || *repeat as usize >= fewest {
            return;
        }
        let title = format!("`{}` takes {fewest} repeats to say", entry.key);
        let diagnostic = self
            .collector
            .at(&entry.key_span, title)
            .label("stated here")
            .related(span, format!("the scenario has {repeat}"))
            .help(format!(
                "write `repeat: {fewest}`, or leave `repeat` to `hil run --repeat`"
            ));
        self.collector.report(diagnostic);
    }
}
