//! A port whose listener is away is kept: nobody else gets it, connections are refused, the listener comes back.

use hil_link::{Address, Network};

#[tokio::test]
async fn a_reserved_port_is_kept_and_comes_back() {
    let network = Network::Tcp;
    let anywhere = Address::Host("127.0.0.1".to_owned(), 0);
    let listener = network.listen(&anywhere).await.unwrap();
    let address = listener.address().unwrap();
    assert!(
        network.reserve(&address).is_err(),
        "a port with a listener cannot be reserved"
    );
    drop(listener);
    let reservation = network.reserve(&address).unwrap();
    assert!(reservation.is_some());
    assert!(network.connect(&address).await.is_err());
    let Address::Host(host, port) = &address else {
        unreachable!()
    };
    let other = std::net::TcpStream::connect((host.as_str(), *port));
    assert!(other.is_err(), "nobody listens");
    drop(reservation);
    network.listen(&address).await.unwrap();
}
