//! Moves bytes between the two sides of a connection, both ways, until it has ended.

use super::{end::End, lane::Lane, place::Place};
use crate::{Stream, StreamHandle, stream::Io};
use hil_fault::{Direction, Watcher};
use std::rc::Rc;

/// The two sides of a connection.
pub(crate) struct Ways {
    /// Towards the unit.
    pub(crate) unit: Stream,
    /// Towards the cloud.
    pub(crate) cloud: Stream,
}

/// Moves bytes until both ways have ended, or one of them broke or was broken.
pub(crate) async fn pump(ways: Ways, place: Rc<Place>) {
    let handles = [ways.unit.handle(), ways.cloud.handle()];
    let (from_unit, into_unit) = tokio::io::split(ways.unit);
    let (from_cloud, into_cloud) = tokio::io::split(ways.cloud);
    let lane = |direction, source, sink| Lane::new(place.clone(), &handles, direction, source, sink);
    let mut to_unit = lane(Direction::ToUnit, from_cloud, into_unit);
    let mut to_cloud = lane(Direction::ToCloud, from_unit, into_cloud);
    let changed = [to_unit.changed.clone(), to_cloud.changed.clone()];
    let watcher: Rc<Watcher> = Rc::new(move || changed.iter().for_each(|changed| changed.notify_one()));
    place.watch(&watcher);
    let end = both(&mut to_unit, &mut to_cloud).await;
    if end == End::Reset {
        handles.iter().for_each(StreamHandle::reset);
    }
    if matches!(end, End::Reset | End::Broken) {
        let mut sides = [
            to_unit.source.unsplit(to_cloud.sink),
            to_cloud.source.unsplit(to_unit.sink),
        ];
        sides.iter_mut().for_each(Io::prepare_reset);
    }
}

/// Runs both ways to the end of the connection.
async fn both(to_unit: &mut Lane, to_cloud: &mut Lane) -> End {
    let mut one = std::pin::pin!(to_unit.run());
    let mut other = std::pin::pin!(to_cloud.run());
    let (mut one_ended, mut other_ended) = (false, false);
    loop {
        let end = tokio::select! {
            biased;
            end = &mut one, if !one_ended => {
                one_ended = true;
                end
            }
            end = &mut other, if !other_ended => {
                other_ended = true;
                end
            }
        };
        if one_ended && other_ended || matches!(end, End::Cut | End::Reset | End::Broken) {
            return end;
        }
    }
}
