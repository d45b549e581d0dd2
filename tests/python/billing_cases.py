"""Companies of one account, for tests that act out a contract written by hand."""

from datetime import datetime, timedelta
from typing import Any

from ingest.generate.billing import bill
from ingest.generate.contracts import Contract, Step
from ingest.generate.ledger import Invoice, Ledger, Subscription
from ingest.generate.records import Account, Company

# A Wednesday; January has 31 days and February, in a leap year, 29.
JANUARY = datetime(2025, 1, 1)


def contract(*steps: Step, **terms: Any) -> Contract:
    """Ten seats of the team plan at 24 dollars a month from 1 January, unless `terms` differ."""
    standard: dict[str, Any] = {
        "number": 0,
        "customer_number": 0,
        "currency": "USD",
        "created_at": JANUARY,
        "plan": "team",
        "seats": 10,
    }
    return Contract(**{**standard, **terms}, steps=steps)


def step(day: float, verb: str, **terms: Any) -> Step:
    """A step so many days after 1 January."""
    return Step(JANUARY + timedelta(days=day), verb, terms)


def acted(
    *contracts: Contract, until: datetime = datetime(2026, 1, 1), can_stack: bool = True
) -> tuple[Company, Ledger]:
    """One account's company and ledger."""
    account = Account(
        key=1,
        name="Acme",
        domain="acme.example",
        country="US",
        currency="USD",
        industry="Retail",
        employee_count=50,
        segment="smb",
        owner_key=1,
        created_at=JANUARY - timedelta(days=30),
        in_salesforce=True,
        in_stripe=True,
        in_segment=True,
        link_stripe="id",
        link_segment="id",
    )
    company = Company(
        seed=1,
        scale="tiny",
        start_at=JANUARY - timedelta(days=30),
        end_at=until,
        reps=(),
        accounts=(account,),
        users=(),
        deals=(),
        lifecycles=(),
        contracts={1: contracts},
    )
    return company, bill(company, can_stack=can_stack)


def subscription(ledger: Ledger) -> Subscription:
    """The only subscription."""
    (only,) = ledger.subscriptions.values()
    return only


def course(ledger: Ledger) -> list[tuple[str, str]]:
    """The subscription's webhooks and statuses, without renewals that change neither."""
    changes: list[tuple[str, str]] = []
    for state in subscription(ledger).states:
        if not changes or changes[-1] != (state.kind, state.status):
            changes.append((state.kind, state.status))
    return changes


def invoices(ledger: Ledger) -> list[Invoice]:
    """All invoices by creation."""
    return sorted(ledger.invoices.values(), key=lambda invoice: invoice.created_at)
