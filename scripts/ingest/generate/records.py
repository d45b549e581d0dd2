"""What the simulation says happened, in the company's words; projections turn it into files.

Times are naive datetimes in UTC. Money is Decimal in major units of `currency`.
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from ingest.generate.contracts import Contract
from ingest.generate.health import Health


@dataclass(frozen=True, slots=True)
class Rep:
    """A sales representative; an inactive one keeps the deals they had."""

    key: int
    first_name: str
    last_name: str
    email: str
    country: str
    started_at: datetime
    left_at: datetime | None


@dataclass(frozen=True, slots=True)
class Account:
    """One customer or prospect as a concept, whichever systems know it.

    `link_stripe` and `link_segment` say how that system can be tied to the CRM: by an explicit
    `id`, by `domain`, by `name`, or `none`. A self-serve account bought without a representative;
    the CRM gets a record of it without deals.
    """

    key: int
    name: str
    domain: str
    country: str
    currency: str
    industry: str
    employee_count: int
    segment: str
    owner_key: int
    created_at: datetime
    in_salesforce: bool
    in_stripe: bool
    in_segment: bool
    link_stripe: str
    link_segment: str
    is_self_serve: bool = False
    is_internal: bool = False
    is_test: bool = False
    parent_key: int | None = None
    merged_into_key: int | None = None
    merged_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class SeatChange:
    """Paid seats of an account from an instant on."""

    changed_at: datetime
    seat_count: int


@dataclass(frozen=True, slots=True)
class User:
    """A person of an account's workspace; `left_at` is when they stop for good."""

    key: int
    account_key: int
    first_name: str
    last_name: str
    email: str
    title: str
    signed_up_at: datetime
    left_at: datetime | None
    engagement: float
    is_internal: bool = False


@dataclass(frozen=True, slots=True)
class StageChange:
    """One save of an opportunity: the values after it."""

    changed_at: datetime
    stage_name: str
    amount: Decimal | None
    probability: int
    close_date: date
    forecast_category: str


@dataclass(frozen=True, slots=True)
class Deal:
    """An opportunity with its history; `amount` is annual contract value in `currency`."""

    key: int
    account_key: int
    owner_key: int
    name: str
    deal_type: str
    lead_source: str
    currency: str
    created_at: datetime
    history: tuple[StageChange, ...]
    is_won: bool
    loss_reason: str | None
    deleted_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """When an account paid, for how many seats and how it did; what usage follows.

    `churned_at` is the end of the last subscription. `trial_started_at` opens the workspace where
    there was a trial.
    """

    account_key: int
    workspace_opened_at: datetime
    trial_started_at: datetime | None
    paid_from: datetime | None
    churned_at: datetime | None
    seats: tuple[SeatChange, ...] = ()
    health: Health = ()


@dataclass(frozen=True, slots=True)
class Company:
    """The whole simulated history from `start_at` to `end_at` (exclusive).

    `batch_ends` are exclusive too: the batch of 30 April holds what happened before 1 May 00:00.
    """

    seed: int
    scale: str
    start_at: datetime
    end_at: datetime
    reps: tuple[Rep, ...]
    accounts: tuple[Account, ...]
    users: tuple[User, ...]
    deals: tuple[Deal, ...]
    lifecycles: tuple[Lifecycle, ...]
    batch_ends: tuple[datetime, ...] = field(default=())
    contracts: dict[int, tuple[Contract, ...]] = field(default_factory=dict)
