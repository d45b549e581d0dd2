"""The company behind the extracts: its accounts, people, deals and contracts, as one simulation.

Each account draws from a stream of its own, seeded by the run's seed and the account's number, so
that a larger scale adds accounts and leaves the smaller company's as they were, but for the
representatives, of whom there are more.
"""

import re
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from functools import partial

import numpy as np
import numpy.typing as npt

from ingest.errors import UsageError
from ingest.generate.contracts import Contract, ordinary_contract
from ingest.generate.deal_desk import DealDesk
from ingest.generate.deals import cycle_days, pulled
from ingest.generate.health import IDLE, Health, draw_health, draw_quality
from ingest.generate.records import Account, Company, Deal, Lifecycle, Rep, SeatChange, User
from ingest.generate.stories import STORIES, Story
from ingest.generate.world import COUNTRIES, COUNTRY_OF, CompanyNames, ascii_text, person_name

ACCOUNT_COUNTS = {"tiny": 80, "small": 360, "medium": 1_200, "large": 2_400, "xlarge": 7_200}

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
# Share of the accounts, seats of a typical first contract and their spread, typical employees.
_SEGMENTS = {
    "smb": (0.58, 3.2, 0.8, 6),
    "mid_market": (0.29, 13, 0.7, 30),
    "enterprise": (0.13, 46, 0.65, 110),
}
# Where the representatives live, in the order in which they are hired.
_REP_COUNTRIES = ("US", "GB", "US", "DE", "US", "FR", "AU", "US", "NL", "JP")
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
    names = CompanyNames()
    reps = _draw_reps(seed, 3 + count // 120, start_at, end_at)
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
        owner = _owner(reps, account, rng)
        account = replace(account, owner_key=owner.key)
        bought = drafter.contracts(account, story)
        lifecycle = drafter.lifecycle(account, bought)
        accounts.append(account)
        contracts[key] = bought
        if lifecycle:
            lifecycles.append(lifecycle)
            users += drafter.users(account, lifecycle)
        deals += drafter.deals(account, bought, story, owner)
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


def _owner(reps: tuple[Rep, ...], account: Account, rng: np.random.Generator) -> Rep:
    """A representative of the account's region who works when it is entered, else anybody."""
    working = [
        rep
        for rep in reps
        if rep.started_at <= account.created_at
        and (rep.left_at is None or rep.left_at > account.created_at)
    ] or list(reps)
    region = COUNTRIES[account.country].region
    near = [rep for rep in working if COUNTRIES[rep.country].region == region] or working
    return near[int(rng.random() * len(near))]


def _draw_reps(seed: int, count: int, start_at: datetime, end_at: datetime) -> tuple[Rep, ...]:
    reps = []
    span = (end_at - start_at).days
    for key in range(1, count + 1):
        rng = np.random.default_rng([seed, 0, key])
        country = _REP_COUNTRIES[(key - 1) % len(_REP_COUNTRIES)]
        first, last = person_name(rng, country)
        started = (
            start_at if key <= 3 else start_at + timedelta(days=int(rng.integers(0, span // 2)))
        )
        leaves = key % 3 == 2
        left = started + timedelta(days=int(rng.integers(span // 4, span // 2))) if leaves else None
        email = f"{ascii_text(first)}.{ascii_text(last)}.{key}@paperdesk.example".lower()
        reps.append(Rep(key, first, last, email, country, started, left))
    return tuple(reps)


def _arrival_weights(start_at: datetime, end_at: datetime) -> npt.NDArray[np.float64]:
    """The chance of each day to bring an account: growing, seasonal, few on weekends."""
    days = (end_at - start_at).days
    weights = np.empty(days)
    for number in range(days):
        day = start_at + timedelta(days=number)
        growth = 0.25 + 1.2 * number / days
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
        names: CompanyNames,
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
        # When the first contract will start, where that is after the company's end.
        self.closing_later: datetime | None = None

    def from_story(self, story: Story) -> Account:
        """The account of a story: only its looks are left to chance."""
        country = COUNTRY_OF[story.currency]
        name, domain = self.names.draw(self.rng, country, self.key)
        starts = self.start_at + timedelta(days=story.day, hours=9, seconds=self.key * 37)
        lead = timedelta(days=min(cycle_days(self.rng, story.segment) + 10, story.day - 1))
        account = Account(
            key=self.key,
            name=name,
            domain=domain,
            country=country,
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
        segments = [share for share, *_ in _SEGMENTS.values()]
        segment = str(rng.choice(list(_SEGMENTS), p=segments))
        shares = np.cumsum([country.share for country in COUNTRIES.values()])
        place = int(np.searchsorted(shares / shares[-1], rng.random(), side="right"))
        country = list(COUNTRIES.values())[place]
        name, domain = self.names.draw(rng, country.code, self.key)
        day = int(rng.choice(len(self.arrivals), p=self.arrivals))
        created = self.start_at + timedelta(days=day, seconds=int(rng.integers(25_000, 68_000)))
        pays = bool(rng.random() < 0.54)
        self_serve = pays and segment == "smb" and bool(rng.random() < 0.4)
        kind = rng.random()
        link = str(rng.choice(["id", "domain", "name", "none"], p=[0.84, 0.08, 0.05, 0.03]))
        size = _SEGMENTS[segment][3]
        account = Account(
            key=self.key,
            name=name,
            domain=domain,
            country=country.code,
            currency=country.currency,
            industry=str(rng.choice(_INDUSTRIES)),
            employee_count=max(2, round(size * float(rng.lognormal(2.2, 0.8)))),
            segment=segment,
            owner_key=0,
            created_at=created,
            in_salesforce=not self_serve or bool(rng.random() < 0.92),
            in_stripe=pays,
            in_segment=pays or bool(rng.random() < 0.2),
            link_stripe=link,
            link_segment=str(rng.choice(["id", "domain", "none"], p=[0.9, 0.07, 0.03])),
            is_self_serve=self_serve,
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
            if account.is_self_serve
            else cycle_days(rng, account.segment) + float(rng.uniform(4, 12))
        )
        starts = account.created_at + timedelta(days=lead_days)
        if not account.is_self_serve:
            # The signature, and the day or two until the subscription is entered.
            starts = pulled(rng, starts) + timedelta(days=float(rng.uniform(0.2, 2)))
        starts = starts.replace(microsecond=0)
        if starts >= self.end_at:
            self.closing_later = starts
            return ()
        _, size, spread, _ = _SEGMENTS[account.segment]
        seats = max(1, round(size * float(rng.lognormal(0, spread))))
        draw = partial(
            ordinary_contract,
            rng,
            segment=account.segment,
            currency=account.currency,
            seats=seats,
            end_at=self.end_at,
        )
        first = draw(created_at=starts, is_self_serve=account.is_self_serve)
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
            left = min(left, self.end_at)
            health = self._health_until(account, opened, left)
            return Lifecycle(self.key, opened, None, None, left, trial_seats, health)
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
        health = _joined_health(live) or self._health_until(account, opened, churned)
        return Lifecycle(self.key, opened, trial, min(paid, default=None), churned, seats, health)

    def _health_until(self, account: Account, opened: datetime, churned: datetime | None) -> Health:
        """The health of an account whose contracts were written by hand, or that has none."""
        quality = draw_quality(self.rng, account.segment)
        last = churned or self.end_at
        return draw_health(self.rng, quality, opened, last, ends_at=churned)

    def users(self, account: Account, lifecycle: Lifecycle) -> list[User]:
        """The people of the workspace: invited as seats are bought, some leaving on the way."""
        rng = self.rng
        last = lifecycle.churned_at or self.end_at
        people: list[User] = []
        fill = float(rng.uniform(0.85, 1.0))
        for change in lifecycle.seats:
            here = [number for number, user in enumerate(people) if user.left_at is None]
            wanted = max(round(change.seat_count * fill), 1)
            # Seats that are given back were somebody's: the last who came.
            for number in here[wanted:]:
                left_at = max(change.changed_at, people[number].signed_up_at)
                people[number] = replace(people[number], left_at=left_at)
            for number in range(wanted - len(here)):
                ramp = 0.0 if not people else float(rng.exponential(12)) + number * 0.05
                joined = change.changed_at + timedelta(
                    days=ramp, seconds=int(rng.integers(0, 9_000))
                )
                if not people:
                    joined = lifecycle.workspace_opened_at + timedelta(seconds=90)
                if joined >= last:
                    continue
                stays = timedelta(days=float(rng.exponential(2_500)) + 5)
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
        first, last = person_name(rng, account.country)
        local = re.sub(r"[^a-z.]", "", ascii_text(f"{first}.{last}").lower())
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
        self, account: Account, contracts: tuple[Contract, ...], story: Story | None, owner: Rep
    ) -> list[Deal]:
        """The account's opportunities, won, lost and open; self-serve accounts have none."""
        is_sold = account.in_salesforce and not account.is_self_serve
        if not is_sold or account.is_test or account.is_internal:
            return []
        desk = DealDesk(self.rng, account, owner, self.end_at)
        habits = story.deal_habits if story else None
        for contract in contracts:
            desk.sell(contract, habits if not desk.deals else None)
        if self.closing_later:
            desk.sell_later(self.closing_later)
        desk.lose(is_prospect=not contracts)
        return desk.deals


def _joined_health(contracts: list[Contract]) -> Health:
    """The health over all contracts, with nothing between them; none where one has none."""
    knots: list[tuple[datetime, float]] = []
    for contract in contracts:
        if not contract.health:
            return ()
        if knots:
            knots.append((max(contract.created_at, knots[-1][0]), IDLE))
        knots += [knot for knot in contract.health if not knots or knot[0] > knots[-1][0]]
        if contract.ended_at and contract.ended_at > knots[-1][0]:
            knots.append((contract.ended_at, IDLE))
    return tuple(knots)
