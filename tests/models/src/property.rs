//! A property, its model and the faults that it must find.

/// What holds in every order of the threads' steps.
pub(crate) struct Property {
    pub(crate) name: &'static str,
    pub(crate) model: fn(),
    /// Faults, each of which breaks it.
    pub(crate) faults: &'static [&'static str],
}

/// Begins the message of a property that does not hold.
pub(crate) const BROKEN: &str = "the property is broken: ";

macro_rules! hold {
    ($holds:expr, $($message:tt)+) => {
        assert!($holds, "{}{}", crate::property::BROKEN, format_args!($($message)+))
    };
}
pub(crate) use hold;
