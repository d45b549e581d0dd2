"""The usage that tests compare with, counted from the simulation's own clock and people.

- a session is a person's messages of all types with no gap of 30 minutes or more, counted on the
  UTC day on which it starts;
- anonymous messages belong to the person who signs in next on that device, and a visitor who
  never does is a person too;
- a session has the channel of its first page in a browser;
- active is a person with a track message; WAU and MAU look back over 7 and 30 days, today included;
- bots, internal users and test workspaces are left out.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import numpy as np
import numpy.typing as npt

from ingest.generate import usage_events as events
from ingest.generate.arrivals import ARRIVALS, has_referrer
from ingest.generate.usage import Usage
from ingest.generate.usage_events import DAY, MINUTE, Ints, Messages, Sessions
from ingest.generate.usage_people import account_links

IDLE_MS = 30 * MINUTE


@dataclass(frozen=True, slots=True)
class UsageTruth:
    """What the pipeline has to find out; days are UTC.

    `sessions_daily` rows: day, sessions, sessions of known users (visitors left out).
    `sessions_by_channel` rows: channel, sessions; `unknown` are those without a page.
    `active_users_daily` rows: day, DAU, WAU, MAU.
    `events` rows: canonical name, track messages, those of them by customers' users.
    `account_links` rows: account key, groupId, how it is tied to the account.
    """

    sessions_daily: tuple[tuple[date, int, int], ...]
    sessions_by_channel: tuple[tuple[str, int], ...]
    active_users_daily: tuple[tuple[date, int, int, int], ...]
    events: tuple[tuple[str, int, int], ...]
    account_links: tuple[tuple[int, str, str], ...]


class TruthCounter:
    """Counts the truth from messages as they are made, a chunk at a time."""

    def __init__(self, usage: Usage) -> None:
        self._usage = usage
        self._moments: list[Ints] = []
        self._pages: list[Ints] = []
        self._arrivals: list[npt.NDArray[np.int8]] = []
        self._active: list[Ints] = []
        self._events = np.zeros((len(events.KINDS), 2), dtype=np.int64)

    def add(self, sessions: Sessions, messages: Messages, arrivals: npt.NDArray[np.int8]) -> None:
        """Counts the messages of some visits, whose pages were reached by these arrivals."""
        usage = self._usage
        person = sessions.person[messages.visit].astype(np.int64)
        counted = usage.people.is_counted[person]
        since_start = messages.at_ms - usage.start_ms
        moments = person << 38 | since_start
        self._moments.append(moments[counted])
        page = counted & has_referrer(usage, sessions, messages)
        self._pages.append(moments[page])
        self._arrivals.append(arrivals[page])
        track = events.IS_TRACK[messages.kind]
        self._events[:, 0] += np.bincount(messages.kind, minlength=len(events.KINDS))
        self._events[:, 1] += np.bincount(messages.kind[counted], minlength=len(events.KINDS))
        self._active.append(np.unique((person << 12 | since_start // DAY)[counted & track]))

    def result(self) -> UsageTruth:
        """The truth over all that was added."""
        usage = self._usage
        days = (usage.end_ms - usage.start_ms) // DAY
        moments = np.sort(np.concatenate(self._moments))
        # A person's number is in the high bits, so that a change of person is a long gap too.
        starts = moments[np.diff(moments, prepend=np.int64(-IDLE_MS)) >= IDLE_MS]
        person, day = starts >> 38, (starts & ((1 << 38) - 1)) // DAY
        visitor = usage.people.is_visitor[person]
        sessions = np.bincount(day, minlength=days)
        known = np.bincount(day[~visitor], minlength=days)
        active = np.unique(np.concatenate(self._active))
        first_day = datetime.fromtimestamp(usage.start_ms / 1000, UTC).date()
        dates = [first_day + timedelta(days=int(number)) for number in range(days)]
        reach = [_reach(active, int(days), width).tolist() for width in (1, 7, 30)]
        return UsageTruth(
            sessions_daily=tuple(zip(dates, sessions.tolist(), known.tolist(), strict=True)),
            sessions_by_channel=self._by_channel(starts),
            active_users_daily=tuple(zip(dates, *reach, strict=True)),
            events=tuple(
                (kind.name, int(self._events[number, 0]), int(self._events[number, 1]))
                for number, kind in enumerate(events.KINDS)
                if kind.message_type == "track"
            ),
            account_links=tuple(account_links(usage.people, usage.seed)),
        )

    def _by_channel(self, starts: Ints) -> tuple[tuple[str, int], ...]:
        """Sessions by channel, from the moments at which they start, ascending."""
        pages = np.concatenate(self._pages)
        order = np.argsort(pages, kind="stable")
        # A session's first page is the first one from its start on, if no other starts before it.
        first = np.searchsorted(pages[order], starts)
        in_reach = np.append(pages[order], np.iinfo(np.int64).max)[first]
        has_page = in_reach < np.append(starts[1:], np.iinfo(np.int64).max)
        arrival = np.concatenate(self._arrivals)[order][first[has_page]]
        counts = Counter({"unknown": int((~has_page).sum())})
        for place, count in enumerate(np.bincount(arrival, minlength=len(ARRIVALS)).tolist()):
            counts[ARRIVALS[place].channel] += count
        return tuple(sorted(counts.items()))


def _reach(active: Ints, days: int, width: int) -> Ints:
    """People active in the `width` days up to each day; `active` is person and day, ascending."""
    person, day = active >> 12, active & 4095
    following = np.append(day[1:], 0)
    same = np.append(person[1:] == person[:-1], False)
    until = np.where(same, np.minimum(following, day + width), day + width)
    change = np.bincount(day, minlength=days + 1)[: days + 1]
    change = change - np.bincount(np.minimum(until, days), minlength=days + 1)
    return np.cumsum(change)[:days]
