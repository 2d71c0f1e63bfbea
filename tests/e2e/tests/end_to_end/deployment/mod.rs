//! Tests the deployment script, from the first release to the deletion of the stack, and the functions' environment.

mod deletion;
mod environment;
mod package;
mod package_size;
mod release;
mod script;
mod stack;
mod two_releases;
