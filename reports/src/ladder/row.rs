//! Ladder and row as plain data.

use hil_trace::Stamp;

/// A trace as rows in the order of their deciding records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ladder {
    /// The rows.
    pub rows: Vec<Row>,
}

impl Ladder {
    /// The row that shows a record: the one it decided, else the first that was read from it.
    pub fn row_of(&self, record: u64) -> Option<&Row> {
        let decided = self.rows.iter().find(|r| r.seq() == record);
        decided.or_else(|| self.rows.iter().find(|r| r.records.contains(&record)))
    }
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The records it was read from; the last one decided it. Never empty.
    pub records: Vec<u64>,
    /// When the deciding record was made.
    pub at: Stamp,
    /// How it is drawn.
    pub shape: Shape,
    /// What happened, in a few words, without control characters.
    pub title: String,
    /// Names and short values; a value without a name has an empty one.
    pub fields: Vec<(String, String)>,
    /// False while the unit has no power or its software does not run.
    pub running: bool,
}

impl Row {
    /// The record that decided the row.
    pub fn seq(&self) -> u64 {
        self.records.last().copied().unwrap_or(0)
    }

    /// The fields on one line: `status=completed id=c-1`.
    pub fn detail(&self) -> String {
        let fields: Vec<String> = self
            .fields
            .iter()
            .map(|(name, value)| match name.as_str() {
                "" => value.clone(),
                "→" => format!("→ {value}"),
                name => format!("{name}={value}"),
            })
            .collect();
        fields.join(" ")
    }

    /// Who did it, for lists without lanes: `unit → cloud`, `fault`, `step`.
    pub fn who(&self) -> &'static str {
        match self.shape {
            Shape::Message {
                from: Lane::Unit,
                lost,
                ..
            } => {
                if lost {
                    "unit ⇥ cloud"
                } else {
                    "unit → cloud"
                }
            }
            Shape::Message {
                from: Lane::Cloud,
                lost,
                ..
            } => {
                if lost {
                    "cloud ⇥ unit"
                } else {
                    "cloud → unit"
                }
            }
            Shape::Note(Lane::Unit) | Shape::Life => "unit",
            Shape::Note(Lane::Cloud) => "cloud",
            Shape::Console => "console",
            Shape::Fault => "fault",
            Shape::Step => "step",
            Shape::Harness(_) => "harness",
            Shape::Trouble => "trouble",
            Shape::End => "end",
        }
    }
}

/// The two sides of a ladder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lane {
    /// The unit under test.
    Unit,
    /// The mock cloud.
    Cloud,
}

/// How a row is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Shape {
    /// An arrow to the other lane.
    Message {
        /// Where it starts.
        from: Lane,
        /// True if it did not arrive whole.
        lost: bool,
        /// True for what only carries messages: connections, handshakes, pings.
        quiet: bool,
    },
    /// Something a side did that no message shows.
    Note(Lane),
    /// Something the harness did to a side, or read from it.
    Harness(Lane),
    /// A change in the life of the unit: boot, power, exit.
    Life,
    /// Output of the unit.
    Console,
    /// A fault changed phase.
    Fault,
    /// A scenario step begins or ends.
    Step,
    /// Something outside the unit went wrong.
    Trouble,
    /// The end of the trace.
    End,
}
