"""Stripe's products, prices, coupons and customers, in one of two API versions."""

from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from typing import Any

from ingest.generate.contracts import epoch
from ingest.generate.ids import account_customer_id, account_salesforce_id, stripe_id
from ingest.generate.ledger import (
    Coupon,
    CreditNote,
    Customer,
    Discount,
    Ledger,
    Refund,
)
from ingest.generate.plans import Plan, Price
from ingest.generate.records import Account, Company

Object = dict[str, Any]

OLDER = "2022-11-15"
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


class Catalog:
    """Ids, what is sold, what is given off it, and to whom: what all else refers to."""

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
        # An id copied from a Salesforce address bar or report has 15 characters.
        is_short = account.key % 9 == 4
        return {_METADATA_KEYS[account.key % 4]: foreign_id[:15] if is_short else foreign_id}

    def invoice_prefix(self, customer_key: str) -> str:
        return self.id("prefix", customer_key)[-8:].upper()
