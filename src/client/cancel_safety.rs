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
        "\n# Cancel safety\n\nBefore its first poll the future has done nothing. After that \
         the kernel has executed the change, or refused it, and only the answer is lost; not \
         so where the future still threw away what was left of a long dump. The client stays \
         usable."
    };
    (async modifies) => {
        "\n# Cancel safety\n\nWhat was dropped has written all of the new settings or none \
         of them. The client stays usable."
    };
    (async submits) => {
        "\n# Cancel safety\n\nThe chunks that were sent have been executed, in order; the \
         others have not, and which outcomes there were is lost. The client stays usable."
    };
    (async plans) => {
        "\n# Cancel safety\n\nThe steps that were sent have been executed; what drains has \
         weight 0. A new plan goes on from there. The client stays usable."
    };
}
pub(crate) use cancel_safety;
