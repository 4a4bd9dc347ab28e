//! Shares between their wire form and the checked one.

use std::sync::Arc;

use p2pool_sharechain::share::ParseShareError;
use p2pool_sharechain::verify::StandaloneError;
use p2pool_sharechain::versions::ShareVersion;
use p2pool_sharechain::{CheckedShare, Params, Share};
use p2pool_wire::message::RawShare;

/// So many shares are checked without leaving the other tasks of this thread alone.
const CHECK_INLINE_MAX: usize = 32;

/// Checks shares as far as they can be without others; unknown types are left out.
pub(crate) fn check_all(
    raw: &[RawShare],
    params: &Params,
) -> Result<Vec<Arc<CheckedShare>>, StandaloneError> {
    let check_all = || raw.iter().filter_map(|raw| check(raw, params)).collect();
    if raw.len() > CHECK_INLINE_MAX { tokio::task::block_in_place(check_all) } else { check_all() }
}

/// The newest share type above those that this program knows, with the number of such shares.
pub(crate) fn unknown(raw: &[RawShare]) -> Option<(u64, u64)> {
    let newest = ShareVersion::NEWEST.number();
    let versions = || raw.iter().map(|raw| raw.version).filter(|version| *version > newest);
    versions().max().map(|version| (version, versions().count() as u64))
}

/// A share as it travels.
pub(crate) fn raw(share: &Arc<CheckedShare>) -> RawShare {
    let share = share.share();
    RawShare { version: share.version.number(), contents: share.contents_to_bytes() }
}

fn check(raw: &RawShare, params: &Params) -> Option<Result<Arc<CheckedShare>, StandaloneError>> {
    match Share::parse_contents(raw.version, &raw.contents, params) {
        // Types too new are counted, types long gone are passed over: wire.md section 4.
        Err(ParseShareError::UnknownVersion(_) | ParseShareError::ObsoleteVersion(_)) => None,
        Err(error) => Some(Err(error.into())),
        Ok(share) => Some(CheckedShare::check(share, params).map(Arc::new)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_of_types_not_known_are_nobodys_fault() {
        let params = Params::simulation();
        let share = |version| RawShare { version, contents: vec![0; 40] };
        for version in [16, 36, u64::MAX] {
            assert_eq!(check_all(&[share(version)], &params), Ok(Vec::new()));
        }
        let broken = check_all(&[share(35)], &params);
        assert!(matches!(broken, Err(StandaloneError::Parse(_))));
    }

    #[test]
    fn shares_of_newer_types_are_counted() {
        let share = |version| RawShare { version, contents: Vec::new() };
        assert_eq!(unknown(&[share(35), share(16)]), None);
        assert_eq!(unknown(&[share(36), share(35), share(37)]), Some((37, 2)));
    }
}
