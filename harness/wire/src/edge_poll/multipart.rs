//! `multipart/form-data` (RFC 7578) as far as a publish needs it: parts with a name, maybe a file name, and bytes.

/// The parts of one form, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Multipart {
    /// Every part.
    pub parts: Vec<Part>,
}

/// One part of a form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Name of the field.
    pub name: String,
    /// Name of the file, if it is one.
    pub filename: Option<String>,
    /// Content.
    pub data: Vec<u8>,
}

/// Why a body is no form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MultipartError {
    /// Another content type.
    #[error("the content type is not multipart/form-data")]
    NotAForm,
    /// The content type names no usable boundary.
    #[error("the content type names no boundary")]
    NoBoundary,
    /// A boundary is missing, or the head of a part cannot be read.
    #[error("the form is cut short or malformed")]
    Malformed,
}

impl Multipart {
    /// Reads a body by its content type.
    pub fn decode(content_type: &str, body: &[u8]) -> Result<Multipart, MultipartError> {
        let boundary = boundary(content_type)?;
        let opening = [b"--", boundary.as_bytes()].concat();
        let inner = [b"\r\n--", boundary.as_bytes()].concat();
        let start = if body.starts_with(&opening) {
            opening.len()
        } else {
            find(body, &inner).ok_or(MultipartError::Malformed)? + inner.len()
        };
        let mut rest = &body[start..];
        let mut parts = Vec::new();
        loop {
            if rest.starts_with(b"--") {
                return Ok(Multipart { parts });
            }
            let padding = rest.iter().take_while(|b| matches!(b, b' ' | b'\t')).count();
            rest = rest[padding..]
                .strip_prefix(b"\r\n")
                .ok_or(MultipartError::Malformed)?;
            let head_end = find(rest, b"\r\n\r\n").ok_or(MultipartError::Malformed)?;
            let after_head = &rest[head_end + 4..];
            let end = find(after_head, &inner).ok_or(MultipartError::Malformed)?;
            parts.push(read_part(&rest[..head_end], &after_head[..end])?);
            rest = &after_head[end + inner.len()..];
        }
    }

    /// Writes the body. The boundary must not occur in any content; names and file names must be free of
    /// quotes and line breaks, which are replaced by `_`.
    pub fn encode(&self, boundary: &str) -> Vec<u8> {
        let mut body = Vec::new();
        for part in &self.parts {
            body.extend_from_slice(format!("--{boundary}\r\n").as_bytes());
            let mut head = format!("Content-Disposition: form-data; name=\"{}\"", plain(&part.name));
            if let Some(filename) = &part.filename {
                head.push_str(&format!("; filename=\"{}\"", plain(filename)));
                head.push_str("\r\nContent-Type: application/octet-stream");
            }
            body.extend_from_slice(head.as_bytes());
            body.extend_from_slice(b"\r\n\r\n");
            body.extend_from_slice(&part.data);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
        body
    }
}

fn boundary(content_type: &str) -> Result<String, MultipartError> {
    let (essence, parameters) = content_type.split_once(';').unwrap_or((content_type, ""));
    if !essence.trim().eq_ignore_ascii_case("multipart/form-data") {
        return Err(MultipartError::NotAForm);
    }
    parameter(parameters, "boundary")
        .filter(|b| (1..=70).contains(&b.len()))
        .ok_or(MultipartError::NoBoundary)
}

fn read_part(head: &[u8], data: &[u8]) -> Result<Part, MultipartError> {
    let head = std::str::from_utf8(head).map_err(|_| MultipartError::Malformed)?;
    let disposition = head
        .split("\r\n")
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.trim().eq_ignore_ascii_case("content-disposition"))
        .and_then(|(_, value)| value.split_once(';'))
        .filter(|(kind, _)| kind.trim().eq_ignore_ascii_case("form-data"));
    let (_, parameters) = disposition.ok_or(MultipartError::Malformed)?;
    Ok(Part {
        name: parameter(parameters, "name").ok_or(MultipartError::Malformed)?,
        filename: parameter(parameters, "filename"),
        data: data.to_vec(),
    })
}

/// The value of one parameter in `; a=b; c="d;e"`.
fn parameter(text: &str, wanted: &str) -> Option<String> {
    let mut rest = text;
    loop {
        let (name, after) = rest.split_once('=')?;
        let name = name.trim().trim_start_matches(';').trim();
        let after = after.trim_start();
        let (value, tail) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"')?,
            None => {
                let end = after.find(';').unwrap_or(after.len());
                (after[..end].trim(), &after[end..])
            }
        };
        if name.eq_ignore_ascii_case(wanted) {
            return Some(value.to_owned());
        }
        rest = tail;
    }
}

fn plain(text: &str) -> String {
    text.chars()
        .map(|c| if c == '"' || c.is_control() { '_' } else { c })
        .collect()
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    let first = *needle.first()?;
    let mut from = 0;
    while let Some(offset) = haystack.get(from..)?.iter().position(|b| *b == first) {
        let at = from + offset;
        if haystack[at..].starts_with(needle) {
            return Some(at);
        }
        from = at + 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes() {
        let form = Multipart {
            parts: vec![
                Part {
                    name: "snap_name".into(),
                    filename: None,
                    data: b"edge-agent".to_vec(),
                },
                Part {
                    name: "snap".into(),
                    filename: Some("a;b=c.snap".into()),
                    data: b"\r\n--y\0\xff\r\n".to_vec(),
                },
            ],
        };
        let body = form.encode("x");
        assert_eq!(
            Multipart::decode("multipart/form-data; boundary=x", &body),
            Ok(form.clone())
        );
        let preamble = [b"hello\r\n".as_slice(), &body].concat();
        let quoted = "Multipart/Form-Data; charset=utf-8; boundary=\"x\"";
        assert_eq!(Multipart::decode(quoted, &preamble), Ok(form));
    }

    #[test]
    fn refuses_what_is_no_form() {
        let decode = |content_type, body: &[u8]| Multipart::decode(content_type, body).unwrap_err();
        assert_eq!(decode("text/plain", b""), MultipartError::NotAForm);
        assert_eq!(decode("multipart/form-data", b""), MultipartError::NoBoundary);
        for body in [
            &b""[..],
            b"--x",
            b"--x\r\n",
            b"--x\r\nContent-Disposition: form-data\r\n\r\n\r\n--x--",
        ] {
            assert_eq!(
                decode("multipart/form-data; boundary=x", body),
                MultipartError::Malformed
            );
        }
        assert_eq!(
            Multipart::decode("multipart/form-data; boundary=x", b"--x--"),
            Ok(Multipart::default())
        );
    }
}
