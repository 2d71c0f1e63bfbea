//! Defines a scenario: the messages of a consumer in order, and what the consumer must have done afterwards.

use payments::PaymentKey;
use payments::events::Event;

use super::expected::Expected;
use super::random::Random;
use super::shared::Shared;

/// One message, and how it is sent.
#[derive(Clone)]
pub struct Message {
    pub event: Event,
    pub way: Way,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    First,
    /// As an operator publishes an event again.
    Again,
    /// The message is no event, so the consumer cannot accept it.
    Poison,
    /// The consumer is killed while it processes the event.
    Killed,
}

impl Message {
    pub fn first(event: &Event) -> Self {
        Self::new(event, Way::First)
    }

    pub fn again(event: &Event) -> Self {
        Self::new(event, Way::Again)
    }

    pub fn poison(event: &Event) -> Self {
        Self::new(event, Way::Poison)
    }

    pub fn killed(event: &Event) -> Self {
        Self::new(event, Way::Killed)
    }

    fn new(event: &Event, way: Way) -> Self {
        let event = event.clone();
        Self { event, way }
    }

    /// Describes the message for a report.
    pub fn describe(&self) -> String {
        let Event { sequence, kind, .. } = &self.event;
        let event = format!("{sequence} {}", kind.as_str());
        match self.way {
            Way::First => event,
            Way::Again => format!("{event} (again)"),
            Way::Killed => format!("{event} (consumer killed)"),
            Way::Poison => format!("a message that is no event: {}", self.event.body),
        }
    }
}

/// What is sent in a scenario, and what is right.
#[derive(Default)]
pub struct Play {
    /// The messages of one lane are sent one after another. Several lanes are sent in parallel.
    pub lanes: Vec<Vec<Message>>,
    /// The messages that follow after all other scenarios.
    pub at_end: Vec<Message>,
    pub expected: Vec<(PaymentKey, Expected)>,
}

impl Play {
    /// Returns a scenario with one lane.
    pub fn of(messages: Vec<Message>, expected: &[(PaymentKey, Expected)]) -> Self {
        Self {
            lanes: vec![messages],
            at_end: Vec::new(),
            expected: expected.to_vec(),
        }
    }

    /// Returns all messages, lane by lane.
    pub fn messages(&self) -> impl Iterator<Item = &Message> {
        self.lanes.iter().flatten().chain(&self.at_end)
    }
}

/// What a scenario can use to make its messages.
pub struct Setting<'a> {
    pub shared: &'a Shared,
    pub random: &'a mut Random,
    /// The number of payments of the scenario `burst`.
    pub burst: u32,
}

/// The function that makes the messages of a scenario.
type Make = fn(&mut Setting<'_>) -> anyhow::Result<Play>;

/// A named scenario.
pub struct Scenario {
    pub name: &'static str,
    pub about: &'static str,
    /// A text in `functions/fulfilment/README.md`: the rule that a consumer breaks if it fails.
    pub rule: &'static str,
    /// Whether the scenario kills the consumer.
    pub kills: bool,
    pub play: Make,
}

impl Scenario {
    pub const fn new(
        name: &'static str,
        about: &'static str,
        rule: &'static str,
        play: Make,
    ) -> Self {
        let kills = false;
        Self {
            name,
            about,
            rule,
            kills,
            play,
        }
    }
}
