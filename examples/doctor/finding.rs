//! What a check has found, and what a check is.

use std::fmt;

use serde_json::{Value, json};

use super::host::{Host, Part};

/// How bad a finding is. The highest one of all findings is the exit code of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Severity {
    /// Nothing is wrong now, but the host may surprise you.
    Note = 1,
    /// Some clients suffer, or will at the next change.
    Warning = 2,
    /// Clients of the named objects are not served.
    Error = 3,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

/// Something that bites on this host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    /// The name of the check. Empty until [`Check::run`] has filled it in.
    pub(crate) check: &'static str,
    pub(crate) severity: Severity,
    /// What is the matter, in one line.
    pub(crate) title: String,
    /// What the kernel does, and what clients see of it.
    pub(crate) reason: String,
    /// What was seen on this host.
    pub(crate) evidence: Vec<String>,
    /// What to do.
    pub(crate) fix: String,
    /// Where the rule is written down: documents and files of the kernel, or an RFC.
    pub(crate) source: &'static str,
}

impl Finding {
    pub(crate) fn new(severity: Severity, title: impl Into<String>) -> Self {
        Self {
            check: "",
            severity,
            title: title.into(),
            reason: String::new(),
            evidence: Vec::new(),
            fix: String::new(),
            source: "",
        }
    }

    pub(crate) fn reason(mut self, reason: impl Into<String>) -> Self {
        self.reason = reason.into();
        self
    }

    pub(crate) fn seen(mut self, evidence: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.evidence.extend(evidence.into_iter().map(Into::into));
        self
    }

    pub(crate) fn fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = fix.into();
        self
    }

    pub(crate) const fn source(mut self, source: &'static str) -> Self {
        self.source = source;
        self
    }

    pub(crate) fn json(&self) -> Value {
        json!({
            "check": self.check,
            "severity": self.severity.to_string(),
            "title": self.title,
            "reason": self.reason,
            "evidence": self.evidence,
            "fix": self.fix,
            "source": self.source,
        })
    }
}

/// A check: a name and a function that decides.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Check {
    pub(crate) name: &'static str,
    /// What the check looks for.
    pub(crate) about: &'static str,
    /// What the check decides on, beside the kernel, the interfaces and their addresses.
    pub(crate) needs: &'static [Part],
    pub(crate) look: fn(&Host) -> Vec<Finding>,
}

impl Check {
    /// Looks at a host. Finds nothing if a part that the check needs is hidden.
    pub(crate) fn run(&self, host: &Host) -> Vec<Finding> {
        if self.needs.iter().any(|part| host.is_hidden(*part)) {
            return Vec::new();
        }
        let mut findings = (self.look)(host);
        findings.iter_mut().for_each(|finding| finding.check = self.name);
        findings
    }
}
