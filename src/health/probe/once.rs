use std::io;
use std::net::SocketAddr;
use std::thread;

use tokio::runtime::Builder;

use crate::health::Outcome;
use crate::health::probe::Probe;
use crate::health::probe::programs::Programs;

impl Probe {
    /// Does the check once, on a thread of its own, and waits for the result: at most
    /// [`timeout`](Self::timeout), and 1 s more for a program to be killed.
    ///
    /// For trying a check out, such as in a program's command line. A
    /// [`Runner`](crate::health::probe::Runner) does checks again and again. A check
    /// [through](Self::through) a virtual address is [not done](Outcome::NotDone): only a runner has
    /// marks.
    ///
    /// ```
    /// use ipvs_netlink::health::Outcome;
    /// use ipvs_netlink::health::probe::Probe;
    ///
    /// let server = std::net::TcpListener::bind("127.0.0.1:0")?;
    /// assert_eq!(Probe::tcp().once(server.local_addr()?)?, Outcome::passed());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The system refuses the thread, or the descriptors of its event loop.
    pub fn once(&self, target: SocketAddr) -> io::Result<Outcome> {
        let runtime = Builder::new_current_thread().enable_all().max_blocking_threads(1).build()?;
        thread::scope(|scope| {
            let check = || {
                let outcome = runtime.block_on(self.run(target, &Programs::default()));
                runtime.shutdown_background();
                outcome
            };
            let name = thread::Builder::new().name("ipvs-health-once".to_owned());
            let ended = name.spawn_scoped(scope, check)?.join();
            Ok(ended.unwrap_or_else(|_| Outcome::panicked()))
        })
    }
}
