//! The real binary and a real sandbox: keys of storefronts and projects, queues, and the books.

mod books;
mod desk;
mod letters;
mod project_keys;
mod storefronts;
mod terminal;

use crate::keys::desk::Desk;

/// One sandbox for all of it. The project's keys come first: functions that run already would know the
/// new ones only after five minutes.
#[tokio::test]
async fn what_an_operator_does_about_keys_queues_and_books() -> anyhow::Result<()> {
    let desk = Desk::open().await?;
    project_keys::are_replaced_without_a_callback_refused(&desk).await?;
    project_keys::of_two_at_once_one_is_told(&desk).await?;
    terminal::shows_nothing_of_a_key(&desk).await?;
    storefronts::have_keys_that_open_what_they_are_for(&desk).await?;
    letters::go_back_into_their_queue(&desk).await?;
    books::are_compared_for_any_time(&desk).await?;
    desk.close().await
}
