//! The settings page.

use p2pool_bitcoind::Secret;

use crate::api::{AppReply, SettingsRequest, UiError};
use crate::controller::Controller;

impl Controller {
    /// Does what was asked about settings.
    ///
    /// # Errors
    /// What makes no sense.
    pub(in crate::controller) fn settings_request(
        &mut self,
        request: &SettingsRequest,
    ) -> Result<AppReply, UiError> {
        match request {
            SettingsRequest::ConfirmAddress => self.confirm_address()?,
            SettingsRequest::RestoreAddress => self.restore_address()?,
            SettingsRequest::EnterLogin { password, keeps } => {
                self.take_password(Secret::new(password.expose().to_owned()), *keeps);
            }
        }
        Ok(AppReply::Done)
    }
}
