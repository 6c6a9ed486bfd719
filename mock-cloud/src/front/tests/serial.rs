//! A serial face, played by a pseudo terminal on the real clock.

use super::toy::Bench;
use hil_link::{Address, Clock, Network, serial::Pty};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

#[test]
fn bytes_pass_a_serial_line_untouched() {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_all().build().unwrap();
    tokio::task::LocalSet::new().block_on(&runtime, async {
        let (terminal, mut near) = Pty::open().unwrap();
        let unit = tokio::task::spawn_local(async move {
            let mut greeting = [0; 5];
            near.read_exact(&mut greeting).await.unwrap();
            // Without raw mode these would be changed, echoed, or end the line.
            near.write_all(b"a\r\n\x03\x04\x11").await.unwrap();
            let mut answer = [0; 6];
            near.read_exact(&mut answer).await.unwrap();
            (greeting, answer)
        });
        let bench = Bench::start_on(Clock::new_real(), Network::Tcp, None).await;
        let address = Address::Path(terminal.path().to_owned());
        bench
            .unit_faces
            .borrow_mut()
            .insert("rpc-serial".to_owned(), address);
        bench.act("open", json!({"face": "rpc-serial"})).await;
        while !unit.is_finished() {
            bench.told().await;
        }
        let (greeting, answer) = unit.await.unwrap();
        assert_eq!((&greeting, &answer), (b"hello", b"A\r\n\x03\x04\x11"));
        bench.host.stop();
    });
}
