"""What billing says happened: subscriptions as states in time, invoices, payments and discounts.

Times are naive datetimes in UTC, to the second. Amounts are whole minor units of `currency`.
"""

from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction

from ingest.generate.contracts import Contract
from ingest.generate.plans import Price, minor_units


@dataclass(frozen=True, slots=True)
class Coupon:
    """A coupon; one with an amount exists once for every currency it was given in."""

    code: str
    duration: str
    months: int | None = None
    percent: int | None = None
    dollars: int | None = None
    promotion_code: str | None = None

    def amount_off(self, currency: str) -> int | None:
        """Minor units off each invoice; none for a percentage."""
        return int(minor_units(Fraction(self.dollars), currency)) if self.dollars else None

    def key(self, currency: str) -> str:
        """The coupon's Stripe id for discounts in a currency."""
        return f"{self.code}-{currency}" if self.dollars else self.code


COUPONS: dict[str, Coupon] = {
    coupon.code: coupon
    for coupon in (
        Coupon("WELCOME20", "repeating", months=3, percent=20, promotion_code="HELLO20"),
        Coupon("HALF3", "repeating", months=3, percent=50),
        Coupon("ANNUAL10", "forever", percent=10),
        Coupon("LOYAL15", "forever", percent=15),
        Coupon("PARTNER30", "forever", percent=30),
        Coupon("ONTHEHOUSE", "forever", percent=100),
        Coupon("ITEM25", "forever", percent=25),
        Coupon("FIRST50", "once", dollars=50),
        Coupon("ONCE40", "once", percent=40),
        Coupon("TENOFF", "forever", dollars=10),
        Coupon("SPRING30", "repeating", months=3, dollars=30),
    )
}


@dataclass(slots=True)
class Discount:
    """A coupon given to a customer, a subscription or an item, over [start_at, end_at).

    `replaces_key` names the discount that it was given in place of.
    """

    key: str
    coupon: Coupon
    currency: str
    customer_key: str
    start_at: datetime
    end_at: datetime | None
    subscription_key: str | None = None
    item_key: str | None = None
    removed_at: datetime | None = None
    replaces_key: str | None = None

    def is_live(self, moment: datetime) -> bool:
        """Whether it is in force just before `moment`, the first instant after a period."""
        ends = [end for end in (self.end_at, self.removed_at) if end]
        return self.start_at < moment and all(moment <= end for end in ends)


@dataclass(frozen=True, slots=True)
class Item:
    """A subscription item in one state; a metered one has no quantity."""

    key: str
    price: Price
    quantity: int | None
    created_at: datetime
    period_start_at: datetime
    period_end_at: datetime
    discount_keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Pause:
    """A paused collection; without `resumes_at` it lasts until it is resumed."""

    behavior: str
    resumes_at: datetime | None


@dataclass(frozen=True, slots=True)
class State:
    """A subscription from `at` on. `kind` is the webhook that reports it, `silent` without one."""

    at: datetime
    kind: str
    status: str
    items: tuple[Item, ...]
    discount_keys: tuple[str, ...] = ()
    pause: Pause | None = None
    is_cancel_scheduled: bool = False
    cancel_at: datetime | None = None
    canceled_at: datetime | None = None
    ended_at: datetime | None = None
    cancel_reason: str | None = None
    latest_invoice_key: str | None = None


@dataclass(slots=True)
class Subscription:
    """A contract as billing carried it out."""

    key: str
    contract: Contract
    customer_key: str
    states: list[State] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Line:
    """An invoice line; `discounts` are (discount key, amount) in the order in which they apply."""

    key: str
    description: str
    price: Price
    quantity: int | None
    amount: int
    start_at: datetime
    end_at: datetime
    item_key: str | None
    is_proration: bool = False
    discounts: tuple[tuple[str, int], ...] = ()
    tax: int = 0

    @property
    def discounted(self) -> int:
        """The amount after discounts; a tax-inclusive one still holds its tax."""
        return self.amount - sum(amount for _, amount in self.discounts)


@dataclass(frozen=True, slots=True)
class Attempt:
    """A try to collect an invoice: the charge it made."""

    at: datetime
    charge_key: str
    is_successful: bool


@dataclass(slots=True)
class Invoice:
    """An invoice and the instants at which it changed; `overpaid` is what was paid too much."""

    key: str
    account_key: int
    customer_key: str
    subscription_key: str | None
    currency: str
    number: int
    reason: str
    created_at: datetime
    period_start_at: datetime
    period_end_at: datetime
    lines: tuple[Line, ...]
    days_until_due: int | None
    tax_percent: int
    tax_behavior: str
    starting_balance: int = 0
    ending_balance: int = 0
    finalized_at: datetime | None = None
    paid_at: datetime | None = None
    voided_at: datetime | None = None
    uncollectible_at: datetime | None = None
    overpaid: int = 0
    attempts: list[Attempt] = field(default_factory=list)
    is_live: bool = True

    @property
    def subtotal(self) -> int:
        """The lines before discounts and exclusive tax."""
        return sum(line.amount for line in self.lines)

    @property
    def total(self) -> int:
        """The lines after discounts, with tax."""
        tax = sum(line.tax for line in self.lines) if self.tax_behavior == "exclusive" else 0
        return sum(line.discounted for line in self.lines) + tax

    @property
    def amount_due(self) -> int:
        """What is left to pay after the customer's credit balance."""
        return max(self.total + self.starting_balance - self.ending_balance, 0)


@dataclass(slots=True)
class Charge:
    """A try to collect money. `refunded` grows and, when a refund fails, shrinks again."""

    key: str
    customer_key: str
    invoice_key: str
    currency: str
    amount: int
    created_at: datetime
    failure_code: str | None = None
    disputed_at: datetime | None = None
    is_live: bool = True


@dataclass(slots=True)
class Refund:
    """Money given back; a failed refund came back to us."""

    key: str
    charge_key: str
    amount: int
    created_at: datetime
    failed_at: datetime | None = None


@dataclass(slots=True)
class Dispute:
    """A charge that the card holder disputes; `outcome` is `won` or `lost`."""

    key: str
    charge_key: str
    amount: int
    created_at: datetime
    closed_at: datetime
    outcome: str


@dataclass(slots=True)
class CreditNote:
    """An invoice taken back in part, before it was paid or after; `tax` is part of `amount`.

    Revenue is taken back at `effective_at`.
    """

    key: str
    invoice_key: str
    line_key: str
    amount: int
    tax: int
    created_at: datetime
    effective_at: datetime
    is_pre_payment: bool
    refund_key: str | None = None
    voided_at: datetime | None = None


@dataclass(slots=True)
class Customer:
    """A Stripe customer; `balance` holds its credit (negative) as it changed."""

    key: str
    account_key: int
    number: int
    currency: str
    created_at: datetime
    is_live: bool
    deleted_at: datetime | None = None
    balances: list[tuple[datetime, int]] = field(default_factory=list)
    changes: list[datetime] = field(default_factory=list)

    @property
    def balance(self) -> int:
        """The balance now."""
        return self.balances[-1][1] if self.balances else 0


@dataclass(slots=True)
class Ledger:
    """Everything that billing knows, each kind by key in the order in which it came to be."""

    customers: dict[str, Customer] = field(default_factory=dict)
    subscriptions: dict[str, Subscription] = field(default_factory=dict)
    discounts: dict[str, Discount] = field(default_factory=dict)
    invoices: dict[str, Invoice] = field(default_factory=dict)
    charges: dict[str, Charge] = field(default_factory=dict)
    refunds: dict[str, Refund] = field(default_factory=dict)
    disputes: dict[str, Dispute] = field(default_factory=dict)
    credit_notes: dict[str, CreditNote] = field(default_factory=dict)
