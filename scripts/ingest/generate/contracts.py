"""What an account buys and what then happens to it: the script that billing acts out.

A contract is one Stripe subscription as the business planned it: the terms at the start and the
steps that follow. Ordinary accounts draw theirs from chance; the first accounts of every company
act out the stories of `stories.py`, so that even the smallest company holds each of them.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np

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


_ANNUAL_SHARE = {"smb": 0.15, "mid_market": 0.4, "enterprise": 0.8}
_PLAN_CHOICES = {
    "smb": (("starter", 0.45), ("team", 0.35), ("pack", 0.1), ("studio", 0.1)),
    "mid_market": (("team", 0.4), ("business", 0.45), ("scale", 0.15)),
    "enterprise": (("enterprise", 0.6), ("scale", 0.25), ("business", 0.15)),
}
_CHURN_FACTOR = {"smb": 1.5, "mid_market": 0.8, "enterprise": 0.35}


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
    return replace(contract, steps=_Course(rng, contract, segment).steps(end_at))


class _Course:
    """The course of an ordinary contract, month by month."""

    def __init__(self, rng: np.random.Generator, contract: Contract, segment: str) -> None:
        self.rng = rng
        self.contract = contract
        self.segment = segment
        self.seats = contract.seats
        self.has_add_on = bool(contract.add_ons)
        self.is_on_first_plan = True
        self.is_dearer = False

    def steps(self, end_at: datetime) -> tuple[Step, ...]:
        rng, contract = self.rng, self.contract
        steps: list[Step] = []
        if rng.random() < 0.12:
            coupon = str(rng.choice(["WELCOME20", "HALF3", "ANNUAL10", "FIRST50"]))
            steps.append(Step(contract.created_at, "discount", {"coupon": coupon}))
        tenure = 0
        while (month := add_interval(contract.anchor_at, "month", tenure)) < end_at:
            day, second = int(rng.integers(2, 25)), int(rng.integers(0, 86_400))
            moment = month + timedelta(days=day, seconds=second)
            if rng.random() < monthly_churn_rate(self.segment, tenure):
                return (*steps, self._leave(moment))
            step = self._incident(moment, tenure)
            if step:
                steps.append(step)
            tenure += 1
        return tuple(steps)

    @property
    def _is_charged_monthly(self) -> bool:
        return self.contract.interval == "month" and self.contract.days_until_due is None

    def _leave(self, moment: datetime) -> Step:
        how = self.rng.random()
        if how < 0.25 and self._is_charged_monthly:
            return Step(moment, "payment_fails", {"outcome": "canceled", "days": 21})
        if how < 0.4:
            return Step(moment, "cancel", {"is_credited": self.contract.interval == "year"})
        return Step(moment, "cancel_at_period_end")

    def _incident(self, moment: datetime, tenure: int) -> Step | None:
        """What happens in a month, if anything does: mostly nothing, often more seats."""
        chance = float(self.rng.random())
        if chance < 0.125:
            return self._resize(moment, is_growth=chance < 0.10)
        if chance < 0.155:
            return self._extend(moment, is_upgrade=chance < 0.14)
        if chance < 0.18 and self._is_charged_monthly:
            days = int(self.rng.integers(2, 15))
            return Step(moment, "payment_fails", {"outcome": "recovered", "days": days})
        if 0.18 <= chance < 0.185 and self.contract.interval == "month":
            terms = {"behavior": "void", "resumes_at": moment + timedelta(days=45)}
            return Step(moment, "pause", terms)
        if 0.185 <= chance < 0.20 and tenure >= 11 and not self.is_dearer:
            self.is_dearer = True
            return Step(moment, "raise_price", {"version": 2})
        is_refund = 0.20 <= chance < 0.205
        return Step(moment, "refund", {"share": 0.5}) if is_refund else None

    def _resize(self, moment: datetime, *, is_growth: bool) -> Step | None:
        if self.contract.plan == "studio" or (self.seats <= 3 and not is_growth):
            return None
        change = max(1, round(self.seats * float(self.rng.uniform(0.05, 0.3))))
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
