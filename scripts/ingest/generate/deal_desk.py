"""The opportunities that an account's contracts and failed attempts leave in the CRM."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import numpy as np

from ingest.generate.contracts import Contract, Step
from ingest.generate.deals import (
    NEW,
    RENEWAL,
    REPLACEMENT,
    UPGRADE,
    at_work,
    cycle_days,
    draw_deal,
    draw_source,
    pulled,
)
from ingest.generate.plans import MINOR_DIGITS, minor_units
from ingest.generate.records import Account, Deal, Rep
from ingest.generate.world import zone_of

# Dollars a year of a typical first deal, by segment.
_TYPICAL_VALUE = {"smb": 1_100, "mid_market": 5_000, "enterprise": 24_000}


class DealDesk:
    """Enters an account's deals into the CRM.

    Args:
        rng: The account's own stream.
        account: The account.
        owner: Its representative, in whose office hours everything happens.
        end_at: Where the simulation stops; deals that close later are open.
    """

    def __init__(
        self, rng: np.random.Generator, account: Account, owner: Rep, end_at: datetime
    ) -> None:
        self.rng = rng
        self.account = account
        self.zone = zone_of(owner.country, owner.key)
        self.end_at = end_at
        self.deals: list[Deal] = []
        self.source = draw_source(rng, is_won=True)

    def sell(self, contract: Contract, habits: frozenset[str] | None) -> None:
        """The deal that was won just before a contract began, its larger upsells and renewals."""
        kind = REPLACEMENT if self.deals else NEW
        closes = self._before(contract.created_at, 0.1, 1.5)
        value = self._booked(annual_value(contract))
        self._add(kind, value, self._span(closes), currency=contract.currency, habits=habits)
        renewals = self._renewals(contract)
        held = _Held(contract)
        for step in contract.steps:
            while renewals and renewals[0][0] <= step.at:
                self._renew(held, *renewals.pop(0))
            if extra := held.take(step):
                self._upsell(step.at, extra, contract.currency)
        for renewal in renewals:
            self._renew(held, *renewal)

    def sell_later(self, starts_at: datetime) -> None:
        """The deal of a contract that begins after the simulation's end."""
        amount = self._typical_value()
        span = self._span(self._before(starts_at, 0.1, 1.5))
        self._add(NEW, amount, span, currency=self.account.currency)

    def lose(self, *, is_prospect: bool) -> None:
        """The deals that came to nothing, or are still open: most of them with prospects."""
        rng, account = self.rng.spawn(1)[0], self.account
        won_at = min((deal.history[-1].changed_at for deal in self.deals), default=None)
        attempts = 1 + int(rng.poisson(2.3)) if is_prospect else int(rng.poisson(1.5))
        for _ in range(attempts):
            wait = timedelta(days=float(rng.exponential(110)))
            if won_at is not None:
                wait = float(rng.uniform(0, 0.6)) * max(won_at - account.created_at, timedelta(0))
            days = cycle_days(rng, account.segment) * float(rng.uniform(0.4, 1.4))
            self._lose(NEW, self._typical_value(), account.created_at + wait, days)
        upgrades = sum(deal.deal_type == UPGRADE for deal in self.deals)
        if is_prospect or won_at is None:
            return
        for _ in range(int(rng.poisson(0.5 * upgrades + 0.15))):
            created = won_at + timedelta(days=float(rng.exponential(200)) + 30)
            days = cycle_days(rng, "smb") * float(rng.uniform(0.7, 1.6))
            self._lose(UPGRADE, self._typical_value() / 4, created, days)

    def _typical_value(self) -> Decimal:
        dollars = round(_TYPICAL_VALUE[self.account.segment] * float(self.rng.lognormal(0, 0.7)))
        currency = self.account.currency
        minor = minor_units(Fraction(max(dollars, 50)), currency)
        return Decimal(int(minor)).scaleb(-MINOR_DIGITS.get(currency, 2))

    def _before(self, moment: datetime, least_days: float, most_days: float) -> datetime:
        """A working moment some days before another."""
        wanted = moment - timedelta(days=float(self.rng.uniform(least_days, most_days)))
        return at_work(self.rng, wanted, self.zone, latest=moment - timedelta(minutes=20))

    def _span(self, closes: datetime) -> tuple[datetime, datetime]:
        """When a new deal that closes then was entered, and its closing."""
        cycle = timedelta(days=cycle_days(self.rng, self.account.segment))
        created = max(closes - cycle, self.account.created_at + timedelta(hours=2))
        return min(created, closes - timedelta(hours=3)), closes

    def _upsell(self, at: datetime, value: Decimal, currency: str) -> None:
        closes = self._before(at, 0.1, 1.7)
        created = closes - timedelta(days=cycle_days(self.rng, "smb"))
        self._add(UPGRADE, value, (created, closes), currency=currency)

    def _lose(self, kind: str, amount: Decimal, created: datetime, days: float) -> None:
        closes = pulled(self.rng, created + timedelta(days=days))
        closes = at_work(self.rng, closes, self.zone)
        closes = max(closes, created + timedelta(hours=5))
        whole = amount.quantize(Decimal(1))
        currency = self.account.currency
        self._add(kind, whole, (created, closes), currency=currency, is_won=False)

    def _renewals(self, contract: Contract) -> list[tuple[datetime, bool]]:
        """The days on which an annual contract is up for renewal, and whether it was renewed."""
        found: list[tuple[datetime, bool]] = []
        if contract.interval != "year" or not contract.is_live:
            return found
        last = min(contract.ended_at or datetime.max, self.end_at + timedelta(days=90))
        while (renews_at := contract.period_start(len(found) + 1)) <= last:
            found.append((renews_at, renews_at != contract.ended_at))
        return found

    def _renew(self, held: "_Held", renews_at: datetime, is_won: bool) -> None:
        closes = self._before(renews_at, 1, 30)
        created = closes - timedelta(days=float(self.rng.uniform(40, 80)))
        span = (max(created, held.contract.created_at + timedelta(days=2)), closes)
        self._add(RENEWAL, held.value, span, currency=held.contract.currency, is_won=is_won)

    def _add(
        self,
        kind: str,
        amount: Decimal | None,
        span: tuple[datetime, datetime],
        *,
        currency: str,
        habits: frozenset[str] | None = None,
        is_won: bool = True,
    ) -> None:
        created_at, closes_at = span
        entered_at = self.account.created_at + timedelta(hours=1)
        created_at = max(at_work(self.rng, created_at, self.zone), entered_at)
        if created_at >= min(self.end_at, closes_at):
            created_at = closes_at - timedelta(hours=2)
        if created_at >= self.end_at:
            return
        lost_source = kind == NEW and not is_won
        deal = draw_deal(
            self.rng,
            key=self.account.key * 100 + len(self.deals),
            account_key=self.account.key,
            owner_key=self.account.owner_key,
            zone=self.zone,
            name=f"{self.account.name} - {kind}",
            deal_type=kind,
            lead_source=draw_source(self.rng, is_won=False) if lost_source else self.source,
            currency=currency,
            amount=amount,
            created_at=created_at,
            closes_at=closes_at,
            outcome="won" if is_won else "lost",
            end_at=self.end_at,
            habits=habits,
        )
        if not is_won and self.rng.random() < 0.04:
            deleted_at = closes_at + timedelta(days=3)
            if deleted_at < self.end_at:
                deal = replace(deal, deleted_at=deleted_at.replace(microsecond=0))
        self.deals.append(deal)

    def _booked(self, value: Decimal) -> Decimal | None:
        """What the representative entered: mostly the contract's value, not always."""
        luck = self.rng.random()
        if luck < 0.06:
            return None
        if luck < 0.16:
            return (value * Decimal("1.1")).quantize(value)
        return value


class _Held:
    """What a customer holds of a contract as its steps go by."""

    def __init__(self, contract: Contract) -> None:
        self.contract = contract
        self.add_ons = dict(contract.add_ons)
        self.version = 1

    @property
    def value(self) -> Decimal:
        """Twelve months of everything at list price."""
        full = replace(self.contract, add_ons=tuple(self.add_ons.items()))
        return annual_value(full, self.version)

    def take(self, step: Step) -> Decimal | None:
        """Takes a step; returns what it adds a year where that is worth a deal of its own."""
        terms = step.terms
        if step.verb == "change_plan":
            self.contract = replace(self.contract, plan=terms["plan"])
        elif step.verb == "raise_price":
            self.version = terms["version"]
        elif step.verb == "remove_item":
            self.add_ons.pop(terms["code"], None)
        elif step.verb == "add_item":
            self.add_ons[terms["code"]] = terms["quantity"]
        elif step.verb == "set_quantity" and "code" in terms:
            self.add_ons[terms["code"]] = terms["seats"]
        elif step.verb == "set_quantity":
            before = replace(self.contract, add_ons=())
            self.contract = replace(self.contract, seats=terms["seats"])
            extra = annual_value(replace(self.contract, add_ons=())) - annual_value(before)
            if self.contract.seats > before.seats * 1.15 and extra > 0:
                return extra
        return None


def annual_value(contract: Contract, version: int = 1) -> Decimal:
    """Twelve months of a contract's list price at its start, in major units of its currency.

    Args:
        contract: The contract; its add-ons count.
        version: Of the main item's price.
    """
    lines = [(contract.plan, contract.seats, version)]
    lines += [(code, count, 1) for code, count in contract.add_ons]
    prices = [(contract.price_of(code, which), count) for code, count, which in lines]
    monthly = sum(
        price.monthly(price.amount(quantity))
        for price, quantity in prices
        if not price.plan.is_metered
    )
    digits = MINOR_DIGITS.get(contract.currency, 2)
    minor = round(monthly * 12)
    return Decimal(minor).scaleb(-digits)
