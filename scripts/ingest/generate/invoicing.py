"""The lines of an invoice: periods, usage, prorations, discounts and tax, in whole minor units."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from fractions import Fraction

from ingest.generate.contracts import Contract, epoch
from ingest.generate.ledger import Discount, Item, Line

# What each discount takes off a line, in the order in which they apply.
Cuts = tuple[tuple[str, int], ...]

_TIMES = "\u00d7"


def whole_units(amount: Fraction) -> int:
    """Rounded half away from zero, as invoices are."""
    return int(abs(amount) + Fraction(1, 2)) * (-1 if amount < 0 else 1)


def share(amounts: list[Fraction], total: Fraction) -> list[Fraction]:
    """What each amount gives towards a total, by its size; no more than there is."""
    whole = sum(amounts, Fraction(0))
    if whole <= 0:
        return [Fraction(0)] * len(amounts)
    return [amount * min(total, whole) / whole for amount in amounts]


def cut(amounts: list[int], on_items: list[list[Discount]], on_all: list[Discount]) -> list[Cuts]:
    """Applies discounts in Stripe's order: each item's own, then the common ones on what is left.

    Args:
        amounts: What the items cost before discounts.
        on_items: Each item's own discounts.
        on_all: The discounts of the subscription, or else of the customer.
    """
    left = list(amounts)
    cuts: list[list[tuple[str, int]]] = [[] for _ in amounts]

    def take(at: int, discount: Discount, off: int) -> None:
        off = min(off, left[at])
        if off:
            left[at] -= off
            cuts[at].append((discount.key, off))

    for at, own in enumerate(on_items):
        for discount in own:
            take(at, discount, _off(discount, [left[at]])[0])
    for discount in on_all:
        for at, off in enumerate(_off(discount, left)):
            take(at, discount, off)
    return [tuple(taken) for taken in cuts]


def _off(discount: Discount, left: list[int]) -> list[int]:
    """What a discount takes off each amount; the last bears what rounding leaves of a sum."""
    amount_off = discount.coupon.amount_off(discount.currency)
    if amount_off is None:
        percent = discount.coupon.percent or 0
        return [whole_units(Fraction(amount * percent, 100)) for amount in left]
    parts = share([Fraction(amount) for amount in left], Fraction(amount_off))
    whole = [int(part) for part in parts]
    rest = min(amount_off, sum(left)) - sum(whole)
    for at in range(len(left) - 1, -1, -1):
        more = min(rest, left[at] - whole[at])
        whole[at] += more
        rest -= more
    return whole


def period_lines(items: list[Item], cuts: list[Cuts]) -> Iterator[Line]:
    """A line for each licensed item over its running period."""
    for item, discounts in zip(items, cuts, strict=True):
        yield Line(
            key=f"{item.key}/{epoch(item.period_start_at)}",
            description=f"{item.quantity} {_TIMES} {item.price.plan.name}",
            price=item.price,
            quantity=item.quantity,
            amount=whole_units(item.price.amount(item.quantity or 0)),
            start_at=item.period_start_at,
            end_at=item.period_end_at,
            item_key=item.key,
            discounts=discounts,
        )


def as_trial(line: Line) -> Line:
    """The line of a trial: the same, for nothing."""
    description = f"Trial period for {line.price.plan.name}"
    return replace(line, description=description, amount=0, tax=0, discounts=())


def usage_line(item: Item, used: int, moment: datetime) -> Line:
    """A metered item's line for the period that ends at `moment`."""
    return Line(
        key=f"{item.key}/{epoch(moment)}/usage",
        description=f"{used} {_TIMES} {item.price.plan.name}",
        price=item.price,
        quantity=used,
        amount=whole_units(item.price.amount(used)),
        start_at=item.period_start_at,
        end_at=item.period_end_at,
        item_key=item.key,
    )


def prorated(at: datetime, before: dict[Item, int], after: dict[Item, int]) -> Iterator[Line]:
    """Credits for the unused time of what went, debits for the remaining time of what came.

    Args:
        at: When the items changed.
        before: The items and what they cost a period after discounts, before the change.
        after: The same after it; items in both at the same amount are left alone.
    """
    for sign, amounts, others in ((-1, before, after), (1, after, before)):
        for item, amount in amounts.items():
            if others.get(item) == amount:
                continue
            left = Fraction(
                int((item.period_end_at - at).total_seconds()),
                int((item.period_end_at - item.period_start_at).total_seconds()),
            )
            what = "Unused time on" if sign < 0 else "Remaining time on"
            name = item.price.plan.name
            yield Line(
                key=f"{item.key}/{epoch(at)}/{item.quantity}/{'credit' if sign < 0 else 'debit'}",
                description=f"{what} {item.quantity} {_TIMES} {name}",
                price=item.price,
                quantity=item.quantity,
                amount=sign * whole_units(amount * left),
                start_at=at,
                end_at=item.period_end_at,
                item_key=item.key,
                is_proration=True,
            )


def taxed(line: Line, contract: Contract) -> Line:
    """The line with its tax: on top of the price, or the part of it that is tax."""
    rate = contract.tax_percent
    if not rate:
        return line
    base = 100 if contract.tax_behavior == "exclusive" else 100 + rate
    return replace(line, tax=whole_units(Fraction(line.discounted * rate, base)))
