//! The form of errors for status pages and logs.

use serde::ser::{Serialize, SerializeStruct, Serializer};

use crate::error::{Certainty, Error, ErrorKind};

/// As its [name](ErrorKind::name): `"no-such-service"`.
#[cfg_attr(docsrs, doc(cfg(feature = "serde")))]
impl Serialize for ErrorKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// As its [name](Certainty::name): `"refused"`.
#[cfg_attr(docsrs, doc(cfg(feature = "serde")))]
impl Serialize for Certainty {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// As a mapping with the keys `kind`, `operation`, `object`, `certainty`, `errno` and `text`.
/// `text` is the output of `Display`. What the error does not have is null.
#[cfg_attr(docsrs, doc(cfg(feature = "serde")))]
impl Serialize for Error {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut mapping = serializer.serialize_struct("Error", 6)?;
        mapping.serialize_field("kind", &self.kind())?;
        mapping.serialize_field("operation", &self.operation())?;
        mapping.serialize_field("object", &self.object())?;
        mapping.serialize_field("certainty", &self.certainty())?;
        mapping.serialize_field("errno", &self.errno())?;
        mapping.serialize_field("text", &self.to_string())?;
        mapping.end()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::error::Context;
    use crate::model::{Object, Operation, ServiceId};

    #[test]
    fn an_error_says_all_that_a_log_wants() {
        let service = ServiceId::tcp("192.0.2.10:80".parse().unwrap());
        let context = Context::about(Operation::AddService, Object::Service(service));
        let error = Error::refused(context, ErrorKind::ServiceExists, 17, None);
        let expected = json!({
            "kind": "service-exists",
            "operation": "add service",
            "object": "TCP 192.0.2.10:80",
            "certainty": "refused",
            "errno": 17,
            "text": error.to_string(),
        });
        assert_eq!(serde_json::to_value(&error).unwrap(), expected);

        let read = Error::for_test(ErrorKind::DeadlineExceeded, Operation::ReadServices);
        let read = serde_json::to_value(&read).unwrap();
        assert!(read["object"].is_null() && read["certainty"].is_null() && read["errno"].is_null());
    }
}
