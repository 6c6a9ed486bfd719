//! Spoils images while they are served, whole or in part; what was told of them before stays.

use super::{Host, answer::without};
use hil_fault::ArtifactEffect;
use hil_wire::http::Response;

/// The answer with what the effect makes of its image.
pub(super) fn spoil(host: &Host, mut response: Response, effect: ArtifactEffect) -> Response {
    let (first, total) = place(&response);
    match effect {
        ArtifactEffect::Flip { byte } => {
            let at = if byte < 0 { total as i64 + byte } else { byte } - first as i64;
            let at = usize::try_from(at).ok();
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
