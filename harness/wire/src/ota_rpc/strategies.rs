//! Proptest strategies for frames, boot states and archives.

use super::{
    BootState, Frame, Id, RpcError,
    archive::ArchiveBuilder,
    frame::Trace,
    method,
    uart::{HANDSHAKE, caller_line, mos_frame},
};
use proptest::{collection::vec, option, prelude::*, sample::select};
use serde_json::{Map, Value};

/// Any JSON value of modest size; numbers are integers.
pub fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            vec((".{0,8}", inner), 0..4).prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

/// Any id.
pub fn id() -> impl Strategy<Value = Id> {
    prop_oneof![
        any::<i64>().prop_map(Id::from),
        any::<String>().prop_map(Id::Text)
    ]
}

/// A name of a known method.
pub fn method_name() -> impl Strategy<Value = String> {
    let names = [&method::DOCUMENTED[..], &method::PUSH[..], &method::CORE[..]].concat();
    select(names).prop_map(str::to_owned)
}

/// A request or notification.
pub fn call() -> impl Strategy<Value = Frame> {
    let head = (option::of(id()), option::of(".{0,12}"), option::of(".{0,12}"));
    let body = (method_name(), option::of(json_value()), any::<bool>());
    let side = (
        option::of(any::<String>()),
        option::of(any::<i64>()),
        option::of((any::<i64>(), any::<i64>())),
    );
    (head, body, side).prop_map(
        |((id, src, dst), (method, arguments, old), (tag, v, trace))| Frame {
            id,
            src,
            dst,
            method: Some(method),
            params: arguments.clone().filter(|_| !old),
            args: arguments.filter(|_| old),
            tag,
            v,
            trace: trace.map(|(id, span)| Trace { id, span }),
            ..Frame::default()
        },
    )
}

/// A reply with a result or an error.
pub fn reply() -> impl Strategy<Value = Frame> {
    let error = (any::<i64>(), option::of(any::<String>())).prop_map(|(code, message)| RpcError {
        code,
        message,
        other: Map::new(),
    });
    let outcome = prop_oneof![
        json_value().prop_map(|result| (Some(result), None)),
        error.prop_map(|error| (None, Some(error))),
    ];
    (id(), option::of(".{0,12}"), outcome).prop_map(|(id, src, (result, error))| Frame {
        id: Some(id),
        src,
        result,
        error,
        ..Frame::default()
    })
}

/// Any frame.
pub fn frame() -> impl Strategy<Value = Frame> {
    prop_oneof![call(), reply()]
}

/// Any boot state of two slots.
pub fn boot_state() -> impl Strategy<Value = BootState> {
    (0..2i64, any::<bool>(), 0..2i64, 0..10_000i64).prop_map(
        |(active_slot, is_committed, revert_slot, commit_timeout)| BootState {
            active_slot,
            is_committed,
            revert_slot,
            commit_timeout,
        },
    )
}

/// A piece of what a caller may send over the serial line: frames in every framing, handshakes, junk.
pub fn serial_piece() -> impl Strategy<Value = Vec<u8>> {
    let json = || call().prop_map(|frame| super::encode_ascii(&frame));
    prop_oneof![
        json().prop_map(|json| mos_frame(&json)),
        (json(), any::<bool>()).prop_map(|(json, checksum)| caller_line(&json, checksum)),
        Just(HANDSHAKE.to_vec()),
        vec(any::<u8>(), 0..40),
        Just(b"\n".to_vec()),
        Just(vec![0x13]),
        Just(vec![0x11]),
    ]
}

/// An archive for platform `esp32` with the parts `app` and `fs`.
pub fn archive() -> impl Strategy<Value = ArchiveBuilder> {
    let bytes = || vec(any::<u8>(), 0..300);
    ("[0-9]\\.[0-9]", bytes(), bytes(), option::of("[a-z]{1,8}")).prop_map(|(version, app, fs, directory)| {
        ArchiveBuilder {
            directory,
            ..ArchiveBuilder::new("esp32", &version, "build")
                .part("app", "app", "app.bin", app)
                .part("fs", "fs", "fs.bin", fs)
        }
    })
}
