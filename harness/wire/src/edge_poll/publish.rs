//! What an operator uploads to publish a snap (reference section 3.6).

use super::{Multipart, MultipartError, Part, is_snap_name, is_version};
use crate::{
    digest,
    oddity::{Decoded, Oddity, OddityKind},
};

/// The fields of a publish form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishForm {
    /// Which snap.
    pub snap_name: String,
    /// Which version.
    pub version: String,
    /// `sha256:<64 hex>` the operator expects of the bytes.
    pub checksum: Option<String>,
    /// Whether units may go back to this version.
    pub allow_downgrade: bool,
    /// Free text.
    pub notes: Option<String>,
    /// Name of the uploaded file.
    pub filename: Option<String>,
    /// The bytes of the snap.
    pub snap: Vec<u8>,
}

impl PublishForm {
    /// Reads a form. Paths are `/<field>`. A checksum that is malformed is an invalid value; one that differs
    /// from the bytes is a contradiction.
    pub fn decode(content_type: &str, body: &[u8]) -> Decoded<PublishForm> {
        let form = match Multipart::decode(content_type, body) {
            Ok(form) => form,
            Err(error) => {
                let (kind, path) = match error {
                    MultipartError::NotAForm | MultipartError::NoBoundary => {
                        (OddityKind::InvalidValue, "Content-Type")
                    }
                    MultipartError::Malformed => (OddityKind::Framing, ""),
                };
                return Decoded::nothing(Oddity::invalid(kind, path, error.to_string()));
            }
        };
        let mut fields = Fields {
            form,
            oddities: Vec::new(),
        };
        let value = fields.read();
        Decoded {
            value,
            oddities: fields.oddities,
        }
    }

    /// The form as parts; optional fields only where they say something.
    pub fn to_multipart(&self) -> Multipart {
        let text = |name: &str, value: &str| Part {
            name: name.to_owned(),
            filename: None,
            data: value.as_bytes().to_vec(),
        };
        let mut parts = vec![text("snap_name", &self.snap_name), text("version", &self.version)];
        parts.extend(self.checksum.as_deref().map(|c| text("checksum", c)));
        if self.allow_downgrade {
            parts.push(text("allow_downgrade", "true"));
        }
        parts.extend(self.notes.as_deref().map(|n| text("notes", n)));
        parts.push(Part {
            name: "snap".to_owned(),
            filename: Some(self.filename.clone().unwrap_or_else(|| "snap".to_owned())),
            data: self.snap.clone(),
        });
        Multipart { parts }
    }
}

struct Fields {
    form: Multipart,
    oddities: Vec<Oddity>,
}

impl Fields {
    fn read(&mut self) -> Option<PublishForm> {
        let snap_name = self.required("snap_name");
        let version = self.required("version");
        let checksum = self.text("checksum");
        let allow_downgrade = self.text("allow_downgrade");
        let notes = self.text("notes");
        let snap = self.form.parts.iter().find(|part| part.name == "snap").cloned();
        self.rule(
            snap_name.as_deref().is_none_or(is_snap_name),
            "snap_name",
            "not a snap name",
        );
        self.rule(
            version.as_deref().is_none_or(is_version),
            "version",
            "not a version",
        );
        let allow_downgrade = match allow_downgrade.as_deref() {
            None | Some("false") => false,
            Some("true") => true,
            Some(_) => {
                self.rule(false, "allow_downgrade", "neither true nor false");
                false
            }
        };
        if snap.is_none() {
            self.report(OddityKind::MissingMember, "snap", "no file part `snap`");
        }
        if let Some(snap) = &snap {
            self.rule(!snap.data.is_empty(), "snap", "no bytes");
            match checksum.as_deref().map(digest::parse_sha256) {
                Some(Err(error)) => self.rule(false, "checksum", &error.to_string()),
                Some(Ok(bytes)) if hex::encode(bytes) != digest::sha256_hex(&snap.data) => {
                    self.report(
                        OddityKind::Contradiction,
                        "checksum",
                        "differs from the bytes of the snap",
                    );
                }
                _ => {}
            }
        }
        let snap = snap?;
        Some(PublishForm {
            snap_name: snap_name?,
            version: version?,
            checksum,
            allow_downgrade,
            notes,
            filename: snap.filename,
            snap: snap.data,
        })
    }

    fn required(&mut self, name: &str) -> Option<String> {
        if !self.form.parts.iter().any(|part| part.name == name) {
            self.report(OddityKind::MissingMember, name, "the field is missing");
        }
        self.text(name)
    }

    fn text(&mut self, name: &str) -> Option<String> {
        let part = self.form.parts.iter().find(|part| part.name == name)?;
        let text = String::from_utf8(part.data.clone()).ok();
        if text.is_none() {
            self.report(OddityKind::Encoding, name, "not UTF-8");
        }
        text
    }

    fn rule(&mut self, holds: bool, name: &str, rule: &str) {
        if !holds {
            self.report(OddityKind::InvalidValue, name, rule);
        }
    }

    fn report(&mut self, kind: OddityKind, name: &str, detail: &str) {
        self.oddities
            .push(Oddity::invalid(kind, format!("/{name}"), detail));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes() {
        let form = PublishForm {
            snap_name: "edge-agent".into(),
            version: "1.2.3".into(),
            checksum: Some(digest::sha256_tagged(b"bytes")),
            allow_downgrade: true,
            notes: Some("a note".into()),
            filename: Some("a.snap".into()),
            snap: b"bytes".to_vec(),
        };
        let body = form.to_multipart().encode("x");
        assert_eq!(
            PublishForm::decode("multipart/form-data; boundary=x", &body),
            Decoded::clean(form)
        );
    }

    #[test]
    fn names_every_missing_field() {
        let decoded = PublishForm::decode("multipart/form-data; boundary=x", b"--x--");
        let paths: Vec<_> = decoded.oddities.iter().map(|o| o.path.as_str()).collect();
        assert_eq!(paths, ["/snap_name", "/version", "/snap"]);
        assert_eq!(decoded.value, None);
    }
}
