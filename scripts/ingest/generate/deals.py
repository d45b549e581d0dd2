"""Opportunities: how a deal moves through the default Salesforce stages until it is won or lost."""

from datetime import datetime, timedelta
from decimal import Decimal

import numpy as np

from ingest.generate.records import Deal, StageChange

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
_LOSS_REASONS = ("Price", "Competitor", "No decision", "Missing feature", "Timing")
_LEAD_SOURCES = ("Web", "Phone Inquiry", "Partner Referral", "Purchased List", "Other")
_TYPICAL_CYCLE_DAYS = {"smb": 18, "mid_market": 45, "enterprise": 95}


def cycle_days(rng: np.random.Generator, segment: str) -> float:
    """Days from creation to closing: long for large customers, with a long tail."""
    return float(np.clip(rng.lognormal(np.log(_TYPICAL_CYCLE_DAYS[segment]), 0.45), 3, 400))


def draw_deal(
    rng: np.random.Generator,
    *,
    key: int,
    account_key: int,
    owner_key: int,
    name: str,
    deal_type: str,
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
        name: What the CRM shows.
        deal_type: Salesforce's opportunity type.
        currency: ISO code of the amount.
        amount: Annual contract value; None if it was not entered.
        created_at: When it was entered.
        closes_at: When it is won or lost, were it to happen before `end_at`.
        outcome: `won` or `lost`.
        end_at: Where the simulation stops; a deal that closes later is open.
        habits: Any of `skips`, `regresses`, `reopens`, `pushes`; drawn by chance when not given.
    """
    if habits is None:
        chances = {"skips": 0.35, "regresses": 0.10, "reopens": 0.04, "pushes": 0.4}
        habits = frozenset(habit for habit, chance in chances.items() if rng.random() < chance)
    stages = _walk(rng, habits, outcome)
    span = max((closes_at - created_at).total_seconds(), 3600.0)
    cuts = np.sort(rng.uniform(0.04, 0.97, len(stages) - 2)) * span
    offsets = [0.0, *map(float, cuts), span]
    expected = created_at + timedelta(days=float(rng.uniform(0.5, 1.1)) * span / 86_400)
    history: list[StageChange] = []
    value = amount
    for position, (stage, offset) in enumerate(zip(stages, offsets, strict=True)):
        at = (created_at + timedelta(seconds=offset)).replace(microsecond=0)
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
        lead_source=str(rng.choice(_LEAD_SOURCES, p=[0.45, 0.15, 0.2, 0.1, 0.1])),
        currency=currency,
        created_at=created_at.replace(microsecond=0),
        history=seen,
        is_won=seen[-1].stage_name == "Closed Won",
        loss_reason=(
            str(rng.choice(_LOSS_REASONS)) if seen[-1].stage_name == "Closed Lost" else None
        ),
    )


def _walk(rng: np.random.Generator, habits: frozenset[str], outcome: str) -> list[str]:
    """The stages in the order in which the deal passes them; the last closes it."""
    reached = len(_OPEN_STAGES) if outcome == "won" else int(rng.integers(2, len(_OPEN_STAGES) + 1))
    stages = list(_OPEN_STAGES[:reached])
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
