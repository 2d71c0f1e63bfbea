//! Defines the health of an endpoint: how many deliveries failed in a row, and whether it is switched on.

use std::time::Duration;

use super::retry_schedule::RetrySchedule;
use crate::model::timestamp::Timestamp;

/// After this number of failures in a row, the breaker of an endpoint is open: only probes are delivered, until one
/// succeeds.
pub const BREAKER: u32 = 20;

const DAY: Duration = Duration::from_secs(24 * 3_600);

/// The health of an endpoint. An endpoint without stored health has the default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Health {
    /// The number of failed deliveries since the last success.
    pub failures: u32,
    /// The time of the first of these failures.
    pub failing_since: Option<Timestamp>,
    /// Whether the endpoint is switched on.
    pub state: EndpointState,
    /// The time at which an operator last switched the endpoint on.
    pub enabled_at: Option<Timestamp>,
}

/// Whether an endpoint is switched on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum EndpointState {
    /// Events are delivered.
    #[default]
    Enabled,
    /// Events wait in the backlog. An operator is switching the endpoint on, and the events that it missed are still
    /// being added to the backlog.
    Held,
    /// Events are dropped, and the backlog waits.
    Disabled {
        /// The time at which the endpoint was switched off.
        since: Timestamp,
        /// Who switched it off.
        by: DisabledBy,
    },
}

/// Who switched an endpoint off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DisabledBy {
    /// The endpoint itself, with the HTTP status 410.
    Endpoint,
    /// An operator.
    Operator {
        /// The reason that the operator gave.
        reason: String,
    },
}

impl DisabledBy {
    /// Returns the word for the store and for operators.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Endpoint => "endpoint",
            Self::Operator { .. } => "operator",
        }
    }

    /// Returns the reason that an operator gave.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Endpoint => None,
            Self::Operator { reason } => Some(reason),
        }
    }
}

/// The reason for a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// A new event.
    FirstTry,
    /// An event whose retry is due.
    Retry,
    /// A retry that finds out whether an endpoint with an open breaker answers again.
    Probe,
}

impl Reason {
    /// Returns the word for the log.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::FirstTry => "first_try",
            Self::Retry => "retry",
            Self::Probe => "probe",
        }
    }
}

/// What to do with an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// Deliver it.
    Deliver,
    /// Let it wait in the backlog.
    Wait,
    /// Drop it, because the endpoint is switched off.
    Drop,
}

impl Health {
    /// Whether only probes are delivered.
    pub fn is_breaker_open(&self) -> bool {
        self.failures >= BREAKER
    }

    /// Returns what to do with an event.
    pub fn admit(&self, reason: Reason) -> Admission {
        match (&self.state, reason) {
            (EndpointState::Enabled, Reason::Probe) => Admission::Deliver,
            (EndpointState::Enabled, _) if self.is_breaker_open() => Admission::Wait,
            (EndpointState::Enabled, _) => Admission::Deliver,
            (EndpointState::Disabled { .. }, Reason::FirstTry) => Admission::Drop,
            (EndpointState::Disabled { .. } | EndpointState::Held, _) => Admission::Wait,
        }
    }

    /// Counts a failed delivery.
    #[must_use]
    pub fn failed(self, now: Timestamp) -> Self {
        Self {
            failures: self.failures.saturating_add(1),
            failing_since: self.failing_since.or(Some(now)),
            ..self
        }
    }

    /// Starts to count anew after a successful delivery.
    #[must_use]
    pub fn delivered(self) -> Self {
        Self {
            failures: 0,
            failing_since: None,
            ..self
        }
    }

    /// Switches the endpoint off. An endpoint that is off stays as it is.
    #[must_use]
    pub fn disabled(self, now: Timestamp, by: DisabledBy) -> Self {
        match self.state {
            EndpointState::Disabled { .. } => self,
            _ => Self {
                state: EndpointState::Disabled { since: now, by },
                ..self
            },
        }
    }

    /// Lets all events wait in the backlog.
    #[must_use]
    pub fn held(self) -> Self {
        Self {
            state: EndpointState::Held,
            ..self
        }
    }

    /// Switches the endpoint on. Earlier failures no longer count.
    #[must_use]
    pub fn enabled(self, now: Timestamp) -> Self {
        Self {
            failures: 0,
            failing_since: None,
            state: EndpointState::Enabled,
            enabled_at: Some(now),
        }
    }

    /// Whether an event that waits since `since` is given up, because the breaker is open. The time during which the
    /// endpoint was switched off does not count.
    pub fn is_too_old(&self, since: Timestamp, schedule: &RetrySchedule, now: Timestamp) -> bool {
        let since = self.enabled_at.map_or(since, |at| at.max(since));
        self.is_breaker_open() && now.since(since) > schedule.max_age()
    }

    /// Whether every delivery has failed for at least a day. An endpoint that is switched off does not count.
    pub fn has_failed_for_a_day(&self, now: Timestamp) -> bool {
        let is_enabled = self.state == EndpointState::Enabled;
        is_enabled
            && self
                .failing_since
                .is_some_and(|since| now.since(since) >= DAY)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_562_059_700_123);
    const LATER: Timestamp = Timestamp::from_millis(1_562_059_800_123);

    fn with_failures(count: u32) -> Health {
        (0..count).fold(Health::default(), |health, _| health.failed(NOW))
    }

    #[test]
    fn each_state_admits_only_its_deliveries() {
        use Admission::{Deliver, Drop, Wait};
        let enabled = Health::default();
        for (name, health, first_try, retry, probe) in [
            ("enabled", enabled.clone(), Deliver, Deliver, Deliver),
            (
                "failing",
                with_failures(BREAKER - 1),
                Deliver,
                Deliver,
                Deliver,
            ),
            ("breaker open", with_failures(BREAKER), Wait, Wait, Deliver),
            ("held", with_failures(BREAKER).held(), Wait, Wait, Wait),
            (
                "disabled",
                enabled.disabled(NOW, DisabledBy::Endpoint),
                Drop,
                Wait,
                Wait,
            ),
        ] {
            let reasons = [Reason::FirstTry, Reason::Retry, Reason::Probe];
            let admissions = reasons.map(|reason| health.admit(reason));
            assert_eq!(admissions, [first_try, retry, probe], "{name}");
        }
    }

    #[test]
    fn a_success_closes_the_breaker_and_ends_the_row_of_failures() {
        let health = with_failures(BREAKER + 3).failed(LATER);
        assert_eq!(health.failing_since, Some(NOW));
        assert_eq!(health.delivered(), Health::default());
    }

    #[test]
    fn an_endpoint_keeps_the_time_and_the_reason_of_its_first_switch_off() {
        let off = Health::default().disabled(NOW, DisabledBy::Endpoint);
        let operator = DisabledBy::Operator {
            reason: "moved".into(),
        };
        assert_eq!(off.clone().disabled(LATER, operator), off);
        let on = with_failures(BREAKER).held().enabled(LATER);
        let expected = Health {
            enabled_at: Some(LATER),
            ..Health::default()
        };
        assert_eq!(on, expected);
    }

    #[test]
    fn only_an_enabled_endpoint_without_a_success_for_a_day_has_failed_for_a_day() {
        let failing = with_failures(1);
        let day = NOW.after(DAY);
        assert!(failing.has_failed_for_a_day(day));
        assert!(!failing.has_failed_for_a_day(day.before(Duration::from_millis(1))));
        assert!(!failing.clone().delivered().has_failed_for_a_day(day));
        assert!(
            !failing
                .disabled(NOW, DisabledBy::Endpoint)
                .has_failed_for_a_day(day)
        );
    }

    #[test]
    fn an_event_is_too_old_only_if_the_breaker_is_open_and_the_endpoint_was_on_for_the_whole_time()
    {
        let schedule = RetrySchedule::default();
        let open = with_failures(BREAKER);
        let end = NOW.after(schedule.max_age());
        let too_late = end.after(Duration::from_millis(1));
        assert!(!open.is_too_old(NOW, &schedule, end));
        assert!(open.is_too_old(NOW, &schedule, too_late));
        assert!(!Health::default().is_too_old(NOW, &schedule, too_late));
        let enabled_later = Health {
            enabled_at: Some(LATER),
            ..open
        };
        assert!(!enabled_later.is_too_old(NOW, &schedule, too_late));
    }
}
