//! One payment at the platform: its operations, and the money that really moved.

/// What happens to a payment, beyond the usual.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Story {
    Usual,
    /// Another amount than ordered came, or is named.
    OtherAmount {
        in_payment_sum: bool,
        in_sum_initial: bool,
    },
    /// For each sale that ended, a callback says the contrary too; status answers are right.
    Contradicted,
    /// It was not ordered here.
    External,
    /// The platform confirms later whether the money came. `payment.status` of the sale's callback.
    Confirmed {
        first_status: &'static str,
    },
    /// The platform holds the payment until its support settles it by hand, for another amount.
    Held,
    /// The shopper is charged twice within the payment.
    SecondCharge,
    /// An operation succeeds whose type is not documented for Bancontact.
    UnknownOperation,
}

impl Story {
    /// Whether its money may not be taken as paid without an operator.
    pub fn differs(self) -> bool {
        matches!(
            self,
            Story::OtherAmount { .. } | Story::Held | Story::SecondCharge | Story::UnknownOperation
        )
    }
}

/// One operation in the platform's records.
#[derive(Debug, Clone)]
pub struct Operation {
    pub id: u64,
    pub kind: &'static str,
    pub status: &'static str,
    /// What `sum_initial` names.
    pub amount: u64,
    /// What really moves when it succeeds.
    pub moves: u64,
    pub merchant_refund_id: Option<String>,
    /// What the merchant meant by it, whatever the platform makes of that.
    pub intent: Option<String>,
    pub request_id: String,
    pub date: u64,
    /// The refund that it takes back.
    pub takes_back: Option<u64>,
}

impl Operation {
    pub fn is_open(&self) -> bool {
        !matches!(self.status, "success" | "decline")
    }

    pub fn gives_back(&self) -> bool {
        matches!(self.kind, "refund" | "reversal")
    }
}

/// One payment in the platform's records.
#[derive(Debug, Clone)]
pub struct Account {
    pub story: Story,
    /// What was ordered.
    pub amount: u64,
    pub status: &'static str,
    pub operations: Vec<Operation>,
    /// Whether the money was ever the merchant's.
    pub was_credited: bool,
}

impl Account {
    fn sum(&self, counts: impl Fn(&Operation) -> bool) -> u64 {
        let operations = self.operations.iter();
        let counted = operations.filter(|one| one.status == "success" && counts(one));
        counted.map(|one| one.moves).sum()
    }

    /// The newest confirmation decides, if there is one.
    pub fn is_credited(&self) -> bool {
        let mut operations = self.operations.iter().rev();
        let confirmation = operations.find(|one| one.kind == "payment confirmation");
        match (self.story, confirmation) {
            (Story::Confirmed { .. }, confirmation) => {
                confirmation.is_some_and(|one| one.status == "success")
            }
            _ => true,
        }
    }

    /// What came.
    pub fn came(&self) -> u64 {
        let is_money = |one: &Operation| matches!(one.kind, "sale" | "manual change");
        match self.is_credited() {
            true => self.sum(is_money),
            false => 0,
        }
    }

    /// What went back. A reversal of money that never came is none.
    pub fn went_back(&self) -> u64 {
        let refunded = self.sum(|one| one.kind == "refund");
        let reversed = match self.is_credited() {
            true => self.sum(|one| one.kind == "reversal"),
            false => 0,
        };
        (refunded + reversed).saturating_sub(self.taken_back())
    }

    pub fn taken_back(&self) -> u64 {
        self.sum(|one| one.kind == "refund reverse")
    }

    /// What can still be given back.
    pub fn left(&self) -> u64 {
        let open = self.operations.iter();
        let open = open.filter(|one| one.gives_back() && one.is_open());
        let open: u64 = open.map(|one| one.amount).sum();
        self.came().saturating_sub(self.went_back() + open)
    }

    /// `payment.sum` of its messages.
    pub fn payment_sum(&self) -> u64 {
        let charged = self.sum(|one| matches!(one.kind, "sale" | "manual change"));
        let came = match charged {
            0 => self.amount,
            charged => charged,
        };
        let reversed = self.sum(|one| one.kind == "reversal");
        let refunded = self.sum(|one| one.kind == "refund");
        (came + self.taken_back()).saturating_sub(refunded + reversed)
    }

    /// What `payment.status` says once money was there.
    pub fn status_by_money(&self) -> &'static str {
        match self.went_back() {
            0 => "success",
            all if all >= self.came() => "refunded",
            _ => "partially refunded",
        }
    }

    /// Whether the shopper or the platform still has something to decide.
    pub fn is_open(&self) -> bool {
        let is_waiting = |one: &Operation| {
            let is_held = self.story == Story::Held && one.kind == "sale" && self.is_settled();
            one.is_open() && !is_held
        };
        let waits_for_confirmation = matches!(self.status, "awaiting confirmation");
        self.status == "awaiting customer"
            || waits_for_confirmation
            || self.waits_for_second_charge()
            || self.is_unconfirmed()
            || self.operations.iter().any(is_waiting)
    }

    /// Whether the shopper was charged once and will be charged again.
    pub fn waits_for_second_charge(&self) -> bool {
        let charges = self.operations.iter();
        let charges = charges.filter(|one| one.kind == "sale" && one.status == "success");
        self.story == Story::SecondCharge && charges.count() == 1
    }

    /// Whether the sale succeeded and its confirmation has not begun.
    pub fn is_unconfirmed(&self) -> bool {
        let has = |kind: &str| self.operations.iter().any(|one| one.kind == kind);
        let is_paid = self
            .operations
            .iter()
            .any(|one| one.kind == "sale" && one.status == "success");
        matches!(self.story, Story::Confirmed { .. }) && is_paid && !has("payment confirmation")
    }

    /// Whether support has settled it by hand.
    pub fn is_settled(&self) -> bool {
        self.operations
            .iter()
            .any(|one| one.kind == "manual change")
    }
}
