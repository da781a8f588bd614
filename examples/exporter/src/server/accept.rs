use ipvs_netlink::metrics::Format;

/// How well a client likes a format: the quality in thousandths, and whether it was named in full.
type Liking = (u16, Specificity);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Specificity {
    Anything,
    Kind,
    Named,
    NamedWithVersion,
}

/// Chooses the format for a client by its headers `Accept`.
///
/// OpenMetrics is for those who name it and like it at least as well as the text format. All others get the
/// text format, also those who accept neither.
pub fn format<'a>(accept: impl IntoIterator<Item = &'a str>) -> Format {
    let mut text: Option<Liking> = None;
    let mut open: Option<Liking> = None;
    for range in accept.into_iter().flat_map(|header| header.split(',')) {
        let Some((range, quality, version)) = parse(range) else { continue };
        let fits = |kind: &str, subtype: &str, of: &str| {
            let specificity = match range {
                ("*", "*") => Specificity::Anything,
                (it, "*") if it.eq_ignore_ascii_case(kind) => Specificity::Kind,
                (a, b) if a.eq_ignore_ascii_case(kind) && b.eq_ignore_ascii_case(subtype) => {
                    match version {
                        None => Specificity::Named,
                        Some(version) if version == of => Specificity::NamedWithVersion,
                        Some(_) => return None,
                    }
                }
                _ => return None,
            };
            Some((quality, specificity))
        };
        keep(&mut text, fits("text", "plain", "0.0.4"));
        keep(&mut open, fits("application", "openmetrics-text", "1.0.0"));
    }
    let text = text.map_or(0, |it| it.0);
    match open {
        Some((quality, Specificity::Named | Specificity::NamedWithVersion))
            if quality > 0 && quality >= text =>
        {
            Format::OpenMetrics
        }
        _ => Format::Prometheus,
    }
}

/// The most specific range counts, whatever the others say.
fn keep(best: &mut Option<Liking>, new: Option<Liking>) {
    let Some(new) = new else { return };
    if best.is_none_or(|best| (new.1, new.0) > (best.1, best.0)) {
        *best = Some(new);
    }
}

/// Returns the two halves of a media range, its quality, and the parameter `version`.
fn parse(range: &str) -> Option<((&str, &str), u16, Option<&str>)> {
    let mut parts = range.split(';').map(str::trim);
    let range = parts.next()?.split_once('/')?;
    let (mut quality, mut version) = (1000, None);
    for (name, value) in parts.filter_map(|part| part.split_once('=')) {
        let value = value.trim().trim_matches('"');
        match name.trim() {
            "q" | "Q" => quality = thousandths(value)?,
            name if name.eq_ignore_ascii_case("version") => version = Some(value),
            _ => {}
        }
    }
    Some((range, quality, version))
}

fn thousandths(text: &str) -> Option<u16> {
    let (whole, rest) = text.split_once('.').unwrap_or((text, ""));
    if rest.len() > 3 || !rest.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let rest: u16 = format!("{rest:0<3}").parse().ok()?;
    match whole {
        "0" => Some(rest),
        "1" if rest == 0 => Some(1000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_get_what_they_like_best() {
        let prometheus_2 = "application/openmetrics-text;version=1.0.0,\
            application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
        let prometheus_3 = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,\
            application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;q=0.4,\
            text/plain;version=0.0.4;q=0.3,*/*;q=0.2";
        for accept in [
            prometheus_2,
            prometheus_3,
            "application/openmetrics-text",
            "application/OpenMetrics-Text; Version=\"1.0.0\"; q=0.001",
            "text/plain;q=0.5, application/openmetrics-text;q=0.5",
            "*/*;q=0.1,application/openmetrics-text;q=0.2",
        ] {
            assert_eq!(format([accept]), Format::OpenMetrics, "{accept}");
        }
    }

    #[test]
    fn others_get_the_text_format() {
        for accept in [
            "",
            "*/*",
            "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
            "application/*",
            "application/openmetrics-text;version=0.0.1",
            "application/openmetrics-text;q=0",
            "application/openmetrics-text;q=0.4,text/plain;q=0.5",
            "application/openmetrics-text;q=0.4,*/*;q=0.5",
            "application/openmetrics-text;q=2",
            "application/openmetrics-text;q=nan",
            "application/openmetrics-text;q=0.0001",
            "application/json",
            ";;;,,,/;q=,q=1",
        ] {
            assert_eq!(format([accept]), Format::Prometheus, "{accept}");
        }
        assert_eq!(format([]), Format::Prometheus);
    }

    #[test]
    fn several_headers_are_one_list() {
        let two = ["text/plain;q=0.1", "application/openmetrics-text"];
        assert_eq!(format(two), Format::OpenMetrics);
    }
}
