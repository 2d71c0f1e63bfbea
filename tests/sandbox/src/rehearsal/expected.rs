//! Says what a consumer must have done for a payment, and compares it with the actions of the consumer. This is
//! independent of the sample consumer.

use serde::Deserialize;

/// An action of the consumer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    Ship,
    Hold,
    TakeBack,
}

impl Action {
    pub fn as_str(self) -> &'static str {
        match self {
            Action::Ship => "ship",
            Action::Hold => "hold",
            Action::TakeBack => "take_back",
        }
    }
}

/// What must have happened to the goods of a payment. Holds in between are always allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    ShippedOnce,
    NeverShipped,
    ShippedThenTakenBack,
    /// For events in any order: the goods never left, or came back.
    NotShippedOrTakenBack,
    ShippedThenHeld,
    TakenBackThenHeld,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Goods {
    InStock,
    Shipped,
    Stopped,
    TakenBack,
    HeldAfterReturn,
}

impl Expected {
    pub fn words(self) -> &'static str {
        match self {
            Expected::ShippedOnce => "shipped once",
            Expected::NeverShipped => "never shipped",
            Expected::ShippedThenTakenBack => "shipped once, then taken back once",
            Expected::NotShippedOrTakenBack => "never shipped, or shipped once and then taken back",
            Expected::ShippedThenHeld => "shipped once, then held",
            Expected::TakenBackThenHeld => "shipped once, then taken back, then held",
        }
    }

    /// Whether these actions, in the order of time, are right.
    pub fn allows(self, actions: &[Action]) -> bool {
        let Some((shipments, goods)) = follow(actions) else {
            return false;
        };
        match self {
            Expected::ShippedOnce => {
                (shipments, goods) == (1, Goods::Shipped) && !actions.contains(&Action::TakeBack)
            }
            Expected::NeverShipped => shipments == 0,
            Expected::ShippedThenTakenBack => (shipments, goods) == (1, Goods::TakenBack),
            Expected::NotShippedOrTakenBack => {
                shipments <= 1 && !matches!(goods, Goods::Shipped | Goods::Stopped)
            }
            Expected::ShippedThenHeld => (shipments, goods) == (1, Goods::Stopped),
            Expected::TakenBackThenHeld => (shipments, goods) == (1, Goods::HeldAfterReturn),
        }
    }
}

/// Returns the number of shipments and where the goods are; `None` if goods are shipped or taken back twice. A `ship`
/// after a hold continues the same shipment.
fn follow(actions: &[Action]) -> Option<(u32, Goods)> {
    let mut shipments = 0;
    let mut goods = Goods::InStock;
    for action in actions {
        goods = match (action, goods) {
            (Action::Ship, Goods::Shipped) | (Action::TakeBack, Goods::TakenBack) => return None,
            (Action::Ship, Goods::Stopped) => Goods::Shipped,
            (Action::Ship, _) => {
                shipments += 1;
                Goods::Shipped
            }
            (Action::TakeBack, _) => Goods::TakenBack,
            (Action::Hold, Goods::Shipped) => Goods::Stopped,
            (Action::Hold, Goods::TakenBack) => Goods::HeldAfterReturn,
            (Action::Hold, goods) => goods,
        };
    }
    Some((shipments, goods))
}

#[cfg(test)]
mod tests {
    use super::*;
    use Action::{Hold, Ship, TakeBack};
    use Expected::*;

    const ALL: [Expected; 6] = [
        ShippedOnce,
        NeverShipped,
        ShippedThenTakenBack,
        NotShippedOrTakenBack,
        ShippedThenHeld,
        TakenBackThenHeld,
    ];

    #[test]
    fn each_history_of_actions_fits_exactly_its_statements() {
        for (actions, fitting) in [
            (&[][..], &[NeverShipped, NotShippedOrTakenBack][..]),
            (&[Hold], &[NeverShipped, NotShippedOrTakenBack]),
            (&[TakeBack], &[NeverShipped, NotShippedOrTakenBack]),
            (&[Ship], &[ShippedOnce]),
            (&[Hold, Ship], &[ShippedOnce]),
            (&[Ship, Hold, Ship], &[ShippedOnce]),
            (&[Ship, Hold], &[ShippedThenHeld]),
            (&[Ship, Hold, Hold], &[ShippedThenHeld]),
            (
                &[Ship, TakeBack],
                &[ShippedThenTakenBack, NotShippedOrTakenBack],
            ),
            (
                &[Ship, Hold, TakeBack],
                &[ShippedThenTakenBack, NotShippedOrTakenBack],
            ),
            (
                &[Ship, TakeBack, Hold],
                &[NotShippedOrTakenBack, TakenBackThenHeld],
            ),
            (&[Ship, Ship], &[]),
            (&[Ship, TakeBack, Ship], &[]),
            (&[Ship, TakeBack, TakeBack], &[]),
            (&[TakeBack, Ship], &[]),
        ] {
            let mut allowing = ALL.to_vec();
            allowing.retain(|expected| expected.allows(actions));
            assert_eq!(allowing, fitting, "{actions:?}");
        }
    }
}
