//! Compares the actions of the consumer with what was right, and writes the report.

use std::fmt::Write;

use payments::PaymentKey;
use payments::ports::DeliveryOutcome;

use super::consumer::Actions;
use super::expected::{Action, Expected};
use super::scenario::{Message, Play, Scenario};

/// The failed payments of one scenario that the report shows.
const SHOWN: usize = 3;

/// A played scenario.
pub struct Played {
    pub scenario: &'static Scenario,
    pub play: Play,
    /// The messages that the endpoint never accepted, and how their last tries ended.
    pub refused: Vec<(String, DeliveryOutcome)>,
}

impl Played {
    pub fn is_right(&self, actions: &Actions) -> bool {
        self.refused.is_empty() && self.wrong(actions).next().is_none()
    }

    /// Returns the payments for which the consumer did something wrong.
    fn wrong<'a>(
        &'a self,
        actions: &'a Actions,
    ) -> impl Iterator<Item = (&'a PaymentKey, Expected, &'a [Action])> {
        let compared = self.play.expected.iter().map(|(key, expected)| {
            let actions = actions.get(key).map_or(&[][..], Vec::as_slice);
            (key, *expected, actions)
        });
        compared.filter(|(_, expected, actions)| !expected.allows(actions))
    }

    /// Writes the part of the report about this scenario.
    pub fn describe(&self, actions: &Actions) -> String {
        let Scenario {
            name, about, rule, ..
        } = self.scenario;
        if self.is_right(actions) {
            return format!("right   {name}: {about}\n");
        }
        let mut text = format!("WRONG   {name}: {about}\n");
        let mut line = |label: &str, content: &str| {
            // Writing to a text cannot fail.
            let _ = writeln!(text, "        {label:<9} {content}");
        };
        for (key, expected, actions) in self.wrong(actions).take(SHOWN) {
            let sent = self
                .play
                .messages()
                .filter(|message| message.event.key == *key);
            let sent: Vec<_> = sent.map(Message::describe).collect();
            let actions: Vec<_> = actions.iter().map(|action| action.as_str()).collect();
            let actions = match actions.is_empty() {
                true => "none".to_owned(),
                false => actions.join(", "),
            };
            line("payment", &key.to_string());
            line("sent", &sent.join(", "));
            line("actions", &actions);
            line("expected", expected.words());
        }
        let more = self.wrong(actions).skip(SHOWN).count();
        if more > 0 {
            line(
                "more",
                &format!("{more} other payments of this scenario are also wrong"),
            );
        }
        for (message, outcome) in self.refused.iter().take(SHOWN) {
            line("refused", &format!("{message}: {outcome}"));
        }
        line("rule", &format!("functions/fulfilment/README.md: {rule}"));
        text
    }
}
