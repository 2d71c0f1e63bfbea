//! Nothing: a package needs a target, and benchmarks alone are none.
