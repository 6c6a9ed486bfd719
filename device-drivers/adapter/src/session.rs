//! One run of an adapter: requests out, answers and notices in, and everything it can do wrong.

use crate::{
    Request,
    excerpt::excerpt,
    life::Life,
    lines::{LONGEST_LINE, Lines, Next},
    message::{Answer, Message},
};
use hil_process::{BootMark, Launch};
use hil_unit::{UnitError, trace::ConsoleStream};
use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::Value;
use std::{
    cell::{Cell, RefCell},
    process::{ExitStatus, Stdio},
    rc::Rc,
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    process::{Child, ChildStderr, ChildStdin, ChildStdout},
    sync::oneshot,
    task::AbortHandle,
    time::{Instant, sleep_until, timeout},
};

/// An adapter that was started. Dropping it kills all it started. Once it broke the protocol it is killed, and every
/// request fails with the reason.
pub(crate) struct Session {
    shared: Rc<Shared>,
    input: Option<ChildStdin>,
    tasks: Vec<AbortHandle>,
}

struct Shared {
    life: Rc<Life>,
    group: Option<Pid>,
    mark: BootMark,
    asked: Cell<u64>,
    waiting: RefCell<Option<Waiting>>,
    broken: RefCell<Option<String>>,
    /// The harness is done with it: that it ends is no trouble.
    ending: Cell<bool>,
    ended: tokio::sync::Notify,
    has_ended: Cell<bool>,
    last_words: RefCell<Vec<u8>>,
}

struct Waiting {
    id: u64,
    sender: oneshot::Sender<Answer>,
}

impl Session {
    /// Starts the executable; must be called inside a `LocalSet`.
    pub(crate) fn start(launch: &Launch, life: Rc<Life>) -> Result<Session, UnitError> {
        let mark = BootMark::new();
        let (variable, value) = mark.variable();
        let mut command = launch.command();
        let mut child = command
            .env(variable, value)
            .stdin(Stdio::piped())
            .spawn()
            .map_err(|error| launch.failed(&error))?;
        let group = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        let (input, output, errors) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let shared = Rc::new(Shared {
            life,
            group,
            mark,
            asked: Cell::new(0),
            waiting: RefCell::default(),
            broken: RefCell::default(),
            ending: Cell::new(false),
            ended: tokio::sync::Notify::new(),
            has_ended: Cell::new(false),
            last_words: RefCell::default(),
        });
        let mut tasks = Vec::new();
        if let Some(errors) = errors {
            tasks.push(tokio::task::spawn_local(listen_to_errors(shared.clone(), errors)).abort_handle());
        }
        if let Some(output) = output {
            tasks.push(tokio::task::spawn_local(listen(shared.clone(), child, output)).abort_handle());
        }
        Ok(Session { shared, input, tasks })
    }

    /// Asks, and waits for the answer no longer than the limit.
    pub(crate) async fn ask(
        &mut self,
        request: Request,
        arguments: &Value,
        limit: Duration,
    ) -> Result<Value, UnitError> {
        self.shared.whole()?;
        let id = self.shared.asked.get() + 1;
        self.shared.asked.set(id);
        let (sender, answer) = oneshot::channel();
        self.shared.waiting.replace(Some(Waiting { id, sender }));
        let mut line = request.line(id, arguments);
        line.push('\n');
        let shared = &self.shared;
        let input = &mut self.input;
        let work = async {
            if let Some(input) = input {
                let sent = async {
                    input.write_all(line.as_bytes()).await?;
                    input.flush().await
                };
                // One that reads no more may still have answered: its end is told by the other stream.
                let _ = sent.await;
            }
            answer.await
        };
        let name = request.name();
        match timeout(limit, work).await {
            Ok(Ok(Answer::Result(value))) => Ok(value),
            Ok(Ok(Answer::Error(text))) => Err(UnitError::Lab(format!(
                "the adapter could not do `{name}`: {}",
                excerpt(text.as_bytes())
            ))),
            Ok(Ok(Answer::NotImplemented)) => Err(UnitError::NotImplemented(name.to_owned())),
            Ok(Err(_)) => {
                shared.whole()?;
                Err(UnitError::Lab(format!(
                    "the adapter left `{name}` without an answer"
                )))
            }
            Err(_) => {
                shared.waiting.take();
                shared.broke(format!(
                    "the adapter did not answer `{name}` within {} s; `timeouts: {{{name}: …}}` in the unit file gives it more",
                    limit.as_secs_f64()
                ), true);
                shared.whole().map(|()| Value::Null)
            }
        }
    }

    /// The harness has no more requests: closes its input, waits for it to end, and kills what is left.
    pub(crate) async fn end(&mut self) {
        self.shared.ending.set(true);
        drop(self.input.take());
        let _ = timeout(ENDING, self.shared.until_ended()).await;
        self.shared.kill();
        // Whatever it holds up, what it started is killed; only its own end is still to come.
        let _ = timeout(KILLED, self.shared.until_ended()).await;
    }

    /// Whether it can be asked something.
    pub(crate) fn is_whole(&self) -> bool {
        self.shared.whole().is_ok()
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.shared.ending.set(true);
        self.shared.kill();
        for task in &self.tasks {
            task.abort();
        }
    }
}

impl Shared {
    fn whole(&self) -> Result<(), UnitError> {
        match &*self.broken.borrow() {
            None => Ok(()),
            Some(text) => Err(UnitError::Lab(text.clone())),
        }
    }

    /// The adapter broke the protocol: it is of no use any more. `told` says that whoever waits is told by itself.
    fn broke(&self, text: String, told: bool) {
        if self.broken.borrow().is_some() || self.ending.get() {
            return;
        }
        let text = match &*self.last_words.borrow() {
            words if words.is_empty() => text,
            words => format!("{text}; its last words on standard error: {}", excerpt(words)),
        };
        self.broken.replace(Some(text.clone()));
        self.kill();
        // Whoever waits is told by the end of the channel.
        if self.waiting.take().is_none() && !told {
            self.life.trouble(text);
        }
    }

    fn heard(&self, line: &[u8]) {
        match Message::read(line) {
            Err(problem) => self.broke(format!("the adapter wrote {problem}"), false),
            Ok(Message::Notice(notice)) => self.life.notice(notice),
            Ok(Message::Answer { id, answer }) => {
                let expected = self
                    .waiting
                    .borrow()
                    .as_ref()
                    .is_some_and(|waiting| waiting.id == id);
                let waiting = self.waiting.borrow_mut().take_if(|_| expected);
                match waiting {
                    // Whoever asked may have given up meanwhile.
                    Some(waiting) => drop(waiting.sender.send(answer)),
                    None if (1..=self.asked.get()).contains(&id) && !self.is_open(id) => {
                        self.broke(
                            format!("the adapter answered request {id} twice: {}", excerpt(line)),
                            false,
                        );
                    }
                    None => {
                        let text = format!(
                            "the adapter answered request {id}, which nobody asked: {}",
                            excerpt(line)
                        );
                        self.broke(text, false);
                    }
                }
            }
        }
    }

    fn is_open(&self, id: u64) -> bool {
        self.waiting
            .borrow()
            .as_ref()
            .is_some_and(|waiting| waiting.id == id)
    }

    async fn until_ended(&self) {
        while !self.has_ended.get() {
            self.ended.notified().await;
        }
    }

    fn kill(&self) {
        if let Some(group) = self.group.filter(|_| !self.has_ended.get()) {
            // A group without members is as good as killed.
            let _ = kill_process_group(group, Signal::KILL);
        }
        self.mark.kill_all();
    }
}

/// Reads what the adapter says until it ends.
async fn listen(shared: Rc<Shared>, mut child: Child, output: ChildStdout) {
    let mut lines = Lines::new(output);
    let mut status: Option<ExitStatus> = None;
    let mut until = Instant::now();
    let reason = loop {
        let next = tokio::select! {
            biased;
            next = lines.next() => next,
            ended = child.wait(), if status.is_none() => {
                // What it said last is still under way; children may hold its output open for ever.
                status = Some(ended.unwrap_or_default());
                until = Instant::now() + DRAIN;
                continue;
            }
            () = sleep_until(until), if status.is_some() => Next::End,
        };
        match next {
            Next::Line(line) if line.iter().all(u8::is_ascii_whitespace) => {}
            Next::Line(line) => shared.heard(&line),
            Next::End => break None,
            Next::HalfLine(line) => break Some(format!("in the middle of a line: {}", excerpt(&line))),
            Next::TooLong(line) => {
                let text = format!(
                    "the adapter wrote a line of more than {LONGEST_LINE} bytes, which begins {}",
                    excerpt(&line)
                );
                shared.broke(text, false);
                break None;
            }
        }
        // A flood must not keep others on this thread from their work.
        tokio::task::yield_now().await;
    };
    if status.is_none() {
        status = timeout(DRAIN, child.wait()).await.ok().and_then(Result::ok);
    }
    let how = match status {
        Some(status) => format!("the adapter ended ({status})"),
        None => "the adapter closed its standard output".to_owned(),
    };
    let text = match reason {
        Some(reason) => format!("{how} {reason}"),
        None => how,
    };
    shared.broke(text, false);
    if status.is_none() {
        let _ = child.wait().await;
    }
    shared.has_ended.set(true);
    shared.ended.notify_waiters();
}

/// Keeps what the adapter says of itself, and its end for messages.
async fn listen_to_errors(shared: Rc<Shared>, mut errors: ChildStderr) {
    let mut buffer = vec![0; 16 * 1024];
    while let Ok(count @ 1..) = errors.read(&mut buffer).await {
        let bytes = &buffer[..count];
        shared.life.output(ConsoleStream::Lab, bytes);
        {
            let mut last = shared.last_words.borrow_mut();
            last.extend_from_slice(&bytes[count.saturating_sub(LAST_WORDS)..]);
            let surplus = last.len().saturating_sub(LAST_WORDS);
            last.drain(..surplus);
        }
        tokio::task::yield_now().await;
    }
}

/// How long an adapter may take to end once its input is closed.
const ENDING: Duration = Duration::from_secs(5);
const KILLED: Duration = Duration::from_secs(2);
const DRAIN: Duration = Duration::from_millis(300);
const LAST_WORDS: usize = 200;
