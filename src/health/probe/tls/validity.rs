/// When a certificate begins and ends to be valid, in seconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Validity {
    pub(super) begins: i64,
    pub(super) ends: i64,
}

const SECONDS_PER_DAY: i64 = 86_400;

impl Validity {
    /// Reads the dates of a certificate in DER (RFC 5280, section 4.1).
    ///
    /// Skips everything else, so certificates that a strict parser refuses have dates, too.
    pub(super) fn of(certificate: &[u8]) -> Option<Self> {
        let (certificate, _) = element(certificate, SEQUENCE)?;
        let (mut rest, _) = element(certificate, SEQUENCE)?;
        // Absent in certificates of version 1.
        if let Some((_, after)) = element(rest, VERSION) {
            rest = after;
        }
        // The serial number, the signature's algorithm, and the issuer.
        for tag in [INTEGER, SEQUENCE, SEQUENCE] {
            (_, rest) = element(rest, tag)?;
        }
        let (dates, _) = element(rest, SEQUENCE)?;
        let (begins, dates) = time(dates)?;
        let (ends, _) = time(dates)?;
        Some(Self { begins, ends })
    }

    /// Returns why a certificate with these dates is refused at `now`, if it is.
    pub(super) fn refusal(self, now: i64, minimum_days: u32) -> Option<String> {
        if now < self.begins {
            let days = days(self.begins.saturating_sub(now));
            return Some(format!("the certificate begins in {days}"));
        }
        let left = self.ends.saturating_sub(now);
        if left < 0 {
            return Some(format!("the certificate expired {} ago", days(left.saturating_neg())));
        }
        let minimum = i64::from(minimum_days).saturating_mul(SECONDS_PER_DAY);
        (left < minimum)
            .then(|| format!("the certificate ends in {}; required: {}", days(left), days(minimum)))
    }
}

/// Prints seconds as whole days, or as hours and minutes where they are less than a day.
fn days(seconds: i64) -> String {
    let (count, unit) = match seconds {
        SECONDS_PER_DAY.. => (seconds / SECONDS_PER_DAY, "day"),
        3_600.. => (seconds / 3_600, "hour"),
        _ => (seconds / 60, "minute"),
    };
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

const INTEGER: u8 = 0x02;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;

/// Returns the content of the first element, if its tag is this one, and what follows it.
fn element(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (first, rest) = bytes.split_first()?;
    let (length, rest) = rest.split_first()?;
    if *first != tag {
        return None;
    }
    let (length, rest) = match length {
        0..=0x7f => (usize::from(*length), rest),
        // At most three bytes of length: no handshake is longer.
        0x81..=0x83 => {
            let (length, rest) = rest.split_at_checked(usize::from(length & 0x7f))?;
            (length.iter().fold(0, |sum, byte| (sum << 8) | usize::from(*byte)), rest)
        }
        _ => return None,
    };
    rest.split_at_checked(length)
}

/// Reads a time in seconds since 1970, and returns what follows it.
fn time(bytes: &[u8]) -> Option<(i64, &[u8])> {
    if let Some((text, rest)) = element(bytes, GENERALIZED_TIME) {
        let (year, text) = text.split_at_checked(4)?;
        return Some((since_1970(number(year)?, text)?, rest));
    }
    let (text, rest) = element(bytes, UTC_TIME)?;
    let (year, text) = text.split_at_checked(2)?;
    let year = number(year)?;
    let century = if year >= 50 { 1900 } else { 2000 };
    Some((since_1970(century + year, text)?, rest))
}

/// Returns the seconds from 1970 to a year's `MMDDHHMMSSZ`.
fn since_1970(year: i64, text: &[u8]) -> Option<i64> {
    let [month, day, hour, minute, second] = {
        let digits = text.strip_suffix(b"Z").filter(|digits| digits.len() == 10)?;
        let mut numbers = [0; 5];
        for (number_, pair) in numbers.iter_mut().zip(digits.chunks(2)) {
            *number_ = number(pair)?;
        }
        numbers
    };
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    // Years begin in March here, so that a leap day is the last of one.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = 365 * year + year.div_euclid(4) - year.div_euclid(100)
        + year.div_euclid(400)
        + (153 * month + 2) / 5
        + day
        - 1
        - 719_468;
    Some(days * SECONDS_PER_DAY + hour * 3_600 + minute * 60 + second)
}

fn number(digits: &[u8]) -> Option<i64> {
    digits.iter().try_fold(0, |sum, digit| {
        digit.is_ascii_digit().then(|| sum * 10 + i64::from(digit - b'0'))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DAY: i64 = SECONDS_PER_DAY;

    #[test]
    fn times_are_read() {
        let utc =
            |text: &str| time(&[&[UTC_TIME, 13], text.as_bytes()].concat()).map(|(time, _)| time);
        assert_eq!(utc("700101000000Z"), Some(0));
        assert_eq!(utc("261128120000Z"), Some(1_795_867_200));
        assert_eq!(utc("000229235959Z"), Some(951_868_799));
        assert_eq!(utc("491231235959Z"), Some(2_524_607_999));
        assert_eq!(utc("500101000000Z"), Some(-631_152_000));
        for odd in ["701301000000Z", "70010100000Z0", "7001010000+1Z", "700100000000Z"] {
            assert_eq!(utc(odd), None, "{odd}");
        }
        let general = [&[GENERALIZED_TIME, 15][..], b"99991231235959Z"].concat();
        assert_eq!(time(&general).unwrap().0, 253_402_300_799);
    }

    #[test]
    fn a_refusal_names_the_days() {
        let validity = Validity { begins: 10 * DAY, ends: 20 * DAY };
        let refusal = |now, days| validity.refusal(now, days).unwrap_or_default();
        assert_eq!(refusal(15 * DAY, 5), "");
        assert_eq!(refusal(17 * DAY, 4), "the certificate ends in 3 days; required: 4 days");
        assert_eq!(refusal(22 * DAY, 0), "the certificate expired 2 days ago");
        assert_eq!(refusal(20 * DAY + 3_700, 0), "the certificate expired 1 hour ago");
        assert_eq!(refusal(10 * DAY - 300, 0), "the certificate begins in 5 minutes");
    }

    #[test]
    fn the_dates_of_a_certificate_are_found() {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut parameters = rcgen::CertificateParams::new(["a.example".to_owned()]).unwrap();
        parameters.not_before = rcgen::date_time_ymd(1970, 1, 2);
        parameters.not_after = rcgen::date_time_ymd(2051, 1, 1);
        let certificate = parameters.self_signed(&key).unwrap();
        let validity = Validity { begins: DAY, ends: 2_556_144_000 };
        assert_eq!(Validity::of(certificate.der()), Some(validity));
        for length in 0..certificate.der().len() {
            assert_eq!(Validity::of(&certificate.der()[..length]), None);
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), now in any::<i64>()) {
            if let Some(validity) = Validity::of(&bytes) {
                let _ = validity.refusal(now, u32::MAX);
            }
            let _ = time(&bytes);
        }
    }
}
