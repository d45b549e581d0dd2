"""How well an account is doing over its life: one level that everything else follows.

Use of the product and of paid seats, growth and cuts of seats, payments that fail, and the decision
to leave all read the same level, so that they agree. It wanders about the account's own quality.
Before an account leaves it declines over two to six months, in one of several shapes.
"""

from bisect import bisect_right
from datetime import datetime, timedelta

import numpy as np

# (moment, level) from the start of an account on, ascending; linear in between.
Health = tuple[tuple[datetime, float], ...]

USUAL = 0.62
IDLE = 0.02
MONTH = timedelta(days=30.4375)
_SEGMENT_SHIFTS = {"smb": -0.03, "mid_market": 0.0, "enterprise": 0.05}
# How accounts come to leave: use slides, falls in two steps, stops months before the end, or not
# at all, where the reason lies elsewhere: a budget, a merger, a new head of the department.
_DECLINES = {"slide": 0.44, "steps": 0.2, "stop": 0.2, "sudden": 0.16}


def draw_quality(rng: np.random.Generator, segment: str) -> float:
    """The level that an account's health wanders about."""
    usual = USUAL + _SEGMENT_SHIFTS[segment]
    return float(np.clip(rng.normal(usual, 0.14), 0.2, 0.95))


def draw_health(
    rng: np.random.Generator,
    quality: float,
    starts_at: datetime,
    until: datetime,
    *,
    ends_at: datetime | None = None,
    idle_from: datetime | None = None,
) -> Health:
    """A level a month from `starts_at` to `until`.

    Args:
        rng: The account's own stream.
        quality: What the level comes back to.
        starts_at: The first moment.
        until: The last one.
        ends_at: When the account leaves; the level declines before it.
        idle_from: When people stop using what they go on paying for.
    """
    months = max(int((until - starts_at) / MONTH) + 2, 2)
    shape = str(rng.choice(list(_DECLINES), p=list(_DECLINES.values())))
    span = float(rng.uniform(2, 6))
    level = quality + float(rng.normal(0, 0.06))
    knots = []
    for number, luck in enumerate(rng.normal(0, 0.06, months)):
        at = starts_at + number * MONTH
        shown = float(np.clip(level, 0.08, 1))
        if ends_at is not None:
            shown *= _left(shape, (ends_at - at) / MONTH, span)
        if idle_from is not None and at >= idle_from:
            shown = IDLE
        knots.append((at, max(shown, IDLE)))
        level += 0.3 * (quality - level) + float(luck)
    return tuple(knots)


def _left(shape: str, months_before: float, span: float) -> float:
    """What a decline over `span` months has left of the level so many months before the end."""
    share = max(months_before, 0) / span
    if shape == "sudden" or share >= 1:
        return 1
    if shape == "slide":
        return 0.04 + 0.96 * share
    if shape == "steps":
        return 0.55 if share > 0.5 else 0.12
    return 0.04


def level_at(health: Health, moment: datetime) -> float:
    """The level at a moment; the usual one where nothing is known."""
    if not health:
        return USUAL
    place = bisect_right(health, moment, key=lambda knot: knot[0])
    if place == 0 or place == len(health):
        return health[min(place, len(health) - 1)][1]
    (before, low), (after, high) = health[place - 1], health[place]
    return low + (high - low) * ((moment - before) / (after - before))
