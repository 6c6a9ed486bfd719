//! Connections the core opens to faces of the unit: WebSockets, byte streams, serial lines.

use super::{
    Host, bytes,
    call::{CallError, head, message},
    frame::Role,
    upgrade, websocket,
};
use ::bytes::Bytes;
use base64::{Engine, engine::general_purpose::STANDARD};
use hil_link::{Address, Network, Stream, serial};
use hil_trace::{Ending, HttpEnding, Party};
use hil_wire::http::Request;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rand::Rng;
use std::{io, rc::Rc, time::Duration};

impl Host {
    /// Opens a connection; the core is told its number.
    pub(super) fn open(self: &Rc<Self>, link: u64, face: String, websocket: Option<Request>) {
        let host = self.clone();
        self.spawn(async move {
            let opened = match websocket {
                Some(request) => host.open_websocket(link, &face, request).await,
                None => host.open_stream(link, &face).await,
            };
            if let Err(error) = opened {
                let reason = error.to_string();
                host.tell(|core, now, out| core.link_opened(now, link, Err(reason), out))
                    .await;
            }
        });
    }

    async fn open_stream(self: &Rc<Self>, link: u64, face: &str) -> Result<(), CallError> {
        let (address, stream) = self.connect(face).await?;
        let connection = self.edge.opened(face, Party::Cloud);
        let stream = match &address {
            Address::Path(path) if serial::is_serial(path) => stream,
            _ => self.edge.disturbed(connection, face, Party::Cloud, stream),
        };
        let queue = self.attach(connection, stream.handle());
        self.tell(|core, now, out| core.link_opened(now, link, Ok(connection), out))
            .await;
        let (ending, by) = bytes::serve(self, connection, stream, queue).await;
        bytes::closed(self, connection, ending, by).await;
        Ok(())
    }

    async fn open_websocket(
        self: &Rc<Self>,
        link: u64,
        face: &str,
        mut request: Request,
    ) -> Result<(), CallError> {
        let (address, stream) = self.connect(face).await?;
        let connection = self.edge.opened(face, Party::Cloud);
        let stream = self.edge.disturbed(connection, face, Party::Cloud, stream);
        let queue = self.attach(connection, stream.handle());
        let key: [u8; 16] = self.random.borrow_mut().random();
        upgrade::ask(&mut request, &STANDARD.encode(key));
        let opened = tokio::select! {
            biased;
            opened = self.handshake(connection, face, &address, request, stream) => opened,
            () = self.edge.clock.sleep(HANDSHAKE_LIMIT) => Err(CallError::Late),
        };
        let (exchange, stream, read) = match opened {
            Ok(opened) => opened,
            Err(error) => {
                self.edge.closed(connection, Ending::Broken, Party::Cloud);
                self.detach(connection);
                return Err(error);
            }
        };
        self.edge.websocket_opened(connection, exchange);
        self.tell(|core, now, out| core.link_opened(now, link, Ok(connection), out))
            .await;
        let (ending, by) = websocket::serve(self, connection, Role::Client, stream, read, queue).await;
        bytes::closed(self, connection, ending, by).await;
        Ok(())
    }

    async fn handshake(
        &self,
        connection: u32,
        face: &str,
        address: &Address,
        request: Request,
        stream: Stream,
    ) -> Result<(u32, Stream, Bytes), CallError> {
        let (mut sender, driver) = http1::Builder::new()
            .preserve_header_case(true)
            .handshake(TokioIo::new(stream))
            .await?;
        let (request, message) = message(address, request)?;
        let exchange = self.edge.request(connection, face, Party::Cloud, &request);
        let mut driver = std::pin::pin!(driver.without_shutdown());
        let mut answer = std::pin::pin!(sender.send_request(message));
        let mut parts = None;
        let answer = loop {
            tokio::select! {
                biased;
                answer = &mut answer => break answer,
                ended = &mut driver, if parts.is_none() => parts = Some(ended?),
            }
        };
        let response = match answer {
            Ok(response) => head(response).0,
            Err(error) => {
                self.edge.unanswered(exchange, &error.to_string());
                return Err(error.into());
            }
        };
        self.edge
            .response(exchange, Party::Unit, &response, HttpEnding::Complete);
        if !upgrade::is_accepted(&request, &response) {
            return Err(CallError::Refused(response.status));
        }
        let parts = match parts {
            Some(parts) => parts,
            None => driver.await?,
        };
        Ok((exchange, parts.io.into_inner(), parts.read_buf))
    }

    /// Connects to a face of the unit.
    pub(super) async fn connect(&self, face: &str) -> Result<(Address, Stream), CallError> {
        let address = self.unit_faces.borrow().get(face).cloned();
        let address = address.ok_or_else(|| CallError::UnknownFace(face.to_owned()))?;
        let clock = &self.edge.clock;
        let until = clock.now() + self.core.borrow().connect_patience();
        loop {
            match self.connect_once(&address).await {
                Ok(stream) => return Ok((address, stream)),
                Err(error) if listens_later(&error) && clock.now() + AGAIN <= until => {
                    clock.sleep(AGAIN).await;
                }
                Err(error) => return Err(CallError::Connect { address, error }),
            }
        }
    }

    async fn connect_once(&self, address: &Address) -> io::Result<Stream> {
        match (&self.network, address) {
            (Network::Tcp, Address::Path(path)) if serial::is_serial(path) => {
                serial::open(path, self.baud_rate)
            }
            (network, address) => network.connect(address).await,
        }
    }
}

/// Whether nobody listens yet, as while a unit boots.
fn listens_later(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionRefused, NotFound};
    matches!(error.kind(), ConnectionRefused | NotFound)
}

/// How often a face nobody listens on is tried.
const AGAIN: Duration = Duration::from_millis(200);
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(10);
