use std::cmp::Ordering;
use std::fmt;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;

use crate::health::Outcome;
#[cfg(feature = "health-dns")]
use crate::health::probe::DnsCheck;
#[cfg(feature = "health-grpc")]
use crate::health::probe::GrpcCheck;
#[cfg(feature = "health-http")]
use crate::health::probe::HttpCheck;
#[cfg(feature = "health-tls")]
use crate::health::probe::TlsCheck;
use crate::health::probe::printable::printable;
use crate::health::probe::programs::Programs;
use crate::health::probe::through::Lease;
use crate::health::probe::{AgentCheck, CommandCheck, Exchange, Origin, icmp, namespace, tcp, udp};
use crate::health::rules::SHORTEST;
use crate::health::through::ThroughError;

/// A check of a server, as a value. Two destinations with equal addresses and equal probes are
/// checked once.
///
/// ```
/// use std::time::Duration;
///
/// use ipvs_netlink::health::probe::{Exchange, Probe};
///
/// let redis = Probe::tcp_exchange(Exchange::new("PING\r\n", "+PONG"))
///     .timeout(Duration::from_millis(500));
/// assert_ne!(redis, Probe::tcp());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
#[must_use]
pub struct Probe {
    /// What is done.
    pub kind: ProbeKind,
    /// The longest time for the check, 2 s by default, 1 ms at least. A check that takes longer
    /// fails.
    pub timeout: Duration,
    /// Where the check comes from.
    pub origin: Origin,
    /// The port that is checked, if it is not that of the destination.
    pub port: Option<u16>,
    /// Whether the check goes to the virtual address, through the destination. `false` by default.
    pub through: bool,
    /// By which marks it does. Only the runner says so.
    pub(super) lease: Option<Lease>,
}

/// What a [`Probe`] does. The constructors of [`Probe`] make these.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum ProbeKind {
    /// Connects by TCP, and closes by a reset.
    Tcp,
    /// Connects by TCP, sends something, and expects something.
    TcpExchange(Exchange),
    /// Sends a datagram, and expects one.
    Udp(Exchange),
    /// Sends a datagram, and expects no refusal by ICMP.
    UdpSend(Vec<u8>),
    /// Sends an echo request by ICMP, and expects its reply.
    Icmp,
    /// Asks by the health protocol of gRPC.
    #[cfg(feature = "health-grpc")]
    #[cfg_attr(docsrs, doc(cfg(feature = "health-grpc")))]
    Grpc(GrpcCheck),
    /// Sends a query over DNS.
    #[cfg(feature = "health-dns")]
    #[cfg_attr(docsrs, doc(cfg(feature = "health-dns")))]
    Dns(DnsCheck),
    /// Asks over HTTP.
    #[cfg(feature = "health-http")]
    #[cfg_attr(docsrs, doc(cfg(feature = "health-http")))]
    Http(HttpCheck),
    /// Makes a handshake over TLS, and exchanges something after it if asked to.
    #[cfg(feature = "health-tls")]
    #[cfg_attr(docsrs, doc(cfg(feature = "health-tls")))]
    Tls(TlsCheck),
    /// Asks an agent beside the server.
    Agent(AgentCheck),
    /// Runs a program.
    Command(CommandCheck),
    /// A check of the program's own.
    Custom(Custom),
}

/// The future of a [`Check`].
pub type CheckFuture<'c> = Pin<Box<dyn Future<Output = Outcome> + Send + 'c>>;

/// A check that a program defines itself.
///
/// The future runs on the runner's thread, beside all other checks, in a tokio runtime. It must not
/// block the thread. The runner drops it at the timeout. A check that panics is
/// [`NotDone`](Outcome::NotDone): it says nothing about the server.
///
/// ```
/// use std::net::SocketAddr;
///
/// use ipvs_netlink::health::probe::{Check, CheckFuture, Probe};
/// use ipvs_netlink::health::{Outcome, Share};
///
/// /// Gives a server that answers slowly half of its weight.
/// struct Quick;
///
/// impl Check for Quick {
///     fn check(&self, target: SocketAddr) -> CheckFuture<'_> {
///         Box::pin(async move {
///             let begin = std::time::Instant::now();
///             match tokio::net::TcpStream::connect(target).await {
///                 Err(error) => Outcome::failed(error.to_string()),
///                 Ok(_) if begin.elapsed().as_millis() > 100 => Outcome::Passed(Share::percent(50)),
///                 Ok(_) => Outcome::passed(),
///             }
///         })
///     }
/// }
///
/// let probe = Probe::custom("quick", Quick);
/// # let server = std::net::TcpListener::bind("127.0.0.1:0")?;
/// # assert!(probe.once(server.local_addr()?)?.is_passed());
/// # Ok::<(), std::io::Error>(())
/// ```
pub trait Check: Send + Sync + 'static {
    /// Checks the server at `target`.
    fn check(&self, target: SocketAddr) -> CheckFuture<'_>;
}

/// A check of the program's own. Checks of the same name are equal.
#[derive(Clone)]
pub struct Custom {
    name: Arc<str>,
    check: Arc<dyn Check>,
}

impl Probe {
    const fn new(kind: ProbeKind) -> Self {
        let timeout = Duration::from_secs(2);
        Self { kind, timeout, origin: Origin::new(), port: None, through: false, lease: None }
    }

    /// Creates a check that connects by TCP.
    pub const fn tcp() -> Self {
        Self::new(ProbeKind::Tcp)
    }

    /// Creates a check that connects by TCP, sends something, and expects something.
    pub const fn tcp_exchange(exchange: Exchange) -> Self {
        Self::new(ProbeKind::TcpExchange(exchange))
    }

    /// Creates a check that sends a datagram and expects one.
    pub const fn udp(exchange: Exchange) -> Self {
        Self::new(ProbeKind::Udp(exchange))
    }

    /// Creates a check that sends a datagram, and fails where ICMP refuses it until the timeout. An
    /// answer, whatever it is, passes the check at once.
    ///
    /// For servers that answer nothing, such as collectors of logs. The check finds out that nobody
    /// has the port, or that a router knows no way to the host. Silence passes: also that of a host
    /// that is off, of a firewall that drops, and of a host that sends few refusals (Linux sends about
    /// one a second to each address). Let [`icmp`](Self::icmp) or a command check the rest.
    pub const fn udp_send(datagram: Vec<u8>) -> Self {
        Self::new(ProbeKind::UdpSend(datagram))
    }

    /// Creates a check that sends an echo request by ICMP or ICMPv6, as `ping` does, and expects its
    /// reply. It fails at once where ICMP says that the host is unreachable.
    ///
    /// The port is without meaning. The check needs a group of the process in the sysctl
    /// `net.ipv4.ping_group_range`, also for IPv6, or else `CAP_NET_RAW`.
    ///
    /// A reply says that the host's kernel works, and nothing of a server on the host.
    pub const fn icmp() -> Self {
        Self::new(ProbeKind::Icmp)
    }

    /// Creates a check by the health protocol of gRPC.
    #[cfg(feature = "health-grpc")]
    #[cfg_attr(docsrs, doc(cfg(feature = "health-grpc")))]
    pub const fn grpc(check: GrpcCheck) -> Self {
        Self::new(ProbeKind::Grpc(check))
    }

    /// Creates a check over HTTP.
    #[cfg(feature = "health-http")]
    #[cfg_attr(docsrs, doc(cfg(feature = "health-http")))]
    pub const fn http(check: HttpCheck) -> Self {
        Self::new(ProbeKind::Http(check))
    }

    /// Creates a check over TLS.
    #[cfg(feature = "health-tls")]
    #[cfg_attr(docsrs, doc(cfg(feature = "health-tls")))]
    pub const fn tls(check: TlsCheck) -> Self {
        Self::new(ProbeKind::Tls(check))
    }

    /// Creates a check by an agent beside the server, which also says what part of its weight the
    /// destination is to have. The agent usually has a [`port`](Self::port) of its own.
    pub const fn agent(check: AgentCheck) -> Self {
        Self::new(ProbeKind::Agent(check))
    }

    /// Creates a check over DNS.
    #[cfg(feature = "health-dns")]
    #[cfg_attr(docsrs, doc(cfg(feature = "health-dns")))]
    pub const fn dns(check: DnsCheck) -> Self {
        Self::new(ProbeKind::Dns(check))
    }

    /// Creates a check by a program.
    pub const fn command(command: CommandCheck) -> Self {
        Self::new(ProbeKind::Command(command))
    }

    /// Creates a check of the program's own. Its name stands for it wherever checks are compared, so
    /// a check that does something else needs another name: if a service is watched again with
    /// another `check` of the same name, the first one goes on. It has no [`Origin`]: the program's
    /// code decides where the check comes from.
    pub fn custom(name: impl Into<Arc<str>>, check: impl Check) -> Self {
        Self::new(ProbeKind::Custom(Custom { name: name.into(), check: Arc::new(check) }))
    }

    /// Sets the longest time for the check.
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sets where the check comes from.
    pub fn origin(mut self, origin: Origin) -> Self {
        self.origin = origin;
        self
    }

    /// Sets the port that is checked.
    pub const fn port(mut self, port: u16) -> Self {
        self.port = Some(port);
        self
    }

    /// Lets the check go to the address of the service instead of the destination's, as the packets
    /// of clients do: through IPVS to this destination, by its forwarding method. See
    /// [`through`](crate::health::through) for what such a check finds and needs.
    ///
    /// [`port`](Self::port) then stands for both the port of the virtual address and the port of the
    /// destination.
    pub const fn through(mut self) -> Self {
        self.through = true;
        self
    }

    /// Does the check, until its timeout.
    pub(super) async fn run(&self, mut target: SocketAddr, programs: &Programs) -> Outcome {
        match &self.lease {
            Some(lease) => return Box::pin(lease.run(self, target)).await,
            None if self.through => return Outcome::not_done(ThroughError::NoMarks.to_string()),
            None => {}
        }
        if let ProbeKind::Command(command) = &self.kind {
            return Box::pin(self.run_program(command, target, programs)).await;
        }
        if let Some(port) = self.port {
            target.set_port(port);
        }
        self.run_from(&self.origin, target).await
    }

    /// Does the check by a program. A thread waits for the program, also after the check.
    async fn run_program(
        &self,
        command: &CommandCheck,
        target: SocketAddr,
        programs: &Programs,
    ) -> Outcome {
        if namespace::is_lost() {
            return Outcome::not_done(namespace::LOST_THREAD);
        }
        let (command, probe, programs) = (command.clone(), self.clone(), programs.clone());
        let (sender, outcome) = oneshot::channel();
        tokio::task::spawn_blocking(move || {
            command.run(&probe, target, &programs, |outcome| {
                // Fails when the runner has ended.
                let _ = sender.send(outcome);
            });
        });
        outcome.await.unwrap_or_else(|_| Outcome::not_done("the program was not waited for"))
    }

    /// Returns the timeout, in its range.
    pub(super) fn longest(&self) -> Duration {
        self.timeout.max(SHORTEST)
    }

    /// Does the check at `target`, until its timeout.
    pub(super) async fn run_from(&self, origin: &Origin, target: SocketAddr) -> Outcome {
        if namespace::is_lost() {
            return Outcome::not_done(namespace::LOST_THREAD);
        }
        let timeout = self.longest();
        let check = async {
            // All but the plainest are boxed, so that thousands of the plainest take little memory.
            match &self.kind {
                ProbeKind::TcpExchange(exchange) => {
                    Box::pin(tcp::exchanges(target, origin, exchange)).await
                }
                ProbeKind::Udp(exchange) => Box::pin(udp::check(target, origin, exchange)).await,
                #[cfg(feature = "health-grpc")]
                ProbeKind::Grpc(grpc) => Box::pin(grpc.run(target, origin)).await,
                #[cfg(feature = "health-http")]
                ProbeKind::Http(http) => Box::pin(http.run(target, origin)).await,
                #[cfg(feature = "health-tls")]
                ProbeKind::Tls(tls) => Box::pin(tls.run(target, origin)).await,
                ProbeKind::UdpSend(datagram) => Box::pin(udp::send(target, origin, datagram)).await,
                #[cfg(feature = "health-dns")]
                ProbeKind::Dns(dns) => Box::pin(dns.run(target, origin)).await,
                ProbeKind::Icmp => Box::pin(icmp::check(target, origin)).await,
                ProbeKind::Agent(agent) => Box::pin(agent.run(target, origin)).await,
                ProbeKind::Custom(custom) => custom.check.check(target).await,
                // Programs are run elsewhere.
                ProbeKind::Tcp | ProbeKind::Command(_) => tcp::connects(target, origin).await,
            }
        };
        match tokio::time::timeout(timeout, check).await {
            Ok(Outcome::Failed(reason)) => Outcome::Failed(printable(&reason)),
            Ok(Outcome::NotDone(reason)) => Outcome::NotDone(printable(&reason)),
            Ok(outcome) => outcome,
            Err(_) if matches!(self.kind, ProbeKind::UdpSend(_)) => Outcome::passed(),
            Err(_) => Outcome::failed(format!("timeout after {} ms", timeout.as_millis())),
        }
    }
}

impl ProbeKind {
    /// Returns the name for programs, logs and metrics, such as `tcp` or `tcp-exchange`. A check of the
    /// program's own has the name that the program gave.
    ///
    /// ```
    /// use ipvs_netlink::health::probe::{Exchange, Probe};
    ///
    /// assert_eq!(Probe::icmp().kind.name(), "icmp");
    /// assert_eq!(Probe::udp(Exchange::new("ping", "pong")).kind.name(), "udp");
    /// assert_eq!(Probe::udp_send(b"ping".to_vec()).kind.name(), "udp-send");
    /// ```
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Tcp => "tcp",
            Self::TcpExchange(_) => "tcp-exchange",
            Self::Udp(_) => "udp",
            Self::UdpSend(_) => "udp-send",
            Self::Icmp => "icmp",
            #[cfg(feature = "health-grpc")]
            Self::Grpc(_) => "grpc",
            #[cfg(feature = "health-dns")]
            Self::Dns(_) => "dns",
            #[cfg(feature = "health-http")]
            Self::Http(_) => "http",
            #[cfg(feature = "health-tls")]
            Self::Tls(_) => "tls",
            Self::Agent(_) => "agent",
            Self::Command(_) => "command",
            Self::Custom(custom) => &custom.name,
        }
    }

    /// Returns `true` if the check is by datagrams, and `false` if it is by TCP. A check that cannot
    /// go through a virtual address is named.
    pub(super) const fn sends_datagrams(&self) -> Result<bool, ThroughError> {
        match self {
            Self::Tcp | Self::TcpExchange(_) | Self::Agent(_) => Ok(false),
            #[cfg(feature = "health-grpc")]
            Self::Grpc(_) => Ok(false),
            #[cfg(feature = "health-http")]
            Self::Http(_) => Ok(false),
            #[cfg(feature = "health-tls")]
            Self::Tls(_) => Ok(false),
            Self::Udp(_) | Self::UdpSend(_) => Ok(true),
            #[cfg(feature = "health-dns")]
            Self::Dns(check) if check.is_over_tcp() => Ok(false),
            #[cfg(feature = "health-dns")]
            Self::Dns(_) => Err(ThroughError::Kind("DNS over UDP, which may go on over TCP,")),
            Self::Icmp => Err(ThroughError::Kind("ICMP")),
            Self::Command(_) => Err(ThroughError::Kind("a program")),
            Self::Custom(_) => Err(ThroughError::Kind("the program's own code")),
        }
    }
}

impl fmt::Debug for Custom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Custom").field(&self.name).finish()
    }
}

impl PartialEq for Custom {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Custom {}

impl PartialOrd for Custom {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Custom {
    fn cmp(&self, other: &Self) -> Ordering {
        self.name.cmp(&other.name)
    }
}
