//! Makes the effects of faults on the cloud, through its handle.

use super::fuse::Fuse;
use hil_fault::CloudEffect;
use hil_mock_cloud::{CloudError, MockCloud};
use hil_trace::{Blame, RecordBody};
use tokio::sync::oneshot;

/// Makes an effect; tells `begun` once the first of it is done. A cloud that does not come back is trouble.
pub(super) async fn make(
    fuse: &Fuse,
    cloud: &MockCloud,
    effect: CloudEffect,
    begun: Option<oneshot::Sender<()>>,
) {
    if let Err(error) = try_make(fuse, cloud, effect, begun).await {
        fuse.stage.record(RecordBody::Trouble {
            blame: Blame::Lab,
            text: error.to_string(),
        });
    }
}

async fn try_make(
    fuse: &Fuse,
    cloud: &MockCloud,
    effect: CloudEffect,
    begun: Option<oneshot::Sender<()>>,
) -> Result<(), CloudError> {
    if fuse.faults.act(fuse.id, fuse.facts.clone()).is_none() {
        return Ok(());
    }
    match effect {
        CloudEffect::Restart { kept, down } => {
            cloud.go_away().await;
            tell(begun);
            fuse.stage.clock().sleep(down).await;
            cloud.come_back(kept).await
        }
        CloudEffect::OtherInstance { span } => {
            cloud.go_away().await;
            let own = cloud.replace_store();
            cloud.come_back(true).await?;
            tell(begun);
            fuse.stage.clock().sleep(span).await;
            cloud.go_away().await;
            cloud.put_store_back(own);
            cloud.come_back(true).await
        }
    }
}

fn tell(begun: Option<oneshot::Sender<()>>) {
    if let Some(begun) = begun {
        // Nobody has to wait for it.
        let _ = begun.send(());
    }
}
