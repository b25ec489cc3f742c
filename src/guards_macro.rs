//! `guards!`: names for guards.

/// Gives guards names, which are types: for [`Permit`](crate::Permit), as layers, in other guards.
///
/// ```
/// use axum_entra::guard::{Guard, RequireAppOnly, RequireRole, RequireScope};
///
/// axum_entra::guards! {
///     /// May read data.
///     pub CanReadData =
///         RequireScope("Data.Read").or(RequireAppOnly.and(RequireRole("Data.Read.All")));
///     CanDoJobs = RequireAppOnly.and(RequireRole("Tasks.Run"));
/// }
/// let either = CanReadData.or(CanDoJobs);
/// ```
///
/// The guard is made once, at its first use.
#[macro_export]
macro_rules! guards {
    ($($(#[$attribute:meta])* $visibility:vis $name:ident = $guard:expr;)+) => {
        $(
            $(#[$attribute])*
            #[derive(::core::fmt::Debug, ::core::clone::Clone, ::core::marker::Copy, ::core::default::Default)]
            $visibility struct $name;

            impl $name {
                #[doc(hidden)]
                fn __guard() -> &'static (dyn $crate::guard::Guard + ::core::marker::Send + ::core::marker::Sync) {
                    #[allow(unused_imports)]
                    use $crate::guard::Guard as _;
                    // A static lives as long as every refusal that names its scopes.
                    static GUARD: ::std::sync::LazyLock<
                        ::std::boxed::Box<dyn $crate::guard::Guard + ::core::marker::Send + ::core::marker::Sync>,
                    > = ::std::sync::LazyLock::new(|| {
                        let guard = $guard;
                        $crate::__private::tell_mistakes(&guard);
                        ::std::boxed::Box::new(guard)
                    });
                    &**GUARD
                }
            }

            impl $crate::guard::Guard for $name {
                fn check(
                    &self,
                    caller: &$crate::guard::Caller<'_>,
                ) -> ::core::result::Result<(), $crate::guard::Denied<'_>> {
                    Self::__guard().check(caller)
                }

                fn describe(&self) -> $crate::guard::Requirements {
                    Self::__guard().describe()
                }

                fn mistakes(&self) -> ::std::vec::Vec<::std::string::String> {
                    Self::__guard().mistakes()
                }
            }

            impl<Service> $crate::__private::Layer<Service> for $name {
                type Service = $crate::middleware::GuardService<Service, Self>;

                fn layer(&self, inner: Service) -> Self::Service {
                    $crate::__private::Layer::layer(&$crate::GuardLayer::new(*self), inner)
                }
            }
        )+
    };
}
