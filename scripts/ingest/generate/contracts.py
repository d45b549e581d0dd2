"""What an account buys and what then happens to it: the script that billing acts out.

A contract is one Stripe subscription as the business planned it: the terms at the start and the
steps that follow. Ordinary accounts draw theirs from chance; the first accounts of every company
act out the stories of `stories.py`, so that even the smallest company holds each of them.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from ingest.generate.health import MONTH, Health, draw_health, draw_quality, level_at
from ingest.generate.plans import Price, price

_EPOCH = datetime(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class Step:
    """Something that happens to a contract at an instant; `verb` names an action of the biller."""

    at: datetime
    verb: str
    terms: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Contract:
    """One subscription's terms.

    `created_at` is when Stripe learned of it; `start_at` is earlier where it was backdated.
    `opening` is how it begins: `active`, `incomplete` (paid within the day) or `abandoned`
    (incomplete, then expired). `after_trial` is `convert`, `cancel` or `pause`.
    `archived_from` is when webhooks began to be kept for it; none were if it is `datetime.max`.
    `health` is how the account does while it lasts, where the contract was drawn from it.
    """

    number: int
    customer_number: int
    currency: str
    created_at: datetime
    plan: str
    seats: int
    interval: str = "month"
    interval_count: int = 1
    start_at: datetime | None = None
    trial_days: int = 0
    after_trial: str = "convert"
    opening: str = "active"
    add_ons: tuple[tuple[str, int], ...] = ()
    tax_behavior: str = "exclusive"
    tax_percent: int = 0
    days_until_due: int | None = None
    archived_from: datetime = datetime.min
    is_live: bool = True
    steps: tuple[Step, ...] = ()
    health: Health = ()

    def price_of(self, code: str, version: int = 1) -> Price:
        """The price of a plan or add-on on this contract's interval and currency."""
        tax = self.tax_behavior if code == self.plan else "exclusive"
        return price(
            code,
            self.currency,
            self.interval,
            self.interval_count,
            version=version,
            tax_behavior=tax,
        )

    @property
    def anchor_at(self) -> datetime:
        """Where billing periods are counted from: the end of the trial, else the start."""
        start = self.start_at or self.created_at
        return start + timedelta(days=self.trial_days)

    def period_start(self, number: int) -> datetime:
        """The start of a billing period, counted from the anchor."""
        return add_interval(self.anchor_at, self.interval, self.interval_count * number)

    def period_end_after(self, moment: datetime) -> datetime:
        """The end of the billing period that an instant lies in; of the trial, if it lies there."""
        number = 0
        while self.period_start(number) <= moment:
            number += 1
        return self.period_start(number)

    @property
    def ended_at(self) -> datetime | None:
        """When the script ends it, however far in the future; none if it goes on."""
        if self.opening == "abandoned":
            return self.created_at + timedelta(hours=23)
        if self.trial_days and self.after_trial == "cancel":
            return self.anchor_at
        scheduled: datetime | None = None
        for step in self.steps:
            if scheduled and scheduled <= step.at:
                return scheduled
            if step.verb == "cancel_at_period_end":
                scheduled = self.period_end_after(step.at)
            elif step.verb == "keep":
                scheduled = None
            elif step.verb in {"cancel", "delete_customer"}:
                return step.at
            elif step.verb == "payment_fails" and step.terms["outcome"] == "canceled":
                return self.period_end_after(step.at) + timedelta(days=step.terms["days"])
        return scheduled

    @property
    def pays_from(self) -> datetime | None:
        """When it first brings money in; none if it never does."""
        if self.opening == "abandoned" or not self.is_live:
            return None
        starts = self.anchor_at
        ended = self.ended_at
        if ended and ended <= starts:
            return None
        return starts


def epoch(moment: datetime) -> int:
    """Seconds since 1970 of a naive datetime in UTC."""
    return (moment - _EPOCH) // timedelta(seconds=1)


def add_interval(moment: datetime, interval: str, count: int) -> datetime:
    """An instant moved by billing intervals; the 31st becomes the last day of a shorter month."""
    if interval == "day":
        return moment + timedelta(days=count)
    if interval == "week":
        return moment + timedelta(weeks=count)
    months = count * (12 if interval == "year" else 1)
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    month += 1
    next_month = datetime(year + month // 12, month % 12 + 1, 1)
    last_day = (next_month - timedelta(days=1)).day
    return moment.replace(year=year, month=month, day=min(moment.day, last_day))


_ANNUAL_SHARE = {"smb": 0.18, "mid_market": 0.45, "enterprise": 0.8}
_PLAN_CHOICES = {
    "smb": (("starter", 0.45), ("team", 0.35), ("pack", 0.1), ("studio", 0.1)),
    "mid_market": (("team", 0.4), ("business", 0.45), ("scale", 0.15)),
    "enterprise": (("enterprise", 0.6), ("scale", 0.25), ("business", 0.15)),
}
_COUPONS = ("WELCOME20", "HALF3", "ANNUAL10", "FIRST50")
_CHURN_FACTOR = {"smb": 1.5, "mid_market": 0.8, "enterprise": 0.35}
# Who signs for a year has thought about it, and leaves less often.
_ANNUAL_FACTOR = 0.42
# Decisions that fall after the company's end show before it: in use, and as open deals.
_OUTLOOK = timedelta(days=180)


def monthly_churn_rate(segment: str, tenure_months: int) -> float:
    """The chance to leave in a month: high at first, falling with tenure."""
    base = 0.055 if tenure_months < 3 else 0.025 if tenure_months < 12 else 0.010
    return base * _CHURN_FACTOR[segment]


def ordinary_contract(
    rng: np.random.Generator,
    *,
    segment: str,
    currency: str,
    seats: int,
    created_at: datetime,
    end_at: datetime,
    is_self_serve: bool,
    number: int = 0,
) -> Contract:
    """A contract as chance would have it: growth in seats, some incidents, and at last churn."""
    codes, weights = zip(*_PLAN_CHOICES[segment], strict=True)
    plan = str(rng.choice(codes, p=weights))
    is_annual = bool(rng.random() < _ANNUAL_SHARE[segment])
    has_trial = is_self_serve and bool(rng.random() < 0.6)
    contract = Contract(
        number=number,
        customer_number=0,
        currency=currency,
        created_at=created_at,
        plan=plan,
        seats=1 if plan == "studio" else seats,
        interval="year" if is_annual else "month",
        trial_days=14 if has_trial else 0,
        days_until_due=30 if segment == "enterprise" and rng.random() < 0.7 else None,
        add_ons=(("esign", 1),) if rng.random() < 0.15 else (),
    )
    if has_trial and rng.random() < 0.35:
        return replace(contract, after_trial="cancel")
    return _Course(rng, contract, segment).drawn(end_at)


class _Course:
    """The course of an ordinary contract, month by month, as the account's health has it."""

    def __init__(self, rng: np.random.Generator, contract: Contract, segment: str) -> None:
        self.rng = rng
        self.contract = contract
        self.segment = segment
        self.seats = contract.seats
        self.has_add_on = bool(contract.add_ons)
        self.is_on_first_plan = True
        self.is_dearer = False
        self.quality = draw_quality(rng, segment)
        self.health: Health = ()

    def drawn(self, end_at: datetime) -> Contract:
        """The contract with its health and its steps."""
        rng, contract = self.rng, self.contract
        until = end_at + _OUTLOOK
        leaving = self._leaving(until)
        ends_at = replace(contract, steps=(leaving,)).ended_at if leaving else None
        idle_from = None
        if not leaving and rng.random() < 0.09:
            idle_from = contract.anchor_at + timedelta(days=float(rng.uniform(120, 540)))
        self.health = draw_health(
            rng,
            self.quality,
            contract.created_at,
            min(ends_at or until, until),
            ends_at=ends_at,
            idle_from=idle_from,
        )
        steps: list[Step] = []
        if rng.random() < 0.38:
            coupon = str(rng.choice(_COUPONS))
            steps.append(Step(contract.created_at, "discount", {"coupon": coupon}))
        last = leaving.at if leaving else until
        for tenure in range(self._months_until(last)):
            moment = self._day_in(tenure)
            step = self._incident(moment, tenure) if moment < last else None
            if step:
                steps.append(step)
        if leaving:
            steps.append(leaving)
        return replace(contract, steps=tuple(steps), health=self.health)

    def _months_until(self, moment: datetime) -> int:
        tenure = 0
        while add_interval(self.contract.anchor_at, "month", tenure) < moment:
            tenure += 1
        return tenure

    def _day_in(self, tenure: int) -> datetime:
        day, second = int(self.rng.integers(2, 25)), int(self.rng.integers(0, 86_400))
        month = add_interval(self.contract.anchor_at, "month", tenure)
        return month + timedelta(days=day, seconds=second)

    @property
    def _is_charged_monthly(self) -> bool:
        return self.contract.interval == "month" and self.contract.days_until_due is None

    def _leaving(self, until: datetime) -> Step | None:
        """The decision to leave, if there is one: more likely for accounts of low health.

        Annual contracts are decided upon in the month before they renew.
        """
        is_annual = self.contract.interval == "year"
        leaning = 1.9 - 1.5 * self.quality
        for tenure in range(self._months_until(until)):
            rate = monthly_churn_rate(self.segment, tenure)
            if is_annual:
                year = range(tenure - 11, tenure + 1)
                rates = [monthly_churn_rate(self.segment, month) for month in year]
                rate = _ANNUAL_FACTOR * sum(rates) if tenure % 12 == 11 else 0.0
            if self.rng.random() < rate * leaning:
                return self._leave(self._day_in(tenure))
        return None

    def _leave(self, moment: datetime) -> Step:
        how = self.rng.random()
        if how < 0.25 and self._is_charged_monthly:
            return Step(moment, "payment_fails", {"outcome": "canceled", "days": 21})
        if how < (0.06 if self.contract.interval == "year" else 0.4):
            return Step(moment, "cancel", {"is_credited": self.contract.interval == "year"})
        return Step(moment, "cancel_at_period_end")

    def _incident(self, moment: datetime, tenure: int) -> Step | None:
        """What happens in a month, if anything does: mostly nothing, often a change of seats.

        Accounts that do well add seats; those whose seats have been idle for two months cut them.
        """
        level = level_at(self.health, moment)
        before = (level + level_at(self.health, moment - 2 * MONTH)) / 2
        growth = 0.03 + 0.16 * max(level - 0.2, 0)
        cut = 0.004 + 0.3 * max(0.48 - before, 0)
        chance = float(self.rng.random())
        if chance < growth:
            return self._resize(moment, is_growth=True)
        if chance < growth + cut:
            return self._resize(moment, is_growth=False)
        return self._other_incident(moment, tenure, level)

    def _other_incident(self, moment: datetime, tenure: int, level: float) -> Step | None:
        chance = float(self.rng.random())
        if chance < 0.03:
            return self._extend(moment, is_upgrade=chance < 0.015)
        if chance < 0.03 + 0.03 * (1 - level) and self._is_charged_monthly:
            days = int(self.rng.integers(2, 15))
            return Step(moment, "payment_fails", {"outcome": "recovered", "days": days})
        if 0.06 <= chance < 0.066 and self.contract.interval == "month":
            terms = {"behavior": "void", "resumes_at": moment + timedelta(days=45)}
            return Step(moment, "pause", terms)
        if 0.066 <= chance < 0.082 and tenure >= 11 and not self.is_dearer:
            self.is_dearer = True
            return Step(moment, "raise_price", {"version": 2})
        is_refund = 0.082 <= chance < 0.088
        return Step(moment, "refund", {"share": 0.5}) if is_refund else None

    def _resize(self, moment: datetime, *, is_growth: bool) -> Step | None:
        if self.contract.plan == "studio" or (self.seats <= 3 and not is_growth):
            return None
        share = self.rng.uniform(0.05, 0.3) if is_growth else self.rng.uniform(0.1, 0.4)
        change = max(1, round(self.seats * float(share)))
        self.seats += change if is_growth else -change
        return Step(moment, "set_quantity", {"seats": self.seats})

    def _extend(self, moment: datetime, *, is_upgrade: bool) -> Step | None:
        if is_upgrade and self.contract.plan == "starter" and self.is_on_first_plan:
            self.is_on_first_plan = False
            return Step(moment, "change_plan", {"plan": "team"})
        if not is_upgrade and not self.has_add_on:
            self.has_add_on = True
            return Step(moment, "add_item", {"code": "esign", "quantity": 1})
        return None
