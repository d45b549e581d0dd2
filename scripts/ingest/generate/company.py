"""The company behind the extracts: its accounts, people, deals and contracts, as one simulation.

Each account draws from a stream of its own, seeded by the run's seed and the account's number, so
that a larger scale adds accounts and leaves the smaller company's as they were, but for the
representatives, of whom there are more.
"""

import re
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import partial

import numpy as np
import numpy.typing as npt
from faker import Faker

from ingest.errors import UsageError
from ingest.generate.contracts import Contract, ordinary_contract
from ingest.generate.deals import cycle_days, draw_deal
from ingest.generate.plans import MINOR_DIGITS
from ingest.generate.records import Account, Company, Deal, Lifecycle, Rep, SeatChange, User
from ingest.generate.stories import STORIES, Story

ACCOUNT_COUNTS = {"tiny": 72, "small": 300, "medium": 1_000, "large": 2_000, "xlarge": 6_000}

_COUNTRIES = (
    ("US", "USD", 0.46),
    ("GB", "GBP", 0.12),
    ("DE", "EUR", 0.10),
    ("FR", "EUR", 0.07),
    ("NL", "EUR", 0.04),
    ("ES", "EUR", 0.03),
    ("IE", "EUR", 0.02),
    ("JP", "JPY", 0.06),
    ("CA", "CAD", 0.04),
    ("AU", "AUD", 0.03),
    ("SE", "SEK", 0.03),
)
_COUNTRY_OF = {"USD": "US", "KWD": "KW", **{c: country for country, c, _ in _COUNTRIES[:0:-1]}}
_INDUSTRIES = (
    "Technology",
    "Finance",
    "Healthcare",
    "Education",
    "Manufacturing",
    "Consulting",
    "Insurance",
    "Construction",
    "Not For Profit",
    "Retail",
)
_TITLES = ("Analyst", "Manager", "Director", "Counsel", "Assistant", "Engineer", "Controller")
_SEGMENTS = (("smb", 0.60, 6, 0.75), ("mid_market", 0.29, 30, 0.55), ("enterprise", 0.11, 110, 0.5))
# More is bought in spring and autumn than in August and over the turn of the year.
_MONTH_WEIGHTS = (0.8, 0.95, 1.2, 1.1, 1.1, 1.0, 0.8, 0.6, 1.2, 1.25, 1.2, 0.7)


def simulate(
    seed: int, start: date, end: date, scale: str, batch_ends: tuple[datetime, ...] = ()
) -> Company:
    """Simulates the company from the first instant of `start` to the last of `end`.

    Args:
        seed: Decides everything that is left to chance.
        start: The first day.
        end: The last day.
        scale: A key of `ACCOUNT_COUNTS`.
        batch_ends: The exclusive ends of the batches, passed on to the projections.

    Raises:
        UsageError: The scale is unknown, or `end` is less than a month after `start`.
    """
    if scale not in ACCOUNT_COUNTS:
        raise UsageError(f"unknown scale {scale!r}; use one of {', '.join(ACCOUNT_COUNTS)}")
    if (end - start).days < 31:
        raise UsageError(f"{start} to {end} is too short; simulate at least 31 days")
    count = ACCOUNT_COUNTS[scale]
    start_at = datetime.combine(start, time())
    end_at = datetime.combine(end + timedelta(days=1), time())
    names = _Names(seed)
    reps = _draw_reps(seed, names, 5 + count // 60, start_at, end_at)
    arrivals = _arrival_weights(start_at, end_at)
    accounts: list[Account] = []
    users: list[User] = []
    deals: list[Deal] = []
    lifecycles: list[Lifecycle] = []
    contracts: dict[int, tuple[Contract, ...]] = {}
    for key in range(1, count + 1):
        rng = np.random.default_rng([seed, key])
        drafter = _Drafter(
            rng, key, names=names, start_at=start_at, end_at=end_at, arrivals=arrivals
        )
        story = STORIES[key - 1] if key <= len(STORIES) else None
        account = drafter.from_story(story) if story else drafter.drawn(accounts)
        working = [rep for rep in reps if _works(rep, account.created_at)] or list(reps)
        account = replace(account, owner_key=working[int(rng.integers(len(working)))].key)
        bought = drafter.contracts(account, story)
        lifecycle = drafter.lifecycle(account, bought)
        accounts.append(account)
        contracts[key] = bought
        if lifecycle:
            lifecycles.append(lifecycle)
            users += drafter.users(account, lifecycle)
        deals += drafter.deals(account, bought, story)
    return Company(
        seed=seed,
        scale=scale,
        start_at=start_at,
        end_at=end_at,
        reps=reps,
        accounts=tuple(accounts),
        users=tuple(users),
        deals=tuple(deals),
        lifecycles=tuple(lifecycles),
        batch_ends=batch_ends,
        contracts=contracts,
    )


class _Names:
    """Pools of invented names: Faker is too slow to ask for every one of many thousand users."""

    def __init__(self, seed: int) -> None:
        faker = Faker("en_US")
        faker.seed_instance(seed)
        self.first = [faker.first_name() for _ in range(400)]
        self.last = [faker.last_name() for _ in range(800)]
        self._faker = faker
        self._seed = seed
        self._taken: set[str] = set()

    def company(self, key: int) -> tuple[str, str]:
        """A company's name and its domain, both unlike those of the accounts before it."""
        self._faker.seed_instance(self._seed * 1_000_003 + key)
        name = self._faker.company()
        for suffix in ("", " Group", " Partners", " Labs", " Holdings", f" {key}"):
            domain = re.sub(r"[^a-z0-9]+", "-", (name + suffix).lower()).strip("-")
            if domain not in self._taken:
                break
        self._taken.add(domain)
        return name + suffix, f"{domain}.example"

    def person(self, rng: np.random.Generator) -> tuple[str, str]:
        return (
            self.first[int(rng.integers(len(self.first)))],
            self.last[int(rng.integers(len(self.last)))],
        )


def _works(rep: Rep, moment: datetime) -> bool:
    return rep.started_at <= moment and (rep.left_at is None or rep.left_at > moment)


def _draw_reps(
    seed: int, names: _Names, count: int, start_at: datetime, end_at: datetime
) -> tuple[Rep, ...]:
    reps = []
    span = (end_at - start_at).days
    for key in range(1, count + 1):
        rng = np.random.default_rng([seed, 0, key])
        first, last = names.person(rng)
        started = (
            start_at if key <= 3 else start_at + timedelta(days=int(rng.integers(0, span // 2)))
        )
        leaves = key % 3 == 2
        left = started + timedelta(days=int(rng.integers(span // 4, span // 2))) if leaves else None
        email = f"{first}.{last}.{key}@paperdesk.example".lower()
        reps.append(Rep(key, first, last, email, started, left))
    return tuple(reps)


def _arrival_weights(start_at: datetime, end_at: datetime) -> npt.NDArray[np.float64]:
    """The chance of each day to bring an account: growing, seasonal, few on weekends."""
    days = (end_at - start_at).days
    weights = np.empty(days)
    for number in range(days):
        day = start_at + timedelta(days=number)
        growth = 0.35 + number / days
        weekend = 0.3 if day.weekday() >= 5 else 1.0
        weights[number] = growth * weekend * _MONTH_WEIGHTS[day.month - 1]
    weights[:45] *= 3  # The company starts with a few customers of its private beta.
    shares: npt.NDArray[np.float64] = weights / weights.sum()
    return shares


class _Drafter:
    """Draws one account and all that hangs on it."""

    def __init__(
        self,
        rng: np.random.Generator,
        key: int,
        *,
        names: _Names,
        start_at: datetime,
        end_at: datetime,
        arrivals: npt.NDArray[np.float64],
    ) -> None:
        self.rng = rng
        self.key = key
        self.names = names
        self.start_at = start_at
        self.end_at = end_at
        self.arrivals = arrivals

    def from_story(self, story: Story) -> Account:
        """The account of a story: only its looks are left to chance."""
        name, domain = self.names.company(self.key)
        starts = self.start_at + timedelta(days=story.day, hours=9, seconds=self.key * 37)
        lead = timedelta(days=min(cycle_days(self.rng, story.segment) + 10, story.day - 1))
        account = Account(
            key=self.key,
            name=name,
            domain=domain,
            country=_COUNTRY_OF[story.currency],
            currency=story.currency,
            industry=str(self.rng.choice(_INDUSTRIES)),
            employee_count=story.seats * 12,
            segment=story.segment,
            owner_key=0,
            created_at=(starts - lead).replace(microsecond=0),
            in_salesforce=story.in_salesforce,
            in_stripe=bool(story.script),
            in_segment=story.in_segment,
            link_stripe=story.link_stripe,
            link_segment=story.link_segment,
            is_internal=story.is_internal,
            is_test=story.is_test,
            parent_key=story.parent_key,
        )
        if story.merged_into_key:
            merged_at = starts + timedelta(days=60)
            if merged_at < self.end_at:
                account = replace(
                    account, merged_into_key=story.merged_into_key, merged_at=merged_at
                )
        return account

    def drawn(self, before: list[Account]) -> Account:
        """An account as chance has it."""
        rng = self.rng
        name, domain = self.names.company(self.key)
        segment, _, size, _ = _SEGMENTS[
            int(rng.choice(3, p=[share for _, share, _, _ in _SEGMENTS]))
        ]
        country, currency, _ = _COUNTRIES[
            int(rng.choice(len(_COUNTRIES), p=[share for _, _, share in _COUNTRIES]))
        ]
        day = int(rng.choice(len(self.arrivals), p=self.arrivals))
        created = self.start_at + timedelta(days=day, seconds=int(rng.integers(25_000, 68_000)))
        pays = bool(rng.random() < 0.68)
        self_serve = pays and segment == "smb" and bool(rng.random() < 0.4)
        kind = rng.random()
        link = str(rng.choice(["id", "domain", "name", "none"], p=[0.84, 0.08, 0.05, 0.03]))
        account = Account(
            key=self.key,
            name=name,
            domain=domain,
            country=country,
            currency=currency,
            industry=str(rng.choice(_INDUSTRIES)),
            employee_count=max(2, round(size * float(rng.lognormal(2.2, 0.8)))),
            segment=segment,
            owner_key=0,
            created_at=created,
            in_salesforce=not self_serve,
            in_stripe=pays,
            in_segment=pays or bool(rng.random() < 0.2),
            link_stripe=link,
            link_segment=str(rng.choice(["id", "domain", "none"], p=[0.9, 0.07, 0.03])),
        )
        others = [other for other in before if other.in_salesforce and not other.merged_into_key]
        if kind < 0.02 and others and not pays:
            survivor = others[int(rng.integers(len(others)))]
            merged_at = max(created, survivor.created_at) + timedelta(days=int(rng.integers(9, 90)))
            if merged_at < self.end_at:
                account = replace(
                    account,
                    name=survivor.name,
                    domain=survivor.domain,
                    in_segment=False,
                    merged_into_key=survivor.key,
                    merged_at=merged_at,
                )
        elif kind > 0.96 and segment != "enterprise" and account.in_salesforce:
            parents = [other for other in others if other.segment == "enterprise"]
            if parents:
                account = replace(account, parent_key=parents[int(rng.integers(len(parents)))].key)
        return account

    def contracts(self, account: Account, story: Story | None) -> tuple[Contract, ...]:
        """What the account buys, in the order in which it does."""
        rng = self.rng
        if story:
            starts = self.start_at + timedelta(days=story.day, hours=9, seconds=self.key * 37)
            return tuple(
                contract
                for contract in (story.script(story, starts) if story.script else ())
                if contract.created_at < self.end_at
            )
        if not account.in_stripe:
            return ()
        lead_days = (
            float(rng.uniform(0.02, 2))
            if not account.in_salesforce
            else cycle_days(rng, account.segment) + float(rng.uniform(4, 12))
        )
        starts = (account.created_at + timedelta(days=lead_days)).replace(microsecond=0)
        if starts >= self.end_at:
            return ()
        size, spread = next((s, d) for name, _, s, d in _SEGMENTS if name == account.segment)
        seats = max(1, round(size * float(rng.lognormal(0, spread))))
        draw = partial(
            ordinary_contract,
            rng,
            segment=account.segment,
            currency=account.currency,
            seats=seats,
            end_at=self.end_at,
        )
        first = draw(created_at=starts, is_self_serve=not account.in_salesforce)
        if first.ended_at and first.pays_from and rng.random() < 0.15:
            gap = timedelta(days=float(rng.uniform(20, 200)))
            returns = (first.ended_at + gap).replace(microsecond=0)
            if returns < self.end_at:
                return (first, draw(created_at=returns, is_self_serve=False, number=1))
        return (first,)

    def lifecycle(self, account: Account, contracts: tuple[Contract, ...]) -> Lifecycle | None:
        """When the workspace was open, paid for and left; none where there is no workspace."""
        if not account.in_segment:
            return None
        live = [contract for contract in contracts if contract.is_live]
        if not live:
            opened = account.created_at + timedelta(hours=5)
            left = opened + timedelta(days=float(self.rng.uniform(20, 120)))
            trial_seats = (SeatChange(opened, 3),)
            return Lifecycle(self.key, opened, None, None, min(left, self.end_at), trial_seats)
        first = live[0]
        opened = first.start_at or first.created_at
        paid = [contract.pays_from for contract in live if contract.pays_from]
        ends = [contract.ended_at for contract in live]
        churned = None if None in ends else max(end for end in ends if end)
        if churned and churned >= self.end_at:
            churned = None
        changes: dict[datetime, int] = {}
        for contract in live:
            changes[contract.created_at] = contract.seats if contract.plan != "studio" else 8
            for step in contract.steps:
                if step.verb == "set_quantity" and "code" not in step.terms:
                    changes[step.at] = step.terms["seats"]
        seats = tuple(
            SeatChange(max(at, opened), count)
            for at, count in sorted(changes.items())
            if at < self.end_at
        )
        trial = opened if first.trial_days else None
        return Lifecycle(self.key, opened, trial, min(paid, default=None), churned, seats)

    def users(self, account: Account, lifecycle: Lifecycle) -> list[User]:
        """The people of the workspace: invited as seats are bought, some leaving on the way."""
        rng = self.rng
        last = lifecycle.churned_at or self.end_at
        people: list[User] = []
        fill = float(rng.uniform(0.65, 1.0))
        for change in lifecycle.seats:
            here = sum(user.left_at is None for user in people)
            for number in range(max(round(change.seat_count * fill), 1) - here):
                ramp = 0.0 if not people else float(rng.exponential(12)) + number * 0.05
                joined = change.changed_at + timedelta(
                    days=ramp, seconds=int(rng.integers(0, 9_000))
                )
                if not people:
                    joined = lifecycle.workspace_opened_at + timedelta(seconds=90)
                if joined >= last:
                    continue
                stays = timedelta(days=float(rng.exponential(1_400)) + 5)
                left = joined + stays if joined + stays < last else None
                people.append(self._user(account, len(people), joined, left, rng))
        ends = lifecycle.churned_at
        if ends is None:
            return people
        return [
            replace(user, left_at=ends - timedelta(days=float(rng.exponential(6))))
            if user.left_at is None and user.signed_up_at < ends - timedelta(days=60)
            else replace(user, left_at=user.left_at or ends)
            for user in people
        ]

    def _user(
        self,
        account: Account,
        number: int,
        joined: datetime,
        left: datetime | None,
        rng: np.random.Generator,
    ) -> User:
        first, last = self.names.person(rng)
        local = re.sub(r"[^a-z.]", "", f"{first}.{last}".lower())
        return User(
            key=account.key * 10_000 + number,
            account_key=account.key,
            first_name=first,
            last_name=last,
            email=f"{local}{number or ''}@{account.domain}",
            title=_TITLES[int(rng.integers(len(_TITLES)))],
            signed_up_at=joined.replace(microsecond=0),
            left_at=left.replace(microsecond=0) if left else None,
            engagement=round(float(rng.beta(2, 3)), 4),
            is_internal=account.is_internal,
        )

    def deals(
        self, account: Account, contracts: tuple[Contract, ...], story: Story | None
    ) -> list[Deal]:
        """The account's opportunities: the one before each contract, upsells, and those lost."""
        if not account.in_salesforce or account.is_test or account.is_internal:
            return []
        desk = _DealDesk(self.rng, account, self.end_at)
        habits = story.deal_habits if story else None
        for contract in contracts:
            desk.sell(contract, habits if not desk.deals else None)
        desk.lose()
        return desk.deals


class _DealDesk:
    """Enters an account's deals into the CRM."""

    def __init__(self, rng: np.random.Generator, account: Account, end_at: datetime) -> None:
        self.rng = rng
        self.account = account
        self.end_at = end_at
        self.deals: list[Deal] = []

    def sell(self, contract: Contract, habits: frozenset[str] | None) -> None:
        """The deal that was won just before a contract began, and those of its larger upsells."""
        rng = self.rng
        closes = contract.created_at - timedelta(days=float(rng.uniform(0.5, 3)))
        cycle = timedelta(days=cycle_days(rng, self.account.segment))
        created = max(closes - cycle, self.account.created_at + timedelta(hours=2))
        created = min(created, closes - timedelta(hours=3))
        kind = "Existing Customer - Replacement" if self.deals else "New Customer"
        value = self._booked(contract)
        self._add(kind, value, (created, closes), currency=contract.currency, habits=habits)
        held = replace(contract, add_ons=())
        for step in contract.steps:
            if step.verb == "change_plan":
                held = replace(held, plan=step.terms["plan"])
            if step.verb != "set_quantity" or "code" in step.terms:
                continue
            grown = replace(held, seats=step.terms["seats"])
            extra = annual_value(grown) - annual_value(held)
            if grown.seats > held.seats * 1.15 and extra > 0:
                closes = step.at - timedelta(hours=float(rng.uniform(2, 40)))
                created = closes - timedelta(days=cycle_days(rng, "smb"))
                kind = "Existing Customer - Upgrade"
                self._add(kind, extra, (created, closes), currency=contract.currency)
            held = grown

    def lose(self) -> None:
        """The deals that came to nothing, or are still open: most in an account's first months."""
        rng, account = self.rng.spawn(1)[0], self.account
        size = next(size for name, _, size, _ in _SEGMENTS if name == account.segment)
        first_won_at = min((deal.created_at for deal in self.deals), default=self.end_at)
        for _ in range(int(rng.poisson(2.0))):
            amount = Decimal(round(size * 300 * float(rng.lognormal(0, 0.8))))
            if account.currency == "JPY":
                amount *= 150
            created = account.created_at + timedelta(days=float(rng.exponential(120)))
            closes = created + timedelta(days=cycle_days(rng, account.segment) * 1.2)
            kind = "New Customer" if created < first_won_at else "Existing Customer - Upgrade"
            span = (created, closes)
            self._add(kind, amount, span, currency=account.currency, is_won=False)

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
        if created_at >= self.end_at:
            return
        deal = draw_deal(
            self.rng,
            key=self.account.key * 100 + len(self.deals),
            account_key=self.account.key,
            owner_key=self.account.owner_key,
            name=f"{self.account.name} - {kind}",
            deal_type=kind,
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

    def _booked(self, contract: Contract) -> Decimal | None:
        """What the representative entered: mostly the contract's value, not always."""
        value = annual_value(contract)
        luck = self.rng.random()
        if luck < 0.06:
            return None
        if luck < 0.16:
            return (value * Decimal("1.1")).quantize(value)
        return value


def annual_value(contract: Contract) -> Decimal:
    """Twelve months of a contract's list price at its start, in major units of its currency."""
    lines = [(contract.plan, contract.seats), *contract.add_ons]
    monthly = sum(
        price.monthly(price.amount(quantity))
        for price, quantity in ((contract.price_of(code), count) for code, count in lines)
        if not price.plan.is_metered
    )
    digits = MINOR_DIGITS.get(contract.currency, 2)
    minor = round(monthly * 12)
    return Decimal(minor).scaleb(-digits)
