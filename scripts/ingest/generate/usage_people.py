"""The people who use the product, and their devices, as numpy arrays."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt

from ingest.generate.ids import account_group_id
from ingest.generate.records import Account, Company, Rep, User
from ingest.generate.usage_events import DAY, MINUTE, Flags, Ints
from ingest.generate.world import ZONES, zone_of

# How many days in a hundred a person is active, on average over their time with an account that
# does as usual. Where a scale has messages for less, fewer people show up.
_ACTIVE_DAYS = 10.7
_MESSAGES_A_VISIT = 4.9
# Messages of a person beside their visits to the product: the sign-up, invitations, the site.
_MESSAGES_A_PERSON = 9


@dataclass(frozen=True, slots=True)
class People:
    """Everybody who sends messages: product users, then internal ones, then visitors, then bots.

    `users` are the first `len(users)` people; `account` is a place in `accounts` (-1: none).
    `second_device` may belong to a colleague (`shares_device`); `old_device` is the browser whose
    anonymous id an alias call ties to the user (-1: none). `is_renamed` people once had another id.
    From `moved_at_ms` on, somebody works in the workspace of `next_account`.
    """

    users: tuple[User, ...]
    accounts: tuple[Account, ...]
    account: npt.NDArray[np.int32]
    is_counted: Flags
    is_visitor: Flags
    is_bot: Flags
    is_renamed: Flags
    zone: npt.NDArray[np.int8]
    first_device: npt.NDArray[np.int32]
    second_device: npt.NDArray[np.int32]
    shares_device: Flags
    old_device: npt.NDArray[np.int32]
    moved_at_ms: Ints
    next_account: npt.NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.account)

    def account_at(self, person: npt.NDArray[np.int32], at_ms: Ints) -> npt.NDArray[np.int32]:
        """Where people work at moments of theirs; a place in `accounts`."""
        has_moved = at_ms >= self.moved_at_ms[person]
        return np.where(has_moved, self.next_account[person], self.account[person])


@dataclass(frozen=True, slots=True)
class Devices:
    """A browser or phone each: who owns it, how wrong its clock is, how late it updates the app."""

    owner: npt.NDArray[np.int32]
    is_mobile: Flags
    skew_ms: Ints
    update_lag_ms: Ints


def epoch_ms(moment: datetime) -> int:
    return int(moment.replace(tzinfo=UTC).timestamp() * 1000)


def draw_people(
    company: Company, target: float, rng: np.random.Generator
) -> tuple[People, Devices]:
    """The people who ever show up: at the smallest scale most seats are never used."""
    places = {account.key: place for place, account in enumerate(company.accounts)}
    first, others = _messages_needed(company)
    wanted_share = min(1.0, max(target - first, 0) / max(others, 1))
    luck = rng.random(len(company.users))
    seen: set[int] = set()
    users = []
    for user, chance in zip(company.users, luck, strict=True):
        if user.account_key not in seen or chance < wanted_share:
            users.append(user)
        seen.add(user.account_key)
    internal_home = next((a.key for a in company.accounts if a.is_internal), None)
    staff = [_as_user(rep, company.start_at, internal_home) for rep in company.reps]
    known = len(users) + len(staff)
    visitors, bots = round(target * 0.02 / 2), max(round(target * 0.004 / 2), 5)
    size = known + visitors + bots
    number = np.arange(size)
    account = np.full(size, -1, dtype=np.int32)
    account[: len(users)] = [places[user.account_key] for user in users]
    if internal_home is not None:
        account[len(users) : known] = places[internal_home]
    excluded = np.array([a.is_internal or a.is_test for a in company.accounts] + [False])
    is_internal = np.zeros(size, dtype=np.bool_)
    is_internal[: len(users)] = [user.is_internal for user in users]
    is_internal[len(users) : known] = True
    zone = rng.integers(0, len(ZONES), size).astype(np.int8)
    zone[: len(users)] = [_zone_of(company.accounts[place]) for place in account[: len(users)]]
    is_bot = number >= size - bots
    is_visitor = (number >= known) & ~is_bot
    first_device = number.astype(np.int32)
    second_device = np.full(size, -1, dtype=np.int32)
    has_second = (number < known) & (rng.random(size) < 0.4)
    second_device[has_second] = size + np.arange(int(has_second.sum()))
    # A colleague's device: the person before them in the same account lends theirs.
    shares = (
        has_second & (number > 0) & (account == np.roll(account, 1)) & (rng.random(size) < 0.06)
    )
    shares &= (account >= 0) & (number < len(users))
    second_device[shares] = number[shares] - 1
    old_device = np.full(size, -1, dtype=np.int32)
    has_old = (number < len(users)) & (rng.random(size) < 0.08)
    device_count = int(max(second_device.max(initial=-1), size - 1)) + 1
    old_device[has_old] = device_count + np.arange(int(has_old.sum()))
    moved_at_ms, next_account = _moves(company, users, places, account)
    people = People(
        users=(*users, *staff),
        accounts=company.accounts,
        account=account,
        is_counted=~is_bot & ~is_internal & ~excluded[account],
        is_visitor=is_visitor,
        is_bot=is_bot,
        is_renamed=(number < len(users)) & (rng.random(size) < 0.015),
        zone=zone,
        first_device=first_device,
        second_device=second_device,
        shares_device=shares,
        old_device=old_device,
        moved_at_ms=moved_at_ms,
        next_account=next_account,
    )
    return people, _draw_devices(people, device_count + int(has_old.sum()), rng)


def _moves(
    company: Company,
    users: Sequence[User],
    places: dict[int, int],
    account: npt.NDArray[np.int32],
) -> tuple[Ints, npt.NDArray[np.int32]]:
    """The last who joined a subsidiary moves to the parent company, halfway through their time.

    No draw decides it, so that nothing else changes with it.
    """
    moved_at_ms = np.full(len(account), np.iinfo(np.int64).max)
    next_account = account.copy()
    parents = {one.key: one.parent_key for one in company.accounts if one.parent_key}
    present = {user.account_key for user in users}
    last = {user.account_key: number for number, user in enumerate(users)}
    for key, parent in parents.items():
        if parent in present and key in last:
            user = users[last[key]]
            ends = epoch_ms(user.left_at or company.end_at)
            moved_at_ms[last[key]] = (epoch_ms(user.signed_up_at) + ends) // 2
            next_account[last[key]] = places[parent]
    return moved_at_ms, next_account


def _messages_needed(company: Company) -> tuple[float, float]:
    """Messages of everybody who is the first of their account, and of all others."""
    needed = [0.0, 0.0]
    seen: set[int] = set()
    for user in company.users:
        days = ((user.left_at or company.end_at) - user.signed_up_at).days
        visits = days * _ACTIVE_DAYS / 100
        needed[user.account_key in seen] += visits * _MESSAGES_A_VISIT + _MESSAGES_A_PERSON
        seen.add(user.account_key)
    return needed[0], needed[1]


def _as_user(rep: Rep, start_at: datetime, account_key: int | None) -> User:
    """One of the company's own people, as a user of the product."""
    return User(
        key=-rep.key,
        account_key=account_key or -1,
        first_name=rep.first_name,
        last_name=rep.last_name,
        email=rep.email,
        title="Account Executive",
        signed_up_at=max(rep.started_at, start_at + timedelta(days=2)),
        left_at=rep.left_at,
        engagement=0.5,
        is_internal=True,
    )


def _zone_of(account: Account) -> int:
    return ZONES.index(zone_of(account.country, account.key))


def _draw_devices(people: People, count: int, rng: np.random.Generator) -> Devices:
    owner = np.zeros(count, dtype=np.int32)
    numbers = np.arange(len(people), dtype=np.int32)
    for devices in (people.second_device, people.old_device, people.first_device):
        owner[devices[devices >= 0]] = numbers[devices >= 0]
    luck = rng.random(count)
    skew = rng.normal(0, 1_500, count)
    minutes = luck < 0.03
    skew[minutes] = rng.uniform(-20, 20, int(minutes.sum())) * MINUTE
    hours = luck < 0.01
    skew[hours] = rng.uniform(-30, 30, int(hours.sum())) * 60 * MINUTE
    lags = rng.random(count) < 0.06
    is_second = np.zeros(count, dtype=np.bool_)
    is_second[people.second_device[(people.second_device >= 0) & ~people.shares_device]] = True
    return Devices(
        owner=owner,
        is_mobile=is_second & (rng.random(count) < 0.5),
        skew_ms=skew.astype(np.int64),
        update_lag_ms=np.where(lags, rng.integers(1, 75, count) * DAY, 0),
    )


def account_links(people: People, seed: int) -> Iterator[tuple[int, str, str]]:
    """The workspaces that sent messages: account key, groupId, and how they are tied to it."""
    for place in np.unique(people.account[people.account >= 0]).tolist():
        account = people.accounts[place]
        yield account.key, account_group_id(seed, account.key), account.link_segment
