//! What the template promises, checked on the template as SAM processes it. The local AWS accepts
//! much that AWS would not, and ignores some of what must hold.

mod choices;
mod permissions;
mod routes;
mod schedules;
mod storage;
