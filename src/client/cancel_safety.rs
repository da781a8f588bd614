/// What the documentation of an async method says of dropping its future, by the kind of
/// operation. The first word is there so that it is only said where methods are async.
macro_rules! cancel_safety {
    (async connects) => {
        "\n# Cancel safety\n\nDropping the future closes the sockets that it has opened."
    };
    (async reads) => {
        "\n# Cancel safety\n\nDropping the future leaves the client usable. The client discards \
         answers that arrive late."
    };
    (async writes) => {
        "\n# Cancel safety\n\nA future that is dropped before its first poll has sent nothing. \
         If it is dropped later, the kernel has executed or refused the change, and only the \
         answer is lost. Exception: if a stream of this client was dropped before its end, the \
         future first reads the rest of the stream, and sends nothing until then. The client \
         stays usable."
    };
    (async modifies) => {
        "\n# Cancel safety\n\nA dropped future has written all of the new settings or none \
         of them. The client stays usable."
    };
    (async submits) => {
        "\n# Cancel safety\n\nThe chunks that were sent have been executed, in order, and \
         the others have not. The outcomes are lost. The client stays usable."
    };
    (async drains) => {
        "\n# Cancel safety\n\nAfter the first poll the destination may have weight 0 or be \
         deleted. The former weight is lost with the future: read it before, or end the wait by \
         an observer. Another drain continues. The client stays usable."
    };
    (async plans) => {
        "\n# Cancel safety\n\nThe steps that were sent have been executed, and draining \
         destinations have weight 0. A new plan continues from there. The client stays usable."
    };
}
pub(crate) use cancel_safety;
