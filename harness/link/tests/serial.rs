//! Serial lines, played by pseudo terminals.

use hil_link::serial::{self, Pty};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

#[tokio::test]
async fn what_nobody_read_before_is_dropped() {
    let (terminal, mut near) = Pty::open().unwrap();
    near.write_all(b"old\n").await.unwrap();
    let mut line = serial::open(terminal.path(), 115_200).unwrap();
    near.write_all(b"new\n").await.unwrap();
    let mut read = [0; 4];
    line.read_exact(&mut read).await.unwrap();
    assert_eq!(&read, b"new\n");
}
