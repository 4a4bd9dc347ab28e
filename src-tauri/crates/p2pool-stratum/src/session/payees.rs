//! Addresses in user names, for nodes that pay them.

use std::sync::Arc;
use std::time::Duration;

use p2pool_sharechain::Params;
use p2pool_sharechain::address::{self, AddressError};
use p2pool_sharechain::time::Now;

use super::Session;
use crate::login::Login;

/// A miner whose address was refused has this long to read why.
pub(super) const FAREWELL: Duration = Duration::from_secs(1);
/// What the node's own CPU miner calls itself.
pub const OWN_MINER_AGENT: &str = "p2pool-miner/";

/// Checks that shares can pay this address and that its owner can spend it.
///
/// # Errors
/// Why not.
pub fn check_payee(text: &str, params: &Params) -> Result<(), AddressError> {
    let decoded = address::decode(text.as_bytes(), &params.addresses)?;
    if address::pays_its_owner(&decoded, true) {
        Ok(())
    } else {
        Err(AddressError::UnpayableProgram)
    }
}

impl Session {
    /// Makes this connection pay the address in a user name, if the node does such things.
    ///
    /// # Errors
    /// What is wrong with it, for the miner's own page. Nothing is ever paid elsewhere silently.
    pub(super) fn adopt_payee(&mut self, now: Now, name: &str) -> Result<(), String> {
        let Some(params) = self.config.pays_user_names.clone() else { return Ok(()) };
        if self.config.is_local && self.user_agent.starts_with(OWN_MINER_AGENT) {
            return Ok(());
        }
        let account = Login::account(name);
        let current = &self.config.terms.payout_address;
        if !self.workers.is_empty() {
            if current.as_ref() == account.as_bytes() {
                return Ok(());
            }
            let current = String::from_utf8_lossy(current);
            return Err(format!("This connection pays {current}: use another one for {account}"));
        }
        if let Err(error) = check_payee(account, &params) {
            self.close_at = Some(now.mono + FAREWELL);
            return Err(format!("User name must begin with a {} address: {error}", params.chain));
        }
        if current.as_ref() != account.as_bytes() {
            self.config.terms.payout_address = Arc::from(account.as_bytes());
            self.has_own_terms = true;
        }
        Ok(())
    }
}
