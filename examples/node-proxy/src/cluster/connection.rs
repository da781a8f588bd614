use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use kube::config::{InClusterError, KubeConfigOptions, Kubeconfig, KubeconfigError};
use kube::{Client, Config};
use tokio::task::spawn_blocking;

/// How the API server is reached.
#[derive(Args, Clone, Debug, Default)]
pub struct Access {
    /// The API server, without a password: for tests, or through `kubectl proxy`. By default that of the
    /// cluster in which the program runs as a pod.
    #[arg(long, value_name = "URL", conflicts_with = "kubeconfig")]
    pub api_server: Option<String>,
    /// Take the API server and the credentials from this file.
    #[arg(long, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
}

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
pub enum ConnectionError {
    /// The URL cannot be parsed.
    #[error("--api-server: not a URL")]
    Url,
    /// The file cannot be used.
    #[error("--kubeconfig: {0}")]
    File(#[from] Box<KubeconfigError>),
    /// The program does not run as a pod of a cluster.
    #[error("not in a cluster ({0}); name one with --api-server or --kubeconfig")]
    NotInCluster(#[from] InClusterError),
    /// The client cannot be made, such as of certificates that are none.
    #[error("the client of the API server: {0}")]
    Client(#[from] Box<kube::Error>),
}

/// The longest time without a byte from the API server. Watches get bookmarks about once a minute.
const LONGEST_SILENCE: Duration = Duration::from_secs(300);

impl Access {
    /// Returns a client, and the URL of the server for the log. Nothing is sent yet.
    ///
    /// # Errors
    ///
    /// The API server is not known, or the credentials cannot be read.
    pub async fn client(&self) -> Result<(Client, String), ConnectionError> {
        let mut config = match (&self.api_server, &self.kubeconfig) {
            (Some(url), _) => Config::new(url.parse().map_err(|_| ConnectionError::Url)?),
            (None, Some(file)) => {
                let read = Kubeconfig::read_from(file).map_err(Box::new)?;
                let options = KubeConfigOptions::default();
                Config::from_custom_kubeconfig(read, &options).await.map_err(Box::new)?
            }
            (None, None) => Config::incluster()?,
        };
        config.read_timeout = Some(LONGEST_SILENCE);
        // Watches wait and try again themselves, and tell.
        config.default_retry = false;
        // Without a user and a password.
        let url = &config.cluster_url;
        let (scheme, host) = (url.scheme_str().unwrap_or("http"), url.host().unwrap_or_default());
        let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
        let server = format!("{scheme}://{host}{port}");
        // A program that gives credentials may take long, and signals are not to wait for it.
        let client = spawn_blocking(|| Client::try_from(config)).await;
        let client = client.unwrap_or_else(|lost| Err(kube::Error::Service(lost.into())));
        Ok((client.map_err(Box::new)?, server))
    }
}
