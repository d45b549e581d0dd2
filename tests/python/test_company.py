"""The simulated company repeats, grows as companies do, and holds together."""

from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from functools import cache
from itertools import pairwise
from statistics import mean, median, quantiles

import pytest

from ingest.errors import UsageError
from ingest.generate.company import ACCOUNT_COUNTS, simulate
from ingest.generate.contracts import Contract
from ingest.generate.deal_desk import annual_value
from ingest.generate.deals import NEW
from ingest.generate.records import Company
from ingest.generate.stories import STORIES

START, END = date(2024, 1, 1), date(2026, 9, 30)


@cache
def company(scale: str = "small", seed: int = 7) -> Company:
    return simulate(seed, START, END, scale)


def _bought(scale: str) -> list[Contract]:
    """Contracts of chance, without those of the stories."""
    chance = company(scale).contracts.items()
    return [contract for key, bought in chance if key > len(STORIES) for contract in bought]


def test_the_same_arguments_give_the_same_company() -> None:
    assert simulate(7, START, END, "tiny") == simulate(7, START, END, "tiny")
    assert simulate(7, START, END, "tiny") != simulate(8, START, END, "tiny")


def test_a_larger_scale_keeps_the_accounts_of_the_smaller() -> None:
    """All but the representatives, of whom a larger company has more."""
    small, large = company("tiny"), company("small")
    assert len(small.accounts) == ACCOUNT_COUNTS["tiny"]
    for one, other in zip(small.accounts, large.accounts, strict=False):
        assert replace(one, owner_key=0) == replace(other, owner_key=0)
    assert all(small.contracts[key] == large.contracts[key] for key in small.contracts)
    assert set(small.users) <= set(large.users)


def test_arguments_that_make_no_company_are_refused() -> None:
    with pytest.raises(UsageError, match="unknown scale 'huge'"):
        simulate(7, START, END, "huge")
    with pytest.raises(UsageError, match="at least 31 days"):
        simulate(7, START, START + timedelta(days=9), "tiny")


def test_every_story_has_its_account() -> None:
    keys = [account.key for account in company("tiny").accounts][: len(STORIES)]
    assert keys == list(range(1, len(STORIES) + 1))
    assert len({story.name for story in STORIES}) == len(STORIES)
    missing = [
        story.name
        for key, story in enumerate(STORIES, start=1)
        if story.script and not company("tiny").contracts[key]
    ]
    assert not missing


def test_deal_sizes_have_a_long_tail() -> None:
    values = [float(annual_value(c)) for c in _bought("medium") if c.currency == "USD"]
    tenths = quantiles(values, n=10)
    assert len(values) > 200
    assert mean(values) > 2 * median(values)
    assert tenths[8] > 5 * tenths[4]
    assert tenths[0] < median(values) / 3


def test_contracts_are_mostly_monthly_for_small_and_yearly_for_large_customers() -> None:
    segments = {account.key: account.segment for account in company("medium").accounts}
    lengths: dict[str, Counter[str]] = {}
    for key, bought in company("medium").contracts.items():
        for contract in bought if key > len(STORIES) else ():
            lengths.setdefault(segments[key], Counter())[contract.interval] += 1
    share = {name: count["year"] / count.total() for name, count in lengths.items()}
    assert share["smb"] < 0.25 < share["mid_market"] < 0.55 < share["enterprise"]


def test_churn_falls_with_tenure() -> None:
    """Of the contracts alive at the start of a month of tenure, the share that ends in it."""
    alive, ended = Counter[int](), Counter[int]()
    for contract in _bought("medium"):
        if contract.pays_from is None:
            continue
        last = min(contract.ended_at or company("medium").end_at, company("medium").end_at)
        months = (last - contract.pays_from).days // 30
        alive.update(range(months + 1))
        if contract.ended_at and contract.ended_at < company("medium").end_at:
            ended[months] += 1

    def rate(tenures: range) -> float:
        return sum(ended[t] for t in tenures) / sum(alive[t] for t in tenures)

    assert rate(range(1, 5)) > 1.5 * rate(range(5, 12))
    assert rate(range(1, 5)) > 3 * rate(range(13, 24))
    assert 0.005 < rate(range(1, 24)) < 0.06


def test_accounts_come_faster_with_time_in_season_and_on_working_days() -> None:
    days = [account.created_at for account in company("medium").accounts[len(STORIES) :]]
    years = Counter(day.year for day in days)
    assert years[2025] > 1.2 * years[2024]
    months = Counter(day.month for day in days if day.year < 2026)
    assert months[9] > 1.4 * months[8]
    weekdays = Counter(day.weekday() for day in days)
    assert max(weekdays[5], weekdays[6]) < 0.6 * min(weekdays[day] for day in range(5))


def test_a_won_deal_precedes_every_contract_that_a_representative_sold() -> None:
    found = company()
    won: dict[int, list[date]] = {}
    for deal in found.deals:
        if deal.is_won:
            won.setdefault(deal.account_key, []).append(deal.history[-1].close_date)
    for account in found.accounts:
        if account.is_self_serve:
            assert account.key not in won
        elif account.in_salesforce and not (account.is_internal or account.is_test):
            for contract in found.contracts[account.key]:
                created = contract.created_at.date()
                assert any(close <= created for close in won[account.key]), account


def test_booked_values_mostly_agree_with_the_contract_but_not_always() -> None:
    found = company("medium")
    first = {deal.account_key: deal for deal in reversed(found.deals) if deal.is_won}
    agrees = Counter[str]()
    for key, bought in found.contracts.items():
        if bought and key in first:
            amount = first[key].history[-1].amount
            agrees["missing" if amount is None else str(amount == annual_value(bought[0]))] += 1
    share = {word: count / agrees.total() for word, count in agrees.items()}
    assert share["True"] > 0.75
    assert 0.02 < share["missing"] < 0.12
    assert 0.04 < share["False"] < 0.2


def test_upgrades_are_worth_the_seats_they_add() -> None:
    """Where nothing but growth of one plan happens, all of them are at most the growth's list."""
    found = company("medium")
    compared = 0
    for key, bought in found.contracts.items():
        steps = [step for contract in bought for step in contract.steps if "seats" in step.terms]
        seats = [step.terms["seats"] for step in steps if "code" not in step.terms]
        if len(bought) != 1 or any(step.verb == "change_plan" for step in bought[0].steps):
            continue
        won = [deal for deal in found.deals if deal.account_key == key and deal.is_won]
        upgrades = [deal.history[-1].amount for deal in won if deal.deal_type.endswith("Upgrade")]
        if not upgrades or sorted(seats) != seats or seats[0] < bought[0].seats:
            continue
        alone = replace(bought[0], add_ons=())
        growth = annual_value(replace(alone, seats=seats[-1])) - annual_value(alone)
        assert 0 < sum(amount or 0 for amount in upgrades) <= growth
        compared += 1
    assert compared > 50


def test_deals_skip_regress_reopen_and_push() -> None:
    new = [deal for deal in company().deals if deal.deal_type == NEW]
    stages = [[change.stage_name for change in deal.history] for deal in new]
    order = list(dict.fromkeys(stage for walk in stages for stage in walk if "Closed" not in stage))
    assert any("Closed Lost" in walk[:-1] for walk in stages), "none reopened"
    assert any(len(walk) < 7 and walk[-1] == "Closed Won" for walk in stages), "none skipped"
    assert any(
        order.index(after) < order.index(before)
        for walk in stages
        for before, after in pairwise(walk)
        if "Closed" not in before + after
    ), "none regressed"
    pushes = sum(
        after.close_date > before.close_date
        for deal in company().deals
        for before, after in pairwise(deal.history)
    )
    assert pushes > 50


def test_deal_histories_run_forward_and_stop_at_the_end() -> None:
    for deal in company().deals:
        times = [change.changed_at for change in deal.history]
        assert times == sorted(times)
        assert times[0] == deal.created_at
        assert times[-1] < company().end_at
        assert deal.is_won == (deal.history[-1].probability == 100)


def test_representatives_leave_and_keep_their_deals() -> None:
    left = {rep.key for rep in company().reps if rep.left_at}
    assert left
    assert any(deal.owner_key in left for deal in company().deals)


def test_users_belong_to_the_time_of_their_workspace() -> None:
    lives = {life.account_key: life for life in company().lifecycles}
    for user in company().users:
        life = lives[user.account_key]
        assert life.workspace_opened_at <= user.signed_up_at < company().end_at
        assert user.left_at is None or user.left_at >= user.signed_up_at
        if life.churned_at:
            assert user.left_at is not None
            assert user.left_at <= life.churned_at


def test_the_kinds_of_account_that_make_joins_hard_are_there() -> None:
    accounts = company("tiny").accounts
    sold = company("tiny").contracts
    assert any(not a.in_salesforce and sold[a.key] for a in accounts), "self-serve"
    assert any(a.in_salesforce and not sold[a.key] for a in accounts), "prospects"
    assert any(a.merged_into_key and sold[a.key] for a in accounts), "merged after buying"
    assert any(a.parent_key for a in accounts), "subsidiaries"
    assert any(a.is_internal for a in accounts)
    assert any(a.is_test for a in accounts)
    assert {a.link_stripe for a in accounts} == {"id", "domain", "name", "none"}
    assert {a.currency for a in accounts} >= {"USD", "EUR", "GBP", "JPY", "KWD", "SEK"}
