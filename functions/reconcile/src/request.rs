//! Parses the request for a run: all pending work, or an interval of one project.

use ecommpay::fields::ProjectId;
use payments::Timestamp;
use payments::service::reconcile::Span;
use serde::Deserialize;
use serde_json::Value;

/// The request for a run.
#[derive(Debug, PartialEq, Eq)]
pub enum Request {
    /// For every project, report each day that is over and not reported yet. Then compare the records since the last
    /// comparison.
    Pending,
    /// Compare an interval of one project, even if an earlier run has compared the interval. Does not change the stored
    /// progress.
    Interval {
        /// The project.
        project_id: ProjectId,
        /// The interval.
        span: Span,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct IntervalRequest {
    project_id: ProjectId,
    from: Timestamp,
    to: Timestamp,
}

impl Request {
    /// Reads the event of an invocation: the event of the schedule, an empty event, or `{"project_id", "from", "to"}`.
    pub fn read(event: &Value, now: Timestamp) -> Result<Self, String> {
        let is_empty = event.is_null() || event.as_object().is_some_and(|event| event.is_empty());
        if is_empty || event.get("source").and_then(Value::as_str) == Some("aws.events") {
            return Ok(Self::Pending);
        }
        let IntervalRequest {
            project_id,
            from,
            to,
        } = IntervalRequest::deserialize(event).map_err(|error| {
            format!(
                "the event is neither the schedule's event nor {{project_id, from, to}}: {error}"
            )
        })?;
        if from >= to {
            return Err("`from` is not before `to`".into());
        }
        if to > now {
            return Err(format!("`to` is in the future; the time is now {now}"));
        }
        let span = Span { from, to };
        Ok(Self::Interval { project_id, span })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_562_059_700_000);

    #[test]
    fn the_event_of_the_schedule_and_an_empty_event_request_all_pending_work() {
        let schedule = json!({ "version": "0", "source": "aws.events", "detail": {} });
        for event in [schedule, json!({}), Value::Null] {
            assert_eq!(Request::read(&event, NOW), Ok(Request::Pending));
        }
    }

    #[test]
    fn a_valid_interval_is_read_and_an_invalid_interval_is_refused_with_the_reason() {
        let interval = |from: &str, to: &str| {
            let event = json!({ "project_id": 211, "from": from, "to": to });
            Request::read(&event, NOW)
        };
        let read = interval("2019-07-01T00:00:00Z", "2019-07-02T02:00:00+02:00").unwrap();
        let expected = Request::Interval {
            project_id: ProjectId::new(211).unwrap(),
            span: Span {
                from: Timestamp::of_platform("2019-07-01T00:00:00+0000").unwrap(),
                to: Timestamp::of_platform("2019-07-02T00:00:00+0000").unwrap(),
            },
        };
        assert_eq!(read, expected);
        for (from, to, why) in [
            ("2019-07-02T00:00:00Z", "2019-07-02T00:00:00Z", "not before"),
            (
                "2019-07-02T00:00:00Z",
                "2019-07-03T00:00:00Z",
                "in the future",
            ),
            ("2019-07-02", "2019-07-02T01:00:00Z", "neither"),
        ] {
            let error = interval(from, to).unwrap_err();
            assert!(error.contains(why), "{error}");
        }
        for event in [
            json!({ "project_id": 0, "from": "2019-07-01T00:00:00Z", "to": "2019-07-02T00:00:00Z" }),
            json!({ "from": "2019-07-01T00:00:00Z", "to": "2019-07-02T00:00:00Z" }),
            json!([]),
            json!("yesterday"),
        ] {
            assert!(Request::read(&event, NOW).is_err(), "{event}");
        }
    }
}
