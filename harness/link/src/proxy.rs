//! A proxy between any two parties that speak over TCP: what goes through it passes the faults on connections.

use crate::{
    Address, Listener, Network, Stream,
    fault::{Place, Ways, pump},
    stream::Io,
};
use hil_fault::Faults;
use hil_trace::{Ending, Party, RecordBody, SharedRecorder};
use serde_json::{Map, json};
use std::{io, rc::Rc, time::Duration};

/// Accepts connections and carries each on to another address, on a local task set.
pub struct Proxy {
    network: Network,
    listener: Listener,
    target: Address,
    /// Who is behind the target.
    behind: Party,
    faults: Rc<Faults>,
    recorder: SharedRecorder,
}

impl Proxy {
    /// Listens; `behind` says who is at the target: the cloud, or the unit where the cloud connects to it.
    pub async fn listen(
        network: Network,
        at: &Address,
        target: Address,
        behind: Party,
        faults: Rc<Faults>,
        recorder: SharedRecorder,
    ) -> io::Result<Proxy> {
        let listener = network.listen(at).await?;
        Ok(Proxy {
            network,
            listener,
            target,
            behind,
            faults,
            recorder,
        })
    }

    /// Where it really listens.
    pub fn address(&self) -> io::Result<Address> {
        self.listener.address()
    }

    /// Carries connections until cancelled.
    pub async fn serve(mut self) {
        let mut connection = 0;
        loop {
            match self.listener.accept().await {
                Ok(stream) => {
                    connection += 1;
                    self.carry(connection, stream);
                }
                // Out of descriptors or the like: the next attempt may do better.
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        }
    }

    fn carry(&self, connection: u32, mut near: Stream) {
        let by = match self.behind {
            Party::Unit => Party::Cloud,
            _ => Party::Unit,
        };
        self.recorder.record(RecordBody::ConnectionOpened {
            connection,
            face: FACE.to_owned(),
            by,
        });
        let facts = Map::from_iter([("by".to_owned(), json!(by))]);
        let place = Rc::new(Place::new(self.faults.clone(), FACE, connection, facts));
        let (network, target) = (self.network.clone(), self.target.clone());
        let recorder = self.recorder.clone();
        tokio::task::spawn_local(async move {
            let ending = match network.connect(&target).await {
                Ok(far) => {
                    let handle = near.handle();
                    let (unit, cloud) = match by {
                        Party::Unit => (near, far),
                        _ => (far, near),
                    };
                    pump(Ways { unit, cloud }, place).await;
                    match handle.is_reset() {
                        true => Ending::Reset,
                        false => Ending::Fin,
                    }
                }
                // Whoever connected shall find nobody, as without the proxy.
                Err(_) => {
                    near.prepare_reset();
                    Ending::Broken
                }
            };
            recorder.record(RecordBody::ConnectionClosed {
                connection,
                ending,
                by: Party::Operator,
            });
        });
    }
}

/// What faults know every connection through a proxy by.
const FACE: &str = "proxy";
