//! What happens to payments at the platform, step by step.

use super::{Account, Message, Operation, Platform, Records, Story, callback};

impl Platform {
    /// Something happens to one of the payments, and the platform reports it. `finish`: only what ends
    /// something.
    pub fn act(&self, finish: bool) {
        let mut records = self.records.lock().unwrap();
        let records = &mut *records;
        if records.accounts.is_empty() {
            return;
        }
        let index = usize::try_from(self.world.below(records.accounts.len() as u64)).unwrap();
        let payment_id = records.accounts.keys().nth(index).unwrap().clone();
        let mut account = records.accounts.remove(&payment_id).unwrap();
        let mut messages = Vec::new();
        let is_kept = match self.fail_request(&payment_id, &account, finish) {
            Some(message) => {
                messages.push(message);
                false
            }
            None => {
                let step = Step {
                    platform: self,
                    records,
                    payment_id: &payment_id,
                    finish,
                };
                messages = step.take(&mut account).unwrap_or_default();
                true
            }
        };
        if is_kept {
            account.was_credited |= account.is_credited() && account.came() > 0;
            records.accounts.insert(payment_id, account);
        }
        records.messages.extend(messages);
    }

    /// The request fails after all; its id may be used again.
    fn fail_request(&self, payment_id: &str, account: &Account, finish: bool) -> Option<Message> {
        let is_first = account.operations.len() == 1 && account.status == "processing";
        let sale = account.operations.first().filter(|sale| sale.is_open())?;
        if !is_first || finish || !self.world.fails(25) {
            return None;
        }
        let body = format!(
            r#"{{"project_id":211,"payment":{{"id":"{payment_id}","status":"error"}},"errors":[{{"code":"2004","message":"no"}}],
                "operation":{{"type":"sale","status":"error","request_id":"{}"}}}}"#,
            sale.request_id
        );
        Some(Message::new(payment_id, &body))
    }

    /// A shopper pays by a link that the merchant made in the platform's Dashboard.
    pub fn pay_elsewhere(&self, number: u64) {
        let mut records = self.records.lock().unwrap();
        let sale = records.operation("sale", 1_000, "link");
        let account = Account {
            story: Story::External,
            amount: 1_000,
            status: "processing",
            operations: vec![sale],
            was_credited: false,
        };
        let payment_id = format!("elsewhere/{number}");
        records.accounts.entry(payment_id).or_insert(account);
    }
}

/// One step of one payment.
struct Step<'a> {
    platform: &'a Platform,
    records: &'a mut Records,
    payment_id: &'a str,
    finish: bool,
}

impl Step<'_> {
    fn choose(&self, end: u64) -> u64 {
        self.platform.world.below(end)
    }

    /// A new date, for what changes now.
    fn date(&mut self) -> u64 {
        self.records.next += 1;
        self.records.date()
    }

    /// `None`: nothing happens.
    fn take(mut self, account: &mut Account) -> Option<Vec<Message>> {
        let is_held = account.story == Story::Held && account.is_settled();
        let open = account.operations.iter();
        let open = open.enumerate().filter(|(_, one)| one.is_open());
        let mut open = open.filter(|(_, one)| !(is_held && one.kind == "sale"));
        let open = open.next().map(|(at, one)| (at, one.kind));
        match open {
            Some((at, "sale")) => self.sale(account, at),
            Some((at, "payment confirmation")) => self.confirmation(account, at),
            Some((at, _)) => self.refund(account, at),
            None if account.is_unconfirmed() => self.begin_confirmation(account),
            None if account.waits_for_second_charge() => self.second_charge(account),
            None if account.status == "awaiting confirmation" => self.reverse(account),
            None if account.status == "awaiting customer" => self.try_again(account),
            None if self.finish || self.records.is_plain => None,
            None => self.dashboard(account),
        }
    }

    /// What is reported: the operation at a place, as it stands now.
    fn report(&self, account: &Account, at: usize, extra: &str) -> Vec<Message> {
        let operation = &account.operations[at];
        let mut messages = vec![callback(self.payment_id, account, operation, extra)];
        if operation.merchant_refund_id.is_none() && self.platform.world.fails(10) {
            for message in &mut messages {
                message.is_hint = true;
            }
        }
        messages
    }

    fn sale(&mut self, account: &mut Account, at: usize) -> Option<Vec<Message>> {
        let date = self.date();
        let step = match self.finish {
            true => 6 + self.choose(2),
            false => self.choose(9),
        };
        let mut extra = String::new();
        let (status, sale_status) = match step {
            0 | 1 => ("processing", "processing"),
            2..=4 => {
                extra = format!(
                    r#","redirect_data":{{"method":"GET","url":"https://bank.example/{date}","body":[]}}"#
                );
                ("awaiting redirect result", "awaiting redirect result")
            }
            5 => ("awaiting customer", "decline"),
            6 | 8 => ("success", "success"),
            _ => ("decline", "decline"),
        };
        let is_paid = sale_status == "success";
        if is_paid && account.story == Story::Held {
            return self.settle(account, at);
        }
        let sale = &mut account.operations[at];
        (sale.date, sale.status) = (date, sale_status);
        account.status = match account.story {
            Story::Confirmed { first_status } if is_paid => first_status,
            Story::SecondCharge if is_paid => "processing",
            _ => status,
        };
        if let Story::OtherAmount {
            in_payment_sum,
            in_sum_initial,
        } = account.story
            && is_paid
        {
            let sale = &mut account.operations[at];
            sale.moves = if in_payment_sum { 900 } else { sale.amount };
            sale.amount = if in_sum_initial { 900 } else { sale.amount };
        }
        let mut messages = self.report(account, at, &extra);
        messages.extend(self.contradiction(account, at));
        if account.story == Story::UnknownOperation && is_paid {
            let operation = self
                .records
                .operation("capture settlement", 300, "settlement");
            account.operations.push(Operation {
                status: "success",
                moves: 0,
                ..operation
            });
            messages.extend(self.report(account, account.operations.len() - 1, ""));
        }
        Some(messages)
    }

    /// For a sale that ended, a callback that says the contrary.
    fn contradiction(&self, account: &Account, at: usize) -> Option<Message> {
        let sale = &account.operations[at];
        let status = match sale.status {
            "success" => "decline",
            "decline" => "success",
            _ => return None,
        };
        if account.story != Story::Contradicted {
            return None;
        }
        let mut wrong = account.clone();
        wrong.status = status;
        let sale = Operation {
            status,
            ..sale.clone()
        };
        Some(callback(self.payment_id, &wrong, &sale, ""))
    }

    /// Support settles a held payment by hand; the sale stays undecided, or is declined.
    fn settle(&mut self, account: &mut Account, at: usize) -> Option<Vec<Message>> {
        let operation = self.records.operation("manual change", 900, "support");
        account.operations.push(Operation {
            status: "success",
            ..operation
        });
        account.operations[at].status = match self.choose(2) {
            0 => "decline",
            _ => "processing",
        };
        account.status = "success";
        Some(self.report(account, account.operations.len() - 1, ""))
    }

    fn begin_confirmation(&mut self, account: &mut Account) -> Option<Vec<Message>> {
        let amount = account.amount;
        let mut operation = self
            .records
            .operation("payment confirmation", amount, "confirmation");
        operation.moves = 0;
        account.operations.push(operation);
        account.status = "awaiting confirmation";
        Some(self.report(account, account.operations.len() - 1, ""))
    }

    fn confirmation(&mut self, account: &mut Account, at: usize) -> Option<Vec<Message>> {
        let date = self.date();
        let (status, confirmed) = match self.choose(4) {
            0 | 1 => ("success", "success"),
            2 => ("decline", "decline"),
            // A reversal follows.
            _ => ("awaiting confirmation", "decline"),
        };
        account.status = status;
        let operation = &mut account.operations[at];
        (operation.status, operation.date) = (confirmed, date);
        Some(self.report(account, at, ""))
    }

    /// The platform reverses what could not be confirmed.
    fn reverse(&mut self, account: &mut Account) -> Option<Vec<Message>> {
        let reversal = self
            .records
            .operation("reversal", account.amount, "reversal");
        account.operations.push(Operation {
            status: "success",
            ..reversal
        });
        account.status = "reversed";
        Some(self.report(account, account.operations.len() - 1, ""))
    }

    fn second_charge(&mut self, account: &mut Account) -> Option<Vec<Message>> {
        // In another second, so that it is clear which `payment.sum` is the newest.
        self.records.next += 3;
        let sale = self.records.operation("sale", account.amount, "again");
        account.operations.push(Operation {
            status: "success",
            ..sale
        });
        account.status = "success";
        Some(self.report(account, account.operations.len() - 1, ""))
    }

    /// The shopper tries again.
    fn try_again(&mut self, account: &mut Account) -> Option<Vec<Message>> {
        let sale = self.records.operation("sale", account.amount, "again");
        account.operations.push(sale);
        account.status = "processing";
        Some(self.report(account, account.operations.len() - 1, ""))
    }

    fn refund(&mut self, account: &mut Account, at: usize) -> Option<Vec<Message>> {
        let date = self.date();
        let asks = !self.finish && !self.records.is_plain && self.choose(8) == 0;
        let operation = &mut account.operations[at];
        operation.date = date;
        if asks && operation.status == "processing" {
            operation.status = "awaiting clarification";
            let fields = r#","clarification_fields":{"account":["number"]}"#;
            return Some(self.report(account, at, fields));
        }
        let is_done = self.choose(3) > 0;
        let operation = &mut account.operations[at];
        operation.status = if is_done { "success" } else { "decline" };
        account.status = account.status_by_money();
        Some(self.report(account, at, ""))
    }

    /// Somebody at the merchant, or at the bank, does something that was not requested here.
    fn dashboard(&mut self, account: &mut Account) -> Option<Vec<Message>> {
        match self.choose(4) {
            0 => self.take_back(account),
            1 => self.contradict_confirmation(account),
            _ if account.left() > 0 => {
                let amount = 1 + self.choose(account.left());
                let refund = self.records.operation("refund", amount, "dashboard");
                account.operations.push(refund);
                Some(self.report(account, account.operations.len() - 1, ""))
            }
            _ => None,
        }
    }

    /// The bank takes a refund back.
    fn take_back(&mut self, account: &mut Account) -> Option<Vec<Message>> {
        let is_taken = |id: u64| {
            account
                .operations
                .iter()
                .any(|one| one.takes_back == Some(id))
        };
        let mut refunds = account.operations.iter();
        let refund = refunds
            .find(|one| one.kind == "refund" && one.status == "success" && !is_taken(one.id))?;
        if !account.is_credited() {
            return None;
        }
        let (id, named) = (refund.id, refund.merchant_refund_id.clone());
        let (amount, is_named) = (refund.amount, self.choose(2) == 0);
        let operation = self.records.operation("refund reverse", amount, "bank");
        // What comes after it comes in another second.
        self.records.next += 3;
        account.operations.push(Operation {
            status: "success",
            takes_back: Some(id),
            merchant_refund_id: named.filter(|_| is_named),
            ..operation
        });
        account.status = account.status_by_money();
        Some(self.report(account, account.operations.len() - 1, ""))
    }

    /// The money comes after a decline was reported, or does not come after all.
    fn contradict_confirmation(&mut self, account: &mut Account) -> Option<Vec<Message>> {
        let at = account
            .operations
            .iter()
            .position(|one| one.kind == "payment confirmation")?;
        let has_more = account.operations.len() > at + 1;
        let is_credited = account.operations[at].status == "success";
        // What went back before shows that the money had come.
        if has_more && !is_credited || self.choose(2) == 0 {
            return None;
        }
        // So much later that no date is the same.
        self.records.next += 6;
        let date = self.date();
        let operation = &mut account.operations[at];
        operation.status = if is_credited { "decline" } else { "success" };
        operation.date = date;
        account.status = if is_credited { "decline" } else { "success" };
        Some(self.report(account, at, ""))
    }
}
