//! Instances that wait for a worker. Some, while they run, are about to add others: workers wait for those.

use crate::jobs::Job;
use std::{
    collections::VecDeque,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
};

/// What workers share.
pub(crate) struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    waiting: VecDeque<Job>,
    /// Instances under way that may add others.
    fertile: usize,
}

impl Queue {
    pub(crate) fn new(jobs: Vec<Job>) -> Self {
        Queue {
            state: Mutex::new(State {
                waiting: jobs.into(),
                fertile: 0,
            }),
            changed: Condvar::new(),
        }
    }

    /// The next instance; `None` once there is none and none will be added. Every one that is taken is told as `done`.
    pub(crate) fn take(&self) -> Option<Job> {
        let mut state = self.lock();
        loop {
            if let Some(job) = state.waiting.pop_front() {
                state.fertile += usize::from(job.may_add());
                return Some(job);
            }
            if state.fertile == 0 {
                return None;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// An instance is over; what it adds comes before all that wait.
    pub(crate) fn done(&self, job: &Job, added: Vec<Job>) {
        let mut state = self.lock();
        for job in added.into_iter().rev() {
            state.waiting.push_front(job);
        }
        state.fertile -= usize::from(job.may_add());
        drop(state);
        self.changed.notify_all();
    }

    /// How many still wait.
    pub(crate) fn left(&self) -> usize {
        self.lock().waiting.len()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
