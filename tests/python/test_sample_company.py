"""The small company reads like a real one: a range for each figure that `sample-company.md` names.

Everything is measured on the simulation, whose results the other tests find again in the marts.
"""

import csv
from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from statistics import median
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from harness import PROJECT
from ingest.cli import main
from ingest.generate.arrivals import draw_arrivals
from ingest.generate.billing import bill
from ingest.generate.company import simulate
from ingest.generate.crm import Projection
from ingest.generate.deals import NEW, RENEWAL, UPGRADE
from ingest.generate.figures import closing_figures, stickiness, win_rate
from ingest.generate.health import level_at
from ingest.generate.ledger import Ledger
from ingest.generate.plans import MINOR_DIGITS, minor_units
from ingest.generate.records import Company, Deal, Lifecycle
from ingest.generate.segment import CHUNK_MESSAGES
from ingest.generate.truth import monthly_mrr_rows
from ingest.generate.usage import Usage, simulate_usage
from ingest.generate.usage_events import DAY, PRODUCT, Ints
from ingest.generate.usage_truth import TruthCounter, UsageTruth
from ingest.generate.world import COUNTRIES, zone_of

START, END = date(2024, 1, 1), date(2026, 9, 30)
SEGMENTS = ("smb", "mid_market", "enterprise")
_MONTH = 30 * DAY


@pytest.fixture(scope="module")
def company() -> Company:
    return simulate(7, START, END, "small")


@pytest.fixture(scope="module")
def ledger(company: Company) -> Ledger:
    return bill(company, failure_rate=0.065)


@pytest.fixture(scope="module")
def usage(company: Company) -> Usage:
    return simulate_usage(company)


@pytest.fixture(scope="module")
def truth(usage: Usage) -> UsageTruth:
    counter = TruthCounter(usage)
    for number, (_, _, sessions, messages) in enumerate(usage.chunks(CHUNK_MESSAGES)):
        counter.add(sessions, messages, draw_arrivals(usage, sessions, messages, number))
    return counter.result()


@pytest.fixture(scope="module")
def paying(company: Company) -> list[int]:
    """The keys of the accounts that pay at the end."""
    return [
        life.account_key
        for life in company.lifecycles
        if life.paid_from and life.paid_from < company.end_at and not life.churned_at
    ]


def _closed(company: Company) -> list[Deal]:
    return [
        deal
        for deal in company.deals
        if deal.history[-1].stage_name.startswith("Closed") and deal.deleted_at is None
    ]


def _active(usage: Usage, until_ms: int, accounts: set[int]) -> tuple[Ints, Ints]:
    """For people of some accounts in 30 days: the account of each, and of each active day."""
    sessions, people = usage.sessions, usage.people
    keys = np.array([account.key for account in people.accounts] + [-1])
    account = keys[people.account[sessions.person]]
    chosen = (sessions.visit_kind == PRODUCT) & np.isin(account, list(accounts))
    chosen &= (sessions.start_ms >= until_ms - _MONTH) & (sessions.start_ms < until_ms)
    pairs = np.unique(
        np.stack([account[chosen], sessions.person[chosen], sessions.start_ms[chosen] // DAY]),
        axis=1,
    )
    everybody = np.unique(pairs[:2], axis=1)
    return everybody[0], pairs[0]


def _seats(life: Lifecycle, moment: datetime) -> int:
    return [change.seat_count for change in life.seats if change.changed_at <= moment][-1]


def test_stickiness_is_ten_to_twenty_five_percent(truth: UsageTruth) -> None:
    for year in (-365, -730):
        assert 0.10 < stickiness(truth.active_users_daily[year : year + 365 or None]) < 0.25


def test_stickiness_is_higher_in_larger_accounts(company: Company, usage: Usage) -> None:
    shares = []
    for segment in SEGMENTS:
        keys = {account.key for account in company.accounts if account.segment == segment}
        months = [_active(usage, usage.end_ms - n * _MONTH, keys) for n in range(6)]
        shares.append(sum(len(days) for _, days in months) / 30 / sum(len(p) for p, _ in months))
    assert 0.10 < shares[0] < shares[2] < 0.25
    assert shares[0] < shares[1]


def test_weekends_are_quiet(truth: UsageTruth) -> None:
    days = Counter[bool]()
    for day, dau, _, _ in truth.active_users_daily[-365:]:
        days[day.weekday() >= 5] += dau
    assert days[False] / 5 > 4 * days[True] / 2


def test_about_half_of_the_paid_seats_are_used_in_a_month(
    company: Company, usage: Usage, paying: list[int]
) -> None:
    lives = {life.account_key: life for life in company.lifecycles}
    for months_ago in (0, 3, 6):
        until = company.end_at - timedelta(days=30 * months_ago)
        keys = {key for key in paying if lives[key].workspace_opened_at < until - timedelta(30)}
        users, _ = _active(usage, usage.end_ms - months_ago * _MONTH, keys)
        seats = sum(_seats(lives[key], until) for key in keys)
        assert 0.45 < len(users) / seats < 0.75


def test_seats_are_cut_where_they_were_little_used_and_added_where_they_were(
    company: Company,
) -> None:
    levels = defaultdict(list)
    for contracts in company.contracts.values():
        for contract in contracts:
            held = contract.seats
            for step in contract.steps if contract.health else ():
                if step.verb == "set_quantity":
                    before = step.at - timedelta(days=45)
                    levels[step.terms["seats"] > held].append(level_at(contract.health, before))
                    held = step.terms["seats"]
    assert min(len(levels[False]), len(levels[True])) > 15
    assert median(levels[False]) < 0.75 * median(levels[True])


def test_payments_fail_more_often_where_the_product_is_little_used(
    company: Company, ledger: Ledger
) -> None:
    rates = defaultdict(list)
    for invoice in ledger.invoices.values():
        if invoice.reason == "subscription_cycle" and invoice.attempts:
            health = ledger.subscriptions[str(invoice.subscription_key)].contract.health
            if health:
                is_low = level_at(health, invoice.created_at) < 0.5
                rates[is_low].append(not invoice.attempts[0].is_successful)
    low, usual = (sum(rates[is_low]) / len(rates[is_low]) for is_low in (True, False))
    assert usual < low < 0.25
    cards = [i for i in ledger.invoices.values() if i.days_until_due is None and i.attempts]
    failed = sum(not invoice.attempts[0].is_successful for invoice in cards)
    assert 0.04 < failed / len(cards) < 0.10
    assert company.accounts


def test_win_rates_differ_by_the_kind_of_deal(company: Company) -> None:
    assert 0.15 < win_rate(company.deals, NEW) < 0.30
    assert 0.50 < win_rate(company.deals, UPGRADE) < 0.70
    assert 0.85 < win_rate(company.deals, RENEWAL) < 0.95
    qualified = [
        deal
        for deal in company.deals
        if any("Closed" not in c.stage_name != "Prospecting" for c in deal.history)
    ]
    assert 0.20 < win_rate(qualified, NEW) < 0.30


def test_most_deals_are_lost_early(company: Company) -> None:
    stages = Counter(d.history[-2].stage_name for d in _closed(company) if not d.is_won)
    early = sum(stages[name] for name in ("Prospecting", "Qualification", "Needs Analysis"))
    assert stages["Prospecting"] > 0.2 * stages.total()
    assert early > 0.5 * stages.total()


def test_deals_are_closed_in_office_hours_and_at_the_end_of_periods(company: Company) -> None:
    reps = {rep.key: rep for rep in company.reps}
    local, closings = [], []
    for deal in _closed(company):
        rep = reps[deal.owner_key]
        at = deal.history[-1].changed_at
        zone = ZoneInfo(zone_of(rep.country, rep.key))
        local.append(at.replace(tzinfo=UTC).astimezone(zone))
        if deal.deal_type == NEW:
            closings.append(at)
    assert sum(at.weekday() >= 5 for at in local) <= 0.01 * len(local)
    assert sum(7 <= at.hour <= 18 for at in local) > 0.97 * len(local)
    last_days = [(at + timedelta(days=5)).month != at.month for at in closings]
    assert sum(last_days) / len(last_days) > 1.5 * 5 / 30.4
    quarters = Counter(
        (at.month % 3 == 0, late) for at, late in zip(closings, last_days, strict=True)
    )
    share = {q: quarters[q, True] / (quarters[q, True] + quarters[q, False]) for q in (True, False)}
    assert share[True] > share[False]


def test_referrals_and_inbound_win_more_than_bought_lists(company: Company) -> None:
    won = defaultdict(list)
    for deal in _closed(company):
        if deal.deal_type == NEW:
            won[deal.lead_source].append(deal.is_won)
    rate = {source: sum(found) / len(found) for source, found in won.items()}
    assert min(len(found) for found in won.values()) > 30
    assert rate["Partner Referral"] > rate["Web"] > 1.5 * rate["Purchased List"]
    assert rate["Phone Inquiry"] > rate["Other"]


def test_annual_contracts_renew_by_a_deal(company: Company) -> None:
    renewals = Counter(deal.account_key for deal in company.deals if deal.deal_type == RENEWAL)
    sold = {a.key for a in company.accounts if a.in_salesforce and not a.is_self_serve}
    due = 0
    for key, contracts in company.contracts.items():
        for contract in contracts if key in sold else ():
            renews_at = contract.period_start(1)
            ended = contract.ended_at or datetime.max
            if contract.interval == "year" and renews_at <= min(ended, company.end_at):
                due += 1
                assert renewals[key], key
    assert due > 15


def test_nearly_every_payer_has_an_account_in_the_crm(company: Company, paying: list[int]) -> None:
    accounts = {account.key: account for account in company.accounts}
    known = [key for key in paying if accounts[key].in_salesforce]
    assert len(known) > 0.92 * len(paying) > 100
    assert all(accounts[key].employee_count > 0 for key in known)


def test_use_declines_over_months_in_several_ways() -> None:
    """Of the contracts that end: the level one and five months before, against eight before.

    At medium, where enough contracts end after that long.
    """
    kept = []
    for contracts in simulate(7, START, END, "medium").contracts.values():
        for contract in contracts:
            ended = contract.ended_at
            if contract.health and ended and (ended - contract.created_at).days > 250:
                last, early, usual = (
                    level_at(contract.health, ended - timedelta(days=days))
                    for days in (30, 150, 240)
                )
                kept.append((last / usual, early / usual))
    assert len(kept) > 30
    falls = [early for last, early in kept if last < 0.5]
    assert 0.6 * len(kept) < len(falls) < 0.95 * len(kept)
    assert min(sum(early > 0.8 for early in falls), sum(early < 0.8 for early in falls)) >= 2


def test_coupons_are_used_often_enough_to_judge_them(ledger: Ledger) -> None:
    used = {(discount.coupon.code, discount.customer_key) for discount in ledger.discounts.values()}
    accounts = Counter(code for code, _ in used)
    assert sum(count >= 10 for count in accounts.values()) >= 4


def test_growth_continues_to_the_end(company: Company, ledger: Ledger) -> None:
    first: dict[object, str] = {}
    payers = Counter[str]()
    for key, _, month, _, _ in monthly_mrr_rows(company, ledger):
        first[key] = min(first.get(key, str(month)), str(month))
        payers[str(month)] += 1
    new = Counter(first.values())
    months = sorted(payers)[-12:]
    assert all(new[month] >= 1 for month in months)
    assert sum(new[month] for month in months[-6:]) > 20
    assert payers[months[-1]] > 1.2 * payers[months[0]]


def test_a_typical_representative_attains_most_of_the_quota(company: Company) -> None:
    projection = Projection(company)
    booked: dict[tuple[str, str], float] = defaultdict(float)
    emails = {rep.key: rep.email for rep in company.reps}
    for deal in _closed(company):
        amount = deal.history[-1].amount
        if deal.is_won and amount:
            closed_on = deal.history[-1].close_date
            quarter = date(closed_on.year, closed_on.month - (closed_on.month - 1) % 3, 1)
            minor = minor_units(Fraction(1000), deal.currency) / 1000
            rate = float(minor) / 10 ** MINOR_DIGITS.get(deal.currency, 2)
            owner = projection.owner_after(deal.owner_key, deal.history[-1].changed_at, deal.key)
            booked[emails[owner], quarter.isoformat()] += float(amount) / rate
    with (PROJECT / "seeds/sales_quotas.csv").open() as file:
        quotas = [row for row in csv.DictReader(file) if row["quarter_start_date"] < "2026-09"]
    assert {row["sales_rep_email"] for row in quotas} == set(emails.values())
    attained = [
        booked[row["sales_rep_email"], row["quarter_start_date"]] / float(row["quota_usd"])
        for row in quotas
    ]
    assert 0.6 < median(attained) < 1.1
    total = sum(float(row["quota_usd"]) for row in quotas)
    assert 0.6 < sum(booked.values()) / total < 1.1


def test_the_company_sells_to_a_world(company: Company) -> None:
    accounts = Counter(account.country for account in company.accounts)
    assert len(accounts) >= 10
    assert 0.35 < accounts["US"] / accounts.total() < 0.65
    for account in company.accounts:
        home = COUNTRIES[account.country]
        assert account.currency == home.currency
        assert account.merged_into_key or account.name.endswith(home.forms)
    assert len({rep.country for rep in company.reps}) > 2
    users = [user for user in company.users if not user.is_internal]
    german = {a.key for a in company.accounts if a.country == "DE"}
    own = [u.last_name in COUNTRIES["DE"].last_names for u in users if u.account_key in german]
    assert 0.8 < sum(own) / len(own) < 1


def test_ten_figures_close_a_run(company: Company, ledger: Ledger, truth: UsageTruth) -> None:
    """The page shows them for the small company as the command prints them."""
    figures = closing_figures(company, ledger, truth, monthly_mrr_rows(company, ledger))
    assert len(figures) == 10
    page = (PROJECT / "docs/sample-company.md").read_text()
    missing = [
        line for line in (f"{name:<24} {value}" for name, value in figures) if line not in page
    ]
    assert not missing


def test_a_run_shows_its_progress_and_ends_with_the_figures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["generate", "--scale", "tiny", "--batches", "1", "--out", str(tmp_path / "out")]
    arguments += ["--start", "2026-07-01", "--end", "2026-09-30"]
    assert main([*arguments, "--quiet"]) == 0
    assert capsys.readouterr() == ("", "")
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.delenv("CI", raising=False)
    assert main(arguments) == 0
    shown = capsys.readouterr()
    assert len(shown.out.splitlines()) == 10
    assert "] 100%" in shown.err
    assert shown.err.endswith("\r\x1b[K")
