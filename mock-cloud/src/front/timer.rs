//! Wakes the core when it wants to be woken.

use super::Host;
use hil_trace::Stamp;
use std::rc::Rc;

/// Runs until cancelled.
pub(crate) async fn wake_when_due(host: Rc<Host>) {
    let mut woken = Stamp::default();
    loop {
        let next = host.core.borrow().next_wake();
        let Some(next) = next else {
            host.asked.notified().await;
            continue;
        };
        // A core that stays due is woken once a millisecond, so that time goes on.
        let next = next.max(Stamp(woken.0 + 1000));
        tokio::select! {
            biased;
            () = host.edge.clock.sleep_until(next) => {
                woken = host.edge.clock.now();
                host.tell(|core, now, out| core.wake(now, out)).await;
            }
            () = host.asked.notified() => {}
        }
    }
}
