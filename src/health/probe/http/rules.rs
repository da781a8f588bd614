use hyper::HeaderMap;
use hyper::StatusCode;
use hyper::body::Bytes;
use hyper::header::{CONTENT_ENCODING, LOCATION};

use crate::health::probe::excerpt::Excerpt;
use crate::health::probe::http::body::Search;
use crate::health::probe::http::check::Settings;
use crate::health::probe::http::redirect;

/// What to do after an answer.
#[derive(Debug)]
pub(super) enum Step {
    Passed,
    Redirected {
        status: StatusCode,
        /// The value of the header `location`.
        location: Vec<u8>,
    },
}

/// Judges one answer, whatever the version of HTTP that brings it.
#[derive(Debug)]
pub(super) struct Judge<'c> {
    settings: &'c Settings,
    search: Option<Search<'c>>,
    encoding: Option<Vec<u8>>,
}

impl<'c> Judge<'c> {
    pub(super) const fn new(settings: &'c Settings) -> Self {
        Self { settings, search: None, encoding: None }
    }

    /// Takes status and headers. Returns the result unless the body has to be read for it.
    pub(super) fn head(
        &mut self,
        status: StatusCode,
        headers: &HeaderMap,
    ) -> Option<Result<Step, String>> {
        if !self.settings.status.contain(status.as_u16()) {
            if redirect::is_redirect(status) && self.settings.redirects > 0 {
                return Some(match headers.get(LOCATION) {
                    Some(location) => {
                        Ok(Step::Redirected { status, location: location.as_bytes().to_owned() })
                    }
                    None => Err(format!("status {}: a redirect to nowhere", status.as_u16())),
                });
            }
            let expected = &self.settings.status;
            return Some(Err(format!("status {}; expected: {expected}", status.as_u16())));
        }
        let Some(expected) = &self.settings.body else { return Some(Ok(Step::Passed)) };
        self.encoding = headers.get(CONTENT_ENCODING).map(|value| value.as_bytes().to_owned());
        self.search = Some(Search::new(expected, self.settings.body_limit));
        None
    }

    /// Takes a part of the body. Returns the result once it is certain.
    pub(super) fn part(&mut self, part: &Bytes) -> Option<Result<Step, String>> {
        let result = self.search.as_mut().and_then(|search| search.add(part))?;
        Some(self.step(result))
    }

    /// Judges a body that is complete.
    pub(super) fn end(&self) -> Result<Step, String> {
        self.step(self.search.as_ref().map_or(Ok(()), Search::end))
    }

    fn step(&self, result: Result<(), String>) -> Result<Step, String> {
        match (result, &self.encoding) {
            (Ok(()), _) => Ok(Step::Passed),
            (Err(reason), Some(encoding)) => {
                Err(format!("{reason} (encoded as {}, and not decoded)", Excerpt(encoding)))
            }
            (Err(reason), None) => Err(reason),
        }
    }
}
