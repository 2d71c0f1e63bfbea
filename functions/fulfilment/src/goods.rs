//! Defines where the goods of a payment are, and what the warehouse must do with the goods.

/// The location of the goods after the warehouse has followed every instruction.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Goods {
    /// In the warehouse, not shipped yet.
    #[default]
    Waiting,
    /// In the warehouse until a person has decided.
    Held,
    /// At the shopper, or on the way.
    Shipped,
    /// Shipped, with the delivery stopped until a person has decided.
    Stopped,
    /// Back in the warehouse.
    TakenBack,
}

impl Goods {
    /// Every location.
    pub const ALL: [Goods; 5] = [
        Goods::Waiting,
        Goods::Held,
        Goods::Shipped,
        Goods::Stopped,
        Goods::TakenBack,
    ];

    /// Returns the word that DynamoDB stores.
    pub fn as_str(self) -> &'static str {
        match self {
            Goods::Waiting => "waiting",
            Goods::Held => "held",
            Goods::Shipped => "shipped",
            Goods::Stopped => "stopped",
            Goods::TakenBack => "taken_back",
        }
    }

    /// Returns the location with this word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|goods| goods.as_str() == word)
    }

    /// Returns the location after an action.
    pub fn after(self, action: Action) -> Self {
        match (action, self) {
            (Action::Ship, _) => Goods::Shipped,
            (Action::TakeBack, _) => Goods::TakenBack,
            (Action::Hold, Goods::Shipped | Goods::Stopped) => Goods::Stopped,
            (Action::Hold, Goods::Waiting | Goods::Held | Goods::TakenBack) => Goods::Held,
            (Action::Nothing, goods) => goods,
        }
    }
}

/// An instruction to the warehouse. The latest instruction for a payment replaces the earlier instructions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Ship the goods. If their delivery is stopped, continue the delivery.
    Ship,
    /// Stop the delivery or have the goods sent back, because the money is gone.
    TakeBack,
    /// Ship nothing and stop the delivery until a person has decided.
    Hold,
    /// Leave the goods as they are.
    Nothing,
}

impl Action {
    const ALL: [Action; 4] = [
        Action::Ship,
        Action::TakeBack,
        Action::Hold,
        Action::Nothing,
    ];

    /// Returns the word that DynamoDB stores and the log shows.
    pub fn as_str(self) -> &'static str {
        match self {
            Action::Ship => "ship",
            Action::TakeBack => "take_back",
            Action::Hold => "hold",
            Action::Nothing => "nothing",
        }
    }

    /// Returns the action with this word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.as_str() == word)
    }
}
