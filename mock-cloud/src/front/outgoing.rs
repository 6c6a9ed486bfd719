//! Bytes on their way out of a connection.

use bytes::{Buf, BytesMut};
use std::io;
use tokio::io::{AsyncWrite, AsyncWriteExt};

/// Bytes that were recorded and are not with the transport yet.
#[derive(Debug, Default)]
pub(super) struct Outgoing {
    /// Append here.
    pub(super) bytes: BytesMut,
    unflushed: bool,
}

impl Outgoing {
    /// True when everything is with the transport.
    pub(super) fn is_done(&self) -> bool {
        self.bytes.is_empty() && !self.unflushed
    }

    /// One step forward; may be cancelled without loss.
    pub(super) async fn advance(&mut self, writer: &mut (impl AsyncWrite + Unpin)) -> io::Result<()> {
        if self.bytes.is_empty() {
            writer.flush().await?;
            self.unflushed = false;
        } else {
            let count = writer.write(&self.bytes).await?;
            self.bytes.advance(count);
            self.unflushed = true;
        }
        Ok(())
    }
}
