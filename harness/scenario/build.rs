//! Builds anew when a file of `scenarios/` comes, goes or changes: embedded files are read while compiling.

fn main() {
    for place in ["suites", "requirements", "vocabulary", "timing.yaml"] {
        println!("cargo::rerun-if-changed=../../scenarios/{place}");
    }
}
