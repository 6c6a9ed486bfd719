//! Text to tree: the events of the YAML parser with their places.

use crate::{Collector, Diagnostic, Entry, Node, NodeValue, Scalar, Span};
use granit_parser::{Event, Marker, Options, Parser, ScalarStyle, ScanError, StructureStyle};

/// Reads one YAML document. Mistakes of syntax, duplicate keys, aliases and tags are reported to the collector; the
/// tree is returned if there is one, without what was wrong. An empty text is an empty map.
pub fn parse_yaml(collector: &Collector) -> Option<Node> {
    let text = collector.source().text().clone();
    let mut options = Options::default();
    options.set_emit_comments(false);
    let mut builder = Builder {
        collector,
        text: &text,
        open: Vec::new(),
        root: None,
        documents: 0,
    };
    for event in Parser::new_from_str_with_options(&text, options) {
        match event {
            Ok((event, span)) => builder.event(event, span.byte_range().unwrap_or(0..0)),
            Err(error) => {
                builder.syntax(&error);
                return None;
            }
        }
    }
    Some(builder.root.unwrap_or(Node {
        value: NodeValue::Map(Vec::new()),
        span: 0..0,
    }))
}

struct Builder<'a> {
    collector: &'a Collector,
    text: &'a str,
    open: Vec<Open>,
    root: Option<Node>,
    documents: usize,
}

/// A collection whose end has not come yet.
struct Open {
    start: usize,
    flow: bool,
    children: Children,
}

enum Children {
    Seq(Vec<Node>),
    /// The entries, and the key that waits for its value; a key that is none has been reported.
    Map(Vec<Entry>, Option<(Option<String>, Span)>),
}

impl Builder<'_> {
    fn event(&mut self, event: Event<'_>, span: Span) {
        match event {
            Event::DocumentStart(..) => {
                self.documents += 1;
                if self.documents == 2 {
                    let title = "more than one YAML document in the file";
                    let help = Some("give each document a file of its own".to_owned());
                    self.collector
                        .error(&span, title, "a second one begins here", help);
                }
            }
            Event::Scalar(text, style, anchor, tag) => {
                self.refuse_properties(anchor, tag.is_some(), &span);
                let scalar = Scalar {
                    text: text.into_owned(),
                    plain: style == ScalarStyle::Plain,
                };
                self.add(Node {
                    value: NodeValue::Scalar(scalar),
                    span: self.trimmed(span),
                });
            }
            Event::SequenceStart(style, anchor, tag) => {
                self.refuse_properties(anchor, tag.is_some(), &span);
                self.open.push(Open {
                    start: span.start,
                    flow: style == StructureStyle::Flow,
                    children: Children::Seq(Vec::new()),
                });
            }
            Event::MappingStart(style, anchor, tag) => {
                self.refuse_properties(anchor, tag.is_some(), &span);
                self.open.push(Open {
                    start: span.start,
                    flow: style == StructureStyle::Flow,
                    children: Children::Map(Vec::new(), None),
                });
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(span),
            Event::Alias(_) | Event::UnresolvedAlias(_) => {
                let help = Some("write the value out, or use `params`".to_owned());
                self.collector
                    .error(&span, "YAML aliases are not supported", "", help);
                self.add(Node {
                    value: NodeValue::Scalar(Scalar {
                        text: String::new(),
                        plain: true,
                    }),
                    span,
                });
            }
            _ => {}
        }
    }

    fn syntax(&self, error: &ScanError) {
        let offset = byte_offset(self.text, error.marker());
        let line_start = self.text[..offset].rfind('\n').map_or(0, |at| at + 1);
        let line = self.text[line_start..].lines().next().unwrap_or_default();
        let place = self.collector.at(&(offset..offset + 1), "this is not valid YAML");
        let diagnostic = place.clone().label(error.info());
        if let Some(explained) = explained(&place, &error.info()) {
            return self.collector.report(explained);
        }
        let diagnostic = match self.open.iter().rev().find(|open| open.flow) {
            Some(open) => diagnostic
                .related(&(open.start..open.start + 1), "opened here and not closed")
                .help("close the bracket or brace; text with one in it needs quotes".to_owned()),
            None => diagnostic.help(advice(line, &error.info()).to_owned()),
        };
        self.collector.report(diagnostic);
    }

    fn refuse_properties(&self, anchor: usize, tagged: bool, span: &Span) {
        if anchor != 0 {
            let place = self.before(span, '&');
            let help = Some("write the value out where it is needed, or use `params`".to_owned());
            self.collector
                .error(&place, "YAML anchors are not supported", "", help);
        }
        if tagged {
            let place = self.before(span, '!');
            let help = Some("remove it; text that begins with `!` needs quotes".to_owned());
            self.collector
                .error(&place, "YAML tags are not supported", "", help);
        }
    }

    /// The word that begins with a mark and stands before a value; the value itself if it is not there.
    fn before(&self, value: &Span, mark: char) -> Span {
        let lead = self.text[..value.start].trim_end();
        let mut words = lead.split_whitespace().rev().take(2);
        let Some(word) = words.find(|word| word.starts_with(mark)) else {
            return value.clone();
        };
        let start = lead.rfind(word).unwrap_or(value.start);
        start..start + word.len()
    }

    fn close(&mut self, end: Span) {
        let Some(open) = self.open.pop() else { return };
        let value = match open.children {
            Children::Seq(nodes) => NodeValue::Seq(nodes),
            Children::Map(entries, _) => NodeValue::Map(entries),
        };
        let span = self.trimmed(open.start..end.end);
        self.add(Node { value, span });
    }

    fn add(&mut self, node: Node) {
        let collector = self.collector;
        match self.open.last_mut().map(|open| &mut open.children) {
            None if self.root.is_none() => self.root = Some(node),
            None => {}
            Some(Children::Seq(nodes)) => nodes.push(node),
            Some(Children::Map(entries, key)) => match key.take() {
                None => *key = Some(key_of(collector, node)),
                Some((None, _)) => {}
                Some((Some(name), span)) => match entries.iter().find(|e| e.key == name) {
                    Some(first) => collector.report(
                        collector
                            .at(&span, format!("`{name}` is given twice"))
                            .label("again here")
                            .related(&first.key_span, "first here")
                            .help(Some("keep one of them".to_owned())),
                    ),
                    None => entries.push(Entry {
                        key: name,
                        key_span: span,
                        value: node,
                    }),
                },
            },
        }
    }

    /// The span without white space at its end.
    fn trimmed(&self, span: Span) -> Span {
        let text = self.text.get(span.clone()).unwrap_or_default();
        span.start..span.start + text.trim_end().len()
    }
}

fn key_of(collector: &Collector, node: Node) -> (Option<String>, Span) {
    match node.value {
        NodeValue::Scalar(scalar) if scalar.plain && scalar.text == "<<" => {
            let help = Some("write the keys out".to_owned());
            collector.error(&node.span, "YAML merge keys are not supported", "", help);
            (None, node.span)
        }
        NodeValue::Scalar(scalar) => (Some(scalar.text), node.span),
        _ => {
            let help = Some("text that begins with `{` or `[` needs quotes".to_owned());
            collector.error(&node.head(), "a key must be text", "", help);
            (None, node.span)
        }
    }
}

fn byte_offset(text: &str, marker: &Marker) -> usize {
    marker
        .byte_offset()
        .or_else(|| text.char_indices().nth(marker.index()).map(|(at, _)| at))
        .unwrap_or(text.len())
        .min(text.len())
}

/// A mistake the parser names by itself, in plain words.
fn explained(place: &Diagnostic, info: &str) -> Option<Diagnostic> {
    let (title, label, help) = if info.contains("recursion limit") {
        let help = "take what is inside apart";
        ("this is nested too deeply", "one level too many", help)
    } else if info.contains("unknown anchor") {
        let help = "write the value out; text that begins with `*` needs quotes";
        ("YAML aliases are not supported", "", help)
    } else if info.contains("unexpected character: `\\u{") {
        let help = "remove it, or write it as an escape such as \"\\x1b\" inside double quotes";
        ("control characters cannot stand in YAML", info, help)
    } else {
        return None;
    };
    let diagnostic = Diagnostic {
        title: title.to_owned(),
        ..place.clone()
    };
    Some(diagnostic.label(label).help(help.to_owned()))
}

/// The usual reason for a syntax error on such a line.
fn advice(line: &str, info: &str) -> &'static str {
    let indent = &line[..line.len() - line.trim_start().len()];
    let trimmed = line.trim_start();
    let value = trimmed.split_once(": ").map_or("", |(_, value)| value);
    if indent.contains('\t') {
        "indent with spaces; YAML does not allow tabs"
    } else if info.contains("quote") {
        "close the quote"
    } else if value.contains(": ") {
        "text with `: ` in it needs quotes"
    } else if value.starts_with(['@', '`', '%', '*', '&', '!', '|', '>']) {
        "text that begins with this character needs quotes"
    } else {
        "check the indentation: the keys of one map begin in the same column, and a list's dashes do too"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Source;
    use serde_json::json;

    fn read(text: &str) -> (Option<Node>, String) {
        let collector = Collector::new(Source::new("test.yaml", text));
        let node = parse_yaml(&collector);
        (node, collector.into_diagnostics().render(false))
    }

    #[test]
    fn a_document_becomes_a_tree_with_places() {
        let text = "name: x\nsteps:\n  - do: unit.start\n    with: {a: [1, 2.5, 'three']}\n  - wait: 5s\n";
        let (node, rendered) = read(text);
        let node = node.unwrap();
        assert_eq!(rendered, "");
        assert_eq!(
            node.to_json(),
            json!({"name": "x", "steps": [{"do": "unit.start", "with": {"a": [1, 2.5, "three"]}}, {"wait": "5s"}]})
        );
        let steps = node.get("steps").unwrap().elements().unwrap();
        assert_eq!(&text[steps[1].head()], "wait");
        assert_eq!(
            &text[steps[0].get("with").unwrap().span.clone()],
            "{a: [1, 2.5, 'three']}"
        );
        assert!(&text[steps[0].span.clone()].ends_with("'three']}"));
    }

    #[test]
    fn an_empty_text_is_an_empty_map() {
        assert_eq!(read("").0.unwrap().to_json(), json!({}));
        assert_eq!(read("# only a comment\n").0.unwrap().to_json(), json!({}));
    }

    #[test]
    fn wrong_yaml_is_reported_with_a_way_out() {
        for (name, text) in [
            ("indentation", "a: 1\n  b: 2\n"),
            ("tab", "a:\n\tb: 2\n"),
            ("unclosed", "a: [1, 2\nb: 3\n"),
            ("colon", "name: one: two\n"),
            ("quote", "name: \"one\nb: 3\n"),
            ("reserved", "name: @one\n"),
            ("duplicate", "a: 1\nb: 2\na: 3\n"),
            ("alias", "a: &x 1\nb: *x\n"),
            ("tag", "a: !!str 1\n"),
            ("documents", "a: 1\n---\nb: 2\n"),
            ("list_and_map", "- a\nb: 3\n"),
            ("map_key", "{a: 1}: 2\n"),
            ("merge_key", "a:\n  <<: {b: 1}\n"),
            ("anchor", "a: &x\n  b: 1\n"),
            ("alias_without_anchor", "a: *x\n"),
            ("tagged_list", "a: !mine [1]\n"),
            ("control", "a: b\u{1b}[31m\n"),
            ("nul", "a: b\0\n"),
        ] {
            insta::assert_snapshot!(name, read(text).1);
        }
    }

    #[test]
    fn what_would_exhaust_the_stack_is_refused() {
        for (name, open, close) in [("deep_lists", "[", "]"), ("deep_maps", "{a: ", "}")] {
            let (node, rendered) = read(&format!("a: {}{}\n", open.repeat(50_000), close.repeat(50_000)));
            assert!(node.is_none());
            insta::assert_snapshot!(name, rendered);
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_or_reported(text in "[-a-c :{}\\[\\]\"'\\n\\t&*!|>#,ä]{0,60}") {
            let (node, rendered) = read(&text);
            proptest::prop_assert!(node.is_some() || !rendered.is_empty());
        }
    }
}
