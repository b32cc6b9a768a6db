//! Routes that are going away: `Deprecation` (RFC 9745), `Sunset` (RFC 8594) and where that is explained.
//!
//! Nothing else changes for such a route: that it goes at its sunset is up to whoever changes he2.toml.

use std::time::{Duration, UNIX_EPOCH};

use http::HeaderMap;
use http::header::{HeaderName, HeaderValue, LINK};

use crate::headers::set;
use crate::plan::Retirement;

const DEPRECATION: HeaderName = HeaderName::from_static("deprecation");
const SUNSET: HeaderName = HeaderName::from_static("sunset");

/// Tells the caller what the origin did not. A link is added beside the origin's.
pub fn tell(headers: &mut HeaderMap, retirement: &Retirement) {
    if !headers.contains_key(DEPRECATION) {
        // A Date of structured fields (RFC 9651 §3.3.7).
        set(headers, DEPRECATION, &format!("@{}", retirement.deprecated));
    }
    if let Some(date) = retirement.sunset.and_then(http_date).filter(|_| !headers.contains_key(SUNSET)) {
        set(headers, SUNSET, &date);
    }
    let link =
        |page| HeaderValue::from_str(&format!("<{page}>; rel=\"deprecation\"; type=\"text/html\"")).ok();
    if let Some(link) = retirement.link.and_then(link) {
        headers.append(LINK, link);
    }
}

/// As RFC 9110 §5.6.7 writes it; none past the year 9999.
fn http_date(seconds: u64) -> Option<String> {
    const LAST: u64 = 253_402_300_799;
    let time = UNIX_EPOCH.checked_add(Duration::from_secs(seconds)).filter(|_| seconds <= LAST);
    time.map(httpdate::fmt_http_date)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOING: Retirement = Retirement {
        deprecated: 1_688_169_599,
        sunset: Some(1_719_791_999),
        link: Some("https://he2.ai/changelog"),
    };

    #[test]
    fn rfc9745_2_and_rfc8594_3_dates_are_written_each_in_its_form() {
        let mut headers = HeaderMap::new();
        tell(&mut headers, &GOING);
        assert_eq!(headers[DEPRECATION], "@1688169599");
        assert_eq!(headers[SUNSET], "Sun, 30 Jun 2024 23:59:59 GMT");
        assert_eq!(headers[LINK], "<https://he2.ai/changelog>; rel=\"deprecation\"; type=\"text/html\"");
    }

    #[test]
    fn what_the_origin_says_stands_and_its_links_stay() {
        let mut headers = HeaderMap::new();
        set(&mut headers, SUNSET, "Sat, 31 Dec 2033 23:59:59 GMT");
        set(&mut headers, LINK, "</next>; rel=\"next\"");
        tell(&mut headers, &GOING);
        assert_eq!(headers[SUNSET], "Sat, 31 Dec 2033 23:59:59 GMT");
        assert_eq!(headers.get_all(LINK).iter().count(), 2);
    }

    #[test]
    fn a_date_that_cannot_be_written_is_left_out() {
        let mut headers = HeaderMap::new();
        tell(&mut headers, &Retirement { sunset: Some(u64::MAX), ..GOING });
        assert!(!headers.contains_key(SUNSET));
    }
}
