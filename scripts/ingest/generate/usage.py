"""Who uses the product and when: people, their devices and every visit, as numpy arrays.

On how many days a person is active follows weekdays and seasons and the health of their account,
grows in the weeks after sign-up and falls in the three weeks before they leave by themselves. The
hours are those of their own time zone. A scale with more messages has more visits a day.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from ingest.generate import usage_events as events
from ingest.generate.health import USUAL
from ingest.generate.records import Company, Lifecycle
from ingest.generate.usage_events import DAY, MINUTE, Ints, Messages, Sessions, expand
from ingest.generate.usage_people import Devices, People, draw_people, epoch_ms
from ingest.generate.world import ZONES

MESSAGE_TARGETS = {
    "tiny": 40_000,
    "small": 500_000,
    "medium": 1_800_000,
    "large": 5_500_000,
    "xlarge": 55_000_000,
}
DUPLICATE_SHARE = 0.006
# No visit starts so late that the end of the simulation would cut it in two.
QUIET_END_MS = 180 * MINUTE
# Use by local hour, Monday to Friday and on weekends.
_HOURS = np.array(
    [1, 1, 1, 1, 1, 2, 6, 20, 62, 98, 100, 88, 52, 70, 97, 92, 78, 52, 26, 16, 13, 10, 5, 2]
)
_WEEKEND_HOURS = np.array(
    [2, 1, 1, 1, 1, 1, 2, 5, 12, 20, 25, 24, 20, 19, 20, 21, 20, 18, 16, 16, 15, 12, 7, 3]
)
_WEEKDAYS = np.array([1.0, 1.1, 1.12, 1.05, 0.82, 0.14, 0.11])
# In larger accounts documents go round more, and people come back on more days.
_SEGMENT_FACTORS = {"smb": 1.0, "mid_market": 1.1, "enterprise": 1.25}
_DOCUMENT_SHARES = (0.4, 0.46, 0.1, 0.03, 0.01)
_MONTHS = np.array([0.95, 1.0, 1.06, 1.02, 1.02, 0.98, 0.86, 0.78, 1.04, 1.1, 1.08, 0.86])


Stays = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Usage:
    """Everybody and every visit, ascending by start.

    `renamed_at_ms` is when the second tracking plan came into force.
    """

    seed: int
    start_ms: int
    end_ms: int
    renamed_at_ms: int
    people: People
    devices: Devices
    sessions: Sessions
    messages_a_visit: float

    def chunks(self, size: int) -> Iterator[tuple[int, int, Sessions, Messages]]:
        """The messages of visits that start on some days in a row, about `size` of them a time.

        Yields:
            The first instant and the end of the days, their visits, and the visits' messages.
        """
        days = np.arange(self.start_ms, self.end_ms + 1, DAY)
        bounds = np.searchsorted(self.sessions.start_ms, days)
        visits_a_chunk = max(int(size / self.messages_a_visit), 1)
        first = 0
        while first < len(days) - 1:
            last = int(np.searchsorted(bounds, bounds[first] + visits_a_chunk, side="right")) - 1
            last = min(max(last, first + 1), len(days) - 1)
            visits = self.sessions.take(slice(int(bounds[first]), int(bounds[last])))
            rng = np.random.default_rng([self.seed, 31, first])
            yield int(days[first]), int(days[last]), visits, expand(visits, rng)
            first = last


def simulate_usage(company: Company) -> Usage:
    """Everybody's visits over the company's whole history, at the size of its scale."""
    rng = np.random.default_rng([company.seed, 30])
    start_ms, end_ms = epoch_ms(company.start_at), epoch_ms(company.end_at)
    target = MESSAGE_TARGETS[company.scale] / (1 + DUPLICATE_SHARE)
    people, devices = draw_people(company, target, rng)
    renamed_at_ms = epoch_ms(
        _month_after(company.start_at + (company.end_at - company.start_at) / 2)
    )
    fixed = _fixed_sessions(company, people, start_ms, end_ms, rng)
    person, day = _active_days(company, people, (start_ms, end_ms), rng)
    drawn = _product_sessions(company, people, person, day, rng=rng)
    means = _mean_messages(drawn, fixed, np.random.default_rng([company.seed, 32]))
    wanted = target - means[_group_of(fixed)].sum()
    visits_a_day = 1.02 * wanted / means[_group_of(drawn)].sum()
    if visits_a_day > 1:
        repeats = rng.poisson(visits_a_day - 1, len(person))
        again = np.repeat(person, repeats), np.repeat(day, repeats)
        drawn = _joined([drawn, _product_sessions(company, people, *again, rng=rng)])
    kept = rng.permutation(len(drawn))
    kept = kept[np.cumsum(means[_group_of(drawn)][kept]) <= wanted]
    sessions = _joined([fixed, drawn.take(kept)])
    sessions = sessions.take(np.argsort(sessions.start_ms, kind="stable"))
    sessions = _linked(_on_devices(sessions, people, devices, rng), people, renamed_at_ms)
    return Usage(
        seed=company.seed,
        start_ms=start_ms,
        end_ms=end_ms,
        renamed_at_ms=renamed_at_ms,
        people=people,
        devices=devices,
        sessions=sessions,
        messages_a_visit=target / max(len(sessions), 1),
    )


def _month_after(moment: datetime) -> datetime:
    return (
        moment.replace(day=1, hour=0, minute=0, second=0, microsecond=0) + timedelta(32)
    ).replace(day=1)


def _visits(person: Ints, start_ms: Ints, visit_kind: int) -> Sessions:
    """Visits with nothing in them yet."""
    size = len(person)
    no = np.zeros(size, dtype=np.bool_)
    return Sessions(
        number=np.arange(size),
        person=person.astype(np.int32),
        device=np.full(size, -1, dtype=np.int32),
        start_ms=start_ms.astype(np.int64),
        visit_kind=np.full(size, visit_kind, dtype=np.int8),
        documents=np.zeros(size, dtype=np.int8),
        is_login=no.copy(),
        is_first=no.copy(),
        has_trial=no.copy(),
        sends_alias=no.copy(),
        earlier=np.full(size, -1, dtype=np.int64),
    )


def _joined(parts: list[Sessions]) -> Sessions:
    return Sessions(
        *(
            np.concatenate([getattr(part, name) for part in parts])
            for name in Sessions.__dataclass_fields__
        )
    )


def _fixed_sessions(
    company: Company, people: People, start_ms: int, end_ms: int, rng: np.random.Generator
) -> Sessions:
    """Visits that the company's story asks for, and those of people who never sign up.

    Sign-ups and what precedes them, invitations, ends of trials, departures; visitors and bots.
    """
    known = len(people.users)
    signed_up = np.array([epoch_ms(user.signed_up_at) for user in people.users], dtype=np.int64)
    left = np.array(
        [epoch_ms(user.left_at) if user.left_at else end_ms for user in people.users],
        dtype=np.int64,
    )
    person = np.arange(known)
    owner = _owners(people)
    lives = {life.account_key: life for life in company.lifecycles}
    life = [lives.get(user.account_key) for user in people.users]
    trial = np.array(
        [epoch_ms(one.trial_started_at) if one and one.trial_started_at else -1 for one in life],
        dtype=np.int64,
    )
    is_first = owner == person
    sign_ups = _visits(person, signed_up, events.SIGN_UP)
    sign_ups.documents[:] = rng.choice([0, 1, 2], known, p=[0.45, 0.4, 0.15])
    sign_ups.is_first[:] = is_first
    sign_ups.has_trial[:] = is_first & (trial >= 0)
    earlier = np.repeat(
        person, np.where(people.old_device[:known] >= 0, 1, rng.integers(0, 2, known))
    )
    marketing = _visits(
        earlier,
        signed_up[earlier] - rng.integers(2 * 60, 14 * 1440, len(earlier)) * MINUTE,
        events.MARKETING,
    )
    strangers = np.flatnonzero(people.is_visitor | people.is_bot)
    span = end_ms - start_ms
    # The site gets better known: visits grow with the square root of chance.
    stranger_starts = start_ms + (np.sqrt(rng.random(len(strangers))) * span).astype(np.int64)
    visits = _visits(strangers, stranger_starts, events.MARKETING)
    invited = (owner >= 0) & ~is_first & (people.account[:known] >= 0)
    sent = signed_up - rng.integers(60, 2880, known) * MINUTE
    invited &= sent > signed_up[owner] + 60 * MINUTE
    invites = _visits(owner[invited], sent[invited], events.INVITE)
    ended = is_first & (trial >= 0)
    trial_ends = _visits(person[ended], trial[ended] + 14 * DAY, events.TRIAL_ENDED)
    removed = (owner >= 0) & ~is_first & (left < end_ms)
    removals = _visits(owner[removed], left[removed] + 20 * MINUTE, events.REMOVAL)
    result = _joined([sign_ups, marketing, visits, invites, trial_ends, removals])
    return result.take((result.start_ms >= start_ms) & (result.start_ms < end_ms - QUIET_END_MS))


def _owners(people: People) -> Ints:
    """The first user of each person's account, as a person; -1 where there is no account."""
    owner = np.full(len(people.users), -1, dtype=np.int64)
    first: dict[int, int] = {}
    for number, user in enumerate(people.users):
        if people.account[number] >= 0 and not (user.is_internal and user.key < 0):
            owner[number] = first.setdefault(user.account_key, number)
    return owner


def _active_days(
    company: Company, people: People, window: tuple[int, int], rng: np.random.Generator
) -> tuple[Ints, Ints]:
    """The days on which people use the product: a person and a day for each."""
    days = (window[1] - window[0]) // DAY
    calendar = _calendar(company.start_at, int(days))
    lives = {life.account_key: life for life in company.lifecycles}
    levels = {key: _daily_levels(life, company.start_at, int(days)) for key, life in lives.items()}
    usual = np.full(int(days), USUAL, dtype=np.float32)
    stays = _stays(company, people, window)
    strength = _strength(company, people)
    # Whose seat is idle first when an account does badly; the first user is the last to stop.
    rank = rng.random(len(people.users)).astype(np.float32)
    rank[_owners(people) == np.arange(len(people.users))] = 0
    person_parts, day_parts = [], []
    for at in range(0, len(people.users), 400):
        block = slice(at, at + 400)
        level = np.stack([levels.get(user.account_key, usual) for user in people.users[block]])
        chances = _chances(stays[block], strength[block], rank[block], level, calendar=calendar)
        place, day = np.nonzero(rng.random(chances.shape, dtype=np.float32) < chances)
        person_parts.append(place + at)
        day_parts.append(day)
    return np.concatenate(person_parts), np.concatenate(day_parts)


def _strength(company: Company, people: People) -> npt.NDArray[np.float32]:
    """Everybody's chance to be active on a working day while their account does as usual."""
    factors = {account.key: _SEGMENT_FACTORS[account.segment] for account in company.accounts}
    engagement = np.array([user.engagement for user in people.users])
    factor = np.array([factors.get(user.account_key, 1.0) for user in people.users])
    strength: npt.NDArray[np.float32] = (factor * (0.015 + 0.57 * engagement**1.5)).astype(
        np.float32
    )
    strength[len(strength) - len(company.reps) :] *= 0.3
    return strength


def _daily_levels(life: Lifecycle, start_at: datetime, days: int) -> npt.NDArray[np.float32]:
    """An account's health on every day of the simulation."""
    at = [(moment - start_at) / timedelta(days=1) for moment, _ in life.health]
    levels: npt.NDArray[np.float32] = np.interp(
        np.arange(days), at, [level for _, level in life.health]
    ).astype(np.float32)
    return levels


def _product_sessions(
    company: Company, people: People, person: Ints, day: Ints, *, rng: np.random.Generator
) -> Sessions:
    """A visit to the product for each of some people and days."""
    end_ms = epoch_ms(company.end_at)
    stays = _stays(company, people, (epoch_ms(company.start_at), end_ms))
    starts = _local_starts(person, day, people, company.start_at, rng=rng)
    since = epoch_ms(company.start_at) + stays * DAY
    inside = (starts > since[person, 0] + 3 * 60 * MINUTE) & (starts < since[person, 1])
    inside &= starts < end_ms - QUIET_END_MS
    visits = _visits(person[inside], starts[inside], events.PRODUCT)
    visits.documents[:] = rng.choice([0, 1, 2, 3, 4], len(visits), p=_DOCUMENT_SHARES)
    visits.is_login[:] = rng.random(len(visits)) < 0.15
    return visits


def _calendar(start_at: datetime, days: int) -> npt.NDArray[np.float32]:
    """How busy each day is for people everywhere: weekday, season, the quiet turn of the year."""
    busy = np.empty(days, dtype=np.float32)
    for number in range(days):
        day = start_at + timedelta(days=number)
        busy[number] = _WEEKDAYS[day.weekday()] * _MONTHS[day.month - 1]
        if (day.month, day.day) >= (12, 24) or (day.month, day.day) <= (1, 1):
            busy[number] *= 0.25
    return busy


def _stays(company: Company, people: People, window: tuple[int, int]) -> Stays:
    """Everybody's sign-up, their last instant, and when they leave by themselves, as columns.

    In days since the company's start. Who stops with the account does not leave by themselves.
    """
    ends = {life.account_key: life.churned_at for life in company.lifecycles if life.churned_at}
    far = window[1] + 400 * DAY
    rows = []
    for user in people.users:
        churned_at = ends.get(user.account_key)
        churned = epoch_ms(churned_at) if churned_at else far
        left = epoch_ms(user.left_at) if user.left_at else far
        leaves = left if left < churned - 30 * DAY else far
        rows.append((epoch_ms(user.signed_up_at), min(left, churned), leaves))
    return (np.array(rows).reshape(-1, 3) - window[0]) / DAY


def _chances(
    stays: Stays,
    strength: npt.NDArray[np.float32],
    rank: npt.NDArray[np.float32],
    level: npt.NDArray[np.float32],
    *,
    calendar: npt.NDArray[np.float32],
) -> npt.NDArray[np.float32]:
    """The chance of some people (rows) to be active on every day (columns)."""
    day = np.arange(len(calendar), dtype=np.float32)[None, :]
    since, last, leaves = (stays[:, column, None].astype(np.float32) for column in range(3))
    age = day - np.floor(since)
    chances = strength[:, None] * calendar[None, :]
    chances *= np.clip(0.5 + age / 45, 0, 1)
    # Health shows twice: fewer seats are used, and those less often.
    chances *= np.clip(level / np.float32(USUAL), 0, 1.35)
    chances *= np.clip((1.1 * level + 0.12 - rank[:, None]) / 0.15, 0, 1)
    chances *= np.clip((leaves - day) / 21, 0.1, 1)
    chances[(age < 0) | (day > last)] = 0
    return chances


def _local_starts(
    person: Ints,
    day: Ints,
    people: People,
    start_at: datetime,
    *,
    rng: np.random.Generator,
) -> Ints:
    """An instant on each visit's day, by the working hours of the person's own time zone."""
    days = int(day.max(initial=0)) + 1
    offsets = np.empty((len(ZONES), days), dtype=np.int64)
    for row, name in enumerate(ZONES):
        zone = ZoneInfo(name)
        for number in range(days):
            noon = (start_at + timedelta(days=number, hours=12)).replace(tzinfo=UTC)
            offset = noon.astimezone(zone).utcoffset() or timedelta()
            offsets[row, number] = offset // timedelta(milliseconds=1)
    weekend = (start_at.weekday() + day) % 7 >= 5
    luck = rng.random(len(person))
    hour = np.where(weekend, _drawn_hours(_WEEKEND_HOURS, luck), _drawn_hours(_HOURS, luck))
    inside = rng.integers(0, 60 * MINUTE, len(person))
    midnight: Ints = epoch_ms(start_at) + day * DAY - offsets[people.zone[person], day]
    starts: Ints = midnight + hour * 60 * MINUTE + inside
    return starts


def _drawn_hours(weights: npt.NDArray[np.int64], luck: npt.NDArray[np.float64]) -> Ints:
    shares = np.cumsum(weights) / weights.sum()
    hours: Ints = np.searchsorted(shares, luck, side="right").astype(np.int64)
    return hours


def _group_of(sessions: Sessions) -> Ints:
    """Visits of one kind, number of documents and way in are about as long."""
    return (sessions.visit_kind.astype(np.int64) * 8 + sessions.documents) * 2 + sessions.is_login


def _mean_messages(
    drawn: Sessions, fixed: Sessions, rng: np.random.Generator
) -> npt.NDArray[np.float64]:
    """Messages of a visit by its group, measured on a sample."""
    sample = _joined(
        [part.take(np.sort(rng.permutation(len(part))[:12_000])) for part in (drawn, fixed)]
    )
    # Nearly every visit follows one with a document, which may be downloaded again.
    sample.earlier[:] = 0
    groups = _group_of(sample)
    sizes = np.bincount(expand(sample, rng).visit, minlength=len(sample))
    count = 6 * 16
    visits = np.bincount(groups, minlength=count)
    messages = np.bincount(groups, weights=sizes, minlength=count)
    return messages / np.maximum(visits, 1)


def _on_devices(
    sessions: Sessions, people: People, devices: Devices, rng: np.random.Generator
) -> Sessions:
    """Gives each visit a device: mostly the person's first, at times their second.

    A lent device is used only after its owner signed up and hours away from the owner's own visits,
    so that the next person to sign in on it is the visitor.
    """
    person = sessions.person
    device = people.first_device[person]
    second = people.second_device[person]
    on_second = (second >= 0) & (sessions.visit_kind == events.PRODUCT)
    on_second &= rng.random(len(person)) < 0.35
    borrowed = on_second & people.shares_device[person]
    if borrowed.any():
        owner = devices.owner[second]
        own = np.sort(person.astype(np.int64) << 44 | sessions.start_ms)
        signed_up = np.full(len(people), np.iinfo(np.int64).max)
        is_sign_up = sessions.visit_kind == events.SIGN_UP
        signed_up[person[is_sign_up]] = sessions.start_ms[is_sign_up]
        mine = owner.astype(np.int64) << 44 | sessions.start_ms
        place = np.searchsorted(own, mine)
        margin = 5 * 60 * MINUTE
        before = np.abs(mine - own[np.clip(place - 1, 0, len(own) - 1)]) > margin
        after = np.abs(own[np.clip(place, 0, len(own) - 1)] - mine) > margin
        settled = sessions.start_ms - DAY > np.minimum(signed_up[owner], np.iinfo(np.int64).max - 1)
        on_second &= ~borrowed | (before & after & settled)
        sessions.is_login[borrowed & on_second] = True
    old = people.old_device[person]
    on_old = (old >= 0) & (sessions.visit_kind == events.MARKETING)
    device = np.where(on_second, second, np.where(on_old, old, device))
    sessions.device[:] = device
    return sessions


def _linked(sessions: Sessions, people: People, renamed_at_ms: int) -> Sessions:
    """Numbers the visits, and ties each to the person's earlier ones where its messages need it."""
    size = len(sessions)
    sessions.number[:] = np.arange(size)
    sessions.sends_alias[:] = (sessions.visit_kind == events.SIGN_UP) & (
        people.old_device[sessions.person] >= 0
    )
    # People whose id changed say so on their first visit after it did.
    late = (sessions.visit_kind == events.PRODUCT) & (sessions.start_ms >= renamed_at_ms)
    late &= people.is_renamed[sessions.person]
    _, first = np.unique(sessions.person[late], return_index=True)
    switching = np.flatnonzero(late)[first]
    signed_up_before = np.zeros(len(people), dtype=np.bool_)
    before = (sessions.visit_kind == events.SIGN_UP) & (sessions.start_ms < renamed_at_ms)
    signed_up_before[sessions.person[before]] = True
    sessions.sends_alias[switching[signed_up_before[sessions.person[switching]]]] = True
    has_documents = np.flatnonzero(sessions.documents > 0)
    order = has_documents[np.argsort(sessions.person[has_documents], kind="stable")]
    same = sessions.person[order[1:]] == sessions.person[order[:-1]]
    sessions.earlier[order[1:][same]] = order[:-1][same]
    return sessions
