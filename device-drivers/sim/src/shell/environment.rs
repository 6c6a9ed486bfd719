//! What the shell's tasks need of the bench.

use crate::Setup;
use hil_link::{Address, Clock, Network};
use hil_trace::SharedRecorder;
use std::{collections::BTreeMap, rc::Rc};

/// Clock, network and settings; clones are the same.
#[derive(Clone)]
pub(crate) struct Environment {
    /// The bench's clock.
    pub(crate) clock: Clock,
    /// The bench's network.
    pub(crate) network: Network,
    /// Where the name server of the lab leaves what it was asked.
    pub(crate) recorder: SharedRecorder,
    /// What the unit was given.
    pub(crate) setup: Rc<Setup>,
    /// Where the unit listens, by face.
    pub(crate) faces: Rc<BTreeMap<String, Address>>,
}
