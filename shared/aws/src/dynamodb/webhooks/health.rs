//! Stores the health of endpoints.

use aws_sdk_dynamodb::types::ReturnValue;
use payments::Timestamp;
use payments::model::webhook::{DisabledBy, EndpointId, EndpointState, Health};
use payments::ports::StoreError;

use super::super::attributes::{
    Item, item_error, millis, number, read_millis, read_number, read_text, text,
};
use super::super::conditional::{self, NotUpdated};
use super::super::unreadable::unreadable;
use super::WebhookDeliveries;
use super::deliveries::endpoint_pk;

pub(super) const SK: &str = "health";
const HELD: &str = "held";
const DISABLED: &str = "disabled";

impl WebhookDeliveries {
    pub(super) async fn read_health(&self, id: &EndpointId) -> Result<Health, StoreError> {
        let item = self.get(endpoint_pk(id), SK).await?;
        let Some(item) = item else {
            return Ok(Health::default());
        };
        read(&item).map_err(|error| unreadable(&endpoint_pk(id), SK, error))
    }

    /// If the answer is lost, the SDK repeats the call, and the failure counts twice. This does no harm.
    pub(super) async fn add_failure(
        &self,
        id: &EndpointId,
        now: Timestamp,
    ) -> Result<Health, StoreError> {
        let request = self
            .update(endpoint_pk(id), SK)
            .update_expression(
                "SET failing_since = if_not_exists(failing_since, :now) ADD failures :one",
            )
            .expression_attribute_values(":now", millis(now))
            .expression_attribute_values(":one", number(1))
            .return_values(ReturnValue::AllNew);
        let item = conditional::update(request).await?;
        let item = item.ok_or_else(|| item_error("the answer has no item"))?;
        read(&item).map_err(|error| unreadable(&endpoint_pk(id), SK, error))
    }

    pub(super) async fn reset_failures(&self, id: &EndpointId) -> Result<(), StoreError> {
        let request = self
            .update(endpoint_pk(id), SK)
            .update_expression("SET failures = :zero REMOVE failing_since")
            .expression_attribute_values(":zero", number(0));
        conditional::update(request).await?;
        Ok(())
    }

    pub(super) async fn switch_off(
        &self,
        id: &EndpointId,
        now: Timestamp,
        by: DisabledBy,
    ) -> Result<bool, StoreError> {
        let request = self
            .update(endpoint_pk(id), SK)
            .update_expression(match by.reason() {
                Some(_) => {
                    "SET #state = :disabled, state_since = :now, disabled_by = :by, reason = :reason"
                }
                None => {
                    "SET #state = :disabled, state_since = :now, disabled_by = :by REMOVE reason"
                }
            })
            .condition_expression("attribute_not_exists(#state) OR #state <> :disabled")
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":disabled", text(DISABLED))
            .expression_attribute_values(":now", millis(now))
            .expression_attribute_values(":by", text(by.as_str()));
        let request = match by.reason() {
            Some(reason) => request.expression_attribute_values(":reason", text(reason)),
            None => request,
        };
        match conditional::update(request).await {
            Ok(_) => Ok(true),
            Err(NotUpdated::ConditionFailed(item)) => {
                // If the answer to the first try of this call was lost, the stored time is the time of this call.
                let since = item.as_ref().map(|item| read_millis(item, "state_since"));
                Ok(since.is_some_and(|since| since.is_ok_and(|since| since == now)))
            }
            Err(error) => Err(error.into()),
        }
    }

    pub(super) async fn set_held(&self, id: &EndpointId) -> Result<(), StoreError> {
        let request = self
            .update(endpoint_pk(id), SK)
            .update_expression("SET #state = :held REMOVE state_since, disabled_by, reason")
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":held", text(HELD));
        conditional::update(request).await?;
        Ok(())
    }

    pub(super) async fn switch_on(
        &self,
        id: &EndpointId,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let request = self
            .update(endpoint_pk(id), SK)
            .update_expression(
                "SET failures = :zero, enabled_at = :now \
                 REMOVE failing_since, #state, state_since, disabled_by, reason",
            )
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":zero", number(0))
            .expression_attribute_values(":now", millis(now));
        conditional::update(request).await?;
        Ok(())
    }
}

fn read(item: &Item) -> Result<Health, StoreError> {
    let time = |name| {
        let time = item.contains_key(name).then(|| read_millis(item, name));
        time.transpose()
    };
    let failures = match item.contains_key("failures") {
        true => read_number(item, "failures")?,
        false => 0,
    };
    let state = item.contains_key("state").then(|| read_text(item, "state"));
    let state = match state.transpose()? {
        None => EndpointState::Enabled,
        Some(DISABLED) => EndpointState::Disabled {
            since: read_millis(item, "state_since")?,
            by: match read_text(item, "disabled_by")? {
                "endpoint" => DisabledBy::Endpoint,
                _ => DisabledBy::Operator {
                    reason: match item.contains_key("reason") {
                        true => read_text(item, "reason")?.to_owned(),
                        false => String::new(),
                    },
                },
            },
        },
        // A state of a newer release: nothing is delivered, and no event is lost.
        Some(_) => EndpointState::Held,
    };
    Ok(Health {
        failures: u32::try_from(failures).unwrap_or(u32::MAX),
        failing_since: time("failing_since")?,
        state,
        enabled_at: time("enabled_at")?,
    })
}
