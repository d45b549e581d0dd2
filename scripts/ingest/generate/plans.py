"""The price list: every plan, add-on and tier table in every currency, with its arithmetic.

Amounts are whole minor units of the price's own currency (yen for JPY, fils for KWD).
"""

from dataclasses import dataclass
from fractions import Fraction
from functools import cache

MINOR_DIGITS = {"JPY": 0, "KWD": 3}

_FACTOR = {
    "USD": Fraction(1),
    "EUR": Fraction(95, 100),
    "GBP": Fraction(80, 100),
    "JPY": Fraction(150),
    "AUD": Fraction(150, 100),
    "CAD": Fraction(140, 100),
    "SEK": Fraction(11),
    "KWD": Fraction(31, 100),
}
_STEP = {"JPY": Fraction(10), "SEK": Fraction(1), "KWD": Fraction(1, 100)}
_PERIODS = {
    ("month", 1): Fraction(1),
    ("month", 3): Fraction(285, 100),
    ("year", 1): Fraction(10),
    ("year", 2): Fraction(19),
    ("week", 1): Fraction(1),
    ("day", 1): Fraction(1),
}
_MONTHS = {
    "day": Fraction(12, 365),
    "week": Fraction(12, 52),
    "month": Fraction(1),
    "year": Fraction(12),
}


@dataclass(frozen=True, slots=True)
class Tier:
    """A tier of a price up to and including `up_to` units; the last tier has none."""

    up_to: int | None
    unit: Fraction
    flat: int


@dataclass(frozen=True, slots=True)
class Plan:
    """What is sold, priced in dollars a month (or a day, a week, where that is how it is sold)."""

    code: str
    name: str
    kind: str = "per_unit"
    unit: Fraction = Fraction(0)
    tiers: tuple[tuple[int | None, Fraction, Fraction], ...] = ()
    divide_by: int | None = None
    is_metered: bool = False
    is_one_time: bool = False
    is_add_on: bool = False


@dataclass(frozen=True, slots=True)
class Price:
    """One price of a plan: a currency, an interval and, after an increase, a later version."""

    key: str
    plan: Plan
    currency: str
    interval: str
    interval_count: int
    version: int
    tax_behavior: str
    unit: Fraction
    tiers: tuple[Tier, ...]

    def amount(self, quantity: int) -> Fraction:
        """Minor units for one period of `quantity` units, before discounts, unrounded."""
        if self.plan.kind == "graduated":
            total, floor = Fraction(0), 0
            for tier in self.tiers:
                units = (quantity if tier.up_to is None else min(quantity, tier.up_to)) - floor
                if units <= 0:
                    break
                total += units * tier.unit + tier.flat
                floor += units
            return total
        if self.plan.kind == "volume":
            tier = next(t for t in self.tiers if t.up_to is None or quantity <= t.up_to)
            return quantity * tier.unit + tier.flat
        if self.plan.divide_by:
            return -(-quantity // self.plan.divide_by) * self.unit
        return quantity * self.unit

    def monthly(self, amount: Fraction) -> Fraction:
        """An amount a period as an amount a month: 365/12 days and 52/12 weeks in a month."""
        return amount / (self.interval_count * _MONTHS[self.interval])


def _flat(code: str, name: str, dollars: int) -> Plan:
    return Plan(code, name, unit=Fraction(dollars), is_add_on=True)


PLANS: dict[str, Plan] = {
    plan.code: plan
    for plan in (
        Plan("free", "Free"),
        Plan("starter", "Starter", unit=Fraction(12)),
        Plan("team", "Team", unit=Fraction(24)),
        Plan(
            "business",
            "Business",
            kind="graduated",
            tiers=(
                (20, Fraction(30), Fraction(49)),
                (100, Fraction(26), Fraction(0)),
                (None, Fraction(22), Fraction(0)),
            ),
        ),
        Plan(
            "scale",
            "Scale",
            kind="volume",
            tiers=(
                (50, Fraction(34), Fraction(0)),
                (250, Fraction(29), Fraction(120)),
                (None, Fraction(25), Fraction(600)),
            ),
        ),
        Plan("enterprise", "Enterprise", unit=Fraction(42)),
        Plan("studio", "Studio", unit=Fraction(299)),
        Plan("pack", "Seat pack of five", unit=Fraction(99), divide_by=5),
        Plan("weekly", "Weekly workspace", unit=Fraction(8)),
        Plan("daily", "Day pass", unit=Fraction(2)),
        _flat("esign", "E-signatures", 49),
        _flat("sso", "Single sign-on", 60),
        _flat("audit", "Audit trail", 39),
        _flat("archive", "Archive", 25),
        _flat("translate", "Translation", 45),
        _flat("redact", "Redaction", 35),
        _flat("forms", "Forms", 29),
        _flat("bulk", "Bulk processing", 55),
        _flat("priority", "Priority support", 99),
        _flat("sandbox", "Sandbox", 19),
        _flat("branding", "Branding", 15),
        Plan("storage", "Storage per GB", unit=Fraction(125, 1000), is_add_on=True),
        Plan("api", "API calls", unit=Fraction(2, 1000), is_metered=True, is_add_on=True),
        Plan("onboarding", "Onboarding", unit=Fraction(1500), is_one_time=True),
    )
}


def minor_units(dollars: Fraction, currency: str) -> Fraction:
    """A dollar list price in another currency's minor units, on a price point of that currency."""
    scale = 10 ** MINOR_DIGITS.get(currency, 2)
    local = dollars * _FACTOR[currency]
    if dollars >= 1:
        step = _STEP.get(currency, Fraction(1, 2))
        local = Fraction(round(local / step)) * step
    exact = local * scale
    if currency == "JPY" or dollars >= 1:
        return Fraction(max(round(exact), 1 if dollars else 0))
    return Fraction(round(exact * 100), 100)


@cache
def price(
    plan_code: str,
    currency: str,
    interval: str = "month",
    interval_count: int = 1,
    *,
    version: int = 1,
    tax_behavior: str = "exclusive",
) -> Price:
    """The price of a plan; a version after the first is eight percent dearer than the one before.

    Raises:
        KeyError: The plan, the currency or the interval is not sold.
    """
    plan = PLANS[plan_code]
    factor = _PERIODS[interval, interval_count] * Fraction(108, 100) ** (version - 1)
    key = f"{plan_code}-{currency.lower()}-{interval_count}{interval}-v{version}"
    return Price(
        key=key if tax_behavior == "exclusive" else f"{key}-{tax_behavior}",
        plan=plan,
        currency=currency,
        interval=interval,
        interval_count=interval_count,
        version=version,
        tax_behavior=tax_behavior,
        unit=minor_units(plan.unit * factor, currency),
        tiers=tuple(
            Tier(
                up_to,
                minor_units(unit * factor, currency),
                int(minor_units(flat * factor, currency)),
            )
            for up_to, unit, flat in plan.tiers
        ),
    )
