"""Stripe's API objects, as the API and its webhooks send them, in one of two API versions.

Fields, nulls and shapes follow the published schemas of 2026-07-29.dahlia and 2022-11-15. Every
object is rendered as it was at an instant: what happened before `moment`, and nothing after.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from typing import Any

from ingest.generate.contracts import epoch
from ingest.generate.ids import account_customer_id, account_salesforce_id, stripe_id
from ingest.generate.ledger import (
    Charge,
    Coupon,
    CreditNote,
    Customer,
    Discount,
    Dispute,
    Invoice,
    Item,
    Ledger,
    Line,
    Refund,
    State,
    Subscription,
)
from ingest.generate.plans import MINOR_DIGITS, Plan, Price
from ingest.generate.records import Account, Company

Object = dict[str, Any]

OLDER = "2022-11-15"
LINES_SHOWN = 10
# Where the company's bank account has no such currency, Stripe settles in dollars at its own rate.
_SETTLED_IN_USD = {"SEK": 0.095, "JPY": 0.0067, "KWD": 3.25, "AUD": 0.66, "CAD": 0.73}
_METADATA_KEYS = (
    "salesforce_account_id",
    "salesforce_account_id",
    "sfdc_account_id",
    "salesforce_id",
)
_TAX_NAMES = {"GBP": ("GB", "VAT"), "EUR": ("DE", "MwSt")}


def decimal_text(amount: Fraction) -> str:
    """An amount as Stripe writes `unit_amount_decimal`: no exponent, no trailing zeros."""
    text = f"{Decimal(amount.numerator) / Decimal(amount.denominator):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def list_of(data: list[Object], url: str, *, has_more: bool = False) -> Object:
    """A list, whole or its first page."""
    return {"object": "list", "data": data, "has_more": has_more, "url": url}


class Wire:
    """Renders a ledger in one API version."""

    def __init__(self, company: Company, ledger: Ledger, version: str) -> None:
        self.company = company
        self.ledger = ledger
        self.version = version
        self.is_older = version == OLDER
        self._ids: dict[tuple[str, str], str] = {}
        self._prices: dict[tuple[str, bool], Object] = {}
        self._plans: dict[tuple[str, bool], Object] = {}

    # Ids and lookups

    def id(self, prefix: str, key: str) -> str:
        """The id of an object of the ledger by its key."""
        found = self._ids.get((prefix, key))
        if found is None:
            found = stripe_id(prefix, self.company.seed, key)
            self._ids[prefix, key] = found
        return found

    def customer_id(self, key: str) -> str:
        customer = self.ledger.customers[key]
        return account_customer_id(self.company.seed, customer.account_key, customer.number)

    @cached_property
    def accounts(self) -> dict[int, Account]:
        return {account.key: account for account in self.company.accounts}

    @cached_property
    def customer_discounts(self) -> dict[str, list[Discount]]:
        found: dict[str, list[Discount]] = {}
        for discount in self.ledger.discounts.values():
            if discount.subscription_key is None:
                found.setdefault(discount.customer_key, []).append(discount)
        return found

    @cached_property
    def refunds_of(self) -> dict[str, list[Refund]]:
        found: dict[str, list[Refund]] = {}
        for refund in self.ledger.refunds.values():
            found.setdefault(refund.charge_key, []).append(refund)
        return found

    @cached_property
    def credit_notes_of(self) -> dict[str, list[CreditNote]]:
        found: dict[str, list[CreditNote]] = {}
        for note in self.ledger.credit_notes.values():
            found.setdefault(note.invoice_key, []).append(note)
        return found

    def is_live(self, customer_key: str) -> bool:
        return self.ledger.customers[customer_key].is_live

    # The catalog

    @cached_property
    def opened_at(self) -> datetime:
        """When our Stripe account was set up."""
        return self.company.start_at - timedelta(days=40)

    def product(self, plan: Plan, *, is_live: bool = True) -> Object:
        created = epoch(self.opened_at)
        product: Object = {
            "id": self.product_id(plan, is_live),
            "object": "product",
            "active": True,
            "created": created,
            "default_price": None,
            "description": None,
            "images": [],
            "livemode": is_live,
            "metadata": {"plan_code": plan.code},
            "name": plan.name,
            "package_dimensions": None,
            "shippable": None,
            "statement_descriptor": None,
            "tax_code": None,
            "type": "service",
            "unit_label": None if plan.is_add_on or plan.is_one_time else "seat",
            "updated": created,
            "url": None,
        }
        if self.is_older:
            product["attributes"] = []
        else:
            product["marketing_features"] = []
        return product

    def product_id(self, plan: Plan, is_live: bool) -> str:
        return self.id("prod", plan.code if is_live else f"test/{plan.code}")

    def price_id(self, price: Price, is_live: bool) -> str:
        return self.id("price", price.key if is_live else f"test/{price.key}")

    def price_created_at(self, price: Price) -> datetime:
        return self.company.start_at + timedelta(days=330 * (price.version - 1) - 30)

    def price_replaced_at(self, price: Price) -> datetime:
        """When the next version of the price list came out."""
        return self.price_created_at(price) + timedelta(days=330)

    def price(self, price: Price, *, is_live: bool = True) -> Object:
        """A price as it is nested elsewhere: without its tiers, which are sent on request only."""
        found = self._prices.get((price.key, is_live))
        if found is None:
            found = self._render_price(price, is_live)
            self._prices[price.key, is_live] = found
        return found

    def _render_price(self, price: Price, is_live: bool) -> Object:
        plan = price.plan
        is_tiered = bool(price.tiers)
        recurring: Object | None = None
        if not plan.is_one_time:
            recurring = {
                "interval": price.interval,
                "interval_count": price.interval_count,
                "trial_period_days": None,
                "usage_type": "metered" if plan.is_metered else "licensed",
            }
            if self.is_older:
                recurring["aggregate_usage"] = "sum" if plan.is_metered else None
            else:
                recurring["meter"] = "mtr_test_api_calls" if plan.is_metered else None
        is_whole = price.unit.denominator == 1
        return {
            "id": self.price_id(price, is_live),
            "object": "price",
            "active": True,
            "billing_scheme": "tiered" if is_tiered else "per_unit",
            "created": epoch(self.price_created_at(price)),
            "currency": price.currency.lower(),
            "custom_unit_amount": None,
            "livemode": is_live,
            "lookup_key": price.key if is_live else None,
            "metadata": {},
            "nickname": f"{plan.name} {price.interval_count} {price.interval}",
            "product": self.product_id(plan, is_live),
            "recurring": recurring,
            "tax_behavior": price.tax_behavior,
            "tiers_mode": plan.kind if is_tiered else None,
            "transform_quantity": (
                {"divide_by": plan.divide_by, "round": "up"} if plan.divide_by else None
            ),
            "type": "one_time" if plan.is_one_time else "recurring",
            "unit_amount": int(price.unit) if is_whole and not is_tiered else None,
            "unit_amount_decimal": None if is_tiered else decimal_text(price.unit),
        }

    def listed_price(self, price: Price, moment: datetime, *, is_live: bool = True) -> Object:
        """A price as the price list has it: with tiers, inactive once a later version is sold."""
        is_active = self.price_replaced_at(price) >= moment
        listed = {**self.price(price, is_live=is_live), "active": is_active}
        if price.tiers:
            listed["tiers"] = [
                {
                    "flat_amount": tier.flat or None,
                    "flat_amount_decimal": str(tier.flat) if tier.flat else None,
                    "unit_amount": int(tier.unit) if tier.unit.denominator == 1 else None,
                    "unit_amount_decimal": decimal_text(tier.unit),
                    "up_to": tier.up_to,
                }
                for tier in price.tiers
            ]
        return listed

    def plan(self, price: Price, *, is_live: bool = True) -> Object:
        """The legacy twin of a recurring price."""
        found = self._plans.get((price.key, is_live))
        if found is None:
            same = self.price(price, is_live=is_live)
            found = {
                "id": same["id"],
                "object": "plan",
                "active": True,
                "amount": same["unit_amount"],
                "amount_decimal": same["unit_amount_decimal"],
                "billing_scheme": same["billing_scheme"],
                "created": same["created"],
                "currency": same["currency"],
                "interval": price.interval,
                "interval_count": price.interval_count,
                "livemode": is_live,
                "metadata": {},
                "nickname": same["nickname"],
                "product": same["product"],
                "tiers_mode": same["tiers_mode"],
                "transform_usage": same["transform_quantity"],
                "trial_period_days": None,
                "usage_type": "metered" if price.plan.is_metered else "licensed",
            }
            if self.is_older:
                found["aggregate_usage"] = "sum" if price.plan.is_metered else None
            else:
                found["meter"] = same["recurring"]["meter"]
            self._plans[price.key, is_live] = found
        return found

    def coupon(self, coupon: Coupon, currency: str, times_redeemed: int = 0) -> Object:
        is_amount = coupon.dollars is not None
        return {
            "id": coupon.key(currency),
            "object": "coupon",
            "amount_off": coupon.amount_off(currency),
            "created": epoch(self.company.start_at - timedelta(days=20)),
            "currency": currency.lower() if is_amount else None,
            "duration": coupon.duration,
            "duration_in_months": coupon.months,
            "livemode": True,
            "max_redemptions": None,
            "metadata": {},
            "name": coupon.code.title(),
            "percent_off": None if is_amount else float(coupon.percent or 0),
            "redeem_by": None,
            "times_redeemed": times_redeemed,
            "valid": True,
        }

    def promotion_code(self, coupon: Coupon, times_redeemed: int) -> Object:
        code: Object = {
            "id": self.id("promo", coupon.code),
            "object": "promotion_code",
            "active": True,
            "code": coupon.promotion_code,
            "created": epoch(self.company.start_at - timedelta(days=19)),
            "customer": None,
            "expires_at": None,
            "livemode": True,
            "max_redemptions": None,
            "metadata": {},
            "restrictions": {
                "first_time_transaction": False,
                "minimum_amount": None,
                "minimum_amount_currency": None,
            },
            "times_redeemed": times_redeemed,
        }
        if self.is_older:
            code["coupon"] = self.coupon(coupon, "USD", times_redeemed)
        else:
            code["customer_account"] = None
            code["promotion"] = {"coupon": coupon.key("USD"), "type": "coupon"}
        return code

    def discount(self, discount: Discount) -> Object:
        """A discount: with its coupon's id since clover, with the whole coupon before."""
        coupon = discount.coupon
        subscription = discount.subscription_key
        rendered: Object = {
            "id": self.id("di", discount.key),
            "object": "discount",
            "checkout_session": None,
            "customer": self.customer_id(discount.customer_key),
            "end": epoch(discount.end_at) if discount.end_at else None,
            "invoice": None,
            "invoice_item": None,
            "promotion_code": self.id("promo", coupon.code) if coupon.promotion_code else None,
            "start": epoch(discount.start_at),
            "subscription": self.id("sub", subscription) if subscription else None,
        }
        if self.is_older:
            rendered["coupon"] = self.coupon(coupon, discount.currency)
        else:
            rendered["customer_account"] = None
            rendered["source"] = {"coupon": coupon.key(discount.currency), "type": "coupon"}
            item = discount.item_key
            rendered["subscription_item"] = self.id("si", item) if item else None
        return rendered

    def tax_rate(self, percent: int, behavior: str, currency: str) -> Object:
        country, name = _TAX_NAMES.get(currency, ("US", "Sales tax"))
        rate: Object = {
            "id": self.id("txr", f"{country}/{percent}/{behavior}"),
            "object": "tax_rate",
            "active": True,
            "country": country,
            "created": epoch(self.company.start_at - timedelta(days=20)),
            "description": None,
            "display_name": name,
            "effective_percentage": None,
            "inclusive": behavior == "inclusive",
            "jurisdiction": country,
            "livemode": True,
            "metadata": {},
            "percentage": float(percent),
            "state": None,
            "tax_type": "vat",
        }
        if not self.is_older:
            rate |= {
                "flat_amount": None,
                "jurisdiction_level": "country",
                "rate_type": "percentage",
            }
        return rate

    # Customers

    def customer(self, customer: Customer, moment: datetime) -> Object:
        """A customer; how it can be tied to the CRM depends on the account."""
        if customer.deleted_at and customer.deleted_at < moment:
            return {"id": self.customer_id(customer.key), "object": "customer", "deleted": True}
        account = self.accounts[customer.account_key]
        balances = [balance for at, balance in customer.balances if at < moment]
        name, email = self.contact(customer)
        live = [d for d in self.customer_discounts.get(customer.key, []) if d.is_live(moment)]
        rendered: Object = {
            "id": self.customer_id(customer.key),
            "object": "customer",
            "address": {
                "city": None,
                "country": account.country,
                "line1": None,
                "line2": None,
                "postal_code": None,
                "state": None,
            },
            "balance": balances[-1] if balances else 0,
            "created": epoch(customer.created_at),
            "currency": customer.currency.lower(),
            "default_source": None,
            "delinquent": False,
            "description": None,
            "discount": self.discount(live[-1]) if live else None,
            "email": email,
            "invoice_prefix": self.invoice_prefix(customer.key),
            "invoice_settings": {
                "custom_fields": None,
                "default_payment_method": self.id("pm", customer.key),
                "footer": None,
                "rendering_options": None,
            },
            "livemode": customer.is_live,
            "metadata": self._customer_metadata(account),
            "name": name,
            "next_invoice_sequence": 1,
            "phone": None,
            "preferred_locales": [],
            "shipping": None,
            "tax_exempt": "none",
            "test_clock": None,
        }
        if not self.is_older:
            rendered["customer_account"] = None
        return rendered

    def contact(self, customer: Customer) -> tuple[str, str]:
        """Name and e-mail address: with the metadata, what links can be made of."""
        account = self.accounts[customer.account_key]
        if account.link_stripe == "name":
            return account.name.upper(), f"office.{account.key}@gmail.com"
        if account.link_stripe == "none":
            return f"Card holder {account.key}", f"holder.{account.key}@gmail.com"
        if account.link_stripe == "domain":
            return f"{account.name} (accounts payable)", f"ap@{account.domain}"
        return account.name, f"billing@{account.domain}"

    def _customer_metadata(self, account: Account) -> dict[str, str]:
        several = len({c.customer_number for c in self.company.contracts[account.key]}) > 1
        if account.link_stripe != "id" or not (account.in_salesforce or several):
            return {}
        foreign_id = account_salesforce_id(self.company.seed, account.key)
        # Whoever copies an id out of a Salesforce address bar or report gets 15 characters of it.
        is_short = account.key % 9 == 4
        return {_METADATA_KEYS[account.key % 4]: foreign_id[:15] if is_short else foreign_id}

    def invoice_prefix(self, customer_key: str) -> str:
        return self.id("prefix", customer_key)[-8:].upper()

    # Subscriptions

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
        notes = [n for n in self.credit_notes_of.get(invoice.key, []) if n.created_at < moment]
        before_payment = sum(note.amount for note in notes if note.is_pre_payment)
        after_payment = sum(note.amount for note in notes if not note.is_pre_payment)
        due = invoice.amount_due
        amount_paid = due - before_payment if paid else 0
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
            "amount_overpaid": 0,
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

    # Payments

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
            "charge": self.id("ch", refund.charge_key),
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
        rendered: Object = {
            "id": self.id("dp", dispute.key),
            "object": "dispute",
            "amount": dispute.amount,
            "balance_transactions": [
                self.balance_transaction(key)
                for key, at in self.dispute_movements(dispute)
                if at < moment
            ],
            "charge": self.id("ch", dispute.charge_key),
            "created": epoch(dispute.created_at),
            "currency": charge.currency.lower(),
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

    def dispute_movements(self, dispute: Dispute) -> list[tuple[str, datetime]]:
        """The balance transactions of a dispute: money taken, and given back when it is won."""
        moves = [(f"{dispute.key}/taken", dispute.created_at)]
        if dispute.outcome == "won":
            moves.append((f"{dispute.key}/returned", dispute.closed_at))
        return moves

    def credit_note(self, note: CreditNote) -> Object:
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
            "effective_at": epoch(note.created_at),
            "invoice": self.id("in", invoice.key),
            "livemode": invoice.is_live,
            "memo": None,
            "metadata": {},
            "number": number,
            "out_of_band_amount": None,
            "pdf": f"https://pay.stripe.com/credit_notes/{cn_id}/pdf",
            "reason": "order_change",
            "shipping_cost": None,
            "status": "issued",
            "subtotal": subtotal,
            "subtotal_excluding_tax": net,
            "total": note.amount,
            "total_excluding_tax": net,
            "type": "pre_payment" if note.is_pre_payment else "post_payment",
            "voided_at": None,
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

    # Balance transactions

    @cached_property
    def movements(self) -> dict[str, tuple[datetime, str, int, str, Charge]]:
        """Balance transactions by key: when, what kind, amount, the source's id, the charge."""
        found: dict[str, tuple[datetime, str, int, str, Charge]] = {}
        ledger = self.ledger
        for charge in ledger.charges.values():
            if charge.failure_code is None:
                source = self.id("ch", charge.key)
                found[charge.key] = (charge.created_at, "charge", charge.amount, source, charge)
        for refund in ledger.refunds.values():
            charge = ledger.charges[refund.charge_key]
            source = self.id("re", refund.key)
            found[refund.key] = (refund.created_at, "refund", -refund.amount, source, charge)
            if refund.failed_at:
                move = (refund.failed_at, "refund_failure", refund.amount, source, charge)
                found[f"{refund.key}/failed"] = move
        for dispute in ledger.disputes.values():
            charge = ledger.charges[dispute.charge_key]
            source = self.id("dp", dispute.key)
            for key, at in self.dispute_movements(dispute):
                kind = "dispute" if key.endswith("/taken") else "dispute_reversal"
                sign = -1 if kind == "dispute" else 1
                found[key] = (at, kind, sign * dispute.amount, source, charge)
        return found

    def balance_transaction(self, key: str) -> Object:
        """A movement of our Stripe balance, in the currency in which it is settled."""
        at, kind, amount, source, charge = self.movements[key]
        rate = _SETTLED_IN_USD.get(charge.currency)
        currency = "usd" if rate else charge.currency.lower()
        if rate:
            exponent = MINOR_DIGITS.get(charge.currency, 2)
            amount = round(amount * rate * 100 / 10**exponent)
        fee = {"charge": round(amount * 0.029) + 30, "dispute": 1500}.get(kind, 0)
        rendered: Object = {
            "id": self.id("txn", key),
            "object": "balance_transaction",
            "amount": amount,
            "available_on": epoch(at + timedelta(days=2)),
            "created": epoch(at),
            "currency": currency,
            "description": "Subscription update",
            "exchange_rate": rate,
            "fee": fee,
            "fee_details": (
                [
                    {
                        "amount": fee,
                        "application": None,
                        "currency": currency,
                        "description": "Stripe processing fees",
                        "type": "stripe_fee",
                    }
                ]
                if fee
                else []
            ),
            "net": amount - fee,
            "reporting_category": kind,
            "source": source,
            "status": "available",
            "type": "adjustment" if kind.startswith("dispute") else kind,
        }
        if not self.is_older:
            rendered["balance_type"] = "payments"
        return rendered


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
