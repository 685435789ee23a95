//! What an authorization server says that is asked about a token. Each token says it itself, so that
//! nobody has to know them all.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::scripted_as::{Asked, Reply, ScriptedAs};

/// An answer about one token.
#[derive(Deserialize, Serialize, Clone)]
#[serde(rename_all = "snake_case")]
pub(super) enum Spoken {
    /// 200 with this; `every_token` of the table is added.
    Json(Map<String, Value>),
    Status(u16),
    /// 409, and this in MobileFirst's field.
    Conflict(String),
    HangsUp,
}

impl Spoken {
    /// The token about which it is said.
    pub(super) fn token(&self, every_token: &Map<String, Value>) -> String {
        let mut spoken = self.clone();
        if let Self::Json(members) = &mut spoken {
            for (name, value) in every_token {
                members.entry(name).or_insert_with(|| value.clone());
            }
        }
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(&spoken).unwrap())
    }

    fn about(token: &str) -> Option<Self> {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token).ok()?).ok()
    }

    fn reply(asked: &Asked) -> Reply {
        match asked.form("token").as_deref().and_then(Self::about) {
            Some(Self::Json(members)) => Reply::json(Value::Object(members).to_string()),
            Some(Self::Status(status)) => Reply::status(status),
            Some(Self::Conflict(text)) => Reply::status(409).header("mfp-conflict", &text),
            Some(Self::HangsUp) => Reply::hang_up(),
            None => Reply::json(r#"{"active":false}"#),
        }
    }

    /// A server that says of each token what is in it.
    pub(super) async fn serve() -> ScriptedAs {
        ScriptedAs::start(Self::reply).await
    }
}
