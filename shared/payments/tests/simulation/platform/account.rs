//! Holds one payment at the platform: its operations, and the money that moved.

use payments::Timestamp;

/// What happens to a payment at the platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scenario {
    Usual,
    /// The money differs from the order, or a report names another amount.
    OtherAmount {
        in_payment_sum: bool,
        in_sum_initial: bool,
    },
    /// After each sale that ended, a second callback states the opposite result. Status answers state the true result.
    Contradicted,
    /// This service did not create the payment.
    External,
    /// Another system of the project made the payment, with the id of one of our payments.
    Foreign,
    /// A later confirmation decides whether the money counts.
    Confirmed {
        /// `payment.status` in the sale's callback.
        first_status: &'static str,
    },
    /// The platform holds the payment. Later, the platform's support settles the payment by hand, with another amount.
    Held,
    /// The shopper is charged twice within the payment.
    SecondCharge,
    /// An operation of undocumented type succeeds.
    UnknownOperation,
}

impl Scenario {
    /// Returns whether an operator must review the payment.
    pub fn needs_review(self) -> bool {
        matches!(
            self,
            Scenario::OtherAmount { .. }
                | Scenario::Held
                | Scenario::SecondCharge
                | Scenario::UnknownOperation
        )
    }
}

#[derive(Debug, Clone)]
pub struct Operation {
    pub id: u64,
    pub kind: &'static str,
    pub status: &'static str,
    /// The amount in `sum_initial`.
    pub amount: u64,
    /// The amount that moves if the operation succeeds.
    pub moves: u64,
    pub merchant_refund_id: Option<String>,
    /// The refund id that the merchant requested. The simulation keeps this id even if the platform ignores refund ids.
    pub intent: Option<String>,
    pub request_id: String,
    pub date: u64,
    pub created_at: Timestamp,
    /// The id of the refund that this operation takes back.
    pub takes_back: Option<u64>,
}

impl Operation {
    pub fn is_open(&self) -> bool {
        !matches!(self.status, "success" | "decline")
    }

    pub fn is_refund(&self) -> bool {
        matches!(self.kind, "refund" | "reversal")
    }

    pub fn is_refunded(&self) -> bool {
        self.is_refund() && self.status == "success"
    }

    fn is_charge(&self) -> bool {
        matches!(self.kind, "sale" | "manual change")
    }
}

#[derive(Debug, Clone)]
pub struct Account {
    pub scenario: Scenario,
    /// The ordered amount.
    pub amount: u64,
    pub status: &'static str,
    pub operations: Vec<Operation>,
    /// Whether the merchant ever had the money.
    pub was_credited: bool,
}

impl Account {
    /// Returns the money that successful operations have moved. Only operations for which `counts` returns `true` are
    /// included.
    fn sum(&self, counts: impl Fn(&Operation) -> bool) -> u64 {
        let operations = self.operations.iter();
        let counted =
            operations.filter(|operation| operation.status == "success" && counts(operation));
        counted.map(|operation| operation.moves).sum()
    }

    fn has(&self, kind: &str) -> bool {
        self.operations
            .iter()
            .any(|operation| operation.kind == kind)
    }

    fn successful_sales(&self) -> usize {
        let operations = self.operations.iter();
        let is_sale =
            |operation: &&Operation| operation.kind == "sale" && operation.status == "success";
        operations.filter(is_sale).count()
    }

    /// Returns whether the merchant has the money. In the scenario `Confirmed`, the newest confirmation decides.
    pub fn is_credited(&self) -> bool {
        let mut operations = self.operations.iter().rev();
        let confirmation = operations.find(|operation| operation.kind == "payment confirmation");
        match self.scenario {
            Scenario::Confirmed { .. } => {
                confirmation.is_some_and(|operation| operation.status == "success")
            }
            _ => true,
        }
    }

    pub fn paid(&self) -> u64 {
        match self.is_credited() {
            true => self.sum(Operation::is_charge),
            false => 0,
        }
    }

    /// Returns the refunded money. A reversal of money that was never credited refunds nothing.
    pub fn refunded(&self) -> u64 {
        let is_credited = self.is_credited();
        let counts = |operation: &Operation| {
            operation.kind == "refund" || operation.kind == "reversal" && is_credited
        };
        self.sum(counts).saturating_sub(self.taken_back())
    }

    pub fn taken_back(&self) -> u64 {
        self.sum(|operation| operation.kind == "refund reverse")
    }

    pub fn refundable(&self) -> u64 {
        let operations = self.operations.iter();
        let open = operations.filter(|operation| operation.is_refund() && operation.is_open());
        let open: u64 = open.map(|operation| operation.amount).sum();
        self.paid().saturating_sub(self.refunded() + open)
    }

    /// Returns `payment.sum` of a message.
    pub fn payment_sum(&self) -> u64 {
        let charged = match self.sum(Operation::is_charge) {
            0 => self.amount,
            charged => charged,
        };
        let refunded = self.sum(Operation::is_refund);
        (charged + self.taken_back()).saturating_sub(refunded)
    }

    /// Returns `payment.status` of a payment that was paid.
    pub fn status_by_money(&self) -> &'static str {
        match self.refunded() {
            0 => "success",
            refunded if refunded >= self.paid() => "refunded",
            _ => "partially refunded",
        }
    }

    /// Returns whether a further step at the platform is due.
    pub fn is_open(&self) -> bool {
        let is_held = self.is_held();
        let mut operations = self.operations.iter();
        matches!(self.status, "awaiting customer" | "awaiting confirmation")
            || self.waits_for_second_charge()
            || self.is_unconfirmed()
            || operations
                .any(|operation| operation.is_open() && !(is_held && operation.kind == "sale"))
    }

    /// Returns whether the platform's support has settled the held payment by hand. The sale of such a payment can stay
    /// open.
    pub fn is_held(&self) -> bool {
        self.scenario == Scenario::Held && self.has("manual change")
    }

    /// Returns whether the shopper was charged once and will be charged again.
    pub fn waits_for_second_charge(&self) -> bool {
        self.scenario == Scenario::SecondCharge && self.successful_sales() == 1
    }

    /// Returns whether the sale succeeded and its confirmation has not started.
    pub fn is_unconfirmed(&self) -> bool {
        let is_confirmed_later = matches!(self.scenario, Scenario::Confirmed { .. });
        is_confirmed_later && self.successful_sales() > 0 && !self.has("payment confirmation")
    }
}
