"""Stripe's API objects, as the API and its webhooks send them, in one of two API versions.

Fields, nulls and shapes follow the published schemas of 2026-07-29.dahlia and 2022-11-15. Every
object is rendered as it was at an instant: what happened before `moment`, and nothing after.
"""

from datetime import datetime, timedelta
from functools import cached_property

from ingest.generate.contracts import epoch
from ingest.generate.ledger import (
    Charge,
    CreditNote,
    Dispute,
    Invoice,
    Refund,
)
from ingest.generate.stripe_balance import Balance
from ingest.generate.stripe_catalog import Object, list_of

# The currency in which a bank disputes a payment in another one, and its rate.
_DISPUTED_IN = {"USD": ("EUR", 0.92), "EUR": ("USD", 1.09), "SEK": ("USD", 0.095)}
_EVIDENCE = (
    "access_activity_log",
    "billing_address",
    "cancellation_policy",
    "cancellation_policy_disclosure",
    "cancellation_rebuttal",
    "customer_communication",
    "customer_email_address",
    "customer_name",
    "customer_purchase_ip",
    "customer_signature",
    "duplicate_charge_documentation",
    "duplicate_charge_explanation",
    "duplicate_charge_id",
    "product_description",
    "receipt",
    "refund_policy",
    "refund_policy_disclosure",
    "refund_refusal_explanation",
    "service_date",
    "service_documentation",
    "shipping_address",
    "shipping_carrier",
    "shipping_date",
    "shipping_documentation",
    "shipping_tracking_number",
    "uncategorized_file",
    "uncategorized_text",
)


class Wire(Balance):
    """All kinds of objects of a ledger: to the bills, what was paid and what went back."""

    @cached_property
    def refunds_by_intent(self) -> frozenset[str]:
        """Every third refund names its payment intent and no charge."""
        return frozenset(list(self.ledger.refunds)[1::3])

    @cached_property
    def disputes_elsewhere(self) -> frozenset[str]:
        """Every other dispute, where the bank disputes in another currency than the payment's."""
        ledger = self.ledger
        return frozenset(
            key
            for key in list(ledger.disputes)[::2]
            if ledger.charges[ledger.disputes[key].charge_key].currency in _DISPUTED_IN
        )

    def charge(self, charge: Charge, moment: datetime) -> Object:
        failed = charge.failure_code is not None
        refunds = [r for r in self.refunds_of.get(charge.key, []) if r.created_at < moment]
        refunded = sum(
            refund.amount
            for refund in refunds
            if not (refund.failed_at and refund.failed_at < moment)
        )
        disputed = bool(charge.disputed_at and charge.disputed_at < moment)
        customer = self.ledger.customers[charge.customer_key]
        name, email = self.contact(customer)
        rendered: Object = {
            "id": self.id("ch", charge.key),
            "object": "charge",
            "amount": charge.amount,
            "amount_captured": 0 if failed else charge.amount,
            "amount_refunded": refunded,
            "application": None,
            "application_fee": None,
            "application_fee_amount": None,
            "balance_transaction": None if failed else self.id("txn", charge.key),
            "billing_details": {"address": None, "email": email, "name": name, "phone": None},
            "calculated_statement_descriptor": "PAPERDESK",
            "captured": not failed,
            "created": epoch(charge.created_at),
            "currency": charge.currency.lower(),
            "customer": self.customer_id(charge.customer_key),
            "description": "Subscription update",
            "disputed": disputed,
            "failure_balance_transaction": None,
            "failure_code": charge.failure_code,
            "failure_message": "Your card was declined." if failed else None,
            "fraud_details": {},
            "livemode": charge.is_live,
            "metadata": {},
            "on_behalf_of": None,
            "outcome": {
                "network_status": "declined_by_network" if failed else "approved_by_network",
                "reason": "generic_decline" if failed else None,
                "risk_level": "normal",
                "risk_score": 24,
                "seller_message": "Payment complete." if not failed else "The bank declined it.",
                "type": "issuer_declined" if failed else "authorized",
            },
            "paid": not failed,
            "payment_intent": self.id("pi", charge.invoice_key),
            "payment_method": self.id("pm", charge.customer_key),
            "payment_method_details": None,
            "receipt_email": None,
            "receipt_number": None,
            "receipt_url": None,
            "refunded": refunded == charge.amount and charge.amount > 0,
            "review": None,
            "shipping": None,
            "source": None,
            "source_transfer": None,
            "statement_descriptor": None,
            "statement_descriptor_suffix": None,
            "status": "failed" if failed else "succeeded",
            "transfer_data": None,
            "transfer_group": None,
        }
        if self.is_older:
            refund_list = [self.refund(refund, moment) for refund in reversed(refunds)]
            rendered |= {
                "destination": None,
                "dispute": self.id("dp", f"{charge.key}/d") if disputed else None,
                "invoice": self.id("in", charge.invoice_key),
                "refunds": list_of(refund_list, f"/v1/charges/{rendered['id']}/refunds"),
            }
        else:
            rendered["billing_details"]["tax_id"] = None
            rendered["outcome"] |= {
                "advice_code": None,
                "network_advice_code": None,
                "network_decline_code": None,
            }
        return rendered

    def refund(self, refund: Refund, moment: datetime) -> Object:
        charge = self.ledger.charges[refund.charge_key]
        failed = bool(refund.failed_at and refund.failed_at < moment)
        rendered: Object = {
            "id": self.id("re", refund.key),
            "object": "refund",
            "amount": refund.amount,
            "balance_transaction": self.id("txn", refund.key),
            "charge": (
                None if refund.key in self.refunds_by_intent else self.id("ch", refund.charge_key)
            ),
            "created": epoch(refund.created_at),
            "currency": charge.currency.lower(),
            "metadata": {},
            "payment_intent": self.id("pi", charge.invoice_key),
            "reason": "requested_by_customer",
            "receipt_number": None,
            "source_transfer_reversal": None,
            "status": "failed" if failed else "succeeded",
            "transfer_reversal": None,
        }
        if failed:
            rendered["failure_balance_transaction"] = self.id("txn", f"{refund.key}/failed")
            rendered["failure_reason"] = "expired_or_canceled_card"
        if not self.is_older:
            rendered["customer"] = self.customer_id(charge.customer_key)
            rendered["customer_account"] = None
            rendered["payment_method"] = self.id("pm", charge.customer_key)
        return rendered

    def dispute(self, dispute: Dispute, moment: datetime) -> Object:
        charge = self.ledger.charges[dispute.charge_key]
        is_closed = dispute.closed_at < moment
        currency, rate = charge.currency, 1.0
        if dispute.key in self.disputes_elsewhere:
            currency, rate = _DISPUTED_IN[currency]
        rendered: Object = {
            "id": self.id("dp", dispute.key),
            "object": "dispute",
            "amount": round(dispute.amount * rate),
            "balance_transactions": [
                self.balance_transaction(key)
                for key, at in self.dispute_movements(dispute)
                if at < moment
            ],
            "charge": self.id("ch", dispute.charge_key),
            "created": epoch(dispute.created_at),
            "currency": currency.lower(),
            "evidence": dict.fromkeys(_EVIDENCE),
            "evidence_details": {
                "due_by": epoch(dispute.created_at + timedelta(days=9)),
                "has_evidence": is_closed,
                "past_due": False,
                "submission_count": int(is_closed),
            },
            "is_charge_refundable": False,
            "livemode": charge.is_live,
            "metadata": {},
            "payment_intent": self.id("pi", charge.invoice_key),
            "reason": "product_not_received",
            "status": dispute.outcome if is_closed else "needs_response",
        }
        if not self.is_older:
            rendered["enhanced_eligibility_types"] = []
            rendered["evidence"]["enhanced_evidence"] = {}
            rendered["evidence_details"]["enhanced_eligibility"] = {}
        return rendered

    def credit_note(self, note: CreditNote, moment: datetime) -> Object:
        voided_at = note.voided_at if note.voided_at and note.voided_at < moment else None
        invoice = self.ledger.invoices[note.invoice_key]
        customer = self.ledger.customers[invoice.customer_key]
        number = f"{self.invoice_prefix(customer.key)}-{invoice.number:04d}-CN-01"
        net = note.amount - note.tax
        is_inclusive = invoice.tax_behavior == "inclusive"
        cn_id = self.id("cn", note.key)
        line_id = self.id("il", f"{invoice.key}/{note.line_key}")
        taxes = self._note_taxes(invoice, note)
        subtotal = note.amount if is_inclusive else net
        line: Object = {
            "id": self.id("cnli", note.key),
            "object": "credit_note_line_item",
            "amount": subtotal,
            "description": "Credit",
            "discount_amount": 0,
            "discount_amounts": [],
            "invoice_line_item": line_id,
            "livemode": invoice.is_live,
            "quantity": None,
            "tax_rates": [],
            "type": "invoice_line_item",
            "unit_amount": None,
            "unit_amount_decimal": None,
        }
        rendered: Object = {
            "id": cn_id,
            "object": "credit_note",
            "amount": note.amount,
            "amount_shipping": 0,
            "created": epoch(note.created_at),
            "currency": invoice.currency.lower(),
            "customer": self.customer_id(invoice.customer_key),
            "customer_balance_transaction": None,
            "discount_amount": 0,
            "discount_amounts": [],
            "effective_at": epoch(note.effective_at),
            "invoice": self.id("in", invoice.key),
            "livemode": invoice.is_live,
            "memo": None,
            "metadata": {},
            "number": number,
            "out_of_band_amount": None,
            "pdf": f"https://pay.stripe.com/credit_notes/{cn_id}/pdf",
            "reason": "order_change",
            "shipping_cost": None,
            "status": "void" if voided_at else "issued",
            "subtotal": subtotal,
            "subtotal_excluding_tax": net,
            "total": note.amount,
            "total_excluding_tax": net,
            "type": "pre_payment" if note.is_pre_payment else "post_payment",
            "voided_at": epoch(voided_at) if voided_at else None,
        }
        refund_id = self.id("re", note.refund_key) if note.refund_key else None
        if self.is_older:
            line |= {
                "amount_excluding_tax": net,
                "tax_amounts": taxes,
                "unit_amount_excluding_tax": None,
            }
            rendered["refund"] = refund_id
            rendered["tax_amounts"] = taxes
        else:
            line |= {"metadata": {}, "pretax_credit_amounts": [], "taxes": taxes}
            rendered |= {
                "customer_account": None,
                "post_payment_amount": 0 if note.is_pre_payment else note.amount,
                "pre_payment_amount": note.amount if note.is_pre_payment else 0,
                "pretax_credit_amounts": [],
                "refunds": (
                    [
                        {
                            "amount_refunded": note.amount,
                            "payment_record_refund": None,
                            "refund": refund_id,
                            "type": "refund",
                        }
                    ]
                    if refund_id
                    else []
                ),
                "total_taxes": taxes,
            }
        rendered["lines"] = list_of([line], f"/v1/credit_notes/{cn_id}/lines")
        return rendered

    def _note_taxes(self, invoice: Invoice, note: CreditNote) -> list[Object]:
        taxes = self._taxes(invoice, invoice.lines[:1])
        return [
            {**tax, "amount": note.tax, "taxable_amount": note.amount - note.tax} for tax in taxes
        ]
