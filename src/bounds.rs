//! The limits of a number that a developer sets, and what it is if it is not set.

use std::ops::RangeInclusive;
use std::time::Duration;

use crate::config_error::ConfigError;

/// The one place of a number's limits and default: code and settings file both ask here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bounds {
    pub(crate) least: u64,
    pub(crate) most: u64,
    pub(crate) default: u64,
}

impl Bounds {
    pub(crate) const fn new(range: RangeInclusive<u64>, default: u64) -> Self {
        Self {
            least: *range.start(),
            most: *range.end(),
            default,
        }
    }

    pub(crate) const fn allow(self, value: u64) -> bool {
        self.least <= value && value <= self.most
    }

    /// What would be right, to follow the word "expected".
    pub(crate) fn expected(self) -> String {
        format!("a whole number from {} to {}", self.least, self.most)
    }

    /// The default of a number of seconds.
    pub(crate) const fn seconds(self) -> Duration {
        Duration::from_secs(self.default)
    }

    /// The default of a number of bytes.
    pub(crate) fn size(self) -> usize {
        usize::try_from(self.default).unwrap_or(usize::MAX)
    }

    /// # Errors
    /// [`ConfigError`], under the name of the setting.
    pub(crate) fn check(self, setting: &str, value: u64) -> Result<(), ConfigError> {
        match self.allow(value) {
            true => Ok(()),
            false => Err(ConfigError::value(setting, value, &self.expected())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_inclusive_and_named_in_the_error() {
        let bounds = Bounds::new(60..=86_400, 3_600);
        assert!(bounds.check("Keys:RefreshSeconds", 60).is_ok());
        assert!(bounds.check("Keys:RefreshSeconds", 86_400).is_ok());
        for refused in [59, 86_401] {
            assert_eq!(
                bounds
                    .check("Keys:RefreshSeconds", refused)
                    .unwrap_err()
                    .to_string(),
                format!(
                    "Keys:RefreshSeconds: found `{refused}`, expected a whole number from 60 to 86400"
                )
            );
        }
    }
}
