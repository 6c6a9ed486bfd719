//! Messages and frames that steps give in detail, right or wrong. They are sent once and not kept.

use super::{
    ActError, AosCloud, Map, Now, Operation, Outputs, Send, Value,
    act::{bad, from_hex, text},
    desire::with_header,
    json,
    message::{BINARY, PING, TEXT, with_type},
};

impl AosCloud {
    /// Number of the unit's connection.
    pub(super) fn connection(&self) -> Result<u32, ActError> {
        let open = self.connected.as_ref().map(|open| open.connection);
        open.ok_or_else(|| ActError::NotNow("the unit is not connected".to_owned()))
    }

    /// One frame faults do not know.
    pub(super) fn frame(&self, opcode: u8, payload: Vec<u8>, out: &mut Outputs) -> Result<(), ActError> {
        out.sends.push(Send::WebSocket {
            connection: self.connection()?,
            opcode,
            payload,
            operation: Operation::default(),
        });
        Ok(())
    }

    pub(super) fn send(
        &mut self,
        now: Now,
        with: &Map<String, Value>,
        out: &mut Outputs,
    ) -> Result<Value, ActError> {
        let connection = self.connection()?;
        let message = text(with, "message")?;
        let mut data = with.get("data").cloned().unwrap_or_else(|| json!({}));
        if let Some(pad) = with.get("pad").and_then(Value::as_u64) {
            let pad = usize::try_from(pad).unwrap_or(0).min(MOST_PADDING);
            data["padding"] = json!("x".repeat(pad));
        }
        let mut outgoing = self.compose(now, message, &data);
        if let Some(Value::Object(header)) = with.get("header") {
            outgoing.payload = with_header(&outgoing.payload, header);
        }
        if with.get("reversed") == Some(&Value::Bool(true)) {
            let header = self.header(now, &outgoing.txn);
            let Value::Object(members) = with_type(message, &data) else {
                return Err(bad("data", "a map is needed"));
            };
            let reversed: Map<String, Value> = members.into_iter().rev().collect();
            outgoing.payload = json!({"data": reversed, "header": header})
                .to_string()
                .into_bytes();
        }
        let copies = with.get("copies").and_then(Value::as_u64).unwrap_or(1);
        let parts = with.get("fragments").and_then(Value::as_u64).unwrap_or(1);
        for _ in 0..copies {
            if parts > 1 {
                let ping = with.get("ping_between") == Some(&Value::Bool(true));
                self.fragments(connection, &outgoing.payload, parts, ping, out);
            } else {
                self.transmit(&outgoing, out);
            }
        }
        Ok(json!({"txn": outgoing.txn}))
    }

    fn fragments(&self, connection: u32, payload: &[u8], parts: u64, ping: bool, out: &mut Outputs) {
        let size = payload.len().div_ceil(usize::try_from(parts).unwrap_or(1)).max(1);
        let last = payload.len().div_ceil(size).saturating_sub(1);
        for (index, part) in payload.chunks(size).enumerate() {
            out.sends.push(Send::Fragment {
                connection,
                opcode: if index == 0 { BINARY } else { 0 },
                fin: index == last,
                payload: part.to_vec(),
            });
            if ping && index < last {
                out.sends.push(Send::Fragment {
                    connection,
                    opcode: PING,
                    fin: true,
                    payload: b"between".to_vec(),
                });
            }
        }
    }

    pub(super) fn send_raw(&self, with: &Map<String, Value>, out: &mut Outputs) -> Result<Value, ActError> {
        let given = |name: &str| with.get(name).and_then(Value::as_str);
        let payload = match (given("text"), given("hex")) {
            (Some(text), _) => text.as_bytes().to_vec(),
            (None, Some(digits)) => from_hex(digits)?,
            (None, None) => Vec::new(),
        };
        let opcode = if given("opcode") == Some("text") {
            TEXT
        } else {
            BINARY
        };
        self.frame(opcode, payload, out)?;
        Ok(json!({}))
    }

    pub(super) fn send_nested(
        &mut self,
        now: Now,
        with: &Map<String, Value>,
        out: &mut Outputs,
    ) -> Result<Value, ActError> {
        let depth = with.get("depth").and_then(Value::as_u64).unwrap_or(1);
        let depth = usize::try_from(depth).unwrap_or(1).min(MOST_PADDING);
        let mut outgoing = self.compose(now, "overrideEnvVars", &json!({"items": [], "nested": 0}));
        let nested = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        let text = String::from_utf8_lossy(&outgoing.payload);
        outgoing.payload = text
            .replace("\"nested\":0", &format!("\"nested\":{nested}"))
            .into_bytes();
        self.frame(BINARY, outgoing.payload, out)?;
        Ok(json!({"txn": outgoing.txn}))
    }

    pub(super) fn burst(
        &mut self,
        now: Now,
        with: &Map<String, Value>,
        out: &mut Outputs,
    ) -> Result<Value, ActError> {
        self.connection()?;
        let count = with.get("count").and_then(Value::as_u64).unwrap_or(1);
        let mut transactions = Vec::new();
        for _ in 0..count {
            let outgoing = self.compose(now, "overrideEnvVars", &json!({"items": []}));
            self.transmit(&outgoing, out);
            transactions.push(outgoing.txn);
        }
        Ok(json!({"txns": transactions}))
    }
}

/// More would only test the harness.
const MOST_PADDING: usize = 4 << 20;
