use crate::model::{Service, ServiceId};
use crate::table::controller::{Controller, Wish};
use crate::table::{Table, TableService};

/// One change of what a [`Controller`] is to keep, as a value: for channels, and for the closure
/// of the async clients' `run`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Request {
    /// Wish a service, or replace the wish for it, as [`Controller::wish`] does.
    Wish(Wish),
    /// Let a service leave, as [`Controller::forget`] does.
    Forget(ServiceId),
    /// Replace all wishes, as [`Controller::wish_all`] does.
    WishAll(Vec<Wish>),
    /// Read the whole table now, as [`Controller::resynchronize`] does.
    Resynchronize,
}

impl Controller {
    /// Takes a request, as the method that it is named after does.
    ///
    /// ```
    /// use ipvs_netlink::Service;
    /// use ipvs_netlink::table::TableService;
    /// use ipvs_netlink::table::controller::{Controller, ControllerOptions, Request};
    ///
    /// let mut controller = Controller::new(ControllerOptions::new());
    /// let web = Service::tcp("192.0.2.10:80".parse()?);
    /// controller.accept(TableService::new(web.clone()));
    /// controller.accept(Request::Forget(web.id));
    /// # Ok::<(), std::net::AddrParseError>(())
    /// ```
    pub fn accept(&mut self, request: impl Into<Request>) {
        match request.into() {
            Request::Wish(wish) => self.wish(wish),
            Request::Forget(id) => self.forget(id),
            Request::WishAll(wishes) => self.wish_all(wishes),
            Request::Resynchronize => self.resynchronize(),
        }
    }
}

impl From<Wish> for Request {
    fn from(wish: Wish) -> Self {
        Self::Wish(wish)
    }
}

impl From<TableService> for Request {
    fn from(service: TableService) -> Self {
        Self::Wish(service.into())
    }
}

impl From<Service> for Request {
    /// Wishes a service without destinations.
    fn from(service: Service) -> Self {
        Self::Wish(service.into())
    }
}

impl From<Table> for Request {
    /// Replaces all wishes by the services of the table.
    fn from(table: Table) -> Self {
        Self::WishAll(table.into_iter().map(Wish::from).collect())
    }
}
