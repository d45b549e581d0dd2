"""The clock of one account: its customers and subscriptions share balances and time."""

import heapq
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from ingest.generate.contracts import Contract
from ingest.generate.health import USUAL
from ingest.generate.ledger import Customer, Ledger
from ingest.generate.records import Account


@dataclass(frozen=True, slots=True)
class Mishaps:
    """How often payments go wrong by chance.

    Attributes:
        rng: Draws of its own, so that chance does not change what else happens to the account.
        failure_rate: Share of renewals of an account of usual health whose first attempt fails; a
            later one succeeds.
    """

    rng: np.random.Generator
    failure_rate: float = 0

    def recovery_days(self, level: float) -> float | None:
        """Days until a failed renewal is paid; none where the first attempt succeeds.

        Accounts of low health fail more often: people who stop using it do not renew the card.
        Most are paid by the first retry after three days, the others by the later ones or when the
        customer enters another card. Whole days would fall on the renewals of short periods.
        """
        if self.rng.random() >= self.failure_rate * (1 + 1.6 * (USUAL - level)):
            return None
        return float(self.rng.choice((0.9, 2.9, 4.9, 6.9, 11.9), p=(0.15, 0.45, 0.2, 0.12, 0.08)))


class AccountBooks:
    """What the subscriptions of one account share: customers, chance and the order of actions.

    Args:
        ledger: The ledger to write to.
        account: The account.
        rng: The account's own random draws.
        end_at: The company's end; nothing happens at or after it.
        can_stack: Whether a subscription may have several discounts and its items their own.
        mishaps: How often payments go wrong by chance.
    """

    def __init__(
        self,
        ledger: Ledger,
        account: Account,
        rng: np.random.Generator,
        end_at: datetime,
        *,
        can_stack: bool,
        mishaps: Mishaps,
    ) -> None:
        self.ledger = ledger
        self.account = account
        self.rng = rng
        self.end_at = end_at
        self.can_stack = can_stack
        self.mishaps = mishaps
        self.customer_discounts: defaultdict[str, list[str]] = defaultdict(list)
        self._queue: list[tuple[datetime, int, Callable[[datetime], None]]] = []
        self._order = 0

    def run(self) -> None:
        """Carries out all actions, which may add further ones, in the order of time."""
        while self._queue:
            moment, _, action = heapq.heappop(self._queue)
            action(moment)

    def at(self, moment: datetime, action: Callable[[datetime], None]) -> None:
        """Schedules an action; actions of one instant run in the order in which they were added."""
        if moment < self.end_at:
            self._order += 1
            heapq.heappush(self._queue, (moment, self._order, action))

    def customer(self, contract: Contract, moment: datetime) -> Customer:
        """The customer of a contract, created shortly before the first one that uses it."""
        key = f"{self.account.key}/{contract.customer_number}"
        if key not in self.ledger.customers:
            self.ledger.customers[key] = Customer(
                key=key,
                account_key=self.account.key,
                number=contract.customer_number,
                currency=contract.currency,
                created_at=moment - timedelta(seconds=40),
                is_live=contract.is_live,
            )
        return self.ledger.customers[key]
