"""Stripe's subscriptions and invoices, in one of two API versions."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from ingest.generate.contracts import epoch
from ingest.generate.ledger import (
    Invoice,
    Item,
    Line,
    State,
    Subscription,
)
from ingest.generate.stripe_catalog import Catalog, Object, decimal_text, list_of

LINES_SHOWN = 10


class Bills(Catalog):
    """Subscriptions with their items, and invoices with their lines."""

    def subscription(
        self, subscription: Subscription, state: State, *, expand_discounts: bool = False
    ) -> Object:
        """A subscription in one of its states; webhooks carry the ids of discounts only."""
        contract = subscription.contract
        first = state.items[0]
        start = contract.start_at or contract.created_at
        trial_end = epoch(contract.anchor_at) if contract.trial_days else None
        sub_id = self.id("sub", subscription.key)
        tax_rates = (
            [self.tax_rate(contract.tax_percent, contract.tax_behavior, contract.currency)]
            if contract.tax_percent
            else []
        )
        pause = state.pause
        is_sent = contract.days_until_due is not None
        latest = state.latest_invoice_key
        rendered: Object = {
            "id": sub_id,
            "object": "subscription",
            "application": None,
            "application_fee_percent": None,
            "automatic_tax": {"enabled": False},
            "billing_cycle_anchor": epoch(contract.anchor_at),
            "billing_thresholds": None,
            "cancel_at": epoch(state.cancel_at) if state.cancel_at else None,
            "cancel_at_period_end": state.is_cancel_scheduled,
            "canceled_at": epoch(state.canceled_at) if state.canceled_at else None,
            "cancellation_details": {
                "comment": None,
                "feedback": None,
                "reason": state.cancel_reason,
            },
            "collection_method": "send_invoice" if is_sent else "charge_automatically",
            "created": epoch(contract.created_at),
            "currency": contract.currency.lower(),
            "customer": self.customer_id(subscription.customer_key),
            "days_until_due": contract.days_until_due,
            "default_payment_method": None,
            "default_source": None,
            "default_tax_rates": tax_rates,
            "description": None,
            "ended_at": epoch(state.ended_at) if state.ended_at else None,
            "items": list_of(
                [self.item(subscription, item, expand_discounts) for item in state.items],
                f"/v1/subscription_items?subscription={sub_id}",
            ),
            "latest_invoice": self.id("in", latest) if latest else None,
            "livemode": contract.is_live,
            "metadata": {},
            "next_pending_invoice_item_invoice": None,
            "on_behalf_of": None,
            "pause_collection": (
                {
                    "behavior": pause.behavior,
                    "resumes_at": epoch(pause.resumes_at) if pause.resumes_at else None,
                }
                if pause
                else None
            ),
            "payment_settings": {
                "payment_method_options": None,
                "payment_method_types": None,
                "save_default_payment_method": "off",
            },
            "pending_invoice_item_interval": None,
            "pending_setup_intent": None,
            "pending_update": None,
            "schedule": None,
            "start_date": epoch(start),
            "status": state.status,
            "test_clock": None,
            "transfer_data": None,
            "trial_end": trial_end,
            "trial_settings": {
                "end_behavior": {
                    "missing_payment_method": (
                        contract.after_trial
                        if contract.after_trial in {"cancel", "pause"}
                        else "create_invoice"
                    )
                }
            },
            "trial_start": epoch(start) if contract.trial_days else None,
        }
        if self.is_older:
            keys = state.discount_keys
            rendered["current_period_start"] = epoch(first.period_start_at)
            rendered["current_period_end"] = epoch(first.period_end_at)
            rendered["discount"] = self.discount(self.ledger.discounts[keys[0]]) if keys else None
            return rendered
        rendered |= {
            "automatic_tax": {"disabled_reason": None, "enabled": False, "liability": None},
            "billing_cycle_anchor_config": None,
            "billing_mode": {"flexible": None, "type": "classic"},
            "billing_schedules": [],
            "customer_account": None,
            "discounts": self._discount_references(state.discount_keys, expand_discounts),
            "invoice_settings": {
                "account_tax_ids": None,
                "custom_fields": None,
                "description": None,
                "footer": None,
                "issuer": {"type": "self"},
            },
            "managed_payments": {"enabled": False},
        }
        return rendered

    def _discount_references(self, keys: Iterable[str], is_expanded: bool) -> list[Any]:
        if is_expanded:
            return [self.discount(self.ledger.discounts[key]) for key in keys]
        return [self.id("di", key) for key in keys]

    def item(self, subscription: Subscription, item: Item, expand_discounts: bool) -> Object:
        is_live = subscription.contract.is_live
        rendered: Object = {
            "id": self.id("si", item.key),
            "object": "subscription_item",
            "billing_thresholds": None,
            "created": epoch(item.created_at),
            "metadata": {},
            "plan": self.plan(item.price, is_live=is_live),
            "price": self.price(item.price, is_live=is_live),
            "subscription": self.id("sub", subscription.key),
            "tax_rates": [],
        }
        if item.quantity is not None:
            rendered["quantity"] = item.quantity
        if not self.is_older:
            rendered["current_period_start"] = epoch(item.period_start_at)
            rendered["current_period_end"] = epoch(item.period_end_at)
            rendered["discounts"] = self._discount_references(item.discount_keys, expand_discounts)
        return rendered

    # Invoices

    def invoice(self, invoice: Invoice, moment: datetime, *, as_draft: bool = False) -> Object:
        """An invoice as it was before `moment`; `as_draft` before it was finalized."""

        def known(at: datetime | None) -> datetime | None:
            return at if at and at < moment and not as_draft else None

        finalized = known(invoice.finalized_at)
        paid, voided = known(invoice.paid_at), known(invoice.voided_at)
        written_off = known(invoice.uncollectible_at)
        status = (
            "void"
            if voided
            else "paid"
            if paid
            else "uncollectible"
            if written_off
            else "open"
            if finalized
            else "draft"
        )
        attempts = [a for a in invoice.attempts if a.at < moment and not as_draft]
        notes = [
            note
            for note in self.credit_notes_of.get(invoice.key, [])
            if note.created_at < moment and not (note.voided_at and note.voided_at < moment)
        ]
        before_payment = sum(note.amount for note in notes if note.is_pre_payment)
        after_payment = sum(note.amount for note in notes if not note.is_pre_payment)
        due = invoice.amount_due
        amount_paid = due - before_payment + invoice.overpaid if paid else 0
        remaining = max(due - before_payment - amount_paid, 0)
        due_at = (
            finalized + timedelta(days=invoice.days_until_due)
            if finalized and invoice.days_until_due is not None
            else None
        )
        customer = self.ledger.customers[invoice.customer_key]
        name, email = self.contact(customer)
        in_id = self.id("in", invoice.key)
        lines = [self.line(invoice, line) for line in invoice.lines]
        number = f"{self.invoice_prefix(customer.key)}-{invoice.number:04d}" if finalized else None
        exclusive_tax = sum(line.tax for line in invoice.lines)
        is_inclusive = invoice.tax_behavior == "inclusive"
        subtotal_net = invoice.subtotal - (exclusive_tax if is_inclusive else 0)
        rendered: Object = {
            "id": in_id,
            "object": "invoice",
            "account_country": "US",
            "account_name": "Paperdesk",
            "account_tax_ids": None,
            "amount_due": due,
            "amount_paid": amount_paid,
            "amount_remaining": remaining,
            "amount_shipping": 0,
            "application": None,
            "attempt_count": len(attempts),
            "attempted": bool(attempts) or bool(paid),
            "auto_advance": status in {"draft", "open"},
            "automatic_tax": {"enabled": False, "status": None},
            "billing_reason": invoice.reason,
            "collection_method": (
                "charge_automatically" if invoice.days_until_due is None else "send_invoice"
            ),
            "created": epoch(invoice.created_at),
            "currency": invoice.currency.lower(),
            "custom_fields": None,
            "customer": self.customer_id(invoice.customer_key),
            "customer_address": None,
            "customer_email": email,
            "customer_name": name,
            "customer_phone": None,
            "customer_shipping": None,
            "customer_tax_exempt": "none",
            "customer_tax_ids": [],
            "default_payment_method": None,
            "default_source": None,
            "default_tax_rates": [],
            "description": None,
            "discounts": [self.id("di", key) for key in self._discount_totals(invoice)],
            "due_date": epoch(due_at) if due_at else None,
            "effective_at": epoch(finalized) if finalized else None,
            "ending_balance": invoice.ending_balance if finalized else None,
            "footer": None,
            "from_invoice": None,
            "hosted_invoice_url": None,
            "invoice_pdf": None,
            "last_finalization_error": None,
            "latest_revision": None,
            "lines": list_of(
                lines[:LINES_SHOWN],
                f"/v1/invoices/{in_id}/lines",
                has_more=len(lines) > LINES_SHOWN,
            ),
            "livemode": invoice.is_live,
            "metadata": {},
            "next_payment_attempt": None,
            "number": number,
            "on_behalf_of": None,
            "payment_settings": {
                "default_mandate": None,
                "payment_method_options": None,
                "payment_method_types": None,
            },
            "period_end": epoch(invoice.period_end_at),
            "period_start": epoch(invoice.period_start_at),
            "post_payment_credit_notes_amount": after_payment,
            "pre_payment_credit_notes_amount": before_payment,
            "receipt_number": None,
            "shipping_cost": None,
            "shipping_details": None,
            "starting_balance": invoice.starting_balance if finalized else 0,
            "statement_descriptor": None,
            "status": status,
            "status_transitions": {
                "finalized_at": epoch(finalized) if finalized else None,
                "marked_uncollectible_at": epoch(written_off) if written_off else None,
                "paid_at": epoch(paid) if paid else None,
                "voided_at": epoch(voided) if voided else None,
            },
            "subtotal": invoice.subtotal,
            "subtotal_excluding_tax": subtotal_net,
            "test_clock": None,
            "total": invoice.total,
            "total_discount_amounts": [
                {"amount": amount, "discount": self.id("di", key)}
                for key, amount in self._discount_totals(invoice).items()
            ],
            "total_excluding_tax": invoice.total - exclusive_tax,
            "webhooks_delivered_at": epoch(invoice.created_at),
        }
        subscription = invoice.subscription_key
        sub_id = self.id("sub", subscription) if subscription else None
        taxes = self._taxes(invoice, invoice.lines)
        if self.is_older:
            charge_key = attempts[-1].charge_key if attempts else None
            rendered |= {
                "application_fee_amount": None,
                "charge": self.id("ch", charge_key) if charge_key else None,
                "discount": None,
                "paid": status == "paid",
                "paid_out_of_band": False,
                "payment_intent": self.id("pi", invoice.key) if finalized else None,
                "quote": None,
                "rendering_options": None,
                "subscription": sub_id,
                "subscription_details": {"metadata": {}} if sub_id else None,
                "tax": exclusive_tax if invoice.tax_percent else None,
                "total_tax_amounts": taxes,
                "transfer_data": None,
            }
            return rendered
        rendered |= {
            "amount_overpaid": invoice.overpaid if paid else 0,
            "automatic_tax": {
                "disabled_reason": None,
                "enabled": False,
                "liability": None,
                "provider": None,
                "status": None,
            },
            "automatically_finalizes_at": (
                epoch(invoice.created_at + timedelta(hours=1)) if status == "draft" else None
            ),
            "customer_account": None,
            "issuer": {"type": "self"},
            "parent": (
                {
                    "quote_details": None,
                    "subscription_details": {"metadata": {}, "subscription": sub_id},
                    "type": "subscription_details",
                }
                if sub_id
                else None
            ),
            "payments": self._payments(invoice, finalized, paid, amount_paid),
            "rendering": None,
            "total_pretax_credit_amounts": None,
            "total_taxes": taxes,
        }
        return rendered

    def _payments(
        self, invoice: Invoice, finalized: datetime | None, paid: datetime | None, amount: int
    ) -> Object:
        in_id = self.id("in", invoice.key)
        data: list[Object] = []
        if finalized and invoice.amount_due:
            data.append(
                {
                    "id": self.id("inpay", invoice.key),
                    "object": "invoice_payment",
                    "amount_paid": amount if paid else None,
                    "amount_requested": invoice.amount_due,
                    "created": epoch(finalized),
                    "currency": invoice.currency.lower(),
                    "invoice": in_id,
                    "is_default": True,
                    "livemode": invoice.is_live,
                    "payment": {
                        "payment_intent": self.id("pi", invoice.key),
                        "type": "payment_intent",
                    },
                    "status": "paid" if paid else "open",
                    "status_transitions": {
                        "canceled_at": None,
                        "paid_at": epoch(paid) if paid else None,
                    },
                }
            )
        return list_of(data, f"/v1/invoice_payments?invoice={in_id}")

    def _discount_totals(self, invoice: Invoice) -> dict[str, int]:
        totals: dict[str, int] = {}
        for line in invoice.lines:
            for key, amount in line.discounts:
                totals[key] = totals.get(key, 0) + amount
        return totals

    def _taxes(self, invoice: Invoice, lines: Iterable[Line]) -> list[Object]:
        if not invoice.tax_percent:
            return []
        lines = list(lines)
        is_inclusive = invoice.tax_behavior == "inclusive"
        amount = sum(line.tax for line in lines)
        taxable = sum(line.discounted for line in lines) - (amount if is_inclusive else 0)
        rate = self.tax_rate(invoice.tax_percent, invoice.tax_behavior, invoice.currency)["id"]
        if self.is_older:
            return [
                {
                    "amount": amount,
                    "inclusive": is_inclusive,
                    "tax_rate": rate,
                    "taxability_reason": "standard_rated",
                    "taxable_amount": taxable,
                }
            ]
        return [
            {
                "amount": amount,
                "tax_behavior": invoice.tax_behavior,
                "tax_rate_details": {"tax_rate": rate},
                "taxability_reason": "standard_rated",
                "taxable_amount": taxable,
                "type": "tax_rate_details",
            }
        ]

    def line_page(self, invoice: Invoice) -> Object:
        """All lines of an invoice as the API lists them."""
        lines = [self.line(invoice, line) for line in invoice.lines]
        return list_of(lines, f"/v1/invoices/{self.id('in', invoice.key)}/lines")

    def line(self, invoice: Invoice, line: Line) -> Object:
        in_id = self.id("in", invoice.key)
        sub_id = self.id("sub", invoice.subscription_key) if invoice.subscription_key else None
        item_id = self.id("si", line.item_key) if line.item_key else None
        is_plain = not line.price.tiers and not line.price.plan.divide_by and not line.is_proration
        unit = decimal_text(line.price.unit) if is_plain else None
        line_id = self.id("il", f"{invoice.key}/{line.key}")
        item = None if item_id and not line.is_proration else self.id("ii", line.key)
        rendered: Object = {
            "id": line_id,
            "object": "line_item",
            "amount": line.amount,
            "currency": invoice.currency.lower(),
            "description": line.description,
            "discount_amounts": [
                {"amount": amount, "discount": self.id("di", key)} for key, amount in line.discounts
            ],
            "discountable": not line.is_proration,
            "discounts": [self.id("di", key) for key, _ in line.discounts],
            "livemode": invoice.is_live,
            "metadata": {},
            "period": {"end": epoch(line.end_at), "start": epoch(line.start_at)},
            "quantity": line.quantity,
            "subscription": sub_id,
        }
        taxes = self._taxes(invoice, [line])
        credited = {"credited_items": None}
        if self.is_older:
            inclusive = line.tax if invoice.tax_behavior == "inclusive" else 0
            is_recurring = not line.price.plan.is_one_time
            rendered |= {
                "amount_excluding_tax": line.amount - inclusive,
                "plan": self.plan(line.price, is_live=invoice.is_live) if is_recurring else None,
                "price": self.price(line.price, is_live=invoice.is_live),
                "proration": line.is_proration,
                "proration_details": credited,
                "tax_amounts": taxes,
                "tax_rates": [],
                "type": "invoiceitem" if item else "subscription",
                "unit_amount_excluding_tax": unit,
            }
            if item_id:
                rendered["subscription_item"] = item_id
            if item:
                rendered["invoice_item"] = item
            return rendered
        rendered |= {
            "invoice": in_id,
            "parent": (
                {
                    "invoice_item_details": None,
                    "subscription_item_details": {
                        "invoice_item": item,
                        "proration": line.is_proration,
                        "proration_details": credited,
                        "subscription": sub_id,
                        "subscription_item": item_id,
                    },
                    "type": "subscription_item_details",
                }
                if item_id
                else {
                    "invoice_item_details": {
                        "invoice_item": item,
                        "proration": False,
                        "proration_details": credited,
                        "subscription": None,
                    },
                    "subscription_item_details": None,
                    "type": "invoice_item_details",
                }
            ),
            "pretax_credit_amounts": None,
            "pricing": {
                "price_details": {
                    "price": self.price_id(line.price, invoice.is_live),
                    "product": self.product_id(line.price.plan, invoice.is_live),
                },
                "type": "price_details",
                "unit_amount_decimal": unit,
            },
            "quantity_decimal": None if line.quantity is None else str(line.quantity),
            "subtotal": line.amount,
            "taxes": taxes,
        }
        return rendered
