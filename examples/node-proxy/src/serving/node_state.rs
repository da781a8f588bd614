//! Whether the own node is to get traffic from load balancers.

use ipvs_netlink::kubernetes::{Event, Node};

use crate::cluster::{Notice, Source};

/// What is known of the own Node object.
#[derive(Clone, Debug, Default)]
pub(crate) struct NodeState {
    node: Option<Node>,
    /// The object was there, and is not any more.
    is_gone: bool,
    /// The list that comes in has the object.
    is_listed: bool,
}

impl NodeState {
    /// Takes in what a watch tells.
    pub(crate) fn take(&mut self, source: Source, notice: &Notice) {
        if source != Source::Node {
            return;
        }
        match notice {
            Notice::Begun => self.is_listed = false,
            Notice::Listed(event) | Notice::Changed(event) => self.event(event),
            Notice::Complete => self.is_gone = self.node.is_some() && !self.is_listed,
            Notice::Watching | Notice::Failed(_) => {}
        }
    }

    fn event(&mut self, event: &Event) {
        match event {
            Event::Node(node) => {
                self.node = Some(node.clone());
                (self.is_gone, self.is_listed) = (false, true);
            }
            Event::NodeDeleted(_) => self.is_gone = true,
            _ => {}
        }
    }

    /// Returns the object as it was last.
    pub(crate) const fn node(&self) -> Option<&Node> {
        self.node.as_ref()
    }

    /// Returns `false` if the node [leaves](Node::is_leaving) or is gone. A node that was never seen is eligible.
    ///
    /// Source: `pkg/proxy/healthcheck/proxy_health.go:NodeEligible`.
    pub(crate) fn is_eligible(&self) -> bool {
        !self.is_gone && !self.node.as_ref().is_some_and(Node::is_leaving)
    }
}

#[cfg(test)]
mod tests {
    use ipvs_netlink::kubernetes::Taint;

    use super::*;

    fn listed(state: &mut NodeState, nodes: impl IntoIterator<Item = Node>) {
        state.take(Source::Node, &Notice::Begun);
        for node in nodes {
            state.take(Source::Node, &Notice::Listed(Box::new(Event::Node(node))));
        }
        state.take(Source::Node, &Notice::Complete);
    }

    fn changed(state: &mut NodeState, event: Event) {
        state.take(Source::Node, &Notice::Changed(Box::new(event)));
    }

    #[test]
    fn a_node_that_leaves_is_not_eligible() {
        let mut state = NodeState::default();
        assert!(state.is_eligible());
        listed(&mut state, [Node::new("a")]);
        assert!(state.is_eligible());

        let mut node = Node::new("a");
        node.spec.taints.push(Taint::new("node.kubernetes.io/unschedulable"));
        changed(&mut state, Event::Node(node.clone()));
        assert!(state.is_eligible());
        node.spec.taints.push(Taint::new("ToBeDeletedByClusterAutoscaler"));
        changed(&mut state, Event::Node(node));
        assert!(!state.is_eligible());
        changed(&mut state, Event::Node(Node::new("a")));
        assert!(state.is_eligible());

        let mut node = Node::new("a");
        node.metadata.deletion_timestamp = "2026-11-29T00:00:00Z".into();
        changed(&mut state, Event::Node(node));
        assert!(!state.is_eligible());
    }

    #[test]
    fn a_node_that_is_gone_is_not_eligible() {
        let mut state = NodeState::default();
        // It was never there.
        listed(&mut state, []);
        assert!(state.is_eligible());
        listed(&mut state, [Node::new("a")]);
        changed(&mut state, Event::NodeDeleted("a".into()));
        assert!(!state.is_eligible());
        listed(&mut state, [Node::new("a")]);
        assert!(state.is_eligible());
        listed(&mut state, []);
        assert!(!state.is_eligible());
        assert_eq!(state.node(), Some(&Node::new("a")));
    }
}
