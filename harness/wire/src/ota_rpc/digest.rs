//! Digest authentication, RFC 2617 with MD5 or SHA-256, in HTTP headers and inside frames (section 2.6).

use super::error::{RpcError, code};
use md5::Md5;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use std::fmt::Write;

/// The hash in use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Algorithm {
    /// `MD5`, also meant when none is named.
    #[default]
    Md5,
    /// `SHA-256`.
    Sha256,
}

impl Algorithm {
    /// The name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Algorithm::Md5 => "MD5",
            Algorithm::Sha256 => "SHA-256",
        }
    }

    /// The algorithm of a name.
    pub fn from_name(name: &str) -> Option<Algorithm> {
        [Algorithm::Md5, Algorithm::Sha256]
            .into_iter()
            .find(|a| a.name().eq_ignore_ascii_case(name))
    }

    fn hash(self, text: &str) -> String {
        match self {
            Algorithm::Md5 => hex::encode(Md5::digest(text)),
            Algorithm::Sha256 => hex::encode(Sha256::digest(text)),
        }
    }
}

/// What the response is computed over: an HTTP request, or a frame with its fixed stand-ins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Context<'a> {
    /// Method and path of an HTTP request; the nonce is a hex Unix time.
    Http {
        /// HTTP method.
        method: &'a str,
        /// Path as requested.
        uri: &'a str,
    },
    /// A frame on any other channel; the nonce is a decimal Unix time.
    Frame,
}

impl Context<'_> {
    fn method_and_uri(&self) -> (&str, &str) {
        match self {
            Context::Http { method, uri } => (method, uri),
            Context::Frame => ("dummy_method", "dummy_uri"),
        }
    }

    fn nonce_text(&self, unix_seconds: u64) -> String {
        match self {
            Context::Http { .. } => format!("{unix_seconds:x}"),
            Context::Frame => unix_seconds.to_string(),
        }
    }

    fn nonce_seconds(&self, nonce: &str) -> Option<u64> {
        match self {
            Context::Http { .. } => u64::from_str_radix(nonce, 16).ok(),
            Context::Frame => nonce.parse().ok(),
        }
    }
}

/// The hash of user, realm and password, as an htdigest file keeps it.
pub fn user_hash(algorithm: Algorithm, user: &str, realm: &str, password: &str) -> String {
    algorithm.hash(&format!("{user}:{realm}:{password}"))
}

/// The hash of a user in htdigest text: lines of `user:realm:hash`.
pub fn htdigest_lookup<'a>(file: &'a str, user: &str, realm: &str) -> Option<&'a str> {
    file.lines().find_map(|line| {
        let mut fields = line.trim_end().splitn(3, ':');
        (fields.next()? == user && fields.next()? == realm).then(|| fields.next())?
    })
}

/// A unit's demand for credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// Realm; `RPC` by default.
    pub realm: String,
    /// Unix seconds the nonce stands for.
    pub nonce: u64,
    /// Hash to use.
    pub algorithm: Algorithm,
}

/// Why a challenge cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChallengeError {
    /// Not the digest scheme, or not JSON text in a frame.
    #[error("not a digest challenge")]
    NotDigest,
    /// Realm or nonce absent.
    #[error("realm or nonce is absent or unusable")]
    Incomplete,
    /// An algorithm other than the two.
    #[error("algorithm is neither MD5 nor SHA-256")]
    Algorithm,
}

impl Challenge {
    /// The value of `WWW-Authenticate`.
    pub fn to_header(&self) -> String {
        format!(
            r#"Digest qop="auth", realm="{}", nonce="{:x}", algorithm={}"#,
            self.realm,
            self.nonce,
            self.algorithm.name()
        )
    }

    /// Reads a value of `WWW-Authenticate`.
    pub fn from_header(value: &str) -> Result<Challenge, ChallengeError> {
        let parameters = digest_parameters(value).ok_or(ChallengeError::NotDigest)?;
        let nonce = find(&parameters, "nonce").and_then(|nonce| u64::from_str_radix(nonce, 16).ok());
        Challenge::assemble(find(&parameters, "realm"), nonce, find(&parameters, "algorithm"))
    }

    /// The error 401 whose message is the challenge as JSON text.
    pub fn to_error(&self) -> RpcError {
        let message = json!({
            "auth_type": "digest",
            "nonce": self.nonce,
            "nc": 1,
            "realm": self.realm,
            "algorithm": self.algorithm.name(),
        });
        RpcError::new(code::UNAUTHORIZED, message.to_string())
    }

    /// Reads the challenge out of an error 401.
    pub fn from_error(error: &RpcError) -> Result<Challenge, ChallengeError> {
        let text = error.message.as_deref().ok_or(ChallengeError::NotDigest)?;
        let message: Value = serde_json::from_str(text).map_err(|_| ChallengeError::NotDigest)?;
        if error.code != code::UNAUTHORIZED || message["auth_type"] != "digest" {
            return Err(ChallengeError::NotDigest);
        }
        Challenge::assemble(
            message["realm"].as_str(),
            message["nonce"].as_u64(),
            message["algorithm"].as_str(),
        )
    }

    /// Answers the challenge. `cnonce` is the caller's random number.
    pub fn answer(&self, user: &str, password: &str, cnonce: u64, context: Context<'_>) -> Credentials {
        let (nc, uri) = match context {
            Context::Http { uri, .. } => ("00000001", Some(uri.to_owned())),
            Context::Frame => ("1", None),
        };
        let mut credentials = Credentials {
            realm: self.realm.clone(),
            username: user.to_owned(),
            nonce: context.nonce_text(self.nonce),
            cnonce: cnonce.to_string(),
            algorithm: Some(self.algorithm.name().to_owned()),
            nc: nc.to_owned(),
            uri,
            response: String::new(),
        };
        let hash = user_hash(self.algorithm, user, &self.realm, password);
        credentials.response = credentials.expected_response(self.algorithm, &hash, context);
        credentials
    }

    fn assemble(
        realm: Option<&str>,
        nonce: Option<u64>,
        algorithm: Option<&str>,
    ) -> Result<Challenge, ChallengeError> {
        let (Some(realm), Some(nonce)) = (realm, nonce) else {
            return Err(ChallengeError::Incomplete);
        };
        Ok(Challenge {
            realm: realm.to_owned(),
            nonce,
            algorithm: match algorithm {
                None => Algorithm::Md5,
                Some(name) => Algorithm::from_name(name).ok_or(ChallengeError::Algorithm)?,
            },
        })
    }
}

/// A caller's credentials, from a header or from a frame's `auth`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// Realm.
    pub realm: String,
    /// User.
    pub username: String,
    /// Nonce as text: hex in HTTP, decimal in frames.
    pub nonce: String,
    /// The caller's nonce as text.
    pub cnonce: String,
    /// Algorithm by name; absent means MD5.
    pub algorithm: Option<String>,
    /// Nonce count; never checked, part of the hash.
    pub nc: String,
    /// Path, in HTTP only.
    pub uri: Option<String>,
    /// The response.
    pub response: String,
}

/// Why credentials are not accepted. [`Refusal::Incomplete`] is answered 400, the others 401.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// One of realm, username, nonce, cnonce and response is absent.
    #[error("realm, username, nonce, cnonce and response are all required")]
    Incomplete,
    /// Another realm.
    #[error("wrong realm")]
    Realm,
    /// Another algorithm.
    #[error("wrong algorithm")]
    Algorithm,
    /// The nonce is no time, older than an hour, or in the future.
    #[error("the nonce is stale, in the future or no time at all")]
    Nonce,
    /// The response does not fit: wrong password, method or path.
    #[error("wrong response")]
    Response,
}

/// What credentials are checked against.
#[derive(Clone, Copy, Debug)]
pub struct Expectation<'a> {
    /// Realm of the unit.
    pub realm: &'a str,
    /// Algorithm of the unit.
    pub algorithm: Algorithm,
    /// Hash of the user, see [`user_hash`].
    pub user_hash: &'a str,
    /// The unit's idea of the Unix time.
    pub now_seconds: u64,
    /// What the credentials came with.
    pub context: Context<'a>,
}

impl Credentials {
    /// Reads a frame's `auth`.
    pub fn from_auth(auth: &Value) -> Result<Credentials, Refusal> {
        let text = |name: &str| auth.get(name).and_then(as_text).ok_or(Refusal::Incomplete);
        Ok(Credentials {
            realm: text("realm")?,
            username: text("username")?,
            nonce: text("nonce")?,
            cnonce: text("cnonce")?,
            response: text("response")?,
            algorithm: auth.get("algorithm").and_then(as_text),
            nc: "1".to_owned(),
            uri: None,
        })
    }

    /// The value of a frame's `auth`; nonces that are decimal numbers are written as numbers.
    pub fn to_auth(&self) -> Value {
        let number_or_text = |text: &str| match text.parse::<u64>() {
            Ok(number) if number.to_string() == text => Value::from(number),
            _ => Value::from(text),
        };
        let mut map = Map::new();
        map.insert("realm".into(), self.realm.clone().into());
        map.insert("username".into(), self.username.clone().into());
        map.insert("nonce".into(), number_or_text(&self.nonce));
        map.insert("cnonce".into(), number_or_text(&self.cnonce));
        if let Some(algorithm) = &self.algorithm {
            map.insert("algorithm".into(), algorithm.clone().into());
        }
        map.insert("response".into(), self.response.clone().into());
        Value::Object(map)
    }

    /// Reads a value of `Authorization`. `None` if it is not the digest scheme.
    pub fn from_header(value: &str) -> Option<Result<Credentials, Refusal>> {
        let parameters = digest_parameters(value)?;
        let text = |name: &str| {
            find(&parameters, name)
                .map(str::to_owned)
                .ok_or(Refusal::Incomplete)
        };
        let read = || {
            Ok(Credentials {
                realm: text("realm")?,
                username: text("username")?,
                nonce: text("nonce")?,
                cnonce: text("cnonce")?,
                response: text("response")?,
                algorithm: text("algorithm").ok(),
                nc: text("nc").unwrap_or_default(),
                uri: text("uri").ok(),
            })
        };
        Some(read())
    }

    /// The value of `Authorization`.
    pub fn to_header(&self) -> String {
        let mut header = format!(r#"Digest username="{}", realm="{}""#, self.username, self.realm);
        // writing to a String cannot fail
        let _ = write!(header, r#", uri="{}""#, self.uri.as_deref().unwrap_or_default());
        let _ = write!(header, r#", nonce="{}""#, self.nonce);
        let _ = write!(header, r#", qop=auth, nc={}, cnonce="{}""#, self.nc, self.cnonce);
        if let Some(algorithm) = &self.algorithm {
            let _ = write!(header, ", algorithm={algorithm}");
        }
        let _ = write!(header, r#", response="{}""#, self.response);
        header
    }

    /// Checks the credentials: realm, algorithm, age of the nonce (an hour, not in the future), response.
    pub fn check(&self, expected: &Expectation<'_>) -> Result<(), Refusal> {
        if self.realm != expected.realm {
            return Err(Refusal::Realm);
        }
        let algorithm = match &self.algorithm {
            None => Some(Algorithm::Md5),
            Some(name) => Algorithm::from_name(name),
        };
        if algorithm != Some(expected.algorithm) {
            return Err(Refusal::Algorithm);
        }
        let issued = expected
            .context
            .nonce_seconds(&self.nonce)
            .ok_or(Refusal::Nonce)?;
        match expected.now_seconds.checked_sub(issued) {
            Some(age) if age <= NONCE_SECONDS => {}
            _ => return Err(Refusal::Nonce),
        }
        let right = self.expected_response(expected.algorithm, expected.user_hash, expected.context);
        if self.response.eq_ignore_ascii_case(&right) {
            Ok(())
        } else {
            Err(Refusal::Response)
        }
    }

    fn expected_response(&self, algorithm: Algorithm, user_hash: &str, context: Context<'_>) -> String {
        let (method, uri) = context.method_and_uri();
        let request_hash = algorithm.hash(&format!("{method}:{uri}"));
        algorithm.hash(&format!(
            "{user_hash}:{}:{}:{}:auth:{request_hash}",
            self.nonce, self.nc, self.cnonce
        ))
    }
}

/// How long a nonce is accepted, in seconds.
pub const NONCE_SECONDS: u64 = 3600;

fn as_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn find<'a>(parameters: &'a [(String, String)], name: &str) -> Option<&'a str> {
    parameters
        .iter()
        .find(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.as_str())
}

/// The parameters after the word `Digest`; `None` for another scheme.
fn digest_parameters(header: &str) -> Option<Vec<(String, String)>> {
    let header = header.trim();
    let scheme = header.get(..6)?;
    let mut rest = header.get(6..)?;
    if !scheme.eq_ignore_ascii_case("Digest") || !rest.starts_with([' ', '\t']) {
        return None;
    }
    let mut parameters = Vec::new();
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        let Some((key, after)) = rest.split_once('=') else {
            return Some(parameters);
        };
        let (value, after) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
            None => after.split_at(after.find(',').unwrap_or(after.len())),
        };
        parameters.push((key.trim().to_owned(), value.trim().to_owned()));
        rest = after;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHALLENGE: Challenge = Challenge {
        realm: String::new(),
        nonce: 1_714_521_600,
        algorithm: Algorithm::Md5,
    };

    fn challenge(algorithm: Algorithm) -> Challenge {
        Challenge {
            realm: "RPC".into(),
            algorithm,
            ..CHALLENGE
        }
    }

    #[test]
    fn challenges_read_back() {
        for algorithm in [Algorithm::Md5, Algorithm::Sha256] {
            let challenge = challenge(algorithm);
            assert_eq!(
                Challenge::from_header(&challenge.to_header()),
                Ok(challenge.clone())
            );
            assert_eq!(Challenge::from_error(&challenge.to_error()), Ok(challenge));
        }
        assert_eq!(
            Challenge::from_header("Basic realm=\"RPC\""),
            Err(ChallengeError::NotDigest)
        );
        assert_eq!(
            Challenge::from_header("Digest realm=\"RPC\""),
            Err(ChallengeError::Incomplete)
        );
    }

    #[test]
    fn each_part_of_the_check_refuses() {
        let context = Context::Http {
            method: "POST",
            uri: "/rpc",
        };
        let hash = user_hash(Algorithm::Md5, "admin", "RPC", "secret");
        let good = challenge(Algorithm::Md5).answer("admin", "secret", 7, context);
        let read = Credentials::from_header(&good.to_header()).unwrap().unwrap();
        assert_eq!(read, good);
        let expected = |now_seconds, realm| Expectation {
            realm,
            algorithm: Algorithm::Md5,
            user_hash: &hash,
            now_seconds,
            context,
        };
        assert_eq!(good.check(&expected(1_714_521_600, "RPC")), Ok(()));
        assert_eq!(good.check(&expected(1_714_525_200, "RPC")), Ok(()));
        assert_eq!(good.check(&expected(1_714_525_201, "RPC")), Err(Refusal::Nonce));
        assert_eq!(good.check(&expected(1_714_521_599, "RPC")), Err(Refusal::Nonce));
        assert_eq!(good.check(&expected(1_714_521_600, "x")), Err(Refusal::Realm));
        let wrong = challenge(Algorithm::Md5).answer("admin", "wrong", 7, context);
        assert_eq!(
            wrong.check(&expected(1_714_521_600, "RPC")),
            Err(Refusal::Response)
        );
        let other = challenge(Algorithm::Sha256).answer("admin", "secret", 7, context);
        assert_eq!(
            other.check(&expected(1_714_521_600, "RPC")),
            Err(Refusal::Algorithm)
        );
        assert_eq!(
            Credentials::from_auth(&json!({"realm": "RPC", "username": "admin"})),
            Err(Refusal::Incomplete)
        );
    }

    #[test]
    fn htdigest_files_are_searched() {
        let file = "a:RPC:11\nadmin:other:22\nadmin:RPC:33\n";
        assert_eq!(htdigest_lookup(file, "admin", "RPC"), Some("33"));
        assert_eq!(htdigest_lookup(file, "b", "RPC"), None);
    }
}
