"""One Stripe export with every lawful state of a document, in two API versions side by side.

Each state is a customer of its own. Ids end in `_newer` for 2026-07-29.dahlia and in `_older` for
2022-11-15, which cannot hold some of them. Amounts are minor units, as Stripe sends them.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

Record = dict[str, Any]

BATCH = "2026-06-30"


def at(day: str) -> int:
    """Epoch seconds of the start of a day, UTC."""
    return int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp())


MAY, TENTH, TWENTIETH = at("2026-05-01"), at("2026-05-10"), at("2026-05-20")
NEVER = {"finalized_at": None, "paid_at": None, "voided_at": None, "marked_uncollectible_at": None}


class Export:
    """The objects of one account's export in one API version."""

    def __init__(self, *, is_older: bool) -> None:
        self.is_older = is_older
        self.objects: list[Record] = []

    def id(self, kind: str, name: str) -> str:
        """Id of an object in this version."""
        return f"{kind}_{name}_{'older' if self.is_older else 'newer'}"

    def add(self, kind: str, name: str, prefix: str, /, **fields: Any) -> Record:
        """Adds an object with the fields that all have."""
        record = {
            "id": self.id(prefix, name),
            "object": kind,
            "created": MAY,
            "currency": "usd",
            "livemode": True,
            **fields,
        }
        self.objects.append(record)
        return record

    def customer(self, name: str, **fields: Any) -> str:
        """Adds a customer and returns its id."""
        fields = {"currency": None, "name": name, **fields}
        return str(self.add("customer", name, "cus", **fields)["id"])

    def invoice(
        self,
        name: str,
        total: int = 10_000,
        *,
        status: str = "paid",
        owner: str | None = None,
        paid: int | None = None,
        payments: Mapping[str, int] | None = None,
        out_of_band: int = 0,
        overpaid: int = 0,
        balance: tuple[int, int | None] = (0, 0),
        pre: int = 0,
        grant: int = 0,
        lines: Iterable[Record] = (),
        moments: Mapping[str, int] | None = None,
        **fields: Any,
    ) -> Record:
        """Adds an invoice, with a customer unless it has an owner.

        Args:
            paid: What was paid as amounts have it since basil; by default all of a paid invoice.
            payments: Charges that paid it and how much of each; by default one of its own name.
            out_of_band: Part of `paid` that was paid outside Stripe.
            overpaid: Part of `paid` beyond what was due.
            balance: The customer's balance before and after.
            pre: Credited before payment.
            grant: Billing credits that lowered the total.
            moments: Status transitions; by default finalised on 1 May and, if paid, paid then.
        """
        starting, ending = balance
        due = max(total + starting - (ending or 0), 0) - pre
        if paid is None:
            paid = due + overpaid if status == "paid" else 0
        if payments is None:
            payments = {name: paid - out_of_band} if paid > out_of_band else {}
        if moments is None:
            moments = {} if status == "draft" else {"finalized_at": MAY}
            moments |= {"paid_at": MAY} if status == "paid" else {}
        lines = list(lines) or [self.line(name, total + grant)]
        is_unrecorded = self.is_older and out_of_band > 0
        record = {
            "customer": self.id("cus", owner) if owner else self.customer(name),
            "status": status,
            "number": None if status == "draft" else name,
            "billing_reason": "manual",
            "collection_method": "send_invoice",
            "subtotal": sum(line["amount"] for line in lines),
            "total": total,
            "amount_due": due,
            "amount_paid": paid - out_of_band if is_unrecorded else paid,
            "amount_remaining": due if is_unrecorded else max(due - (paid - overpaid), 0),
            "amount_shipping": 0,
            "starting_balance": starting,
            "ending_balance": ending,
            "pre_payment_credit_notes_amount": pre,
            "post_payment_credit_notes_amount": 0,
            "total_discount_amounts": [],
            "discounts": [],
            "status_transitions": {**NEVER, **moments},
            "lines": {"object": "list", "has_more": False, "data": lines},
        }
        if self.is_older:
            charge = next(iter(payments), None)
            record |= {
                "charge": self.id("ch", charge) if charge else None,
                "payment_intent": self.id("pi", charge) if charge else None,
                "paid": status == "paid",
                "paid_out_of_band": out_of_band > 0,
                "tax": None,
                "total_tax_amounts": [],
            }
        else:
            paid_parts = [("payment_intent", one, part) for one, part in payments.items()]
            if out_of_band:
                paid_parts.append(("payment_record", name, out_of_band))
            record |= {
                "amount_overpaid": overpaid,
                "payments": {
                    "object": "list",
                    "has_more": False,
                    "data": [self._payment(name, *part, moments) for part in paid_parts],
                },
                "total_pretax_credit_amounts": (
                    [{"amount": grant, "type": "credit_balance_transaction"}] if grant else []
                ),
                "total_taxes": [],
            }
        return self.add("invoice", name, "in", **{**record, **fields})

    def _payment(
        self, invoice: str, kind: str, reference: str, amount: int, moments: Mapping[str, int]
    ) -> Record:
        prefix = {"payment_intent": "pi", "payment_record": "prec"}[kind]
        return {
            "id": self.id("inpay", f"{invoice}_{reference}_{prefix}"),
            "object": "invoice_payment",
            "amount_paid": amount,
            "status": "paid",
            "payment": {"type": kind, kind: self.id(prefix, reference)},
            "status_transitions": {"paid_at": moments.get("paid_at", MAY)},
        }

    def line(self, name: str, amount: int, start: int = MAY, end: int = MAY) -> Record:
        """A line of an invoice."""
        return {
            "id": self.id("il", name),
            "object": "line_item",
            "amount": amount,
            "currency": "usd",
            "period": {"start": start, "end": end},
            "quantity": 1,
        }

    def charge(self, name: str, amount: int = 10_000, **fields: Any) -> Record:
        """Adds a charge, by default one that succeeded and pays the invoice of its own name."""
        owner, invoice = fields.pop("owner", name), fields.pop("invoice", name)
        captured = fields.pop("captured", amount)
        record = {
            "customer": self.id("cus", owner) if owner else None,
            "amount": amount,
            "amount_captured": captured,
            "amount_refunded": 0,
            "captured": True,
            "paid": True,
            "status": "succeeded",
            "payment_intent": self.id("pi", name),
            **fields,
        }
        if self.is_older:
            record["invoice"] = self.id("in", invoice) if invoice else None
        return self.add("charge", name, "ch", **record)

    def refund(self, name: str, amount: int, charge: str | None, **fields: Any) -> Record:
        """Adds a refund."""
        record = {"charge": self.id("ch", charge) if charge else None, "status": "succeeded"}
        record = self.add("refund", name, "re", amount=amount, **{**record, **fields})
        # Refunds do not show their mode.
        del record["livemode"]
        return record

    def dispute(self, name: str, charge: str, status: str, amount: int, **fields: Any) -> Record:
        """Adds a dispute."""
        record = {"charge": self.id("ch", charge), "amount": amount, "reason": "fraudulent"}
        return self.add("dispute", name, "dp", status=status, **record, **fields)

    def credit_note(self, name: str, amount: int, kind: str, **fields: Any) -> Record:
        """Adds a credit note on the invoice of its name."""
        record: Record = {
            "customer": self.id("cus", name),
            "invoice": self.id("in", name),
            "type": kind,
            "status": "issued",
            "amount": amount,
            "subtotal": amount,
            "total": amount,
            "discount_amount": 0,
            "lines": {"object": "list", "has_more": False, "data": []},
        }
        if self.is_older:
            record |= {"refund": None, "tax_amounts": []}
        else:
            after = 0 if kind == "pre_payment" else amount
            record |= {"pre_payment_amount": amount - after, "post_payment_amount": after}
            record |= {"refunds": [], "total_taxes": []}
        return self.add("credit_note", name, "cn", **{**record, **fields})


def _invoices(export: Export) -> None:
    for status in ("draft", "open", "uncollectible", "void"):
        export.invoice(status, status=status)
    export.invoice("free", 0)
    export.invoice("out_of_band", out_of_band=10_000, moments={"paid_at": TWENTIETH})
    # The customer owes more after a credit of 40.00; 0.30 is too little to charge.
    export.invoice("negative", -4_000, balance=(0, -4_000))
    export.invoice("small", 30, balance=(0, 30))
    export.invoice("credit_balance", 3_100, balance=(-1_100, 0))
    export.charge("credit_balance", 2_000)
    export.invoice("debit_balance", balance=(500, 0))
    export.charge("debit_balance", 10_500)
    export.invoice("paid_late", moments={"marked_uncollectible_at": TENTH, "paid_at": TWENTIETH})
    declined = {"status": "failed", "paid": False, "payment_intent": export.id("pi", "paid_late")}
    export.charge("paid_late_declined", owner="paid_late", invoice="paid_late", captured=0)
    export.objects[-1] |= declined
    export.charge("paid_late", created=TWENTIETH)
    export.invoice("credited", pre=10_000)
    export.credit_note("credited", 10_000, "pre_payment")
    # A part of the price was credited after it was paid; the first note was a mistake.
    export.invoice("credited_later", post_payment_credit_notes_amount=1_000)
    export.charge("credited_later", amount_refunded=1_000)
    refund = export.refund("credited_later", 1_000, "credited_later")
    note = export.credit_note("credited_later", 1_000, "post_payment")
    note |= {"refund": refund["id"]} if export.is_older else {"refunds": [{"refund": refund["id"]}]}
    # The billing anchor moves to 20 May: 20.00 of May are unused, and a new period begins.
    unused = export.line("anchor_unused", -3_000, TWENTIETH, at("2026-06-01"))
    next_period = export.line("anchor_next", 13_000, TWENTIETH, at("2026-06-20"))
    export.invoice("anchor", lines=[unused, next_period])
    export.charge("anchor")
    # 10.00 of shipping with 2.00 of tax, which no line has.
    export.invoice("shipped", 11_200, lines=[export.line("shipped", 10_000)], amount_shipping=1_000)
    tax: Record = {"tax": 200} if export.is_older else {"total_taxes": [{"amount": 200}]}
    export.objects[-1] |= tax
    export.charge("shipped", 11_200)
    # The export lacks what was paid and remains, or the totals of 10.00 of discount and 18.00 of
    # tax.
    for status in ("paid", "open"):
        invoice = export.invoice(f"no_amounts_{status}", status=status)
        del invoice["amount_paid"], invoice["amount_remaining"]
    export.charge("no_amounts_paid")
    discounted: Record = {"amount": 1_000, "discount": export.id("di", "no_totals")}
    line = export.line("no_totals", 10_000) | {"discount_amounts": [discounted]}
    if export.is_older:
        line["tax_amounts"] = [{"amount": 1_800, "inclusive": False}]
    else:
        line["taxes"] = [{"amount": 1_800, "tax_behavior": "exclusive"}]
    invoice = export.invoice("no_totals", 10_800, lines=[line])
    for name in ("total_discount_amounts", "tax", "total_tax_amounts", "total_taxes"):
        invoice.pop(name, None)
    export.charge("no_totals", 10_800)
    note = export.credit_note("no_totals", 1_080, "post_payment")
    for name in ("lines", "subtotal", "discount_amount", "tax_amounts", "total_taxes"):
        note.pop(name, None)
    # An invoice item waits for the next invoice.
    export.add("invoiceitem", "pending", "ii", amount=700, customer=export.customer("pending"))


def _invoices_since_basil(export: Export) -> None:
    export.invoice("overpaid", overpaid=2_000)
    export.charge("overpaid", 12_000)
    export.invoice("two_payments", payments={"first": 6_000, "second": 4_000})
    export.charge("first", 6_000, owner="two_payments")
    export.charge("second", 4_000, owner="two_payments")
    export.invoice("part_outside", out_of_band=7_000)
    export.charge("part_outside", 3_000)
    export.invoice("granted", 7_000, grant=3_000)
    export.charge("granted", 7_000)
    future = "future_of_2027"
    export.credit_note("granted", 1_000, future, status=future, reason=future)
    export.invoice("part_paid", status="open", paid=4_000)
    export.charge("part_paid", 4_000)
    moments = {"finalized_at": MAY, "voided_at": TWENTIETH}
    export.invoice("void_part_paid", status="void", paid=4_000, moments=moments)
    export.charge("void_part_paid", 4_000)
    # One payment of 150.00 for two invoices.
    export.invoice("shared", payments={"shared": 10_000})
    export.invoice("shared_too", 5_000, owner="shared", payments={"shared": 5_000})
    export.charge("shared", 15_000)
    # Only since basil is a charge known without its invoice's knowledge of it.
    export.invoice("unlisted_payments", payments=None)
    del export.objects[-1]["payments"]
    # Listed on their own, as in an export of which the invoices were not asked for their payments.
    payments = export.invoice("payments_alone", payments={"alone": 7_000, "alone_too": 3_000})
    listed = export.objects[-1].pop("payments")
    export.objects += [payment | {"invoice": payments["id"]} for payment in listed["data"]]
    export.charge("alone", 7_000, owner="payments_alone")
    export.charge("alone_too", 3_000, owner="payments_alone")


def _payments(export: Export) -> None:
    for name in ("refunds", "disputes", "dollars", "intent", "old_charge", "cancelled", "captured"):
        export.customer(name)
    # All that says that it was captured is its status, and nothing says what was refunded.
    export.customer("thin")
    charge = export.charge("thin", invoice=None)
    for name in ("amount_captured", "amount_refunded", "captured", "paid"):
        del charge[name]
    export.refund("thin", 2_500, "thin")
    export.charge("refunds", amount_refunded=4_000, invoice=None)
    for status, amount in (
        *(("succeeded", 1_000), ("pending", 2_000), ("requires_action", 500)),
        *(("failed", 700), ("canceled", 300), ("under_dispute_of_2027", 500)),
    ):
        export.refund(f"refunds_{status}", amount, "refunds", status=status)
    export.charge("intent", amount_refunded=4_000, invoice=None)
    export.refund("intent", 4_000, None, payment_intent=export.id("pi", "intent"))
    customer = {"customer": export.id("cus", "old_charge")}
    export.refund("old_charge", 2_500, "before_the_export", **customer)
    export.charge("disputes", 50_000, invoice=None)
    for status, amount in (
        *(("warning_needs_response", 100), ("warning_under_review", 200), ("warning_closed", 300)),
        *(("needs_response", 400), ("under_review", 500), ("won", 600), ("lost", 700)),
        *(("prevented", 800), ("appealed_of_2027", 900), ("lost", 1_000)),
    ):
        export.dispute(f"disputes_{status}_{amount}", "disputes", status, amount)
    export.charge("dollars", currency="eur", invoice=None)
    export.dispute("dollars", "dollars", "lost", 5_475)
    # 100.00 were authorised and cancelled, or captured in part. Before basil a refund releases the
    # rest.
    export.charge("cancelled", captured=0, invoice=None)
    export.charge("captured", captured=6_000, invoice=None)
    if export.is_older:
        export.objects[-2] |= {
            "amount_captured": None,
            "captured": False,
            "amount_refunded": 10_000,
        }
        export.objects[-1] |= {"amount_refunded": 4_000}
        export.refund("cancelled", 10_000, "cancelled")
        export.refund("captured", 4_000, "captured")


def _payouts(export: Export) -> None:
    """Of a payout that failed, the money comes back in a transaction of its own."""
    for status in ("pending", "in_transit", "paid", "canceled", "failed", "future_of_2027"):
        sent = {"amount": -1_000, "fee": 0, "net": -1_000, "status": "available"}
        withdrawn = export.add("balance_transaction", status, "txn", type="payout", **sent)
        withdrawn |= {"reporting_category": "payout", "source": export.id("po", status)}
        payout = export.add("payout", status, "po", amount=1_000, status=status, automatic=True)
        payout |= {"arrival_date": TENTH, "balance_transaction": withdrawn["id"]}
    back = {"amount": 1_000, "fee": 0, "net": 1_000, "status": "available"}
    returned = export.add("balance_transaction", "back", "txn", type="payout_failure", **back)
    returned |= {"reporting_category": "payout_reversal", "source": export.id("po", "failed")}


def _partly_exported(export: Export) -> None:
    """Records of what is not in the export, and an invoice that only a webhook has."""
    owner = export.customer("gone")
    export.dispute("gone", "gone", "lost", 1_500)
    export.credit_note("gone", 900, "post_payment", customer=owner)
    line = export.line("gone", 600) | {"invoice": export.id("in", "gone"), "livemode": True}
    export.objects.append(line)
    export.objects.append({"id": export.id("in", "erased"), "object": "invoice", "deleted": True})
    invoice = export.invoice("webhook", out_of_band=10_000)
    export.objects.remove(invoice)
    event: Record = {"type": "invoice.paid", "data": {"object": invoice}}
    export.add("event", "webhook", "evt", **event)


def _test_mode(export: Export) -> None:
    clock: Record = {"test_clock": "clock_1", "livemode": False}
    export.customer("test", **clock)
    export.invoice("test", owner="test", **clock)
    export.charge("test", livemode=False, amount_refunded=1_000)
    export.refund("test", 600, "test")
    export.refund("test_intent", 400, None, payment_intent=export.id("pi", "test"))


def _unknown_values(export: Export) -> None:
    future = "future_of_2027"
    export.invoice("future", status=future, billing_reason=future, collection_method=future)
    export.charge("future", status=future, invoice=None, payment_method_details={"type": future})
    export.add("balance_transaction", "future", "txn", type=future, reporting_category=future)
    export.objects[-1] |= {"amount": 100, "fee": 3, "net": 97, "status": future, "source": None}
    export.customer("future_prices")
    # An interval that is not known yet gives no MRR, nor does a status. A usage type does.
    for name, owner, status, terms in (
        ("future", "future", future, {}),
        ("future_interval", "future_prices", "active", {"interval": future}),
        ("future_usage", "future_prices", "active", {"usage_type": future}),
    ):
        period = {"interval": "month", "interval_count": 1, "usage_type": "licensed", **terms}
        price: Record = {"id": export.id("price", name), "object": "price", "currency": "usd"}
        price |= {"billing_scheme": "per_unit", "type": "recurring", "unit_amount": 1_000}
        price |= {"recurring": period, "tax_behavior": future}
        item = {"id": export.id("si", name), "object": "subscription_item", "quantity": 1}
        items = {"object": "list", "has_more": False, "data": [item | {"price": price}]}
        fields: Record = {"status": status, "start_date": MAY, "items": items}
        export.add("subscription", name, "sub", customer=export.id("cus", owner), **fields)


def write_export(folder: Path) -> None:
    """Writes the states in both API versions as one export."""
    exports = [Export(is_older=False), Export(is_older=True)]
    for export in exports:
        for state in (
            _invoices,
            _payments,
            _payouts,
            _partly_exported,
            _test_mode,
            _unknown_values,
        ):
            state(export)
    _invoices_since_basil(exports[0])
    stripe = folder / BATCH / "stripe"
    stripe.mkdir(parents=True)
    lines = [json.dumps(record) for export in exports for record in export.objects]
    (stripe / "objects.jsonl").write_text("\n".join(lines) + "\n")
