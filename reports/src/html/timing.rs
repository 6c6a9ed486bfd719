//! Measured times over repeats as the template wants them.

use super::anchors::Anchors;
use crate::{
    report::Report,
    style::{class, word},
    text,
    timing::{self, HEADS, HEIGHT, HistogramPicture, TimelinePicture, WIDTH},
};
use hil_trace::{InstanceSummary, Repeats, TimedSeries};

/// The repeats of one scenario.
pub(super) struct TimingView {
    pub(super) name: String,
    pub(super) anchor: String,
    pub(super) class: &'static str,
    pub(super) word: &'static str,
    /// How many repeats, and what is kept of them.
    pub(super) kept: String,
    pub(super) series: Vec<SeriesView>,
}

/// One measured time.
pub(super) struct SeriesView {
    pub(super) name: String,
    pub(super) bounds: Option<String>,
    pub(super) clock: String,
    pub(super) figures: Vec<(&'static str, String)>,
    pub(super) histogram: HistogramPicture,
    pub(super) timeline: TimelinePicture,
}

impl TimingView {
    /// Every group that has measured times.
    pub(super) fn all(report: &Report<'_>, anchors: &Anchors) -> Vec<TimingView> {
        let groups = timing::groups(report).into_iter();
        let groups = groups.filter(|(_, repeats)| !repeats.series.is_empty());
        groups
            .map(|(instance, repeats)| TimingView::of(report, instance, repeats, anchors))
            .collect()
    }

    fn of(
        report: &Report<'_>,
        instance: &InstanceSummary,
        repeats: &Repeats,
        anchors: &Anchors,
    ) -> TimingView {
        let name = &instance.header.instance;
        TimingView {
            name: text::line(name),
            anchor: anchors.get(name).unwrap_or_default().to_owned(),
            class: class(instance, report.summary.strict),
            word: word(instance.verdict),
            kept: timing::kept(repeats),
            series: repeats.series.iter().map(SeriesView::of).collect(),
        }
    }

    pub(super) fn width(&self) -> f64 {
        WIDTH
    }

    pub(super) fn height(&self) -> f64 {
        HEIGHT
    }
}

impl SeriesView {
    fn of(series: &TimedSeries) -> SeriesView {
        let bounds = series.bounds.as_deref().map(timing::bounds);
        SeriesView {
            name: text::short(&series.name, 60),
            bounds: bounds.filter(|words| !words.is_empty()),
            clock: timing::clock(series),
            figures: HEADS.into_iter().zip(timing::cells(series)).collect(),
            histogram: HistogramPicture::of(series),
            timeline: TimelinePicture::of(series),
        }
    }
}
