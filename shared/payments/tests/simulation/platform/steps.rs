//! Makes the changes of payments at the platform, step by step.

use payments::ports::Clock;
use serde_json::{Value, json};

use super::{Account, Message, Operation, Platform, Records, Scenario, callback};
use crate::faults::RandomFaults;

impl Platform {
    /// Changes a random payment and reports the change. If `finish` is true, the change brings the payment closer to
    /// its end.
    pub fn act(&self, finish: bool) {
        let mut records = self.records();
        let records = &mut *records;
        if records.accounts.is_empty() {
            return;
        }
        let index = self.clock.random(records.accounts.len() as u64);
        let mut ids = records.accounts.keys();
        let payment_id = ids.nth(usize::try_from(index).unwrap()).unwrap().clone();
        let mut account = records.accounts.remove(&payment_id).unwrap();
        if !finish && let Some(message) = failed_request(&payment_id, &account, &self.faults) {
            // The account stays removed, so that the payment id can be used again.
            records.messages.push(message);
            return;
        }
        let mut step = Step {
            platform: self,
            records,
            payment_id: &payment_id,
            finish,
        };
        step.run(&mut account);
        account.was_credited |= account.is_credited() && account.paid() > 0;
        records.accounts.insert(payment_id, account);
    }

    /// Starts a payment by a link that was created in the platform's Dashboard.
    pub fn pay_by_dashboard_link(&self, number: u64) {
        self.start_payment(format!("elsewhere/{number}"), Scenario::External);
    }

    /// Starts a payment without a sale request of ours. Does nothing if the platform already has the payment id.
    pub fn start_payment(&self, payment_id: String, scenario: Scenario) {
        let mut records = self.records();
        let sale = records.operation("sale", 1_000, "link");
        let account = Account {
            scenario,
            amount: 1_000,
            status: "processing",
            operations: vec![sale],
            was_credited: false,
        };
        records.accounts.entry(payment_id).or_insert(account);
    }
}

/// Sometimes returns a callback that says that the request of an accepted sale failed later.
fn failed_request(payment_id: &str, account: &Account, faults: &RandomFaults) -> Option<Message> {
    let [sale] = account.operations.as_slice() else {
        return None;
    };
    let is_ours = account.scenario != Scenario::Foreign;
    let can_fail = is_ours && account.status == "processing" && sale.is_open();
    if !can_fail || !faults.happens(25) {
        return None;
    }
    let body = json!({
        "project_id": 211,
        "payment": { "id": payment_id, "status": "error" },
        "errors": [{ "code": "2004", "message": "no" }],
        "operation": { "type": "sale", "status": "error", "request_id": sale.request_id },
    });
    Some(Message::new(payment_id, &body))
}

struct Step<'a> {
    platform: &'a Platform,
    records: &'a mut Records,
    payment_id: &'a str,
    finish: bool,
}

impl Step<'_> {
    fn choose(&self, end: u64) -> u64 {
        self.platform.clock.random(end)
    }

    /// Starts a new change and returns its date.
    fn new_date(&mut self) -> u64 {
        self.records.change += 1;
        self.records.date()
    }

    fn run(&mut self, account: &mut Account) {
        let is_held = account.is_held();
        let mut operations = account.operations.iter().enumerate();
        let open = operations
            .find(|(_, operation)| operation.is_open() && !(is_held && operation.kind == "sale"));
        match open.map(|(index, operation)| (index, operation.kind)) {
            Some((index, "sale")) => self.sale(account, index),
            Some((index, "payment confirmation")) => self.confirmation(account, index),
            Some((index, _)) => self.refund(account, index),
            None if account.is_unconfirmed() => self.start_confirmation(account),
            None if account.waits_for_second_charge() => self.second_charge(account),
            None if account.status == "awaiting confirmation" => self.reverse(account),
            None if account.status == "awaiting customer" => self.second_try(account),
            None if self.finish || self.records.is_plain => {}
            None => self.outside_change(account),
        }
    }

    fn report(&mut self, account: &Account, index: usize) {
        self.report_with(account, index, |_| {});
    }

    fn report_with(&mut self, account: &Account, index: usize, edit: impl FnOnce(&mut Value)) {
        let operation = &account.operations[index];
        let mut body = callback(self.payment_id, account, operation);
        edit(&mut body);
        let mut message = Message::new(self.payment_id, &body);
        let has_no_refund_id = operation.merchant_refund_id.is_none();
        message.is_hint = has_no_refund_id && self.platform.faults.happens(10);
        self.records.messages.push(message);
    }

    fn report_last(&mut self, account: &Account) {
        self.report(account, account.operations.len() - 1);
    }

    fn add(&mut self, account: &mut Account, kind: &'static str, amount: u64, request: &str) {
        let operation = self.records.operation(kind, amount, request);
        account.operations.push(operation);
    }

    fn add_successful(
        &mut self,
        account: &mut Account,
        kind: &'static str,
        amount: u64,
        request: &str,
    ) {
        let operation = self.records.operation(kind, amount, request);
        account.operations.push(Operation {
            status: "success",
            ..operation
        });
    }

    fn sale(&mut self, account: &mut Account, index: usize) {
        let date = self.new_date();
        let choice = match self.finish {
            true => 6 + self.choose(2),
            false => self.choose(9),
        };
        let (status, sale_status) = match choice {
            0 | 1 => ("processing", "processing"),
            2..=4 => ("awaiting redirect result", "awaiting redirect result"),
            // No second try follows, because the sale of a second try could be newer than our checkout. Such a sale
            // would count as ours.
            5 if account.scenario == Scenario::Foreign => ("decline", "decline"),
            5 => ("awaiting customer", "decline"),
            6 | 8 => ("success", "success"),
            _ => ("decline", "decline"),
        };
        let is_paid = sale_status == "success";
        if is_paid && account.scenario == Scenario::Held {
            return self.settle_by_hand(account, index);
        }
        let sale = &mut account.operations[index];
        (sale.date, sale.status) = (date, sale_status);
        account.status = match account.scenario {
            Scenario::Confirmed { first_status } if is_paid => first_status,
            Scenario::SecondCharge if is_paid => "processing",
            _ => status,
        };
        if let Scenario::OtherAmount {
            in_payment_sum,
            in_sum_initial,
        } = account.scenario
            && is_paid
        {
            sale.moves = if in_payment_sum { 900 } else { sale.amount };
            sale.amount = if in_sum_initial { 900 } else { sale.amount };
        }
        self.report_with(account, index, |body| {
            if sale_status == "awaiting redirect result" {
                let url = format!("https://bank.example/{date}");
                body["redirect_data"] = json!({ "method": "GET", "url": url, "body": [] });
            }
        });
        self.contradict(account, index);
        if account.scenario == Scenario::UnknownOperation && is_paid {
            self.add_successful(account, "capture settlement", 300, "settlement");
            account.operations.last_mut().unwrap().moves = 0;
            self.report_last(account);
        }
    }

    /// In the scenario `Contradicted`, sends a callback that states the opposite result of an ended sale.
    fn contradict(&mut self, account: &Account, index: usize) {
        let sale = &account.operations[index];
        let opposite = match sale.status {
            "success" => "decline",
            "decline" => "success",
            _ => return,
        };
        if account.scenario == Scenario::Contradicted {
            let mut body = callback(self.payment_id, account, sale);
            body["payment"]["status"] = json!(opposite);
            body["operation"]["status"] = json!(opposite);
            let message = Message::new(self.payment_id, &body);
            self.records.messages.push(message);
        }
    }

    /// Settles a held payment by hand, as the platform's support does. The sale stays open or is declined.
    fn settle_by_hand(&mut self, account: &mut Account, sale: usize) {
        self.add_successful(account, "manual change", 900, "support");
        account.operations[sale].status = match self.choose(2) {
            0 => "decline",
            _ => "processing",
        };
        account.status = "success";
        self.report_last(account);
    }

    fn start_confirmation(&mut self, account: &mut Account) {
        let amount = account.amount;
        self.add(account, "payment confirmation", amount, "confirmation");
        account.operations.last_mut().unwrap().moves = 0;
        account.status = "awaiting confirmation";
        self.report_last(account);
    }

    fn confirmation(&mut self, account: &mut Account, index: usize) {
        let date = self.new_date();
        let (status, confirmed) = match self.choose(4) {
            0 | 1 => ("success", "success"),
            2 => ("decline", "decline"),
            // A reversal follows.
            _ => ("awaiting confirmation", "decline"),
        };
        account.status = status;
        let operation = &mut account.operations[index];
        (operation.status, operation.date) = (confirmed, date);
        self.report(account, index);
    }

    /// Reverses a sale that was not confirmed.
    fn reverse(&mut self, account: &mut Account) {
        let amount = account.amount;
        self.add_successful(account, "reversal", amount, "reversal");
        account.status = "reversed";
        self.report_last(account);
    }

    fn second_charge(&mut self, account: &mut Account) {
        let amount = account.amount;
        // The charge is in another second, so that the newest `payment.sum` is unambiguous.
        self.records.change += 3;
        self.add_successful(account, "sale", amount, "again");
        account.status = "success";
        self.report_last(account);
    }

    fn second_try(&mut self, account: &mut Account) {
        let amount = account.amount;
        self.add(account, "sale", amount, "again");
        account.status = "processing";
        self.report_last(account);
    }

    fn refund(&mut self, account: &mut Account, index: usize) {
        let date = self.new_date();
        let needs_data = !self.finish && !self.records.is_plain && self.choose(8) == 0;
        let operation = &mut account.operations[index];
        operation.date = date;
        if needs_data && operation.status == "processing" {
            operation.status = "awaiting clarification";
            return self.report_with(account, index, |body| {
                body["clarification_fields"] = json!({ "account": ["number"] });
            });
        }
        operation.status = match self.choose(3) {
            0 => "decline",
            _ => "success",
        };
        account.status = account.status_by_money();
        self.report(account, index);
    }

    /// Makes a change without a request of this service. The merchant's staff or the bank causes the change.
    fn outside_change(&mut self, account: &mut Account) {
        match self.choose(4) {
            0 => self.take_refund_back(account),
            1 => self.contradict_confirmation(account),
            _ if account.refundable() > 0 => {
                let amount = 1 + self.choose(account.refundable());
                self.add(account, "refund", amount, "dashboard");
                self.report_last(account);
            }
            _ => {}
        }
    }

    fn take_refund_back(&mut self, account: &mut Account) {
        let taken: Vec<u64> = account
            .operations
            .iter()
            .filter_map(|operation| operation.takes_back)
            .collect();
        let mut operations = account.operations.iter();
        let refund = operations.find(|operation| {
            operation.kind == "refund"
                && operation.status == "success"
                && !taken.contains(&operation.id)
        });
        let Some(refund) = refund.filter(|_| account.is_credited()) else {
            return;
        };
        let (id, refund_id) = (refund.id, refund.merchant_refund_id.clone());
        let (amount, is_named) = (refund.amount, self.choose(2) == 0);
        self.add_successful(account, "refund reverse", amount, "bank");
        let last = account.operations.last_mut().unwrap();
        last.takes_back = Some(id);
        last.merchant_refund_id = refund_id.filter(|_| is_named);
        // Later changes have another date.
        self.records.change += 3;
        account.status = account.status_by_money();
        self.report_last(account);
    }

    /// Changes the result of a confirmation: money arrives after a declined confirmation, or confirmed money is lost.
    fn contradict_confirmation(&mut self, account: &mut Account) {
        let mut operations = account.operations.iter();
        let Some(index) = operations.position(|operation| operation.kind == "payment confirmation")
        else {
            return;
        };
        let has_later = account.operations.len() > index + 1;
        let was_credited = account.operations[index].status == "success";
        // After a reversal, the money of a declined confirmation can no longer arrive.
        if has_later && !was_credited || self.choose(2) == 0 {
            return;
        }
        // The change is in another second, so that no other change has the same date.
        self.records.change += 6;
        let date = self.new_date();
        let operation = &mut account.operations[index];
        operation.status = if was_credited { "decline" } else { "success" };
        operation.date = date;
        account.status = operation.status;
        self.report(account, index);
    }
}
