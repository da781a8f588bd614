//! Random answers, without a network.

use proptest::prelude::*;
use tokio::io::AsyncWriteExt as _;

use super::*;
use crate::health::probe::http::rules::Judge;
use crate::health::probe::http::{http1, http2};

/// Has a check read an answer that ends. Its result is none that was asked for, so it must fail.
fn fails_with(version: HttpVersion, answer: &[u8]) -> Result<(), TestCaseError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        let check = get("/").version(version).status(299..=299).unwrap().body_contains("ready");
        let settings = check.settings();
        let host = "a.example".parse().unwrap();
        let path = &settings.path.value;
        let request = settings.request(&host, path, hyper::Method::GET).unwrap();
        let (ours, mut theirs) = tokio::io::duplex(1 << 20);
        theirs.write_all(answer).await.unwrap();
        theirs.shutdown().await.unwrap();
        let judge = Judge::new(settings);
        let step = match version {
            HttpVersion::Http1 => http1::exchange(ours, request, judge, None).await,
            HttpVersion::Http2 => http2::exchange(ours, request, judge, None).await,
        };
        prop_assert!(step.is_err(), "{step:?}");
        Ok(())
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn no_bytes_pass_or_panic(
        begin in prop::sample::select(vec!["", "HTTP/1.1 299 x\r\n", "HTTP/1.1 299 x\r\ntransfer-encoding: chunked\r\n\r\n"]),
        bytes in prop::collection::vec(any::<u8>(), 0..600),
        http2 in any::<bool>(),
    ) {
        let version = if http2 { HttpVersion::Http2 } else { HttpVersion::Http1 };
        fails_with(version, &[begin.as_bytes(), &bytes].concat())?;
    }

    #[test]
    fn no_frames_pass_or_panic(
        frames in prop::collection::vec((0_u8..12, any::<u8>(), 0_u8..4, prop::collection::vec(any::<u8>(), 0..40)), 0..12),
    ) {
        let mut bytes = vec![0, 0, 0, 4, 0, 0, 0, 0, 0];
        for (kind, flags, stream, payload) in frames {
            let length = u8::try_from(payload.len()).unwrap();
            bytes.extend([0, 0, length, kind, flags, 0, 0, 0, stream]);
            bytes.extend(payload);
        }
        fails_with(HttpVersion::Http2, &bytes)?;
    }
}
