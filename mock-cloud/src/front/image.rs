//! Spoils images while they are served, whole or in part; what was told of them before stays.

use super::{Host, answer::without};
use hil_fault::ArtifactEffect;
use hil_wire::http::Response;

/// Whether the effect changes anything of this answer, or of its first bytes if only so many are `sent`.
pub(super) fn can_spoil(
    host: &Host,
    response: &Response,
    effect: &ArtifactEffect,
    sent: Option<u64>,
) -> bool {
    let leaves = |at: usize| sent.is_none_or(|sent| (at as u64) < sent);
    match effect {
        ArtifactEffect::Flip { byte } => flipped(response, *byte).is_some_and(leaves),
        ArtifactEffect::Truncate { bytes } => *bytes < place(response).1 as u64,
        ArtifactEffect::Swap { role } => host.artifact(role).is_some(),
        ArtifactEffect::Forge(_) => true,
    }
}

/// The answer with what the effect makes of its image.
pub(super) fn spoil(host: &Host, mut response: Response, effect: ArtifactEffect) -> Response {
    let (first, total) = place(&response);
    match effect {
        ArtifactEffect::Flip { byte } => {
            let at = flipped(&response, byte);
            if let Some(byte) = at.and_then(|at| response.body.get_mut(at)) {
                *byte ^= 1;
            }
            response
        }
        ArtifactEffect::Truncate { bytes } => {
            let left = usize::try_from(bytes).unwrap_or(usize::MAX).saturating_sub(first);
            response.body.truncate(left);
            whole(response)
        }
        ArtifactEffect::Swap { role } => {
            if let Some(artifact) = host.artifact(&role) {
                response.body = artifact.bytes.to_vec();
            }
            whole(response)
        }
        ArtifactEffect::Forge(forgery) => {
            response.body = forgery.make(total);
            whole(response)
        }
    }
}

/// Where the byte of the image that is flipped stands in the body, if it is there.
fn flipped(response: &Response, byte: i64) -> Option<usize> {
    let (first, total) = place(response);
    let at = if byte < 0 { total as i64 + byte } else { byte };
    let at = usize::try_from(at).ok()?.checked_sub(first)?;
    (at < response.body.len()).then_some(at)
}

/// Which byte of the image the body begins with, and how many bytes the image has.
fn place(response: &Response) -> (usize, usize) {
    let told = response.headers.get("Content-Range").and_then(|value| {
        let (range, total) = value.trim().strip_prefix("bytes ")?.split_once('/')?;
        let first = range.split('-').next()?.parse().ok()?;
        Some((first, total.parse().ok()?))
    });
    told.unwrap_or((0, response.body.len()))
}

/// The body is all there is: a whole answer, of the length it has.
fn whole(mut response: Response) -> Response {
    response.status = 200;
    without(&mut response.headers, "Content-Range");
    without(&mut response.headers, "Content-Length");
    response
}
