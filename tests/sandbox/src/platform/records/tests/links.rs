//! Payment links of the Dashboard.

use super::super::Status;
use super::*;
use crate::platform::messages::codes;

#[test]
fn a_link_is_sent_and_paid() {
    let mut records = Records::default();
    let created = records.create_link(order("p-1", 1000), "token".into(), stamp(1));
    assert_eq!(created.unwrap().payment.type_name(), "invoice");
    assert_eq!(status(&records), "awaiting payment");
    let again = records.create_link(order("p-1", 1000), "other".into(), stamp(2));
    assert_eq!(again.unwrap_err(), codes::PAYMENT_EXISTS);
    let sent = records.set_link_status("p-1", Status::InvoiceSent, NOW);
    assert_eq!(sent.unwrap().payment.status(), Status::InvoiceSent);
    let sale = records.confirm_link("token", stamp(3)).unwrap();
    assert_eq!(sale.payment.status(), Status::AwaitingRedirect);
    let late = records.set_link_status("p-1", Status::Expired, NOW);
    assert_eq!(late.unwrap_err(), codes::STATUS_FORBIDS);
    let paid = records.choose("token", pay(1000), NOW).unwrap();
    assert_eq!(paid.operation.id, 3);
    assert_eq!((status(&records), remaining(&records)), ("success", 1000));
}

#[test]
fn a_link_that_was_canceled_or_has_expired_cannot_be_paid() {
    for end in [Status::Expired, Status::InvoiceCanceled] {
        let mut records = Records::default();
        records
            .create_link(order("p-1", 1000), "token".into(), stamp(1))
            .unwrap();
        records.set_link_status("p-1", end, NOW).unwrap();
        assert_eq!(status(&records), end.as_str());
        let late = records.confirm_link("token", stamp(2));
        assert_eq!(late.unwrap_err(), codes::STATUS_FORBIDS);
        let twice = records.set_link_status("p-1", Status::Expired, NOW);
        assert_eq!(twice.unwrap_err(), codes::STATUS_FORBIDS);
        assert_eq!(remaining(&records), 0);
    }
}
