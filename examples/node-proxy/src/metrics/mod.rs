//! What the program counts, under the names of kube-proxy where they mean the same.
//!
//! [`registered`] names the metrics, [`counts`] counts, [`local_policies`] has what one of them needs,
//! [`service_names`] the services behind the virtual ones, and [`scrapes`] shows all of it with the kernel's table.

mod counts;
mod local_policies;
mod registered;
mod scrapes;
mod service_names;

pub(crate) use self::counts::Metrics;
pub(crate) use self::scrapes::Scrapes;
