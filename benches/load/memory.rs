//! What the process holds.

/// Bytes in memory; 0 where there is no `/proc`.
pub(crate) fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = status.split(' ').nth(1).and_then(|text| text.parse().ok());
    pages.unwrap_or(0) * 4_096
}

pub(crate) fn mebibytes(bytes: usize) -> String {
    format!("{:.1} MiB", bytes as f64 / 1_048_576.0)
}
