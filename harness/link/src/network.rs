//! How two parties of a bench reach each other: in memory by name, or over TCP and Unix sockets.

use crate::{memory, stream::Stream};
use std::{
    cell::RefCell,
    collections::BTreeMap,
    fmt, io,
    net::{IpAddr, SocketAddr},
    rc::Rc,
};
use tokio::{
    net::{TcpListener, TcpSocket, TcpStream, UnixListener, UnixStream},
    sync::mpsc,
};

/// Where a listener can be reached.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Address {
    /// Host name or address, and port.
    Host(String, u16),
    /// Path of a Unix socket.
    Path(String),
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::Host(host, port) => write!(f, "{host}:{port}"),
            Address::Path(path) => f.write_str(path),
        }
    }
}

/// The network of one bench; clones are the same network.
#[derive(Clone)]
pub enum Network {
    /// Names and ports inside this process.
    Memory(Rc<MemoryNetwork>),
    /// The machine's own.
    Tcp,
}

/// Listeners by address. Every host name resolves but those below `.invalid` (RFC 6761 section 6.4).
#[derive(Default)]
pub struct MemoryNetwork {
    listeners: RefCell<BTreeMap<Address, mpsc::UnboundedSender<Stream>>>,
    next_port: RefCell<u16>,
}

/// Keeps a port from being taken while nobody listens on it: connections to it are refused, and no listener and no
/// outgoing connection gets it. Released on drop.
pub struct Reservation {
    _socket: TcpSocket,
}

/// Accepts connections until dropped.
pub enum Listener {
    /// In memory.
    Memory {
        /// Its address.
        address: Address,
        /// Connections that were made.
        incoming: mpsc::UnboundedReceiver<Stream>,
        /// The network to leave on drop.
        network: Rc<MemoryNetwork>,
    },
    /// TCP.
    Tcp(TcpListener),
    /// Unix socket; the file is removed on drop.
    Unix(UnixListener, String),
}

impl Network {
    /// A fresh network in memory.
    pub fn new_memory() -> Self {
        Network::Memory(Rc::default())
    }

    /// Listens; port 0 picks a free one.
    pub async fn listen(&self, address: &Address) -> io::Result<Listener> {
        match (self, address) {
            (Network::Memory(network), address) => network.listen(address.clone()),
            (Network::Tcp, Address::Host(host, port)) => {
                Ok(Listener::Tcp(TcpListener::bind((host.as_str(), *port)).await?))
            }
            (Network::Tcp, Address::Path(path)) => {
                let _ = std::fs::remove_file(path);
                Ok(Listener::Unix(UnixListener::bind(path)?, path.clone()))
            }
        }
    }

    /// Reserves the port of an address nobody listens on; `None` where ports are not taken by others.
    pub fn reserve(&self, address: &Address) -> io::Result<Option<Reservation>> {
        let (Network::Tcp, Address::Host(host, port)) = (self, address) else {
            return Ok(None);
        };
        let Ok(host) = host.parse::<IpAddr>() else {
            return Ok(None);
        };
        let socket = if host.is_ipv4() {
            TcpSocket::new_v4()?
        } else {
            TcpSocket::new_v6()?
        };
        socket.set_reuseaddr(true)?;
        socket.bind(SocketAddr::new(host, *port))?;
        Ok(Some(Reservation { _socket: socket }))
    }

    /// Connects.
    pub async fn connect(&self, address: &Address) -> io::Result<Stream> {
        match (self, address) {
            (Network::Memory(network), address) => network.connect(address),
            (Network::Tcp, Address::Host(host, port)) => {
                let stream = TcpStream::connect((host.as_str(), *port)).await?;
                stream.set_nodelay(true)?;
                Ok(Stream::new(stream))
            }
            (Network::Tcp, Address::Path(path)) => Ok(Stream::new(UnixStream::connect(path).await?)),
        }
    }
}

impl MemoryNetwork {
    fn listen(self: &Rc<Self>, address: Address) -> io::Result<Listener> {
        let address = match address {
            Address::Host(host, 0) => {
                let mut next = self.next_port.borrow_mut();
                *next = next.checked_add(1).unwrap_or(1);
                Address::Host(host, 20_000 + *next)
            }
            other => other,
        };
        let mut listeners = self.listeners.borrow_mut();
        if listeners.get(&address).is_some_and(|sender| !sender.is_closed()) {
            return Err(io::ErrorKind::AddrInUse.into());
        }
        let (sender, incoming) = mpsc::unbounded_channel();
        listeners.insert(address.clone(), sender);
        Ok(Listener::Memory {
            address,
            incoming,
            network: self.clone(),
        })
    }

    fn connect(&self, address: &Address) -> io::Result<Stream> {
        if let Address::Host(host, _) = address
            && host.trim_end_matches('.').ends_with(".invalid")
        {
            return Err(io::Error::new(
                io::ErrorKind::NotFound,
                "host name does not resolve",
            ));
        }
        let (near, far) = memory::pair();
        let listeners = self.listeners.borrow();
        let sender = listeners.get(address).ok_or(io::ErrorKind::ConnectionRefused)?;
        sender
            .send(Stream::new(far))
            .map_err(|_| io::ErrorKind::ConnectionRefused)?;
        Ok(Stream::new(near))
    }
}

impl Listener {
    /// The next connection.
    pub async fn accept(&mut self) -> io::Result<Stream> {
        match self {
            Listener::Memory { incoming, .. } => {
                incoming.recv().await.ok_or(io::ErrorKind::NotConnected.into())
            }
            Listener::Tcp(listener) => {
                let (stream, _) = listener.accept().await?;
                stream.set_nodelay(true)?;
                Ok(Stream::new(stream))
            }
            Listener::Unix(listener, _) => Ok(Stream::new(listener.accept().await?.0)),
        }
    }

    /// Where it really listens.
    pub fn address(&self) -> io::Result<Address> {
        match self {
            Listener::Memory { address, .. } => Ok(address.clone()),
            Listener::Tcp(listener) => {
                let address = listener.local_addr()?;
                Ok(Address::Host(address.ip().to_string(), address.port()))
            }
            Listener::Unix(_, path) => Ok(Address::Path(path.clone())),
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        match self {
            Listener::Memory { address, network, .. } => {
                network.listeners.borrow_mut().remove(address);
            }
            Listener::Unix(_, path) => {
                let _ = std::fs::remove_file(path);
            }
            Listener::Tcp(_) => {}
        }
    }
}
