//! Taking nodes into the unit and out of it: the requests and responses of provisioning and deprovisioning
//! (reference sections 3.10 to 3.12 and 3.23 to 3.25).

use super::{
    certificate::CertificateType,
    error_info::ErrorInfo,
    identity::{Identity, IdentityRule},
    object::object,
    rule::{Rules, TextRule},
};

object! {
    /// The cloud starts to provision a node.
    #[derive(Default)]
    pub struct StartProvisioningRequest<S> {
        /// Echoed in the response.
        "correlationId" => required correlation_id: S = Rules::text(TextRule::NeededCorrelation);
        /// The node, by code name.
        "node" => required node: Identity<S> = Rules::identity(IdentityRule::CODENAME);
        /// Password, at most 64 characters.
        "password" => required password: S = Rules::most(64);
    }
}

object! {
    /// The unit answers with certificate requests of the node.
    #[derive(Default)]
    pub struct StartProvisioningResponse<S> {
        /// That of the request.
        "correlationId" => required correlation_id: S = Rules::text(TextRule::NeededCorrelation);
        /// The node, by code name.
        "node" => required node: Identity<S> = Rules::identity(IdentityRule::CODENAME);
        /// What went wrong.
        "errorInfo" => optional error_info: Option<ErrorInfo<S>>;
        /// One request per certificate type; may be empty after an error.
        "csrs" => required csrs: Vec<NodeCsr<S>>;
    }
}

object! {
    /// A certificate request of the node.
    pub struct NodeCsr<S> {
        /// What for.
        "type" => required kind: CertificateType;
        /// The request, PEM of PKCS#10.
        "csr" => required csr: S = Rules::text(TextRule::Pem(4096));
    }
}

object! {
    /// The cloud delivers the certificates of the node.
    #[derive(Default)]
    pub struct FinishProvisioningRequest<S> {
        /// Echoed in the response.
        "correlationId" => required correlation_id: S = Rules::text(TextRule::NeededCorrelation);
        /// The node, by code name.
        "node" => required node: Identity<S> = Rules::identity(IdentityRule::CODENAME);
        /// The certificates.
        "certificates" => required certificates: Vec<NodeCertificate<S>> = Rules::NONE.list(32);
        /// Password, at most 64 characters.
        "password" => required password: S = Rules::most(64);
    }
}

object! {
    /// A certificate of the node.
    pub struct NodeCertificate<S> {
        /// What for.
        "type" => required kind: CertificateType;
        /// The chain in PEM, leaf first.
        "chain" => required chain: S = Rules::text(TextRule::Pem(16_384));
    }
}

object! {
    /// The unit says whether provisioning worked.
    #[derive(Default)]
    pub struct FinishProvisioningResponse<S> {
        /// That of the request.
        "correlationId" => required correlation_id: S = Rules::text(TextRule::NeededCorrelation);
        /// The node, by code name.
        "node" => required node: Identity<S> = Rules::identity(IdentityRule::CODENAME);
        /// What went wrong.
        "errorInfo" => optional error_info: Option<ErrorInfo<S>>;
    }
}

object! {
    /// The cloud takes a node out of the unit.
    #[derive(Default)]
    pub struct DeprovisioningRequest<S> {
        /// Echoed in the response.
        "correlationId" => required correlation_id: S = Rules::text(TextRule::NeededCorrelation);
        /// The node, by code name.
        "node" => required node: Identity<S> = Rules::identity(IdentityRule::CODENAME);
        /// Password, at most 64 characters.
        "password" => required password: S = Rules::most(64);
    }
}

object! {
    /// The unit says whether that worked.
    #[derive(Default)]
    pub struct DeprovisioningResponse<S> {
        /// That of the request.
        "correlationId" => required correlation_id: S = Rules::text(TextRule::NeededCorrelation);
        /// The node, by code name.
        "node" => required node: Identity<S> = Rules::identity(IdentityRule::CODENAME);
        /// What went wrong.
        "errorInfo" => optional error_info: Option<ErrorInfo<S>>;
    }
}
