//! Certificates of nodes: `issueUnitCertificates`, `issuedUnitCertificates`,
//! `installUnitCertificatesConfirmation` and `renewCertificatesNotification` (reference sections 3.8, 3.9,
//! 3.14 and 3.22).

use super::{
    error_info::ErrorInfo,
    identity::{Identity, IdentityRule},
    object::{names, object},
    report::{Context, Fault},
    rule::{NumberRule, Rules, TextRule},
    text::Text,
};
use crate::oddity::OddityKind;

names! {
    /// What a certificate is for (reference section 3.0).
    pub enum CertificateType {
        /// Opens what is encrypted for the unit.
        Offline = "offline",
        /// Identifies the unit to the cloud.
        Online = "online",
        /// Service manager.
        ServiceManager = "sm",
        /// Communication manager.
        CommunicationManager = "cm",
        /// Identity and access manager.
        IdentityManager = "iam",
    }
    publisher {
        /// Update manager.
        UpdateManager = "um",
        /// A device of the host.
        HostDevice = "host-device",
        /// A device elsewhere.
        RemoteDevice = "remote-device",
        /// Another cloud.
        AzureIot = "azure-iot",
    }
}

object! {
    /// The unit asks for certificates.
    #[derive(Default)]
    pub struct IssueUnitCertificates<S> {
        /// Unusual here; allowed in every message.
        "correlationId" => optional correlation_id: Option<S> = Rules::text(TextRule::Correlation);
        /// The requests.
        "requests" => required requests: Vec<CertificateRequest<S>>;
    }
}

object! {
    /// A request for one certificate.
    pub struct CertificateRequest<S> {
        /// What for.
        "type" => required kind: CertificateType;
        /// For which node, by code name.
        "node" => required node: Identity<S> = Rules::identity(IdentityRule::CODENAME);
        /// The request, PEM of PKCS#10.
        "csr" => required csr: S = Rules::text(TextRule::Pem(4096));
    }
}

object! {
    /// The cloud delivers certificates.
    #[derive(Default)]
    pub struct IssuedUnitCertificates<S> {
        /// Unusual here; allowed in every message.
        "correlationId" => optional correlation_id: Option<S> = Rules::text(TextRule::Correlation);
        /// The certificates.
        "certificates" => required certificates: Vec<IssuedCertificate<S>> = Rules::NONE.list(32);
    }
}

object! {
    /// One delivered certificate.
    pub struct IssuedCertificate<S> {
        /// What for.
        "type" => required kind: CertificateType;
        /// For which node, by code name.
        "node" => required node: Identity<S> = Rules::identity(IdentityRule::CODENAME);
        /// The chain in PEM, leaf first.
        "certificateChain" => required certificate_chain: S = Rules::text(TextRule::Pem(16_384));
    }
}

object! {
    /// The unit says which certificates it installed.
    #[derive(Default)]
    pub struct InstallUnitCertificatesConfirmation<S> {
        /// Unusual here; allowed in every message.
        "correlationId" => optional correlation_id: Option<S> = Rules::text(TextRule::Correlation);
        /// One entry per delivered certificate, in order of installation.
        "certificates" => required certificates: Vec<InstalledCertificate<S>> = Rules::NONE.list(32);
    }
}

object! {
    /// What became of one certificate.
    pub struct InstalledCertificate<S> {
        /// What for.
        "type" => required kind: CertificateType;
        /// On which node, by code name.
        "node" => required node: Identity<S> = Rules::identity(IdentityRule::CODENAME);
        /// Serial number in hex; empty if it was not installed.
        "serial" => required serial: S = Rules::text(TextRule::Serial);
        /// Why it was not installed.
        "errorInfo" => optional error_info: Option<ErrorInfo<S>>;
    }
}

object! {
    /// Certificates need renewal. In the seed dialect the unit says so, in the publisher dialect the cloud,
    /// together with the secrets of the nodes.
    #[derive(Default)]
    pub struct RenewCertificatesNotification<S> {
        /// Unusual here; allowed in every message.
        "correlationId" => optional correlation_id: Option<S> = Rules::text(TextRule::Correlation);
        /// Which ones.
        "certificates" => required certificates: Vec<ExpiringCertificate<S>> = Rules::NONE.list(32);
        /// Secrets of the nodes; only from the cloud.
        "unitSecrets" => optional unit_secrets: Option<UnitSecrets<S>>;
    }
    cross secrets_come_from_the_cloud;
    settle settle_secrets;
}

object! {
    /// A certificate that needs renewal.
    pub struct ExpiringCertificate<S> {
        /// What for.
        "type" => required kind: CertificateType;
        /// On which node, by code name.
        "node" => required node: Identity<S> = Rules::identity(IdentityRule::CODENAME);
        /// Serial number in hex.
        "serial" => optional serial: Option<S> = Rules::text(TextRule::Serial);
        /// When it ends.
        "validTill" => optional valid_till: Option<S> = Rules::text(TextRule::Timestamp);
    }
}

object! {
    /// The secrets of the nodes.
    pub struct UnitSecrets<S> {
        /// Version of this object, 7.
        "version" => required version: i64 = Rules::number(NumberRule::SecretsVersion);
        /// By node.
        "nodes" => required nodes: Vec<NodeSecret<S>> = Rules::NONE.list(16).or_single();
    }
}

object! {
    /// The secret of one node.
    pub struct NodeSecret<S> {
        /// The node, by code name.
        "node" => required node: Identity<S> = Rules::identity(IdentityRule::CODENAME);
        /// Its secret, at most 64 characters.
        "secret" => required secret: S = Rules::most(64);
    }
}

fn secrets_come_from_the_cloud<S: Text>(
    notification: &RenewCertificatesNotification<S>,
    _rules: &Rules,
    context: Context,
    tell: &mut dyn FnMut(&'static str, Fault),
) {
    match (context.is_from_cloud(), &notification.unit_secrets) {
        (true, None) => tell(
            "unitSecrets",
            Fault::invalid(OddityKind::MissingMember, "the cloud sends the secrets along"),
        ),
        (false, Some(_)) => tell(
            "unitSecrets",
            Fault::tolerable(OddityKind::Surplus, "a unit does not send secrets"),
        ),
        _ => {}
    }
}

#[cfg(any(test, feature = "strategies"))]
fn settle_secrets<S: Text + super::draw::Draw>(
    notification: &mut RenewCertificatesNotification<S>,
    _rules: &Rules,
    context: Context,
    tape: &mut super::draw::Tape<'_>,
) {
    use super::draw::Draw;
    notification.unit_secrets = context
        .is_from_cloud()
        .then(|| UnitSecrets::draw(tape, &Rules::NONE, context));
}
