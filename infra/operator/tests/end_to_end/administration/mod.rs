//! Tests the commands on keys, endpoints and queues, and the comparison with the platform's records.

mod endpoints;
mod key_prompt;
mod listener;
mod project_keys;
mod reconcile;
mod redrive;
mod storefront_keys;

use crate::operator::Operator;

/// All parts share a sandbox, because a sandbox starts slowly. The part about project keys runs first: a function that
/// already runs uses a changed key only after five minutes.
#[tokio::test]
async fn an_operator_manages_keys_endpoints_and_queues_and_compares_records() -> anyhow::Result<()>
{
    let operator = Operator::start().await?;
    project_keys::a_rotation_refuses_no_callback(&operator).await?;
    project_keys::the_second_of_two_simultaneous_changes_fails(&operator).await?;
    key_prompt::a_typed_key_is_not_shown(&operator).await?;
    storefront_keys::a_key_works_until_it_is_revoked(&operator).await?;
    endpoints::an_endpoint_is_managed_from_its_first_event_to_its_end(&operator).await?;
    redrive::dead_letters_are_moved_back_in_order(&operator).await?;
    reconcile::an_interval_is_compared_on_demand(&operator).await?;
    operator.stop().await
}
