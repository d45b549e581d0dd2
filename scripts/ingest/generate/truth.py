"""What is true of the company, worked out from its business state and never from its files.

The figures here are what the warehouse is compared with, so they follow the revenue policy by the
plainest arithmetic there is: exact fractions, one subscription at one instant.
"""

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

from ingest.generate.contracts import add_interval
from ingest.generate.crm import opportunity_id
from ingest.generate.ids import account_customer_id, account_salesforce_id
from ingest.generate.invoicing import share
from ingest.generate.ledger import CreditNote, Discount, Item, Ledger, State, Subscription
from ingest.generate.plans import MINOR_DIGITS
from ingest.generate.records import Account, Company
from ingest.generate.revenue_truth import Closing, invoice_revenue
from ingest.generate.usage_truth import UsageTruth

GRACE = timedelta(days=30)
_SIX_DECIMALS = Decimal("0.000001")


def write_truth(
    company: Company,
    ledger: Ledger,
    usage: UsageTruth,
    out_dir: Path,
    defects: Mapping[str, object],
    *,
    balance: Iterable[tuple[object, ...]] = (),
) -> list[tuple[object, ...]]:
    """Writes the truth about money, links, deals and usage, and the defects that were planted.

    Returns:
        The rows of month-end MRR.
    """
    mrr = monthly_mrr_rows(company, ledger)
    out_dir.mkdir(parents=True, exist_ok=True)
    _write(
        out_dir / "mrr_monthly.csv",
        ("account_key", "account_ref", "month", "currency", "mrr"),
        mrr,
    )
    _write(
        out_dir / "recognized_revenue.csv",
        ("month", "account_key", "currency", "amount"),
        recognized_revenue_rows(company, ledger),
    )
    _write(
        out_dir / "stripe_balance.csv",
        ("currency", "fees", "payouts", "closing_balance"),
        balance,
    )
    _write(
        out_dir / "account_links.csv",
        ("account_key", "source_system", "foreign_id", "link"),
        account_link_rows(company, ledger, usage),
    )
    _write(
        out_dir / "won_deals.csv",
        ("opportunity_id", "account_key", "close_date", "amount", "currency"),
        won_deal_rows(company),
    )
    _write(
        out_dir / "sessions_daily.csv",
        ("day", "sessions", "known_user_sessions"),
        usage.sessions_daily,
    )
    _write(
        out_dir / "sessions_by_channel.csv",
        ("channel", "sessions"),
        usage.sessions_by_channel,
    )
    _write(
        out_dir / "active_users_daily.csv",
        ("day", "dau", "wau", "mau"),
        usage.active_users_daily,
    )
    _write(
        out_dir / "events.csv",
        ("event_name", "messages", "known_user_messages"),
        usage.events,
    )
    text = json.dumps(defects, indent=2, sort_keys=True)
    (out_dir / "planted_defects.json").write_text(text + "\n")
    return mrr


def _write(path: Path, header: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> None:
    with path.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def survivors(company: Company) -> dict[int, int]:
    """Each account's key to the key of the account that it is part of, after all merges."""
    by_key = {account.key: account for account in company.accounts}

    def survivor(account: Account) -> int:
        while account.merged_into_key is not None:
            account = by_key[account.merged_into_key]
        return account.key

    return {account.key: survivor(account) for account in company.accounts}


def month_ends(start: date, end_at: datetime) -> Iterator[datetime]:
    """The first instants after the months that are over at `end_at`."""
    moment = add_interval(datetime(start.year, start.month, 1), "month", 1)
    while moment <= end_at:
        yield moment
        moment = add_interval(moment, "month", 1)


def major_units(minor: Fraction, currency: str) -> Decimal:
    """Minor units as an amount of the currency with six decimals."""
    major = minor / 10 ** MINOR_DIGITS.get(currency, 2)
    return (Decimal(major.numerator) / Decimal(major.denominator)).quantize(_SIX_DECIMALS)


def monthly_mrr_rows(company: Company, ledger: Ledger) -> list[tuple[object, ...]]:
    """(account, its Stripe customers, month, currency, MRR) where MRR is not zero."""
    keys = survivors(company)
    totals: dict[tuple[int, date, str], Fraction] = {}
    customers: dict[int, set[str]] = {}
    discounts = _customer_discounts(ledger)
    earliest = min((subscription_start(s) for s in ledger.subscriptions.values()), default=None)
    for subscription in ledger.subscriptions.values():
        customer = ledger.customers[subscription.customer_key]
        account_key = keys[customer.account_key]
        customers.setdefault(account_key, set()).add(
            account_customer_id(company.seed, customer.account_key, customer.number)
        )
        for moment in month_ends(earliest.date() if earliest else date.max, company.end_at):
            mrr = subscription_mrr(ledger, subscription, moment, discounts)
            if mrr:
                month = add_interval(moment, "month", -1).date()
                key = (account_key, month, subscription.contract.currency)
                totals[key] = totals.get(key, Fraction(0)) + mrr
    return [
        (
            account_key,
            "|".join(sorted(customers[account_key])),
            month.isoformat(),
            currency,
            major_units(amount, currency),
        )
        for (account_key, month, currency), amount in sorted(totals.items())
    ]


def _customer_discounts(ledger: Ledger) -> dict[str, list[Discount]]:
    found: dict[str, list[Discount]] = {}
    for discount in ledger.discounts.values():
        if discount.subscription_key is None:
            found.setdefault(discount.customer_key, []).append(discount)
    return found


def subscription_start(subscription: Subscription) -> datetime:
    """When the subscription began, which is before it was entered if it was backdated."""
    return subscription.contract.start_at or subscription.contract.created_at


def subscription_mrr(
    ledger: Ledger,
    subscription: Subscription,
    moment: datetime,
    customer_discounts: Mapping[str, list[Discount]],
) -> Fraction:
    """A subscription's MRR in minor units at the last instant before `moment`."""
    customer = ledger.customers[subscription.customer_key]
    if not customer.is_live or subscription_start(subscription) >= moment:
        return Fraction(0)
    if customer.deleted_at and customer.deleted_at < moment:
        return Fraction(0)
    known = [state for state in subscription.states if state.at < moment]
    state = known[-1] if known else subscription.states[0]
    if not _counts(state, subscription, moment):
        return Fraction(0)
    items = [item for item in state.items if item.quantity]
    left = [_net_amount(item, subscription) for item in items]
    has_own = False
    for at, item in enumerate(items):
        for discount in _live(ledger, item.discount_keys, moment):
            has_own = True
            left[at : at + 1] = _after(discount, left[at : at + 1])
    own = _live(ledger, state.discount_keys, moment)
    if not own and not has_own:
        shared = customer_discounts.get(customer.key, [])
        own = [d for d in shared if d.is_live(moment) and d.coupon.duration != "once"]
    for discount in own:
        left = _after(discount, left)
    return sum(
        (item.price.monthly(amount) for item, amount in zip(items, left, strict=True)), Fraction(0)
    )


def _counts(state: State, subscription: Subscription, moment: datetime) -> bool:
    pause = state.pause
    # The last instant before `moment` is paused unless the pause ended before `moment`.
    is_on = pause is not None and (pause.resumes_at is None or pause.resumes_at >= moment)
    if pause and is_on and pause.behavior != "keep_as_draft":
        return False
    if state.status == "past_due":
        return moment - _past_due_since(subscription, moment) <= GRACE
    return state.status == "active"


def _past_due_since(subscription: Subscription, moment: datetime) -> datetime:
    since = moment
    for state in reversed(subscription.states):
        if state.at >= moment:
            continue
        if state.status != "past_due":
            break
        since = state.at
    return since


def _net_amount(item: Item, subscription: Subscription) -> Fraction:
    """An item's amount a period; one that includes tax is taken without it."""
    amount = item.price.amount(item.quantity or 0)
    if item.price.tax_behavior == "inclusive":
        return amount * 100 / (100 + subscription.contract.tax_percent)
    return amount


def _live(ledger: Ledger, keys: tuple[str, ...], moment: datetime) -> list[Discount]:
    found = [ledger.discounts[key] for key in keys]
    return [d for d in found if d.is_live(moment) and d.coupon.duration != "once"]


def _after(discount: Discount, left: list[Fraction]) -> list[Fraction]:
    off = discount.coupon.amount_off(discount.currency)
    if off is None:
        percent = discount.coupon.percent or 0
        return [amount * (100 - percent) / 100 for amount in left]
    parts = share(left, Fraction(off))
    return [amount - part for amount, part in zip(left, parts, strict=True)]


def recognized_revenue_rows(company: Company, ledger: Ledger) -> list[tuple[object, ...]]:
    """(month, account, currency, amount): finalized invoices that were not voided, less credits.

    A line is earned by equal parts on each day of [start, end), at its date if that is empty.
    """
    keys = survivors(company)
    totals: dict[tuple[date, int, str], Fraction] = {}

    def earn(day: date, account_key: int, currency: str, amount: Fraction) -> None:
        key = (day.replace(day=1), keys[account_key], currency)
        totals[key] = totals.get(key, Fraction(0)) + amount

    notes: dict[str, list[CreditNote]] = {}
    for note in ledger.credit_notes.values():
        if not note.voided_at:
            notes.setdefault(note.invoice_key, []).append(note)
    for invoice in ledger.invoices.values():
        if not invoice.is_live or invoice.finalized_at is None or invoice.voided_at:
            continue
        subscription = ledger.subscriptions.get(invoice.subscription_key or "")
        closing = Closing(
            notes=notes.get(invoice.key, []),
            service_ended_at=subscription.states[-1].ended_at if subscription else None,
        )
        for day, part in invoice_revenue(invoice, closing):
            earn(day, invoice.account_key, invoice.currency, part)
    return [
        (month.isoformat(), account_key, currency, major_units(amount, currency))
        for (month, account_key, currency), amount in sorted(totals.items())
        if amount
    ]


def account_link_rows(
    company: Company, ledger: Ledger, usage: UsageTruth
) -> list[tuple[object, ...]]:
    """(account, system, id there, how the two can be tied) for each record of an account.

    Customers of Stripe's test mode belong to no account.
    """
    keys = survivors(company)
    links = {account.key: account.link_stripe for account in company.accounts}
    rows: list[tuple[int, str, str, str]] = [
        (keys[account.key], "salesforce", account_salesforce_id(company.seed, account.key), "id")
        for account in company.accounts
        if account.in_salesforce
    ]
    for customer in ledger.customers.values():
        key = customer.account_key
        if customer.is_live:
            foreign_id = account_customer_id(company.seed, key, customer.number)
            rows.append((keys[key], "stripe", foreign_id, links[key]))
    rows += [(keys[key], "segment", group_id, how) for key, group_id, how in usage.account_links]
    return [tuple(row) for row in sorted(rows)]


def won_deal_rows(company: Company) -> list[tuple[object, ...]]:
    """(opportunity, account, close date, amount, currency) of what the CRM calls won at the end."""
    keys = survivors(company)
    rows = [
        (
            opportunity_id(company.seed, deal.key),
            keys[deal.account_key],
            deal.history[-1].close_date.isoformat(),
            deal.history[-1].amount,
            deal.currency,
        )
        for deal in company.deals
        if deal.is_won and deal.deleted_at is None
    ]
    return sorted(rows)
