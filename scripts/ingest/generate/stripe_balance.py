"""The company's Stripe balance: every movement, what it costs, and the weekly payouts to the bank.

Each charge is settled in its own currency or, where the bank account has none, in dollars at
Stripe's rate. Money is available after two days. On the first of a month Stripe bills its usage fee
for the month before, and every Monday it pays out what is available. Test mode has a balance of its
own, without fees and payouts.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from ingest.generate.contracts import epoch
from ingest.generate.ledger import Charge, Dispute
from ingest.generate.plans import MINOR_DIGITS
from ingest.generate.stripe_bills import Bills
from ingest.generate.stripe_catalog import Object

# Where the company's bank account has no such currency, Stripe settles in dollars at its own rate.
_SETTLED_IN_USD = {"SEK": 0.095, "JPY": 0.0067, "KWD": 3.25, "AUD": 0.66, "CAD": 0.73}
_PENDING = timedelta(days=2)
_ON_THE_WAY = timedelta(days=2)
_BILLING_RATE = 0.007
_DISPUTE_FEE = 15_00
_TYPES = {"dispute": "adjustment", "dispute_reversal": "adjustment", "fee": "stripe_fee"}


@dataclass(frozen=True, slots=True)
class Movement:
    """A balance transaction; amounts are minor units of the settlement's currency."""

    at: datetime
    kind: str
    currency: str
    amount: int
    fee: int
    source: str | None
    rate: float | None = None
    is_live: bool = True
    description: str = "Subscription update"

    @property
    def available_at(self) -> datetime:
        """When it can be paid out; fees and payouts are taken at once."""
        return self.at if self.kind in {"fee", "payout"} else self.at + _PENDING


class Balance(Bills):
    """The bills, and the balance of what was paid for them."""

    @cached_property
    def movements(self) -> dict[str, Movement]:
        """Balance transactions by key: of payments first, then fees, then payouts."""
        found = dict(self._of_payments())
        found |= self._billed_fees(found)
        return found | self._payouts(found)

    def _of_payments(self) -> Iterator[tuple[str, Movement]]:
        ledger = self.ledger
        for charge in ledger.charges.values():
            if charge.failure_code is None:
                source = self.id("ch", charge.key)
                yield (
                    charge.key,
                    _settled(charge, charge.created_at, "charge", source, charge.amount),
                )
        for refund in ledger.refunds.values():
            charge, amount = ledger.charges[refund.charge_key], refund.amount
            source = self.id("re", refund.key)
            yield refund.key, _settled(charge, refund.created_at, "refund", source, -amount)
            if refund.failed_at:
                move = _settled(charge, refund.failed_at, "refund_failure", source, amount)
                yield f"{refund.key}/failed", move
        for dispute in ledger.disputes.values():
            charge, amount = ledger.charges[dispute.charge_key], dispute.amount
            source = self.id("dp", dispute.key)
            for key, at in self.dispute_movements(dispute):
                is_taken = key.endswith("/taken")
                kind, moved = ("dispute", -amount) if is_taken else ("dispute_reversal", amount)
                yield key, _settled(charge, at, kind, source, moved)

    def _billed_fees(self, payments: dict[str, Movement]) -> dict[str, Movement]:
        """Stripe Billing's usage fee of every month, by currency, on the first of the next."""
        volumes: defaultdict[tuple[datetime, str], int] = defaultdict(int)
        for movement in payments.values():
            if movement.kind == "charge" and movement.is_live:
                month = datetime(movement.at.year, movement.at.month, 1)
                volumes[month, movement.currency] += movement.amount
        found = {}
        for (month, currency), volume in sorted(volumes.items()):
            at = (month + timedelta(days=31)).replace(day=1)
            fee = round(volume * _BILLING_RATE)
            if at < self.company.end_at and fee:
                last = at - timedelta(days=1)
                found[f"fee/{month:%Y-%m}/{currency}"] = Movement(
                    at,
                    "fee",
                    currency,
                    -fee,
                    0,
                    None,
                    description=f"Billing ({month:%Y-%m-%d} - {last:%Y-%m-%d}): usage fee",
                )
        return found

    def _payouts(self, movements: dict[str, Movement]) -> dict[str, Movement]:
        """What is available on a Monday, if Stripe owes the company anything then."""
        waiting: defaultdict[str, list[Movement]] = defaultdict(list)
        for movement in movements.values():
            if movement.is_live:
                waiting[movement.currency].append(movement)
        found = {}
        for currency, unpaid in sorted(waiting.items()):
            unpaid.sort(key=lambda movement: movement.available_at)
            balance = place = 0
            monday = _monday_after(unpaid[0].available_at)
            while monday < self.company.end_at:
                while place < len(unpaid) and unpaid[place].available_at <= monday:
                    balance += unpaid[place].amount - unpaid[place].fee
                    place += 1
                if balance > 0:
                    key = f"payout/{monday:%Y-%m-%d}/{currency}"
                    source = self.id("po", key)
                    found[key] = Movement(
                        monday, "payout", currency, -balance, 0, source, description="STRIPE PAYOUT"
                    )
                    balance = 0
                monday += timedelta(days=7)
        return found

    def payouts(self) -> Iterator[tuple[str, Movement]]:
        """The movements that are payouts, by key."""
        return (pair for pair in self.movements.items() if pair[1].kind == "payout")

    def payout_moments(self, movement: Movement) -> tuple[datetime, datetime]:
        """When a payout was made and when the bank had it."""
        return movement.at, movement.at + _ON_THE_WAY

    def payout(self, key: str, moment: datetime) -> Object:
        """A payout object as it was at an instant."""
        movement = self.movements[key]
        made_at, arrived_at = self.payout_moments(movement)
        rendered: Object = {
            "id": movement.source,
            "object": "payout",
            "amount": -movement.amount,
            "arrival_date": epoch(arrived_at),
            "automatic": True,
            "balance_transaction": self.id("txn", key),
            "created": epoch(made_at),
            "currency": movement.currency,
            "description": movement.description,
            "destination": self.id("ba", movement.currency),
            "failure_balance_transaction": None,
            "failure_code": None,
            "failure_message": None,
            "livemode": True,
            "metadata": {},
            "method": "standard",
            "original_payout": None,
            "reconciliation_status": "completed",
            "reversed_by": None,
            "source_type": "card",
            "statement_descriptor": None,
            "status": "paid" if arrived_at < moment else "in_transit",
            "type": "bank_account",
        }
        if not self.is_older:
            rendered |= dict.fromkeys(
                ("application_fee", "application_fee_amount", "payout_method", "trace_id")
            )
        return rendered

    def dispute_movements(self, dispute: Dispute) -> list[tuple[str, datetime]]:
        """The balance transactions of a dispute: money taken, and given back when it is won."""
        moves = [(f"{dispute.key}/taken", dispute.created_at)]
        if dispute.outcome == "won":
            moves.append((f"{dispute.key}/returned", dispute.closed_at))
        return moves

    def balance_transaction(self, key: str) -> Object:
        """A movement of the balance, in the currency in which it is settled."""
        movement = self.movements[key]
        fee = movement.fee
        detail = {
            "amount": fee,
            "application": None,
            "currency": movement.currency,
            "description": "Stripe processing fees",
            "type": "stripe_fee",
        }
        rendered: Object = {
            "id": self.id("txn", key),
            "object": "balance_transaction",
            "amount": movement.amount,
            "available_on": epoch(movement.available_at),
            "created": epoch(movement.at),
            "currency": movement.currency,
            "description": movement.description,
            "exchange_rate": movement.rate,
            "fee": fee,
            "fee_details": [detail] if fee else [],
            "net": movement.amount - fee,
            "reporting_category": movement.kind,
            "source": movement.source,
            "status": "available",
            "type": _TYPES.get(movement.kind, movement.kind),
        }
        if not self.is_older:
            rendered["balance_type"] = "payments"
        return rendered


def _settled(charge: Charge, at: datetime, kind: str, source: str, amount: int) -> Movement:
    """A movement of an amount in a charge's currency, in the currency of the settlement."""
    rate = _SETTLED_IN_USD.get(charge.currency)
    currency = "usd" if rate else charge.currency.lower()
    if rate:
        amount = round(amount * rate * 100 / 10 ** MINOR_DIGITS.get(charge.currency, 2))
    fee = {"charge": round(amount * 0.029) + 30, "dispute": _DISPUTE_FEE}.get(kind, 0)
    return Movement(at, kind, currency, amount, fee, source, rate, charge.is_live)


def _monday_after(moment: datetime) -> datetime:
    """The first instant of the Monday after a moment."""
    day = datetime(moment.year, moment.month, moment.day)
    return day + timedelta(days=7 - day.weekday())
