"""The stories that every company must hold, acted out by its first accounts in this order."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from ingest.generate.contracts import Contract

Script = Callable[["Story", datetime], tuple[Contract, ...]]


@dataclass(frozen=True, slots=True)
class Story:
    """An account with a part to play; `day` counts from the company's start to its first contract."""

    name: str
    day: int
    script: Script | None = None
    segment: str = "smb"
    currency: str = "USD"
    seats: int = 8
    in_salesforce: bool = True
    in_segment: bool = True
    link_stripe: str = "id"
    link_segment: str = "id"
    is_internal: bool = False
    is_test: bool = False
    parent_key: int | None = None
    merged_into_key: int | None = None
    deal_habits: frozenset[str] | None = None


STORIES: tuple[Story, ...] = ()
