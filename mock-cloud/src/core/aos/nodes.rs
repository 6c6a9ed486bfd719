//! What the unit said of its nodes: whom requests go to that name no node, and the architecture items are made for.

use super::{ActError, AosCloud};
use hil_wire::aos::{NodeReport, UnitStatus};

/// The nodes of the unit, as far as it reported them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Nodes {
    main: Option<String>,
    other: Option<String>,
    architecture: Option<String>,
}

impl Nodes {
    /// Takes in a report; what it does not mention stays as it was.
    pub(super) fn learn(&mut self, status: &UnitStatus) {
        let Some(nodes) = status.nodes.as_deref().filter(|nodes| !nodes.is_empty()) else {
            return;
        };
        let whole = !status.is_delta_info;
        let main = nodes.iter().find(|node| is_main(node));
        let main = main.or_else(|| nodes.first().filter(|_| whole));
        if let Some(node) = main {
            self.main = Some(node.identity.name().to_owned());
            self.architecture = architecture(node).or(self.architecture.take());
        }
        let named = |node: &&NodeReport| Some(node.identity.name()) != self.main.as_deref();
        if let Some(node) = nodes.iter().find(named).filter(|_| whole) {
            self.other = Some(node.identity.name().to_owned());
        }
    }

    /// Code name of the main node.
    pub(super) fn main(&self) -> &str {
        self.main.as_deref().unwrap_or(MAIN_NODE)
    }

    /// What items are built for.
    pub(super) fn architecture(&self) -> &str {
        self.architecture.as_deref().unwrap_or(ARCHITECTURE)
    }
}

impl AosCloud {
    /// Code name of a node besides the main one.
    ///
    /// # Errors
    /// The unit reported none.
    pub(super) fn other_node(&self) -> Result<String, ActError> {
        let unknown = || ActError::NotNow("the unit has reported no node besides its main one".to_owned());
        self.nodes.other.clone().ok_or_else(unknown)
    }
}

fn is_main(node: &NodeReport) -> bool {
    let attributes = node.attributes.as_ref();
    let said = attributes.and_then(|attributes| attributes.get("MainNode"));
    said.is_some_and(|said| !matches!(said.to_ascii_lowercase().as_str(), "false" | "0" | "no"))
}

fn architecture(node: &NodeReport) -> Option<String> {
    let runtime = node.runtimes.iter().flatten().map(|runtime| &runtime.arch_info);
    let processor = node.cpus.iter().flatten().map(|cpu| &cpu.arch_info);
    let found = runtime.chain(processor).next();
    found.map(|found| found.architecture.clone())
}

/// Code name of the main node of a unit that has not reported any.
const MAIN_NODE: &str = "main-node";
/// What items are built for if the unit has not said what it is.
const ARCHITECTURE: &str = "arm64";
