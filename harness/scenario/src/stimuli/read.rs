//! `stimuli:` of a requirement: a map from what happens to the scenarios that make it happen.

use hil_diagnostic::{Collector, Entry, MapReader};
use hil_trace::Stimulus;

/// ```yaml
/// stimuli:
///   F-STATUS 503 x 10: [backoff]
///   F-WRAP: {scenarios: [delay-across-wrap], simulated_only: the counter of a real unit cannot be preset}
/// ```
pub(crate) fn read_stimuli(map: &mut MapReader<'_>) -> Vec<Stimulus> {
    let collector = map.collector();
    let entries = map.entries_of("stimuli").iter();
    entries
        .filter_map(|entry| read_stimulus(collector, entry))
        .collect()
}

/// One entry of the map.
pub(super) fn read_stimulus(collector: &Collector, entry: &Entry) -> Option<Stimulus> {
    let what = format!("`{}`", entry.key);
    let stimulus = |scenarios, simulated_only| Stimulus {
        name: entry.key.clone(),
        scenarios,
        simulated_only,
    };
    if entry.value.entries().is_none() {
        return Some(stimulus(collector.strings(&entry.value, &what), None));
    }
    let mut map = MapReader::new(collector, &entry.value, what)?;
    let scenarios = map.required("scenarios");
    let scenarios = scenarios.map(|node| collector.strings(node, "`scenarios`"));
    let reason = map.required_string("simulated_only");
    map.finish();
    Some(stimulus(scenarios.unwrap_or_default(), reason))
}
