//! AosEdge unit-to-cloud protocol, version 7: envelopes, the 26 message types, service discovery and their
//! codec. "Reference" in this module means the factual reference of the protocol.

mod acknowledgement;
mod alert;
mod attributes;
mod blob;
mod certificate;
mod decode;
mod desired_status;
mod direction;
mod discovery;
#[cfg(any(test, feature = "strategies"))]
mod draw;
mod envelope;
mod environment;
mod error_info;
mod identity;
mod log;
mod message;
mod monitoring;
mod node;
mod object;
mod part;
#[cfg(test)]
mod properties;
mod provisioning;
mod report;
mod rule;
mod shape;
mod state;
#[cfg(any(test, feature = "strategies"))]
pub mod strategies;
mod text;
mod unit_config;
mod unit_status;

pub use acknowledgement::{Ack, Nack};
pub use alert::{Alert, AlertTag, Alerts, CoreComponent, DownloadState};
pub use attributes::Attributes;
pub use blob::{BlobInfo, BlobUrls, DecryptInfo, RequestBlobUrls, SignInfo};
pub use certificate::{
    CertificateRequest, CertificateType, ExpiringCertificate, InstallUnitCertificatesConfirmation,
    InstalledCertificate, IssueUnitCertificates, IssuedCertificate, IssuedUnitCertificates, NodeSecret,
    RenewCertificatesNotification, UnitSecrets,
};
pub use decode::{FastPathError, decode, decode_fast, encode};
pub use desired_status::{
    CertificateChain, DesiredInstances, DesiredItem, DesiredNode, DesiredNodeState, DesiredStatus,
    DesiredSubject, SignerCertificate, SubjectType,
};
pub use direction::{Dialect, Direction, direction_allowed};
pub use discovery::{
    DiscoveryCode, DiscoveryRequest, DiscoveryResponse, decode_discovery_request, decode_discovery_response,
};
pub use envelope::{Envelope, EnvelopeRef, Header, PROTOCOL_VERSION};
pub use environment::{EnvVar, EnvVarStatus, EnvVarsEntry, OverrideEnvVars, OverrideEnvVarsStatus};
pub use error_info::{AosCode, ErrorInfo};
pub use identity::{Identity, IdentityType};
pub use log::{LogFilter, LogStatus, LogType, PushLog, RequestLog, UploadOptions, UploadType};
pub use message::{Message, MessageType, Unreadable};
pub use monitoring::{
    InstanceMonitoring, InstanceStateChange, MonitoringData, NodeMonitoring, NodeStateChange, PartitionUsage,
    Sample,
};
pub use node::{ArchInfo, CpuInfo, NodeReport, NodeState, OsInfo, PartitionInfo, ResourceInfo, RuntimeInfo};
pub use provisioning::{
    DeprovisioningRequest, DeprovisioningResponse, FinishProvisioningRequest, FinishProvisioningResponse,
    NodeCertificate, NodeCsr, StartProvisioningRequest, StartProvisioningResponse,
};
pub use shape::{is_correlation_id, is_uuid_v4_lower};
pub use state::{NewState, StateAcceptance, StateRequest, StateResult, UpdateState, state_checksum};
pub use text::{BorrowedText, Text};
pub use unit_config::{
    AlertRule, AlertRules, NodeConfig, PartitionAlertRule, ResourceRatios, TrafficAlertRule, UnitConfig,
};
pub use unit_status::{
    InstanceState, InstanceStatus, InstancesStatus, ItemState, ItemStatus, UnitConfigState, UnitConfigStatus,
    UnitStatus,
};
