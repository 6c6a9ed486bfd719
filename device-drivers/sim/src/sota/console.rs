//! The console gateway: lines typed become commands, a log line tells the outcome of each (reference section 2.4).

use super::agent::{Origin, SotaAgent};
use crate::{Context, StreamId};
use hil_wire::sota::{Event, console, text};

impl SotaAgent {
    /// Somebody sits down at the console.
    pub(super) fn console_opened(&mut self, stream: StreamId, context: &mut Context<'_>) {
        self.gateways.consoles.insert(stream, Vec::new());
        context.send_stream(stream, console::PROMPT);
    }

    /// What was typed: each whole line is a command.
    pub(super) fn typed(&mut self, stream: StreamId, bytes: &[u8], context: &mut Context<'_>) {
        let Some(buffer) = self.gateways.consoles.get_mut(&stream) else {
            return;
        };
        buffer.extend_from_slice(bytes);
        let mut lines = Vec::new();
        while let Some(end) = buffer.iter().position(|byte| *byte == b'\n') {
            lines.push(buffer.drain(..=end).collect::<Vec<u8>>());
        }
        for line in lines {
            match text::parse(&line, self.dialect) {
                Ok(command) => self.enqueue(command, Origin::Console(stream), context),
                Err(error) => {
                    let line = console::error_line(context.wall_us(), VERSION, &error.to_string());
                    self.show(stream, line, context);
                }
            }
        }
    }

    /// Shows the final event of a command that was typed.
    pub(super) fn show_outcome(&mut self, stream: StreamId, event: &Event, context: &mut Context<'_>) {
        let line = console::response_line(context.wall_us(), VERSION, event);
        self.show(stream, line, context);
    }

    fn show(&mut self, stream: StreamId, line: String, context: &mut Context<'_>) {
        context.send_stream(stream, format!("{line}\n{}", console::PROMPT));
        context.console(line);
    }
}

/// The release this unit behaves like.
const VERSION: &str = "0.2.32";
