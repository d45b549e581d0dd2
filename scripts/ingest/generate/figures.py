"""Ten figures of the company that was written, from the simulation alone."""

from collections.abc import Iterable, Sequence
from datetime import date
from fractions import Fraction

from ingest.generate.deals import NEW, RENEWAL, UPGRADE
from ingest.generate.ledger import Ledger
from ingest.generate.plans import MINOR_DIGITS, minor_units
from ingest.generate.records import Company, Deal
from ingest.generate.usage_truth import UsageTruth

Figures = tuple[tuple[str, str], ...]
_DAYS = 90


def closing_figures(
    company: Company, ledger: Ledger, usage: UsageTruth, mrr: Sequence[tuple[object, ...]]
) -> Figures:
    """Names and values of the figures, as a person reads them.

    Args:
        company: The simulation.
        ledger: What it billed.
        usage: What its people did.
        mrr: Rows of `monthly_mrr_rows`.
    """
    by_month = _dollars(mrr)
    months = sorted(by_month)
    last = by_month[months[-1]] if months else {}
    year_ago = by_month[months[-13]] if len(months) > 12 else {}
    kept = sum(last.get(key, 0.0) for key in year_ago)
    growth = _share(sum(last.values()), sum(year_ago.values()))
    seats = {life.account_key: life.seats for life in company.lifecycles}
    paid = sum(seats[key][-1].seat_count for key in last if seats.get(key))
    segments = {account.key: account.segment for account in company.accounts}
    counts = [
        sum(segments[key] == segment for key in last)
        for segment in ("smb", "mid_market", "enterprise")
    ]
    recent = usage.active_users_daily[-_DAYS:]
    active = recent[-1][3] if recent else 0
    messages = sum(count for _, count, _ in usage.events)
    still_open = sum(not deal.history[-1].stage_name.startswith("Closed") for deal in company.deals)
    rates = [win_rate(company.deals, kind) for kind in (NEW, UPGRADE, RENEWAL)]
    return (
        ("Accounts", f"{len(company.accounts):,}, {len(last):,} of them paying"),
        ("Paying by segment", "{:,} smb, {:,} mid-market, {:,} enterprise".format(*counts)),
        ("MRR", f"${sum(last.values()):,.0f} at list rates"),
        ("MRR against a year ago", f"{growth - 1:+.0%}" if year_ago else "-"),
        ("Net revenue retention", f"{_share(kept, sum(year_ago.values())):.0%}"),
        ("Opportunities", f"{len(company.deals):,}, {still_open:,} of them open"),
        ("Win rates", "new {:.0%}, upgrades {:.0%}, renewals {:.0%}".format(*rates)),
        ("Active users in 30 days", f"{active:,} for {paid:,} paid seats"),
        ("Stickiness", f"{stickiness(recent):.1%} DAU/MAU over {_DAYS} days"),
        ("Written", f"{messages:,} track events, {len(ledger.invoices):,} invoices"),
    )


def win_rate(deals: Iterable[Deal], deal_type: str) -> float:
    """Won deals of a type as a share of those won or lost and not deleted."""
    ends = [
        deal.history[-1].stage_name
        for deal in deals
        if deal.deal_type == deal_type and deal.deleted_at is None
    ]
    return _share(ends.count("Closed Won"), ends.count("Closed Won") + ends.count("Closed Lost"))


def stickiness(days: Sequence[tuple[date, int, int, int]]) -> float:
    """DAU as a share of MAU, over rows of day, DAU, WAU and MAU."""
    return _share(sum(dau for _, dau, _, _ in days), sum(mau for *_, mau in days))


def _dollars(mrr: Iterable[tuple[object, ...]]) -> dict[str, dict[int, float]]:
    """MRR by month and account, at the rates of the price list."""
    found: dict[str, dict[int, float]] = {}
    for key, _, month, currency, amount in mrr:
        a_dollar = minor_units(Fraction(1000), str(currency)) / 1000
        rate = float(a_dollar) / 10 ** MINOR_DIGITS.get(str(currency), 2)
        accounts = found.setdefault(str(month), {})
        accounts[int(str(key))] = accounts.get(int(str(key)), 0.0) + float(str(amount)) / rate
    return found


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 0.0
