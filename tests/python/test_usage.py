"""The simulated use of the product: its size, its rhythm, and what it says is true."""

from datetime import UTC, date, datetime

import numpy as np
import pytest

from ingest.generate import usage_events as events
from ingest.generate.arrivals import draw_arrivals
from ingest.generate.company import simulate
from ingest.generate.health import IDLE, level_at
from ingest.generate.records import Company
from ingest.generate.usage import DUPLICATE_SHARE, MESSAGE_TARGETS, Usage, simulate_usage
from ingest.generate.usage_events import DAY, Ints, Messages, Sessions
from ingest.generate.usage_truth import IDLE_MS, TruthCounter, UsageTruth

START, END = date(2024, 1, 1), date(2026, 9, 30)


@pytest.fixture(scope="module")
def company() -> Company:
    return simulate(7, START, END, "small")


@pytest.fixture(scope="module")
def usage(company: Company) -> Usage:
    return simulate_usage(company)


@pytest.fixture(scope="module")
def everything(usage: Usage) -> tuple[Sessions, Messages]:
    """All visits and messages in one piece."""
    ((_, _, sessions, messages),) = usage.chunks(10**9)
    return sessions, messages


@pytest.fixture(scope="module")
def truth(usage: Usage, everything: tuple[Sessions, Messages]) -> UsageTruth:
    counter = TruthCounter(usage)
    counter.add(*everything, draw_arrivals(usage, *everything, 0))
    return counter.result()


def product_starts(usage: Usage) -> Ints:
    """When each visit to the product by a customer's user began, in UTC milliseconds."""
    sessions = usage.sessions
    counted = usage.people.is_counted[sessions.person]
    starts: Ints = sessions.start_ms[(sessions.visit_kind == events.PRODUCT) & counted]
    return starts


@pytest.mark.parametrize("scale", ["tiny", "small", "medium"])
@pytest.mark.parametrize("seed", [7, 11])
def test_a_scale_holds_the_messages_it_promises(scale: str, seed: int) -> None:
    usage = simulate_usage(simulate(seed, START, END, scale))
    written = sum(len(messages) for _, _, _, messages in usage.chunks(500_000))
    assert written * (1 + DUPLICATE_SHARE) == pytest.approx(MESSAGE_TARGETS[scale], rel=0.03)


def test_use_repeats_to_the_message(company: Company, usage: Usage) -> None:
    again = simulate_usage(company)
    assert np.array_equal(again.sessions.start_ms, usage.sessions.start_ms)
    assert np.array_equal(again.devices.skew_ms, usage.devices.skew_ms)


def test_weekdays_carry_six_times_a_weekend_day(usage: Usage) -> None:
    weekday = (product_starts(usage) // DAY + 3) % 7  # 1 January 1970 was a Thursday
    visits = np.bincount(weekday, minlength=7)
    assert visits[:5].mean() > 6 * visits[5:].mean()
    assert visits[1:4].min() > 1.1 * visits[4], "Friday is the quietest working day"


def test_the_working_day_shows_in_local_hours(usage: Usage) -> None:
    sessions, people = usage.sessions, usage.people
    in_germany = np.array([account.country == "DE" for account in people.accounts] + [False])
    chosen = in_germany[people.account[sessions.person]] & (sessions.visit_kind == events.PRODUCT)
    # Central European time, summer time left aside: an hour's error at most.
    hour = (sessions.start_ms[chosen] // 3_600_000 + 1) % 24
    share = np.bincount(hour, minlength=24) / chosen.sum()
    assert share[7:18].sum() > 0.8
    assert share[:5].sum() < 0.03
    assert share[9:12].max() > 1.3 * share[12], "people have lunch"


def test_august_and_the_turn_of_the_year_are_quiet(usage: Usage) -> None:
    days = (product_starts(usage) - usage.start_ms) // DAY

    def weekly(first: date) -> int:
        offset = (first - START).days
        return int(((days >= offset) & (days < offset + 7)).sum())

    assert weekly(date(2025, 12, 24)) < 0.5 * weekly(date(2025, 12, 8))
    assert weekly(date(2025, 8, 11)) < 0.85 * weekly(date(2025, 10, 13))


@pytest.fixture(scope="module")
def many() -> tuple[Company, Usage]:
    """A company in which enough accounts leave."""
    medium = simulate(7, START, END, "medium")
    return medium, simulate_usage(medium)


def _visits_before(company: Company, usage: Usage) -> dict[int, list[int]]:
    """Visits of accounts that left after eight months, in each of the seven months before that."""
    ends = {
        life.account_key: life.churned_at.replace(tzinfo=UTC).timestamp() * 1000
        for life in company.lifecycles
        if life.churned_at and (life.churned_at - life.workspace_opened_at).days > 240
    }
    sessions, people = usage.sessions, usage.people
    found = {}
    for place, account in enumerate(people.accounts):
        if account.key in ends:
            own = (people.account[sessions.person] == place) & (
                sessions.visit_kind == events.PRODUCT
            )
            months = (ends[account.key] - sessions.start_ms[own]) // (30 * DAY)
            found[account.key] = np.bincount(months[months < 7].astype(int), minlength=7).tolist()
    return found


def test_use_falls_over_months_before_an_account_leaves(many: tuple[Company, Usage]) -> None:
    visits = _visits_before(*many)
    assert len(visits) > 30
    last, before, *_, sixth, seventh = np.array(list(visits.values())).sum(axis=0).tolist()
    assert last < before < (sixth + seventh) / 2
    assert last < 0.5 * (sixth + seventh) / 2


def test_accounts_leave_in_several_ways(many: tuple[Company, Usage]) -> None:
    """Some have no one left for months, some go on as ever; and some who stay do nothing."""
    company, _ = many
    used = {key: visits for key, visits in _visits_before(*many).items() if visits[6] > 5}
    kept = [sum(visits[:2]) / (2 * visits[6]) for visits in used.values()]
    assert sum(share < 0.15 for share in kept) > 2
    assert sum(share > 0.7 for share in kept) > 2
    assert sum(0.15 <= share <= 0.7 for share in kept) > 2
    idle = [
        life
        for life in company.lifecycles
        if life.paid_from and not life.churned_at and level_at(life.health, company.end_at) <= IDLE
    ]
    assert len(idle) > 2


def test_use_grows_after_sign_up(usage: Usage) -> None:
    sessions = usage.sessions
    signed_up = np.full(len(usage.people), np.iinfo(np.int64).max // 2)
    is_sign_up = sessions.visit_kind == events.SIGN_UP
    signed_up[sessions.person[is_sign_up]] = sessions.start_ms[is_sign_up]
    age = (sessions.start_ms - signed_up[sessions.person]) // DAY
    product = sessions.visit_kind == events.PRODUCT
    assert (product & (age >= 28) & (age < 42)).sum() > 1.3 * (product & (age < 14)).sum()


def test_nobody_uses_the_product_before_sign_up_or_after_leaving(usage: Usage) -> None:
    sessions, users = usage.sessions, usage.people.users
    product = (sessions.visit_kind == events.PRODUCT) & (sessions.person < len(users))
    joined = np.array([user.signed_up_at.replace(tzinfo=UTC).timestamp() for user in users])
    assert (sessions.start_ms[product] / 1000 > joined[sessions.person[product]]).all()
    left = np.array(
        [user.left_at.replace(tzinfo=UTC).timestamp() if user.left_at else np.inf for user in users]
    )
    assert (sessions.start_ms[product] / 1000 <= left[sessions.person[product]]).all()


def test_messages_of_a_visit_follow_each_other_within_the_idle_limit(
    everything: tuple[Sessions, Messages],
) -> None:
    sessions, messages = everything
    same = np.diff(messages.visit) == 0
    gaps = np.diff(messages.at_ms)[same]
    assert gaps.min() > 0
    assert gaps.max() < IDLE_MS
    assert (messages.at_ms >= sessions.start_ms[messages.visit]).all()


def test_documents_go_through_their_life_in_order(everything: tuple[Sessions, Messages]) -> None:
    _, messages = everything
    first: dict[str, np.ndarray] = {}
    for name in ("Document Uploaded", "Document Processed"):
        chosen = messages.kind == events.KIND[name]
        document, place = np.unique(messages.document[chosen], return_index=True)
        times = np.full(int(messages.document.max()) + 1, -1)
        times[document] = messages.at_ms[chosen][place]
        first[name] = times
    both = (first["Document Uploaded"] >= 0) & (first["Document Processed"] >= 0)
    assert both.sum() > 1_000
    assert (first["Document Processed"] > first["Document Uploaded"])[both].all()
    assert ((first["Document Uploaded"] < 0) & (first["Document Processed"] >= 0)).sum() == 0


def test_a_tool_is_not_used_before_its_introduction(
    everything: tuple[Sessions, Messages],
) -> None:
    _, messages = everything
    for number, tool in enumerate(events.TOOLS):
        used = messages.at_ms[messages.tool == number]
        opened = datetime.combine(tool.introduced_on, datetime.min.time(), tzinfo=UTC)
        assert used.size > 50, tool.key
        # A visit may run past the midnight on which the tool appears.
        assert used.min() >= opened.timestamp() * 1000 - 3 * 3_600_000


def test_a_lent_device_is_quiet_around_its_borrower(usage: Usage) -> None:
    """Otherwise anonymous messages on it could belong to either of the two."""
    sessions, devices = usage.sessions, usage.devices
    borrowed = np.flatnonzero(sessions.person != devices.owner[sessions.device])
    assert borrowed.size > 5
    for visit in borrowed.tolist():
        near = np.abs(sessions.start_ms - sessions.start_ms[visit]) < 4 * 3_600_000
        on_it = near & (sessions.device == sessions.device[visit])
        assert set(sessions.person[on_it].tolist()) == {int(sessions.person[visit])}


def test_truth_counts_each_person_once_a_window(truth: UsageTruth) -> None:
    for _, dau, wau, mau in truth.active_users_daily:
        assert dau <= wau <= mau
    assert max(mau for *_, mau in truth.active_users_daily) > 100
    assert all(known <= total for _, total, known in truth.sessions_daily)


def test_truth_does_not_depend_on_how_the_days_are_cut(usage: Usage) -> None:
    sizes = []
    for size in (20_000, 100_000):
        counter = TruthCounter(usage)
        for number, (_, _, sessions, messages) in enumerate(usage.chunks(size)):
            counter.add(sessions, messages, draw_arrivals(usage, sessions, messages, number))
        sizes.append(len(counter.result().sessions_daily))
    assert sizes[0] == sizes[1] == (END - START).days + 1
