// Compiles only if each generated type has the fields of the payment with their types.
import type * as events from "./events.js";

type Data =
  | events.PaymentData
  | events.RefundData
  | events.OverrefundedData
  | events.PaidTwiceData
  | events.DifferenceData;

// Unlike an assignment, this comparison fails for `any`.
type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
type AllTrue<T extends true[]> = T;

export type Checked = AllTrue<
  [
    Equal<Data["payment_id"], string>,
    Equal<Data["order_id"], string | null>,
    Equal<Data["status"], events.PaymentStatus>,
    Equal<Data["checkout"], events.CheckoutState | null>,
    Equal<Data["sequence"], number>,
    Equal<Data["amount"], number | null>,
    Equal<Data["currency"], events.Currency | null>,
    Equal<Data["paid_amount"], number>,
    Equal<Data["refunded_amount"], number>,
    Equal<Data["pending_refund_amount"], number>,
    Equal<Data["refundable_amount"], number>,
    Equal<Data["operations"], events.Operation[]>,
    Equal<Data["refunds"], events.Refund[]>,
    Equal<Data["decline"], events.Decline | null>,
    Equal<events.RefundData["refund"], events.Refund>,
    Equal<events.PaymentData["operation"], events.Operation | null>,
    Equal<events.PaidTwiceData["operation"], events.Operation>,
    Equal<events.DifferenceData["difference"], events.Difference>,
    Equal<events.PaymentSucceeded["data"], events.PaymentData>,
    Equal<events.RefundSucceeded["data"], events.RefundData>,
  ]
>;
