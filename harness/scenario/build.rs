//! Builds anew when a file of `scenarios/` comes, goes or changes: embedded files are read while compiling.

fn main() {
    for folder in ["suites", "requirements", "vocabulary"] {
        println!("cargo::rerun-if-changed=../../scenarios/{folder}");
    }
}
