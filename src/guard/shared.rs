//! Guards behind references and shared pointers.

use std::sync::Arc;

use super::{Caller, Denied, Guard, Requirements};

macro_rules! pointers {
    ($($pointer:ty),+) => {
        $(
            #[diagnostic::do_not_recommend]
            impl<G: Guard + ?Sized> Guard for $pointer {
                fn check(&self, caller: &Caller<'_>) -> Result<(), Denied<'_>> {
                    (**self).check(caller)
                }

                fn describe(&self) -> Requirements {
                    (**self).describe()
                }

                fn mistakes(&self) -> Vec<String> {
                    (**self).mistakes()
                }
            }
        )+
    };
}

pointers!(&G, Box<G>, Arc<G>);
