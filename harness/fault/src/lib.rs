//! The one fault vocabulary: which message a fault waits for, when it triggers, what it does. Scenarios, the command
//! line and the admin interface all speak it; the mock cloud, the link and the runner act on it.

mod arguments;
mod artifact;
mod board;
mod effect;
mod faults;
mod forgery;
mod line;
mod spec;

pub use artifact::{Artifact, Artifacts};
pub use board::{FaultId, LiveFault, Struck};
pub use effect::{
    Alteration, AnswerPart, ArtifactEffect, BadJson, ClientRefusal, CloudEffect, ConnectionEffect, Direction,
    Directions, Effect, ExchangeEffect, Framing, HandshakeEffect, KeyState, LineEffect, Malformation,
    MessageEffect, MessagePart, MessagePlaces, NoiseKind, ResetPoint, ServerCertificate, ServerVersion, Site,
    UnitEffect, WrongPlace, stimulus_of,
};
pub use faults::{FaultGuard, Faults, Watcher};
pub use forgery::Forgery;
pub use line::LinePart;
pub use spec::{FaultError, FaultSpec};
