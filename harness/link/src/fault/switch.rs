//! A stream that lets faults come between its two sides: direct until the first fault is there, pumped from then on.

use super::{Place, Ways, pump};
use crate::{Stream, StreamHandle, memory, memory::MemoryStream, stream::Io};
use hil_fault::Watcher;
use std::{
    cell::RefCell,
    io::{self, IoSlice},
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The cloud's end of a connection to or from the unit, with faults on the way; must be called, and its faults be set
/// off, on a local task set. The handle stays that of `stream`.
pub fn disturbed(stream: Stream, place: Place) -> Stream {
    let handle = stream.handle();
    let place = Rc::new(place);
    let switch = Rc::new(Switch {
        link: RefCell::new(Link::Direct(stream)),
        handle: handle.clone(),
        place: place.clone(),
    });
    let watching = Rc::downgrade(&switch);
    let watcher: Rc<Watcher> = Rc::new(move || {
        if let Some(switch) = watching.upgrade() {
            switch.look();
        }
    });
    place.watch(&watcher);
    switch.look();
    Stream::layered(
        Disturbed {
            switch,
            _watcher: watcher,
        },
        handle,
    )
}

struct Disturbed {
    switch: Rc<Switch>,
    _watcher: Rc<Watcher>,
}

struct Switch {
    link: RefCell<Link>,
    handle: StreamHandle,
    place: Rc<Place>,
}

enum Link {
    Direct(Stream),
    Pumped(MemoryStream),
}

impl Switch {
    /// Puts a pump in between once there is a fault that may act.
    fn look(&self) {
        let mut link = self.link.borrow_mut();
        if matches!(*link, Link::Pumped(_)) || self.place.candidates().iter().all(|candidate| candidate.spent)
        {
            return;
        }
        let (near, far) = memory::pair();
        if let Link::Direct(unit) = std::mem::replace(&mut *link, Link::Pumped(near)) {
            let ways = Ways {
                unit,
                cloud: Stream::new(far),
            };
            tokio::task::spawn_local(pump(ways, self.place.clone()));
            self.handle.wake();
        }
    }
}

impl Disturbed {
    fn with<T>(&self, then: impl FnOnce(Pin<&mut dyn Io>) -> T) -> T {
        match &mut *self.switch.link.borrow_mut() {
            Link::Direct(stream) => then(Pin::new(stream)),
            Link::Pumped(stream) => then(Pin::new(stream)),
        }
    }
}

impl Io for Disturbed {
    fn prepare_reset(&mut self) {
        self.with(|mut io| io.prepare_reset());
    }
}

impl AsyncRead for Disturbed {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.with(|io| io.poll_read(cx, buf))
    }
}

impl AsyncWrite for Disturbed {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.with(|io| io.poll_write(cx, bytes))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.with(|io| io.poll_write_vectored(cx, slices))
    }

    fn is_write_vectored(&self) -> bool {
        self.with(|io| io.is_write_vectored())
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.with(|io| io.poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.with(|io| io.poll_shutdown(cx))
    }
}
