/// Makes the section "Cancel safety" of an async method, by the kind of operation. The first
/// argument is `async`, so that macros write the section only for async clients.
macro_rules! cancel_safety {
    (async connects) => {
        "\n# Cancel safety\n\nDropping the future closes the sockets that it opened."
    };
    (async reads) => {
        "\n# Cancel safety\n\nDropping the future leaves the client usable. The client discards \
         late answers."
    };
    (async writes) => {
        "\n# Cancel safety\n\nA future that was never polled has sent nothing. Once it was \
         polled, the kernel has done the change or refused it, and the answer is lost. One \
         exception: if a stream was dropped before its end, the future first reads the rest of \
         that stream, and sends the change after that. The client stays usable."
    };
    (async settings) => {
        "\n# Cancel safety\n\nAny part of the differences may have been written. A new plan says which \
         are left. The client stays usable."
    };
    (async modifies) => {
        "\n# Cancel safety\n\nA dropped future has written all new settings or none. The client \
         stays usable."
    };
    (async submits) => {
        "\n# Cancel safety\n\nThe kernel has executed the chunks that were sent, in order. The \
         other changes were not sent. The outcomes are lost. The client stays usable."
    };
    (async drains) => {
        "\n# Cancel safety\n\nOnce the future was polled, the destination has weight 0 or is \
         deleted. Its former weight is lost with the future: read the weight before, or stop \
         waiting through an observer. A new call continues the drain. The client stays usable."
    };
    (async plans) => {
        "\n# Cancel safety\n\nThe kernel has executed the steps that were sent. Destinations \
         that drain have weight 0. A new plan continues from there. The client stays usable."
    };
    (async plans_from) => {
        "\n# Cancel safety\n\nThe kernel has executed the steps that were sent. Destinations \
         that drain have weight 0. `snapshot` is empty and not complete: read the table, and a \
         new plan continues from there. The client stays usable."
    };
    (async steps) => {
        "\n# Cancel safety\n\nDropping the future leaves client and controller usable. The controller \
         takes the outcome of a task that was being done as unknown, and reads what it is."
    };
}
pub(crate) use cancel_safety;
