//! Byte streams, opened by the unit and by the cloud.

use super::toy::{Bench, address, run};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

#[test]
fn a_stream_of_the_unit() {
    run(async {
        let bench = Bench::start(None).await;
        let mut stream = bench.connect("toy-bytes").await;
        stream.write_all(b"ping").await.unwrap();
        stream.shutdown().await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        assert_eq!(answer, b"PING");
        assert_eq!(
            bench.told().await,
            ["stream 1 toy-bytes", "bytes ping", "bytes ", "closed 1"]
        );
        assert_eq!(
            bench.trace(),
            [
                "opened 1 toy-bytes by Unit",
                "Unit \"ping\"",
                "Cloud \"PING\"",
                "closed 1 Fin by Unit",
            ]
        );
    });
}

#[test]
fn a_stream_to_the_unit() {
    run(async {
        let bench = Bench::start(None).await;
        let mut listener = bench.network.listen(&address("unit")).await.unwrap();
        bench
            .unit_faces
            .borrow_mut()
            .insert("commands".to_owned(), address("unit"));
        bench.arm("cloud.repeat", json!({"on": "greet", "copies": 2, "times": 1}));
        bench.act("open", json!({"face": "commands"})).await;
        let mut stream = listener.accept().await.unwrap();
        let mut greeting = [0; 15];
        stream.read_exact(&mut greeting).await.unwrap();
        assert_eq!(&greeting, b"hellohellohello");
        stream.write_all(b"last").await.unwrap();
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).await.unwrap();
        assert_eq!(rest, b"LAST");
        drop(stream);
        assert_eq!(
            bench.told().await,
            ["link 3 Ok(1)", "bytes last", "bytes ", "closed 1"]
        );
        assert_eq!(bench.trace().last().unwrap(), "closed 1 Fin by Cloud");
    });
}

#[test]
fn a_face_that_is_not_there() {
    run(async {
        let bench = Bench::start(None).await;
        bench.act("open", json!({"face": "commands"})).await;
        assert_eq!(
            bench.told().await,
            [r#"link 3 Err("the unit has no face `commands`")"#]
        );
        bench
            .unit_faces
            .borrow_mut()
            .insert("commands".to_owned(), address("unit"));
        bench.act("open", json!({"face": "commands"})).await;
        let told = bench.told().await;
        assert!(
            told[1].starts_with(r#"link 3 Err("cannot connect to unit:80: "#),
            "{told:?}"
        );
    });
}
