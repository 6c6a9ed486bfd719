//! A serial face, played by a pseudo terminal on the real clock.

use super::toy::Bench;
use hil_link::{Address, Clock, Network};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use serde_json::json;
use std::{
    fs::File,
    io::{Read, Write},
    thread,
};

#[test]
fn bytes_pass_a_serial_line_untouched() {
    let near = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&near).unwrap();
    unlockpt(&near).unwrap();
    let path = ptsname(&near, Vec::new()).unwrap().into_string().unwrap();
    let mut unit = File::from(near);
    let unit = thread::spawn(move || {
        let mut greeting = [0; 5];
        unit.read_exact(&mut greeting).unwrap();
        // Without raw mode these would be changed, echoed, or end the line.
        unit.write_all(b"a\r\n\x03\x04\x11").unwrap();
        let mut answer = [0; 6];
        unit.read_exact(&mut answer).unwrap();
        (greeting, answer)
    });
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_all().build().unwrap();
    tokio::task::LocalSet::new().block_on(&runtime, async {
        let bench = Bench::start_on(Clock::new_real(), Network::Tcp, None).await;
        bench
            .unit_faces
            .borrow_mut()
            .insert("rpc-serial".to_owned(), Address::Path(path));
        bench.act("open", json!({"face": "rpc-serial"})).await;
        while !unit.is_finished() {
            bench.told().await;
        }
        let (greeting, answer) = unit.join().unwrap();
        assert_eq!((&greeting, &answer), (b"hello", b"A\r\n\x03\x04\x11"));
        bench.host.stop();
    });
}
