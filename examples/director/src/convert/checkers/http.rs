//! `HTTP_GET` and `SSL_GET`.

use std::ops::RangeInclusive;

use ipvs_netlink::health::probe::{HttpCheck, Probe, TlsOptions};

use crate::convert::blocks::Statement;
use crate::convert::checkers::{Around, Common};
use crate::convert::lexer::shell_words;
use crate::convert::real_server::Check;
use crate::convert::settings::Slot;
use crate::convert::timing::Defaults;
use crate::convert::unsaid::{Fate, Remarks};
use crate::convert::values::number;

/// The most codes and ranges that a check of the converted file has.
const MOST_RANGES: usize = 100;

const DEFAULTS: Defaults = Defaults {
    delay_before_retry: Some(std::time::Duration::from_secs(3)),
    longer_while_down: true,
    ..Defaults::USUAL
};

/// Reads a checker: each URL is a check of its own.
pub(super) fn read(
    statement: &Statement,
    tls: bool,
    around: Around<'_>,
    remarks: &mut Remarks,
) -> Vec<Check> {
    let mut urls: Vec<Url> = Vec::new();
    let mut virtualhost: Slot<String> = Slot::default();
    let mut server_name: Slot<Option<String>> = Slot::default();
    let common = Common::read(statement, &["url"], remarks, |statement, remarks| {
        match statement.keyword() {
            "url" => urls.extend(Url::read(statement, remarks)),
            "virtualhost" => {
                if let Some(host) = statement.one("a host", remarks) {
                    virtualhost.set(statement, host.to_owned(), remarks);
                }
            }
            "enable_sni" if tls => match statement.switch(remarks) {
                Some(true) => server_name.set(statement, None, remarks),
                Some(false) => tell_no_sni(statement, remarks),
                None => {}
            },
            "sni_name" if tls => {
                if let Some(name) = statement.one("a name", remarks) {
                    server_name.set(statement, Some(name.to_owned()), remarks);
                }
            }
            "http_protocol" => tell_protocol(statement, remarks),
            "fast_recovery" => {
                let reason = "each URL is a check of its own, and none waits for the others";
                statement.tell(Fate::NotNeeded, reason, remarks);
            }
            "tls_compliant" => {
                statement.tell(Fate::NotNeeded, "checks close connections by a reset", remarks);
            }
            _ => return false,
        }
        true
    });
    if urls.is_empty() {
        let reason = "no URL of it can be said: the server is not checked by it";
        statement.tell(Fate::LeftOut, reason, remarks);
        return Vec::new();
    }
    let mut checks = Vec::new();
    for url in urls {
        let all = [&url.virtualhost, &virtualhost, &around.server.virtualhost, around.virtualhost];
        let given = all.into_iter().find(|slot| slot.look().is_some());
        let (mut check, mut host) = (url.check, None);
        if let Some((slot, name)) = given.and_then(|slot| slot.get().map(|name| (slot, name))) {
            match check.clone().host(name) {
                Ok(asking) => (check, host) = (asking, Some(name.as_str())),
                Err(error) => {
                    slot.tell(Fate::Changed, format!("no host is asked for: {error}"), remarks)
                }
            }
        }
        if tls {
            check = check.tls(options(&server_name, host, remarks));
        }
        checks.extend(common.check(Probe::http(check), DEFAULTS, around, remarks));
    }
    virtualhost.tell_unused(remarks);
    checks
}

/// keepalived takes any certificate.
fn options(
    server_name: &Slot<Option<String>>,
    host: Option<&str>,
    remarks: &mut Remarks,
) -> TlsOptions {
    let options = TlsOptions::new().without_verification();
    let Some(name) = server_name.get() else { return options };
    let without_port = host.map(|host| match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    });
    match name.as_deref().or(without_port).map(|name| options.clone().server_name(name)) {
        Some(Ok(options)) => options,
        Some(Err(error)) => {
            server_name.tell(Fate::LeftOut, error.to_string(), remarks);
            options
        }
        None => {
            server_name.tell(Fate::NotNeeded, "no virtualhost gives a name to send", remarks);
            options
        }
    }
}

fn tell_no_sni(statement: &Statement, remarks: &mut Remarks) {
    let reason = "a check that asks for a host names it in the handshake, too";
    statement.tell(Fate::Changed, reason, remarks);
}

fn tell_protocol(statement: &Statement, remarks: &mut Remarks) {
    match statement.one("1.0, 1.0C or 1.1", remarks) {
        Some("1.1") => {
            statement.tell(Fate::NotNeeded, "checks speak HTTP/1.1 anyway", remarks);
        }
        Some("1.0" | "1.0C" | "1.0c") => {
            let reason = "checks speak HTTP/1.1; a server may answer by HTTP/1.0";
            statement.tell(Fate::Changed, reason, remarks);
        }
        Some(_) => statement.refuse("1.0, 1.0C or 1.1", remarks),
        None => {}
    }
}

struct Url {
    check: HttpCheck,
    virtualhost: Slot<String>,
}

impl Url {
    fn read(statement: &Statement, remarks: &mut Remarks) -> Option<Self> {
        let (mut path, mut virtualhost) = (Slot::default(), Slot::default());
        let (mut codes, mut pattern) = (Vec::new(), Pattern::default());
        for statement in statement.inside() {
            if statement.has_wrong_block(&[], remarks) {
                continue;
            }
            match statement.keyword() {
                "path" => {
                    if let Some(text) = statement.one("a path", remarks) {
                        path.set(statement, text.to_owned(), remarks);
                    }
                }
                "virtualhost" => {
                    if let Some(host) = statement.one("a host", remarks) {
                        virtualhost.set(statement, host.to_owned(), remarks);
                    }
                }
                "status_code" => codes.extend(status_codes(statement, remarks)),
                "digest" => {
                    let reason =
                        "no check compares a digest: let one look for a text, by `contains`";
                    statement.tell(Fate::LeftOut, reason, remarks);
                }
                _ if pattern.take(statement, remarks) => {}
                _ => statement.unknown(remarks),
            }
        }
        let Some(text) = path.get() else {
            statement.tell(Fate::LeftOut, "the URL has no path", remarks);
            return None;
        };
        let checked = HttpCheck::get(text).map_err(|error| error.to_string());
        let mut check = match checked {
            Ok(check) => check,
            Err(reason) => {
                path.tell(Fate::LeftOut, format!("{reason}; the URL is left out"), remarks);
                return None;
            }
        };
        for codes in codes {
            check = check.clone().status(codes).unwrap_or(check);
        }
        Some(Self { check: pattern.apply(check, remarks), virtualhost })
    }
}

fn status_codes(statement: &Statement, remarks: &mut Remarks) -> Vec<RangeInclusive<u16>> {
    let code = |text: &str| number(text).and_then(|it| u16::try_from(it).ok());
    let range = |word: &str| {
        let (first, last) = word.split_once('-').unwrap_or((word, word));
        let (first, last) = (code(first)?, code(last)?);
        ((100..=999).contains(&first) && (first..=999).contains(&last)).then_some(first..=last)
    };
    let mut ranges = Vec::new();
    if statement.arguments().is_empty() {
        statement.refuse("a list of codes", remarks);
    }
    for word in statement.arguments() {
        match range(word) {
            Some(range) if ranges.len() < MOST_RANGES => ranges.push(range),
            Some(_) => statement.tell(Fate::LeftOut, "there are too many codes", remarks),
            None => {
                let reason = format!("{word:?} is no code from 100 to 999, and no range of such");
                statement.tell(Fate::LeftOut, reason, remarks);
            }
        }
    }
    ranges
}

/// The regular expression of a URL.
#[derive(Default)]
struct Pattern {
    expression: Slot<String>,
    options: Slot<String>,
    /// Whether the body must not match.
    reversed: bool,
}

impl Pattern {
    fn take(&mut self, statement: &Statement, remarks: &mut Remarks) -> bool {
        match statement.keyword() {
            "regex" => match shell_words(&statement.text).as_deref() {
                Some([_, expression]) => {
                    self.expression.set(statement, expression.clone(), remarks);
                }
                _ => statement.refuse("one regular expression in quotes", remarks),
            },
            "regex_options" => self.take_options(statement, remarks),
            "regex_no_match" => {
                self.reversed = true;
                let reason = "no check asks that a text is missing";
                statement.tell(Fate::LeftOut, reason, remarks);
            }
            "regex_min_offset" | "regex_max_offset" => {
                let reason = "the whole body is searched, up to 64 KiB";
                statement.tell(Fate::LeftOut, reason, remarks);
            }
            "regex_stack" => {
                statement.tell(Fate::NotNeeded, "a match needs no stack", remarks);
            }
            _ => return false,
        }
        true
    }

    fn take_options(&mut self, statement: &Statement, remarks: &mut Remarks) {
        let mut options = String::new();
        for option in statement.arguments() {
            match option.as_str() {
                "caseless" => options.push('i'),
                "multiline" => options.push('m'),
                "dotall" => options.push('s'),
                "ungreedy" => options.push('U'),
                "extended" => options.push('x'),
                // They choose how a match is found, or what is stored of it.
                "no_auto_capture" | "no_auto_possess" | "no_dotstar_anchor"
                | "no_start_optimize" | "auto_callout" | "never_backslash_c" | "never_ucp"
                | "never_utf" => {
                    let reason = format!("{option} has no effect on what matches");
                    statement.tell(Fate::NotNeeded, reason, remarks);
                }
                _ => {
                    let reason =
                        format!("{option} is not known to the regular expressions of checks");
                    statement.tell(Fate::LeftOut, reason, remarks);
                }
            }
        }
        if !options.is_empty() {
            self.options.set(statement, options, remarks);
        }
    }

    fn apply(&self, check: HttpCheck, remarks: &mut Remarks) -> HttpCheck {
        if self.reversed {
            let reason = "the body is not looked at: no check asks that a text is missing";
            self.expression.tell(Fate::LeftOut, reason, remarks);
        }
        let Some(expression) = self.expression.get().filter(|_| !self.reversed) else {
            self.options.tell_unused(remarks);
            return check;
        };
        let expression = match self.options.get() {
            None => expression.clone(),
            Some(options) => format!("(?{options}){expression}"),
        };
        match check.clone().body_matches(expression) {
            Ok(check) => check,
            Err(error) => {
                let reason = format!("the body is not looked at: {error}");
                self.expression.tell(Fate::LeftOut, reason, remarks);
                let reason = "the regular expression is left out";
                self.options.tell(Fate::LeftOut, reason, remarks);
                check
            }
        }
    }
}
