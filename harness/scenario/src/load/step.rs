//! Steps: which verb, and what belongs to it.

use super::{scenario::Loader, scope::Given};
use crate::{Branch, Fields, NOTHING, Step, Template, VERBS, Verb, Wait, Word, template::Part};
use hil_diagnostic::{Entry, MapReader, Node, did_you_mean, one_of};
use std::collections::BTreeMap;

impl<'a> Loader<'a> {
    /// The steps of a scenario; there must be some.
    pub(super) fn required_steps(&mut self, map: &mut MapReader<'a>) -> Vec<Step> {
        let head = map.head().clone();
        let Some(node) = map.required("steps") else {
            return Vec::new();
        };
        if node.is_null() || node.elements().is_some_and(<[Node]>::is_empty) {
            let place = if node.span.is_empty() {
                head
            } else {
                node.span.clone()
            };
            self.collector
                .error(&place, "a scenario has no steps", "`steps` is empty", None);
            return Vec::new();
        }
        self.steps(node, "")
    }

    /// A list of steps; places are counted below `place`.
    fn steps(&mut self, node: &'a Node, place: &str) -> Vec<Step> {
        let nodes = self.collector.list(node, "`steps`").unwrap_or_default();
        let numbered = nodes.iter().zip(1..);
        numbered
            .filter_map(|(node, number)| self.step(node, below(place, number)))
            .collect()
    }

    fn step(&mut self, node: &'a Node, place: String) -> Option<Step> {
        let mut map = MapReader::new(self.collector, node, "a step")?;
        let Some(entry) = self.verb_of(node) else {
            // The name is known all the same, or every use of it would be reported too.
            if let Some(name) = map.optional("as") {
                self.define(name, "do", Given::Anything);
            }
            return None;
        };
        let verb = VERBS.iter().copied().find(|verb| *verb == entry.key)?;
        map.entry(verb);
        map.rename(with_article(verb));
        let (line, column) = self.collector.source().position(entry.key_span.start);
        let name_node = (verb != "for_each").then(|| map.optional("as")).flatten();
        let verifies = map
            .optional("verifies")
            .map(|node| self.decides(node))
            .unwrap_or_default();
        let read = match verb {
            "do" => self.action(&mut map, &entry.value),
            "inject" => self.injection(&mut map, &entry.value),
            "expect" | "never" => self.watch_step(&mut map, &entry.value, verb),
            "one_of" => self.one_of(&entry.value, &place),
            "measure" => self.measure(&entry.value),
            "wait" => self.wait(&entry.value),
            _ => self.for_each(&entry.value, &place),
        };
        map.finish();
        let given = read.as_ref().map_or(Given::Anything, |(_, given)| given.clone());
        let name = name_node.and_then(|node| self.define(node, verb, given));
        Some(Step {
            place,
            line,
            column,
            name,
            verifies,
            verb: read?.0,
        })
    }

    /// The requirements a step decides, which the scenario verifies too.
    fn decides(&mut self, node: &Node) -> Vec<String> {
        if node.scalar().is_some_and(|scalar| scalar.text == NOTHING) {
            return vec![NOTHING.to_owned()];
        }
        let verifies = self.requirements(node);
        self.also_verifies(&verifies);
        verifies
    }

    /// The one key of a step that is a verb.
    fn verb_of(&self, node: &'a Node) -> Option<&'a Entry> {
        let entries = node.entries().unwrap_or_default();
        let mut verbs = entries.iter().filter(|e| VERBS.contains(&e.key.as_str()));
        let Some(first) = verbs.next() else {
            let near = entries
                .iter()
                .find_map(|e| Some((e, did_you_mean(&e.key, VERBS)?)));
            let span = near.as_ref().map_or(node.head(), |(e, _)| e.key_span.clone());
            let label = format!("expected {}", one_of(VERBS));
            let help = near.map(|(_, help)| help);
            self.collector.error(&span, "a step needs a verb", label, help);
            return None;
        };
        if let Some(second) = verbs.next() {
            let title = format!("a step has two verbs, `{}` and `{}`", first.key, second.key);
            let diagnostic = self
                .collector
                .at(&second.key_span, title)
                .label("second verb")
                .related(&first.key_span, "first verb")
                .help("make them two steps, each with a `-` of its own".to_owned());
            self.collector.report(diagnostic);
            return None;
        }
        Some(first)
    }

    fn action(&mut self, map: &mut MapReader<'a>, node: &'a Node) -> Option<(Verb, Given)> {
        let with = map.optional("with");
        let action = self.collector.string(node, "`do`")?;
        let word = self.word(self.words.map(|words| &words.actions), action, node, "action");
        let template = match word {
            Some(word) => self.action_arguments(action, word, with, node),
            None => with.map_or_else(Template::empty, |node| self.open_arguments(node)),
        };
        let verb = Verb::Do {
            action: action.to_owned(),
            with: template,
        };
        Some((verb, given(word)))
    }

    /// Arguments of an action; probes and stimuli bring arguments of their own.
    fn action_arguments(
        &mut self,
        action: &str,
        word: &Word,
        with: Option<&'a Node>,
        node: &Node,
    ) -> Template {
        let inner = match (action, self.words) {
            ("unit.probe", Some(words)) => Some(("probe", &words.probes)),
            ("unit.stimulate", Some(words)) => Some(("stimulus", &words.stimuli)),
            _ => None,
        };
        let template = self.arguments_with_inner(action, word, inner, with, node);
        if let ("fault.clear", Some(fault)) = (action, with.and_then(|with| with.get("fault"))) {
            self.injected(fault);
        }
        template
    }

    /// Arguments of a word; where its `name` chooses an inner word, those of that too.
    pub(super) fn arguments_with_inner(
        &mut self,
        owner: &str,
        word: &Word,
        inner: Option<(&str, &'a BTreeMap<String, Word>)>,
        with: Option<&'a Node>,
        node: &Node,
    ) -> Template {
        let what = format!("`{owner}`");
        let name = with.and_then(|with| with.get("name"));
        let literal = name
            .and_then(|name| name.scalar())
            .filter(|s| !s.text.contains("${"));
        let (Some((noun, known)), Some(name), Some(literal)) = (inner, name, literal) else {
            return self.arguments(with, &word.with, word.open, &what, &node.span);
        };
        let mut fields = word.with.clone();
        let Some(inner) = self.word(Some(known), &literal.text, name, noun) else {
            return self.arguments(with, &fields, true, &what, &node.span);
        };
        fields.extend(inner.with.clone());
        let what = format!("{noun} `{}`", literal.text);
        // A command in a unit file may name every argument there is, given or not.
        let optional = inner.with.keys().map(String::as_str);
        self.arguments(with, &fields, inner.open, &what, &node.span)
            .with_absent(optional)
    }

    /// A word of the vocabulary; what it needs of the lab is noted. Nothing if it is unknown, which is reported, or
    /// if there are no words to know.
    pub(super) fn word<'w>(
        &mut self,
        words: Option<&'w BTreeMap<String, Word>>,
        name: &str,
        node: &Node,
        noun: &str,
    ) -> Option<&'w Word>
    where
        'a: 'w,
    {
        let words = words?;
        let Some(word) = words.get(name) else {
            self.unknown_word(words, name, node, noun);
            return None;
        };
        self.needs.extend(word.capability.clone());
        Some(word)
    }

    fn unknown_word(&self, words: &BTreeMap<String, Word>, name: &str, node: &Node, noun: &str) {
        let known = words.keys().map(String::as_str);
        let others = self.words.map(|words| {
            [
                ("an action, for `do`", &words.actions),
                ("a fault, for `inject`", &words.faults),
                ("an event, for `expect`", &words.events),
            ]
        });
        let elsewhere = others
            .into_iter()
            .flatten()
            .find(|(_, words)| words.contains_key(name));
        let help = did_you_mean(name, known.clone());
        let help = elsewhere.map(|(what, _)| format!("`{name}` is {what}")).or(help);
        let label = format!("expected {}", one_of(known));
        self.collector
            .error(&node.span, format!("unknown {noun} `{name}`"), label, help);
    }

    fn watch_step(
        &mut self,
        map: &mut MapReader<'a>,
        node: &'a Node,
        verb: &'static str,
    ) -> Option<(Verb, Given)> {
        let watched = self.watch(map, node, verb)?;
        let verb = match verb {
            "never" => Verb::Never(watched.watch),
            _ => Verb::Expect(watched.watch),
        };
        Some((verb, watched.given))
    }

    fn one_of(&mut self, node: &'a Node, place: &str) -> Option<(Verb, Given)> {
        let nodes = self.collector.list(node, "`one_of`")?;
        if nodes.len() < 2 {
            let help = Some("use `expect` where there is one way".to_owned());
            let label = "expected two or more branches";
            self.collector
                .error(&node.head(), "`one_of` leaves no choice", label, help);
        }
        let mut branches = Vec::new();
        let mut frames = Vec::new();
        for (node, number) in nodes.iter().zip(1..) {
            self.scope.enter();
            branches.extend(self.branch(node, below(place, number)));
            frames.push(self.scope.leave());
        }
        self.scope.join(frames);
        Some((Verb::OneOf(branches), Given::Anything))
    }

    fn branch(&mut self, node: &'a Node, place: String) -> Option<Branch> {
        let mut map = MapReader::new(self.collector, node, "a branch of `one_of`")?;
        let event = map.required("expect")?;
        let name = map.optional("as");
        let watched = self.watch(&mut map, event, "expect")?;
        let name = name.and_then(|node| self.define(node, "expect", watched.given));
        let steps = map.optional("steps").filter(|node| !node.is_null());
        let steps = steps.map(|node| self.steps(node, &place)).unwrap_or_default();
        map.finish();
        Some(Branch {
            watch: watched.watch,
            name,
            place,
            steps,
        })
    }

    fn wait(&mut self, node: &'a Node) -> Option<(Verb, Given)> {
        let nothing = Given::Fields(Vec::new());
        if node.scalar().is_some() {
            let span = self.length(node, "`wait`")?;
            return Some((Verb::Wait(Wait::For(span)), nothing));
        }
        if node.entries().is_none() {
            let expected = "a duration such as 3s, or `{until: MOMENT}`";
            self.collector.wrong_type(node, "`wait`", expected, None);
            return None;
        }
        let mut map = MapReader::new(self.collector, node, "`wait`")?;
        let until = map
            .required("until")
            .and_then(|node| self.moment(node, "`until`"));
        map.finish();
        Some((Verb::Wait(Wait::Until(until?)), nothing))
    }

    fn for_each(&mut self, node: &'a Node, place: &str) -> Option<(Verb, Given)> {
        let mut map = MapReader::new(self.collector, node, "`for_each`")?;
        let steps = map.required("steps");
        let rest = map.rest();
        map.finish();
        let [variable] = rest.as_slice() else {
            let title = "`for_each` needs one variable with its values";
            let label = match rest.len() {
                0 => "expected a variable beside `steps`".to_owned(),
                count => format!("this has {count}"),
            };
            let help = Some("write it like `for_each: {status: [404, 409], steps: […]}`".to_owned());
            let span = rest.get(1).map_or(node.head(), |e| e.key_span.clone());
            self.collector.error(&span, title, label, help);
            return None;
        };
        self.check_name(&variable.key, &variable.key_span, "variable");
        let values = self.values(&variable.value);
        self.scope.enter();
        let span = variable.key_span.clone();
        let taken = self
            .scope
            .define(&variable.key, span, "for_each", Given::Anything);
        if taken.is_some() || crate::ROOTS.contains(&variable.key.as_str()) {
            let title = format!("`{}` already means something here", variable.key);
            self.collector
                .error(&variable.key_span, title, "expected a new name", None);
        }
        let steps = steps.map(|node| self.steps(node, place)).unwrap_or_default();
        self.scope.leave();
        let verb = Verb::ForEach {
            variable: variable.key.clone(),
            values: values?,
            steps,
        };
        Some((verb, Given::Anything))
    }

    /// The values of a `for_each`: a list, or a reference to one.
    fn values(&self, node: &Node) -> Option<Template> {
        let part = match node.elements() {
            Some([]) => {
                let label = "expected one or more values";
                self.collector
                    .error(&node.span, "`for_each` has no values", label, None);
                return None;
            }
            Some(_) => self.part(node)?,
            None => match self.part(node)? {
                part @ Part::Reference(_) => part,
                _ => {
                    let expected = "a list, or a reference to one";
                    self.collector.wrong_type(node, "the values", expected, None);
                    return None;
                }
            },
        };
        Some(Template::new(part))
    }
}

/// What can be referred to below a step that uses this word; anything if the word is not known.
pub(super) fn given(word: Option<&Word>) -> Given {
    match word {
        Some(word) if !word.open || !word.gives.is_empty() => Given::Fields(names(&word.gives)),
        _ => Given::Anything,
    }
}

fn names(fields: &Fields) -> Vec<String> {
    fields.keys().cloned().collect()
}

/// A step as people speak of it: an `expect` step.
fn with_article(verb: &str) -> String {
    let article = if verb.starts_with(['a', 'e', 'i', 'o', 'u']) {
        "an"
    } else {
        "a"
    };
    format!("{article} `{verb}` step")
}

fn below(place: &str, number: usize) -> String {
    match place {
        "" => number.to_string(),
        place => format!("{place}.{number}"),
    }
}
