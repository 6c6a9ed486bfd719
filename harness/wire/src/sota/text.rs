//! The text grammar of the console and socket gateways (reference section 1.5).

use super::{
    command::Command,
    credentials::{Authentication, ClientCredentials},
    dialect::{Dialect, NotExpressible},
    package::Package,
    result_code::ResultCode,
    update_report::UpdateReport,
};

/// Which keywords to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keywords {
    /// `GetUpdateRequests`.
    Long,
    /// `getreq`; the serde dialect has none of these.
    Short,
}

/// Why a text is rejected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// Not UTF-8.
    #[error("not UTF-8")]
    NotText,
    /// No word before the terminator.
    #[error("no command")]
    Empty,
    /// No such keyword; letter case counts. Its first characters.
    #[error("`{0}` is no command")]
    UnknownKeyword(String),
    /// Another number of arguments.
    #[error("{keyword} takes {expected}, not {found} argument(s)")]
    ArgumentCount {
        /// The keyword as written.
        keyword: String,
        /// What it takes.
        expected: &'static str,
        /// How many there are.
        found: usize,
    },
    /// Neither a number from 0 to 19 nor a name.
    #[error("`{0}` is no result code")]
    ResultCode(String),
    /// The serde dialect reads UUIDs only.
    #[error("`{0}` is no UUID")]
    UpdateId(String),
    /// The command exists and cannot be written as text.
    #[error("{0} cannot be written as text")]
    NotExpressible(String),
}

/// Parses a text command.
pub fn parse(input: &[u8], dialect: Dialect) -> Result<Command, TextError> {
    let text = std::str::from_utf8(input).map_err(|_| TextError::NotText)?;
    let words: Vec<&str> = match dialect {
        Dialect::Rustc => {
            let end = text.find(['\r', '\n', ';']).unwrap_or(text.len());
            text[..end]
                .split([' ', '\t'])
                .filter(|word| !word.is_empty())
                .collect()
        }
        Dialect::Serde => text.split_whitespace().collect(),
    };
    let (&keyword, arguments) = words.split_first().ok_or(TextError::Empty)?;
    let name = long_keyword(keyword, dialect).ok_or_else(|| {
        // Whatever is no keyword may be of any length.
        TextError::UnknownKeyword(keyword.chars().take(KEYWORD_SHOWN).collect())
    })?;
    let counted = |expected: &'static str| TextError::ArgumentCount {
        keyword: keyword.to_owned(),
        expected,
        found: arguments.len(),
    };
    Ok(match (name, arguments) {
        ("Authenticate", _) => Command::Authenticate(
            authentication(arguments, dialect).ok_or_else(|| counted("nothing or an id and a secret"))?,
        ),
        ("GetUpdateRequests", []) => Command::GetUpdateRequests,
        ("ListInstalledPackages", []) => Command::ListInstalledPackages,
        ("ListSystemInfo", []) => Command::ListSystemInfo,
        ("Shutdown", []) => Command::Shutdown,
        ("SendSystemInfo", []) => Command::SendSystemInfo,
        ("SendInstalledPackages", [_, _, ..]) if arguments.len() % 2 == 0 => {
            let pairs = arguments.chunks_exact(2);
            Command::SendInstalledPackages(pairs.map(|pair| Package::new(pair[0], pair[1])).collect())
        }
        ("SendInstalledPackages", _) => return Err(counted("pairs of name and version")),
        ("SendInstalledSoftware", _) => return Err(TextError::NotExpressible(keyword.to_owned())),
        ("SendUpdateReport" | "SendInstallReport", [id, code]) => {
            let code =
                ResultCode::from_word(code).ok_or_else(|| TextError::ResultCode((*code).to_owned()))?;
            Command::SendUpdateReport(UpdateReport::single(*id, code, ""))
        }
        ("SendUpdateReport" | "SendInstallReport", _) => {
            return Err(counted("an update id and a result code"));
        }
        ("StartDownload", [id]) => Command::StartDownload(update_id(id, dialect)?),
        ("StartInstall", [id]) => Command::StartInstall(update_id(id, dialect)?),
        ("StartDownload" | "StartInstall", _) => return Err(counted("an update id")),
        _ => return Err(counted("nothing")),
    })
}

/// Writes a command as text.
pub fn format(command: &Command, dialect: Dialect, keywords: Keywords) -> Result<String, NotExpressible> {
    let name = command.name(dialect);
    let keyword = match (keywords, dialect) {
        (Keywords::Short, Dialect::Rustc) => short_keyword(name),
        _ => name,
    };
    let not_text = || NotExpressible::Text { name };
    let words: Vec<&str> = match command {
        Command::Authenticate(authentication) => match (authentication, dialect) {
            (Authentication::None, Dialect::Rustc) => Vec::new(),
            (Authentication::None, Dialect::Serde) => vec!["none"],
            (Authentication::Certificate, Dialect::Serde) => vec!["cert"],
            (Authentication::Certificate, Dialect::Rustc) => return Err(not_text()),
            (Authentication::Credentials(pair), _) => vec![&pair.client_id, &pair.client_secret],
        },
        Command::StartDownload(id) | Command::StartInstall(id) => vec![id],
        Command::SendInstalledPackages(packages) if !packages.is_empty() => packages
            .iter()
            .flat_map(|package| [&package.name[..], &package.version[..]])
            .collect(),
        Command::SendUpdateReport(report) => match &report.operation_results[..] {
            [result] if result.id == report.update_id && result.result_text.is_empty() => {
                vec![&report.update_id, result.result_code.name()]
            }
            _ => return Err(not_text()),
        },
        Command::SendInstalledPackages(_) | Command::SendInstalledSoftware(_) => return Err(not_text()),
        _ => Vec::new(),
    };
    let mut text = keyword.to_owned();
    for word in words {
        if word.is_empty() || word.contains(|c: char| c.is_whitespace() || c == ';') {
            return Err(NotExpressible::Word {
                word: word.to_owned(),
            });
        }
        text.push(' ');
        text.push_str(word);
    }
    Ok(text)
}

fn authentication(arguments: &[&str], dialect: Dialect) -> Option<Authentication> {
    match (arguments, dialect) {
        ([], Dialect::Rustc) => Some(Authentication::None),
        (["none"], Dialect::Serde) => Some(Authentication::None),
        (["cert"], Dialect::Serde) => Some(Authentication::Certificate),
        ([id, secret], _) => Some(Authentication::Credentials(ClientCredentials {
            client_id: (*id).to_owned(),
            client_secret: (*secret).to_owned(),
        })),
        _ => None,
    }
}

fn update_id(word: &str, dialect: Dialect) -> Result<String, TextError> {
    if dialect == Dialect::Serde && uuid::Uuid::try_parse(word).is_err() {
        return Err(TextError::UpdateId(word.to_owned()));
    }
    Ok(word.to_owned())
}

fn long_keyword(keyword: &str, dialect: Dialect) -> Option<&'static str> {
    KEYWORDS.iter().find_map(|&(long, short)| {
        let matches = match dialect {
            Dialect::Rustc => (long == keyword && long != SERDE_REPORT) || short == Some(keyword),
            Dialect::Serde => long == keyword && long != RUSTC_REPORT,
        };
        matches.then_some(long)
    })
}

fn short_keyword(name: &'static str) -> &'static str {
    KEYWORDS
        .iter()
        .find(|(long, _)| *long == name)
        .and_then(|(_, short)| *short)
        .unwrap_or(name)
}

const RUSTC_REPORT: &str = "SendUpdateReport";
const SERDE_REPORT: &str = "SendInstallReport";

const KEYWORDS: &[(&str, Option<&str>)] = &[
    ("Authenticate", Some("auth")),
    ("GetUpdateRequests", Some("getreq")),
    ("ListInstalledPackages", Some("ls")),
    ("ListSystemInfo", Some("info")),
    ("Shutdown", Some("shutdown")),
    ("SendInstalledPackages", Some("sendpack")),
    ("SendInstalledSoftware", Some("sendinst")),
    ("SendSystemInfo", Some("sendinfo")),
    (RUSTC_REPORT, Some("sendup")),
    (SERDE_REPORT, None),
    ("StartDownload", Some("dl")),
    ("StartInstall", Some("inst")),
];

const KEYWORD_SHOWN: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_serde_dialect_has_its_own_words() {
        let parse = |text: &str| parse(text.as_bytes(), Dialect::Serde);
        assert_eq!(
            parse("Authenticate none"),
            Ok(Command::Authenticate(Authentication::None))
        );
        assert_eq!(
            parse("\nAuthenticate\ncert"),
            Ok(Command::Authenticate(Authentication::Certificate))
        );
        assert!(matches!(
            parse("Authenticate"),
            Err(TextError::ArgumentCount { .. })
        ));
        assert!(matches!(parse("getreq"), Err(TextError::UnknownKeyword(_))));
        assert!(matches!(
            parse("GetUpdateRequests;"),
            Err(TextError::UnknownKeyword(_))
        ));
        assert!(matches!(
            parse("SendUpdateReport u 0"),
            Err(TextError::UnknownKeyword(_))
        ));
        assert!(parse("SendInstallReport u 0").is_ok());
        assert_eq!(parse("StartDownload u"), Err(TextError::UpdateId("u".to_owned())));
    }

    #[test]
    fn a_keyword_ends_at_white_space() {
        assert_eq!(
            parse(b"dlx", Dialect::Rustc),
            Err(TextError::UnknownKeyword("dlx".to_owned()))
        );
        assert_eq!(parse(b"ls\xff", Dialect::Rustc), Err(TextError::NotText));
        assert_eq!(parse(b" ;ls", Dialect::Rustc), Err(TextError::Empty));
    }
}
