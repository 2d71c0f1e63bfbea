//! Tests the deployment script and the functions' environment.

mod deletion;
mod environment;
mod package;
mod package_size;
mod release;
mod script;
mod stack;
mod two_releases;
