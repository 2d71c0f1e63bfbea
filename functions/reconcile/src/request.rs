//! Parses the event of an invocation.

use aws::messages::Batch;
use ecommpay::fields::ProjectId;
use payments::Timestamp;
use payments::ports::Run;
use payments::service::reconcile::Span;
use serde::Deserialize;
use serde_json::Value;

/// The event of an invocation.
#[derive(Debug)]
pub enum Request {
    /// For every project, start the runs that are due.
    Start,
    /// Do the parts in these messages.
    Messages(Batch),
    /// Compare an interval of one project, even if an earlier run has compared the interval. Does not change the stored
    /// progress.
    Interval {
        /// The project.
        project_id: ProjectId,
        /// The interval.
        span: Span,
    },
    /// Return the state of a run.
    State(Run),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct IntervalRequest {
    project_id: ProjectId,
    from: Timestamp,
    to: Timestamp,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StateRequest {
    run: Run,
}

impl Request {
    /// Reads the event of an invocation: messages of the queue, the event of the schedule, an empty event,
    /// `{"project_id", "from", "to"}`, or `{"run"}` with the run of an earlier answer.
    pub fn read(event: &Value, now: Timestamp) -> Result<Self, String> {
        let is_empty = event.is_null() || event.as_object().is_some_and(|event| event.is_empty());
        if is_empty || event.get("source").and_then(Value::as_str) == Some("aws.events") {
            return Ok(Self::Start);
        }
        let invalid = |error| {
            format!(
                "the event is neither the schedule's event nor {{project_id, from, to}} nor {{run}}: {error}"
            )
        };
        if event.get("Records").is_some() {
            let batch = Batch::deserialize(event).map_err(invalid)?;
            return Ok(Self::Messages(batch));
        }
        if event.get("run").is_some() {
            let StateRequest { run } = StateRequest::deserialize(event).map_err(invalid)?;
            return Ok(Self::State(run));
        }
        let request = IntervalRequest::deserialize(event).map_err(invalid)?;
        let IntervalRequest {
            project_id,
            from,
            to,
        } = request;
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
    fn the_event_of_the_schedule_and_an_empty_event_start_the_runs_that_are_due() {
        let schedule = json!({ "version": "0", "source": "aws.events", "detail": {} });
        for event in [schedule, json!({}), Value::Null] {
            assert!(matches!(Request::read(&event, NOW), Ok(Request::Start)));
        }
    }

    #[test]
    fn messages_and_the_run_of_an_answer_are_read() {
        let messages = json!({ "Records": [{ "messageId": "m", "body": "{}" }] });
        let Ok(Request::Messages(batch)) = Request::read(&messages, NOW) else {
            panic!("no messages");
        };
        assert_eq!(batch.messages.len(), 1);
        let run = json!({
            "project_id": 211, "daily": "compare", "from": "2019-07-01T00:00:00Z",
            "to": "2019-07-02T00:00:00Z", "id": "1-a", "is_scheduled": false
        });
        let read = Request::read(&json!({ "run": run }), NOW);
        assert!(matches!(read, Ok(Request::State(run)) if run.id == "1-a"));
        assert!(Request::read(&json!({ "run": run, "more": 1 }), NOW).is_err());
        assert!(Request::read(&json!({ "run": {} }), NOW).is_err());
    }

    #[test]
    fn a_valid_interval_is_read_and_an_invalid_interval_is_refused_with_the_reason() {
        let interval = |from: &str, to: &str| {
            let event = json!({ "project_id": 211, "from": from, "to": to });
            Request::read(&event, NOW)
        };
        let read = interval("2019-07-01T00:00:00Z", "2019-07-02T02:00:00+02:00").unwrap();
        let Request::Interval { project_id, span } = read else {
            panic!("{read:?}");
        };
        assert_eq!(project_id.get(), 211);
        let expected = Span {
            from: Timestamp::of_platform("2019-07-01T00:00:00+0000").unwrap(),
            to: Timestamp::of_platform("2019-07-02T00:00:00+0000").unwrap(),
        };
        assert_eq!(span, expected);
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
