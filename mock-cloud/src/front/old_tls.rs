//! A server that speaks TLS 1.0 or 1.1 only, as canned bytes (RFC 2246, RFC 4346): it answers a client hello with
//! a server hello of that version, and shows how the client takes it.

use hil_link::{Clock, Stream};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Plays the server to its end, the client's hello being read; returns how the client took it.
pub(super) async fn play(clock: &Clock, stream: &mut Stream, minor: u8) -> String {
    let version = format!("TLS 1.{}", minor.saturating_sub(1));
    let begun = clock.now();
    let played = tokio::select! {
        biased;
        played = converse(stream, minor) => played,
        () = clock.sleep(LIMIT) => Ok(None),
    };
    match played {
        Ok(Some([ALERT, _, _, _, _, level, code])) => {
            format!("the peer refused {version}: alert {code}, level {level}")
        }
        Ok(Some(_)) => format!("the peer went on with {version}"),
        Ok(None) => format!("the peer took {version} and waited for more"),
        Err(_) if clock.now().since(begun) >= PROMPT => {
            format!("the peer took {version}, waited for more and closed")
        }
        Err(error) => format!("the peer refused {version}: it closed, {error}"),
    }
}

/// The first bytes after the server's hello.
type Record = [u8; 7];

/// Sends the server's hello, and returns the first bytes of what comes then.
async fn converse(stream: &mut Stream, minor: u8) -> std::io::Result<Option<Record>> {
    stream.write_all(&server_hello(minor)).await?;
    stream.flush().await?;
    let mut answer = [0; 7];
    stream.read_exact(&mut answer).await?;
    Ok(Some(answer))
}

/// A server hello with TLS_RSA_WITH_AES_128_CBC_SHA, no session, no extensions.
fn server_hello(minor: u8) -> Vec<u8> {
    let mut body = vec![3, minor];
    body.extend([0x5a; 32]);
    body.extend([0, 0x00, 0x2f, 0]);
    let mut record = vec![HANDSHAKE, 3, minor, 0, body.len() as u8 + 4];
    record.extend([SERVER_HELLO, 0, 0, body.len() as u8]);
    record.extend(body);
    record
}

const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;
const SERVER_HELLO: u8 = 2;
/// Who does not like a server hello says so, or closes, sooner than this.
const PROMPT: Duration = Duration::from_secs(2);
const LIMIT: Duration = Duration::from_secs(10);
