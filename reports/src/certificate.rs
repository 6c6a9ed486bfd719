//! One page about a certificate: for people, Markdown and HTML alike.

use std::fmt::Write;

/// What the page of a certificate says; the caller knows what it means.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CertificatePage {
    /// Its headline, such as `Certificate: edge-poll-core`.
    pub title: String,
    /// What stands above everything else, such as that the unit was simulated.
    pub warning: Option<String>,
    /// Facts in the order they are shown: name and text.
    pub facts: Vec<(String, String)>,
    /// Tables in the order they are shown; empty ones are left out.
    pub tables: Vec<CertificateTable>,
    /// How anybody can verify it.
    pub verify: String,
}

/// One table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CertificateTable {
    /// Its heading.
    pub title: String,
    /// Heads of its columns.
    pub head: [String; 2],
    /// Its rows.
    pub rows: Vec<[String; 2]>,
}

/// The page as Markdown.
pub fn certificate_markdown(page: &CertificatePage) -> String {
    let mut text = format!("# {}\n\n", cell(&page.title));
    if let Some(warning) = &page.warning {
        let _ = writeln!(text, "> **{}**\n", cell(warning));
    }
    text.push_str("| | |\n| --- | --- |\n");
    for (name, fact) in &page.facts {
        let _ = writeln!(text, "| {} | {} |", cell(name), cell(fact));
    }
    for table in page.tables.iter().filter(|table| !table.rows.is_empty()) {
        let [left, right] = &table.head;
        let _ = write!(
            text,
            "\n## {}\n\n| {} | {} |\n| --- | --- |\n",
            cell(&table.title),
            cell(left),
            cell(right)
        );
        for [left, right] in &table.rows {
            let _ = writeln!(text, "| {} | {} |", cell(left), cell(right));
        }
    }
    let _ = write!(text, "\n## Verify it\n\n```\n{}\n```\n", page.verify);
    text
}

/// The page as HTML that needs nothing else.
pub fn certificate_html(page: &CertificatePage) -> String {
    let mut text = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" \
         content=\"width=device-width\">\n<title>{0}</title>\n<style>{STYLE}</style>\n<h1>{0}</h1>\n",
        escaped(&page.title)
    );
    if let Some(warning) = &page.warning {
        let _ = writeln!(text, "<p class=\"warning\">{}</p>", escaped(warning));
    }
    text.push_str("<table>\n");
    for (name, fact) in &page.facts {
        let _ = writeln!(text, "<tr><th>{}<td>{}", escaped(name), escaped(fact));
    }
    text.push_str("</table>\n");
    for table in page.tables.iter().filter(|table| !table.rows.is_empty()) {
        let [left, right] = &table.head;
        let _ = writeln!(
            text,
            "<h2>{}</h2>\n<table>\n<tr><th>{}<th>{}",
            escaped(&table.title),
            escaped(left),
            escaped(right)
        );
        for [left, right] in &table.rows {
            let _ = writeln!(text, "<tr><td>{}<td>{}", escaped(left), escaped(right));
        }
        text.push_str("</table>\n");
    }
    let _ = writeln!(text, "<h2>Verify it</h2>\n<pre>{}</pre>", escaped(&page.verify));
    text
}

/// Text inside a cell of a Markdown table: on one line, and nothing in it means anything.
fn cell(text: &str) -> String {
    let mut safe = String::new();
    for character in text.chars() {
        match character {
            '\n' | '\r' => safe.push(' '),
            '<' => safe.push_str("&lt;"),
            '&' => safe.push_str("&amp;"),
            '|' | '\\' | '`' | '*' | '[' | ']' | '#' => safe.extend(['\\', character]),
            other => safe.push(other),
        }
    }
    safe
}

fn escaped(text: &str) -> String {
    let mut safe = String::new();
    for character in text.chars() {
        match character {
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '&' => safe.push_str("&amp;"),
            '"' => safe.push_str("&quot;"),
            other => safe.push(other),
        }
    }
    safe
}

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}\
table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;padding:.2rem .8rem .2rem 0;\
border-bottom:1px solid #8884;overflow-wrap:anywhere}th{white-space:nowrap}.warning{border:2px solid #b00;\
padding:.5rem 1rem;font-weight:bold}pre{overflow:auto}";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_text_stays_text() {
        let evil = "a|b<script>\n# x".to_owned();
        let page = CertificatePage {
            title: evil.clone(),
            facts: vec![(evil.clone(), evil.clone())],
            tables: vec![CertificateTable {
                title: evil.clone(),
                head: [evil.clone(), evil.clone()],
                rows: vec![[evil.clone(), evil]],
            }],
            ..CertificatePage::default()
        };
        assert!(!certificate_html(&page).contains("<script>"));
        let markdown = certificate_markdown(&page);
        assert!(!markdown.contains("<script>"));
        let rows: Vec<&str> = markdown.lines().filter(|line| line.starts_with("| a")).collect();
        assert!(
            rows.iter()
                .all(|row| row.replace("\\|", "").matches('|').count() == 3),
            "{rows:?}"
        );
    }
}
