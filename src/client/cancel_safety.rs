/// What the documentation of an async method says of dropping its future, by the kind of
/// operation. The first word is there so that it is only said where methods are async.
macro_rules! cancel_safety {
    (async connects) => {
        "\n# Cancel safety\n\nDropping the future closes what it has opened."
    };
    (async reads) => {
        "\n# Cancel safety\n\nDropping the future leaves the client usable; what comes late \
         for it is thrown away."
    };
    (async writes) => {
        "\n# Cancel safety\n\nDropped before its first poll, the future has sent nothing. \
         Dropped later, the kernel has executed the change or refused it, and only the answer \
         is lost; but where a stream was given up before, the future first reads what is left \
         of that, and has sent nothing until then. The client stays usable."
    };
    (async modifies) => {
        "\n# Cancel safety\n\nWhat was dropped has written all of the new settings or none \
         of them. The client stays usable."
    };
    (async submits) => {
        "\n# Cancel safety\n\nThe chunks that were sent have been executed, in order; the \
         others have not, and which outcomes there were is lost. The client stays usable."
    };
    (async drains) => {
        "\n# Cancel safety\n\nOnce it was polled, the destination has weight 0 or is deleted; \
         the weight that it had is lost with the future, so read it before, or end the waiting \
         through an observer. Draining again goes on. The client stays usable."
    };
    (async plans) => {
        "\n# Cancel safety\n\nThe steps that were sent have been executed; what drains has \
         weight 0. A new plan goes on from there. The client stays usable."
    };
}
pub(crate) use cancel_safety;
