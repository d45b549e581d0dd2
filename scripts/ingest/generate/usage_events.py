"""What people do inside a session: the vocabulary of messages, and sessions turned into messages.

Everything is arrays, one element a message or a session; nothing here loops over events.
"""

from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

MINUTE = 60_000
DAY = 86_400_000


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of message; `old_name` is the track event's name in the first tracking plan."""

    name: str
    message_type: str
    old_name: str = ""
    is_server: bool = False
    is_anonymous: bool = False


KINDS = (
    Kind("identify", "identify"),
    Kind("group", "group"),
    Kind("alias", "alias"),
    Kind("Home", "page", is_anonymous=True),
    Kind("Pricing", "page", is_anonymous=True),
    Kind("Blog", "page", is_anonymous=True),
    Kind("Signup", "page", is_anonymous=True),
    Kind("Login", "page", is_anonymous=True),
    Kind("Documents", "page"),
    Kind("Upload", "page"),
    Kind("Editor", "page"),
    Kind("Settings", "page"),
    Kind("Signup Button Clicked", "track", "signup_click", is_anonymous=True),
    Kind("Signed Up", "track", "user_signed_up"),
    Kind("Signed In", "track", "login"),
    Kind("Signed Out", "track", "logout"),
    Kind("Account Created", "track", "workspace_created"),
    Kind("Account Added User", "track", "user_joined"),
    Kind("Account Removed User", "track", "user_removed", is_server=True),
    Kind("Invite Sent", "track", "user_invited"),
    Kind("Trial Started", "track", "trial_started"),
    Kind("Trial Ended", "track", "trial_ended", is_server=True),
    Kind("Document Uploaded", "track", "file_uploaded"),
    Kind("Document Processed", "track", "file_processed", is_server=True),
    Kind("Document Processing Failed", "track", "processing_failed", is_server=True),
    Kind("Document Downloaded", "track", "file_downloaded"),
    Kind("Document Edited", "track", "file_edited"),
    Kind("Document Commented", "track", "comment_added"),
    Kind("Document Shared", "track", "file_shared"),
    Kind("Documents Searched", "track", "search"),
    Kind("Folder Created", "track", "folder_created"),
    # In no tracking plan: an experiment that was shipped without review.
    Kind("Experiment Viewed", "track", "experiment_viewed"),
)
KIND = {kind.name: number for number, kind in enumerate(KINDS)}
IS_TRACK = np.array([kind.message_type == "track" for kind in KINDS])
IS_SERVER = np.array([kind.is_server for kind in KINDS])
IS_ANONYMOUS = np.array([kind.is_anonymous for kind in KINDS])


@dataclass(frozen=True, slots=True)
class Tool:
    """A way to process documents; `share` is relative to the other tools."""

    key: str
    share: float
    failure_rate: float
    seconds: float
    introduced_on: date = date(2024, 1, 1)


TOOLS = (
    Tool("merge", 0.17, 0.02, 3),
    Tool("split", 0.10, 0.02, 2),
    Tool("compress", 0.15, 0.03, 6),
    Tool("convert", 0.24, 0.06, 9),
    Tool("ocr", 0.11, 0.11, 24),
    Tool("sign", 0.12, 0.03, 4),
    Tool("protect", 0.04, 0.02, 2),
    Tool("redact", 0.04, 0.05, 8, date(2025, 3, 3)),
    Tool("translate", 0.03, 0.13, 31, date(2025, 11, 3)),
)
FAILURE_RATES = np.array([tool.failure_rate for tool in TOOLS])
TOOL_SECONDS = np.array([tool.seconds for tool in TOOLS])

PRODUCT, SIGN_UP, MARKETING, INVITE, TRIAL_ENDED, REMOVAL = range(6)

# Positions inside a session: its head, ten or so steps for each document, its tail.
_STEPS_A_DOCUMENT = 12
_FIRST_DOCUMENT = 20
_TAIL = 900
MAX_DOCUMENTS = 8


@dataclass(frozen=True, slots=True)
class Sessions:
    """Visits, one element each, ascending by start.

    `is_login` opens with a sign-in, `is_first` creates the workspace, `has_trial` starts its trial,
    `sends_alias` merges two ids, `earlier` is the previous visit with a document of the same person
    (-1 when there is none). `number` counts through the whole run.
    """

    number: Ints
    person: npt.NDArray[np.int32]
    device: npt.NDArray[np.int32]
    start_ms: Ints
    visit_kind: npt.NDArray[np.int8]
    documents: npt.NDArray[np.int8]
    is_login: Flags
    is_first: Flags
    has_trial: Flags
    sends_alias: Flags
    earlier: Ints

    def __len__(self) -> int:
        return len(self.person)

    def take(self, chosen: slice | Ints | Flags) -> "Sessions":
        """Some of the visits."""
        return Sessions(*(getattr(self, name)[chosen] for name in self.__dataclass_fields__))


@dataclass(frozen=True, slots=True)
class Messages:
    """Messages in the order of their visits; `at_ms` is when they happened, by a true clock.

    `document` numbers documents through the whole run (-1: about none), `tool` is a place in TOOLS.
    `room_ms` is how far the visit still goes on after the message.
    """

    visit: Ints
    kind: npt.NDArray[np.int16]
    at_ms: Ints
    room_ms: Ints
    document: Ints
    tool: npt.NDArray[np.int8]
    pages: npt.NDArray[np.int16]
    duration_ms: npt.NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.visit)


@dataclass(slots=True)
class _Parts:
    visit: list[Ints]
    position: list[Ints]
    kind: list[Ints]
    document: list[Ints]
    tool: list[Ints]

    def add(
        self,
        visit: Ints,
        position: int | Ints,
        kind: int | Ints,
        document: int | Ints = -1,
        tool: int | Ints = -1,
    ) -> None:
        for column, value in zip(
            (self.position, self.kind, self.document, self.tool),
            (position, kind, document, tool),
            strict=True,
        ):
            column.append(np.broadcast_to(np.asarray(value, dtype=np.int64), visit.shape))
        self.visit.append(visit)


def expand(sessions: Sessions, rng: np.random.Generator) -> Messages:
    """Every message of some visits."""
    parts = _Parts([], [], [], [], [])
    _add_heads(parts, sessions, rng)
    _add_documents(parts, sessions, rng)
    visit = np.concatenate(parts.visit)
    order = np.argsort(visit * 1000 + np.concatenate(parts.position), kind="stable")
    visit = visit[order]
    kind = np.concatenate(parts.kind)[order]
    tool = np.concatenate(parts.tool)[order]
    at_ms, room_ms = _clock(sessions, visit, kind, rng)
    seconds = TOOL_SECONDS[np.maximum(tool, 0)]
    return Messages(
        visit=visit,
        kind=kind.astype(np.int16),
        at_ms=at_ms,
        room_ms=room_ms,
        document=np.concatenate(parts.document)[order],
        tool=tool.astype(np.int8),
        pages=(1 + rng.geometric(0.12, len(visit))).clip(1, 400).astype(np.int16),
        duration_ms=(seconds * 1000 * rng.lognormal(0, 0.5, len(visit))).astype(np.int32),
    )


def _add_heads(parts: _Parts, sessions: Sessions, rng: np.random.Generator) -> None:
    size = len(sessions)
    every = np.arange(size)

    def some(chance: float) -> Flags:
        return rng.random(size) < chance

    def add(chosen: Flags, position: int, name: str) -> None:
        parts.add(every[chosen], position, KIND[name])

    product = sessions.visit_kind == PRODUCT
    login = product & sessions.is_login
    add(login, 0, "Login")
    add(login | (product & some(0.05)), 1, "identify")
    add(login, 2, "Signed In")
    add(sessions.sends_alias & product, 3, "alias")
    add(product & some(0.05), 4, "group")
    # A visit never is without a track event or a page, so that it leaves a trace.
    add(product, 5, "Documents")
    again = product & (sessions.earlier >= 0) & some(0.14)
    parts.add(every[again], 6, KIND["Document Downloaded"], sessions.earlier[again] * MAX_DOCUMENTS)
    # Who comes without a document of their own comes to look for one.
    idle = product & (sessions.documents == 0)
    add((product & some(0.1)) | (idle & some(0.6)), 7, "Documents Searched")
    add(product & some(0.05), 8, "Folder Created")
    add(product & some(0.006), 9, "Experiment Viewed")
    add(product & some(0.04), _TAIL, "Settings")
    add(product & some(0.08), _TAIL + 1, "Signed Out")

    sign_up = sessions.visit_kind == SIGN_UP
    add(sign_up & some(0.5), 0, "Signup Button Clicked")
    add(sign_up & some(0.8), 1, "Signup")
    add(sign_up, 2, "identify")
    add(sign_up & sessions.sends_alias, 3, "alias")
    add(sign_up, 4, "Signed Up")
    add(sign_up & sessions.is_first, 5, "Account Created")
    add(sign_up & sessions.has_trial, 6, "Trial Started")
    add(sign_up & ~sessions.is_first, 7, "Account Added User")
    add(sign_up & (sessions.is_first | some(0.5)), 8, "group")

    marketing = sessions.visit_kind == MARKETING
    add(marketing, 0, "Home")
    add(marketing & some(0.5), 1, "Pricing")
    add(marketing & some(0.4), 2, "Blog")
    for visit_kind, name in (
        (INVITE, "Invite Sent"),
        (TRIAL_ENDED, "Trial Ended"),
        (REMOVAL, "Account Removed User"),
    ):
        add(sessions.visit_kind == visit_kind, 0, name)


def _add_documents(parts: _Parts, sessions: Sessions, rng: np.random.Generator) -> None:
    counts = sessions.documents.astype(np.int64)
    visit = np.repeat(np.arange(len(sessions)), counts)
    size = len(visit)
    place = np.arange(size) - np.repeat(np.cumsum(counts) - counts, counts)
    document = sessions.number[visit] * MAX_DOCUMENTS + place
    first = _FIRST_DOCUMENT + place * _STEPS_A_DOCUMENT
    tool, second_tool = (_draw_tools(sessions.start_ms[visit], rng) for _ in range(2))

    def some(chance: float) -> Flags:
        return rng.random(size) < chance

    def add(chosen: Flags, step: int, kind: str | Ints, used: Ints | None = None) -> None:
        kinds = KIND[kind] if isinstance(kind, str) else kind[chosen]
        tools = -1 if used is None else used[chosen]
        parts.add(visit[chosen], first[chosen] + step, kinds, document[chosen], tools)

    def outcome(failed: Flags) -> Ints:
        return np.where(failed, KIND["Document Processing Failed"], KIND["Document Processed"])

    add(some(0.2), 0, "Upload")
    add(np.ones(size, dtype=np.bool_), 1, "Document Uploaded")
    add(some(0.25), 2, "Editor")
    is_processed = some(0.85)
    failed = rng.random(size) < FAILURE_RATES[tool]
    add(is_processed, 3, outcome(failed), tool)
    retried = is_processed & failed & some(0.7)
    failed_again = rng.random(size) < 0.25
    add(retried, 4, outcome(failed_again), tool)
    succeeded = is_processed & (~failed | (retried & ~failed_again))
    failed_second = rng.random(size) < FAILURE_RATES[second_tool]
    add(succeeded & some(0.18), 5, outcome(failed_second), second_tool)
    is_edited = some(0.22)
    add(is_edited, 6, "Document Edited")
    add(is_edited & some(0.4), 7, "Document Edited")
    add(some(0.1), 8, "Document Commented")
    add(some(0.16), 9, "Document Shared")
    add(succeeded & some(0.72), 11, "Document Downloaded")


def _draw_tools(at_ms: Ints, rng: np.random.Generator) -> Ints:
    """A tool each; before its introduction people convert instead."""
    shares = np.cumsum([tool.share for tool in TOOLS])
    drawn = np.searchsorted(shares / shares[-1], rng.random(len(at_ms)), side="right")
    since = np.array([(tool.introduced_on - date(1970, 1, 1)).days * DAY for tool in TOOLS])
    convert = next(number for number, tool in enumerate(TOOLS) if tool.key == "convert")
    return np.where(at_ms >= since[drawn], drawn, convert).astype(np.int64)


def _clock(
    sessions: Sessions, visit: Ints, kind: Ints, rng: np.random.Generator
) -> tuple[Ints, Ints]:
    """When each message happens: gaps of seconds and minutes, none as long as an idle half hour."""
    size = len(visit)
    gaps = 900 + rng.exponential(38_000, size)
    pauses = rng.random(size) < 0.05
    gaps[pauses] += rng.uniform(3, 20, int(pauses.sum())) * MINUTE
    gaps[IS_SERVER[kind]] = 800 + rng.exponential(9_000, int(IS_SERVER[kind].sum()))
    gaps = np.minimum(gaps, 25 * MINUTE)
    starts = np.flatnonzero(np.diff(visit, prepend=-1))
    gaps[starts] = 0
    lengths = np.diff(np.append(starts, size))
    elapsed = np.cumsum(gaps)
    elapsed -= np.repeat(elapsed[starts], lengths)
    totals = elapsed[starts + lengths - 1]
    longest = 150 * MINUTE
    shrink = np.repeat(np.minimum(1.0, longest / np.maximum(totals, 1.0)), lengths)
    # One millisecond a step keeps the order where the shrunk times would round to a tie.
    steps = np.arange(size) - np.repeat(starts, lengths)
    at_ms = sessions.start_ms[visit] + (elapsed * shrink).astype(np.int64) + steps
    return at_ms, np.repeat(at_ms[starts + lengths - 1], lengths) - at_ms
