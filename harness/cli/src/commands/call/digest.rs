//! Answers to a demand for credentials (reference section 2.6).

use super::{Call, CallError, random};
use hil_wire::ota_rpc::{
    Frame, Outcome, code,
    digest::{Challenge, Context, Credentials},
};

/// A user's name and password.
pub(super) struct Login {
    name: String,
    password: String,
}

impl Login {
    /// Reads `NAME:PASSWORD`.
    pub(super) fn parse(text: &str) -> Option<Login> {
        let (name, password) = text.split_once(':')?;
        (!name.is_empty()).then(|| Login {
            name: name.to_owned(),
            password: password.to_owned(),
        })
    }
}

impl Call {
    /// Credentials that answer a challenge.
    pub(super) fn credentials(
        &self,
        challenge: &Challenge,
        context: Context<'_>,
    ) -> Result<Credentials, CallError> {
        let login = self.login.as_ref().ok_or(CallError::NoLogin)?;
        Ok(challenge.answer(&login.name, &login.password, u64::from(random()), context))
    }

    /// The call once more with credentials, if a reply demands them; `None` if the reply is the answer.
    pub(super) fn repeated_for(&self, reply: &Frame, repeated: bool) -> Result<Option<Frame>, CallError> {
        let Some(Outcome::Failure(error)) = reply.outcome() else {
            return Ok(None);
        };
        match Challenge::from_error(error) {
            Ok(_) if repeated => Err(CallError::WrongLogin),
            Ok(challenge) => {
                let credentials = self.credentials(&challenge, Context::Frame)?;
                Ok(Some(Frame {
                    auth: Some(credentials.to_auth()),
                    ..self.frame.clone()
                }))
            }
            Err(_) if error.code == code::UNAUTHORIZED && repeated => Err(CallError::WrongLogin),
            Err(_) => Ok(None),
        }
    }
}
