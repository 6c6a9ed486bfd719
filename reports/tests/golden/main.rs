//! Golden files of every report over one small run that holds every verdict, and checks that hold for any run.

mod fixture;
mod golden;
mod hostile;
mod progress;
mod schema;
mod timing;
mod volume;
mod waivers;
mod write;
