//! Serves the routes of shoppers.
//!
//! | route | file |
//! | --- | --- |
//! | `GET /checkouts/{token}` | `hand_off.rs`, which waits in `wait_for_redirect.rs` |
//! | `POST /checkouts/{token}` | `submit_form.rs` |
//! | `GET /checkouts/{token}/status` | `status.rs` |
//! | `GET` and `POST /checkouts/{token}/return` | `return_to_shop.rs` |

mod hand_off;
mod lookup;
mod response;
mod return_to_shop;
mod status;
mod submit_form;
mod wait_for_redirect;
