"""Opportunities: how a deal moves through the default Salesforce stages until it is won or lost."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal

import numpy as np

from ingest.generate.records import Deal, StageChange
from ingest.generate.world import utc_offset

STAGES = {
    "Prospecting": (10, "Pipeline"),
    "Qualification": (10, "Pipeline"),
    "Needs Analysis": (20, "Pipeline"),
    "Value Proposition": (50, "Pipeline"),
    "Id. Decision Makers": (60, "BestCase"),
    "Perception Analysis": (70, "BestCase"),
    "Proposal/Price Quote": (75, "BestCase"),
    "Negotiation/Review": (90, "Forecast"),
    "Closed Won": (100, "Closed"),
    "Closed Lost": (0, "Omitted"),
}
_OPEN_STAGES = tuple(STAGES)[:8]
NEW, UPGRADE, RENEWAL, REPLACEMENT = (
    "New Customer",
    "Existing Customer - Upgrade",
    "Existing Customer - Renewal",
    "Existing Customer - Replacement",
)
# Customers are known, so that their deals enter the process further on.
_FIRST_STAGES = {NEW: 0, REPLACEMENT: 1, UPGRADE: 2, RENEWAL: 5}
# What each further stage keeps of the losses: most deals that are lost are lost early.
_LATER_LOSSES = 0.72
_LOSS_REASONS = ("Price", "Competitor", "No decision", "Missing feature", "Timing")
# Where the deals that are won come from, and those that are lost. Referrals and inquiries are won
# more often than bought lists.
_LEAD_SOURCES = {
    "Web": (0.43, 0.38),
    "Phone Inquiry": (0.17, 0.13),
    "Partner Referral": (0.30, 0.13),
    "Purchased List": (0.04, 0.22),
    "Other": (0.06, 0.14),
}
_TYPICAL_CYCLE_DAYS = {"smb": 18, "mid_market": 45, "enterprise": 95}
# Local hours from eight to six, with a lunch break.
_OFFICE_HOURS = (8, 9, 10, 11, 12, 13, 14, 15, 16, 17)
_HOUR_SHARES = np.cumsum([0.04, 0.11, 0.14, 0.13, 0.06, 0.09, 0.13, 0.13, 0.11, 0.06])


def cycle_days(rng: np.random.Generator, segment: str) -> float:
    """Days from creation to closing: long for large customers, with a long tail."""
    return float(np.clip(rng.lognormal(np.log(_TYPICAL_CYCLE_DAYS[segment]), 0.45), 3, 400))


def draw_source(rng: np.random.Generator, *, is_won: bool) -> str:
    """Where a deal that ends so came from."""
    shares = [won if is_won else lost for won, lost in _LEAD_SOURCES.values()]
    return str(rng.choice(list(_LEAD_SOURCES), p=shares))


def at_work(
    rng: np.random.Generator, moment: datetime, zone: str, *, latest: datetime | None = None
) -> datetime:
    """Office hours of the day that a moment is in; at a weekend, of a day of the week before it.

    Args:
        rng: Draws the time of day.
        moment: About when, UTC.
        zone: The time zone of the office.
        latest: What the result must not exceed; it is then on an earlier day.
    """
    offset = utc_offset(zone, moment)
    hour = _OFFICE_HOURS[int(np.searchsorted(_HOUR_SHARES, rng.random(), side="right"))]
    seconds = hour * 3600 + int(rng.integers(3600))
    day = (moment + offset).replace(hour=0, minute=0, second=0, microsecond=0)
    if day.weekday() >= 5:
        day -= timedelta(days=day.weekday() - int(rng.integers(5)))
    while True:
        at = day + timedelta(seconds=seconds) - offset
        if day.weekday() < 5 and (latest is None or at <= latest):
            return at
        day -= timedelta(days=1)


def pulled(rng: np.random.Generator, moment: datetime) -> datetime:
    """A closing's moment, which the end of its month or quarter may have drawn to itself."""
    month_end = (moment.replace(day=1) + timedelta(days=32)).replace(
        day=1, hour=0, minute=0, second=0, microsecond=0
    )
    is_quarter_end = month_end.month % 3 == 1
    if rng.random() < (0.6 if is_quarter_end else 0.35):
        return month_end - timedelta(days=float(rng.triangular(0.1, 0.8, 5)))
    return moment


def draw_deal(
    rng: np.random.Generator,
    *,
    key: int,
    account_key: int,
    owner_key: int,
    zone: str,
    name: str,
    deal_type: str,
    lead_source: str,
    currency: str,
    amount: Decimal | None,
    created_at: datetime,
    closes_at: datetime,
    outcome: str,
    end_at: datetime,
    habits: frozenset[str] | None = None,
) -> Deal:
    """A deal's whole history, as far as `end_at`.

    Args:
        rng: The account's own stream.
        key: The deal's number.
        account_key: Whose deal it is.
        owner_key: The representative.
        zone: The representative's time zone; everything happens in its office hours.
        name: What the CRM shows.
        deal_type: Salesforce's opportunity type.
        lead_source: Where it came from.
        currency: ISO code of the amount.
        amount: Annual contract value; None if it was not entered.
        created_at: When it was entered.
        closes_at: When it is won or lost, were it to happen before `end_at`; not changed.
        outcome: `won` or `lost`.
        end_at: Where the simulation stops; a deal that closes later is open.
        habits: Any of `skips`, `regresses`, `reopens`, `pushes`; drawn by chance when not given.
    """
    if habits is None:
        chances = {"skips": 0.35, "regresses": 0.10, "reopens": 0.04, "pushes": 0.4}
        habits = frozenset(habit for habit, chance in chances.items() if rng.random() < chance)
    stages = _walk(rng, habits, outcome, _FIRST_STAGES[deal_type])
    span = max((closes_at - created_at).total_seconds(), 3600.0)
    cuts = np.sort(rng.uniform(0.04, 0.97, len(stages) - 2)) * span
    moments = (created_at + timedelta(seconds=float(cut)) for cut in cuts)
    worked = [max(at_work(rng, moment, zone), created_at) for moment in moments]
    times = _in_order([created_at, *worked], closes_at)
    expected = created_at + timedelta(days=float(rng.uniform(0.5, 1.1)) * span / 86_400)
    history: list[StageChange] = []
    value = amount
    for position, (stage, at) in enumerate(zip(stages, times, strict=True)):
        is_last = position == len(stages) - 1
        if value is not None and not is_last:
            value = _guess(rng, amount, currency)
        if is_last:
            value = amount
        late = "pushes" in habits and expected.date() <= (at + timedelta(days=7)).date()
        if late or ("pushes" in habits and position == len(stages) // 2):
            expected = max(expected, at) + timedelta(days=int(rng.integers(10, 45)))
        elif expected <= at:
            expected = at + timedelta(days=5)
        probability, forecast = STAGES[stage]
        closed = stage.startswith("Closed")
        close_date = at.date() if closed else expected.date()
        history.append(StageChange(at, stage, value, probability, close_date, forecast))
    seen = tuple(change for change in history if change.changed_at < end_at)
    return Deal(
        key=key,
        account_key=account_key,
        owner_key=owner_key,
        name=name,
        deal_type=deal_type,
        lead_source=lead_source,
        currency=currency,
        created_at=history[0].changed_at,
        history=seen,
        is_won=seen[-1].stage_name == "Closed Won",
        loss_reason=(
            str(rng.choice(_LOSS_REASONS)) if seen[-1].stage_name == "Closed Lost" else None
        ),
    )


def _in_order(before: Iterable[datetime], closes_at: datetime) -> list[datetime]:
    """The moments ascending and apart, and at last the closing."""
    times: list[datetime] = []
    last = closes_at.replace(microsecond=0)
    for moment in sorted(before):
        at = moment.replace(microsecond=0)
        times.append(max(at, times[-1] + timedelta(minutes=4)) if times else at)
    # Backwards, so that the closing stays where it is.
    bound = last
    for place in range(len(times) - 1, -1, -1):
        bound = min(times[place], bound - timedelta(minutes=3))
        times[place] = bound
    return [*times, last]


def _walk(
    rng: np.random.Generator, habits: frozenset[str], outcome: str, first_stage: int
) -> list[str]:
    """The stages in the order in which the deal passes them; the last closes it."""
    stages = list(_OPEN_STAGES[first_stage:])
    if outcome == "lost":
        shares = np.cumsum(_LATER_LOSSES ** np.arange(len(stages)))
        stages = stages[: int(np.searchsorted(shares / shares[-1], rng.random(), "right")) + 1]
    if "skips" in habits and len(stages) > 3:
        for _ in range(int(rng.integers(1, 4))):
            if len(stages) > 3:
                stages.pop(int(rng.integers(1, len(stages) - 1)))
    if "regresses" in habits and len(stages) > 3:
        at = int(rng.integers(2, len(stages)))
        stages.insert(at + 1, stages[at - 2])
    if "reopens" in habits:
        stages += ["Closed Lost", "Negotiation/Review"]
    return [*stages, "Closed Won" if outcome == "won" else "Closed Lost"]


def _guess(rng: np.random.Generator, amount: Decimal | None, currency: str) -> Decimal | None:
    if amount is None:
        return None
    digits = Decimal(1) if currency == "JPY" else Decimal("0.01")
    return (
        amount * Decimal(str(round(float(rng.choice([0.8, 0.9, 1.0, 1.0, 1.15])), 2)))
    ).quantize(digits)
