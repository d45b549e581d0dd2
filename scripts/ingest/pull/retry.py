"""Repeating calls that failed for a while: rate limits, overload and faults of the network."""

import random
import time
from collections.abc import Callable
from typing import TypeVar

_T = TypeVar("_T")

ATTEMPTS = 8
_FIRST_DELAY = 0.5
_LONGEST_DELAY = 60.0


def retrying(
    call: Callable[[], _T],
    delay_of: Callable[[Exception], float | None],
    *,
    sleep: Callable[[float], None] | None = None,
) -> _T:
    """The result of a call, which is repeated with growing delays while its failure may pass.

    Args:
        call: What to do.
        delay_of: The seconds that the vendor asks to wait after an error, 0 if it names none;
            None for an error that repeating does not help.
        sleep: How to wait; by default `time.sleep`.
    """
    for attempt in range(ATTEMPTS):
        try:
            return call()
        except Exception as error:
            asked = delay_of(error)
            if asked is None or attempt == ATTEMPTS - 1:
                raise
            # Half of the delay is random, so that clients that failed together return apart.
            delay = min(_FIRST_DELAY * 2**attempt, _LONGEST_DELAY) * random.uniform(0.5, 1)
            (sleep or time.sleep)(max(delay, min(asked, _LONGEST_DELAY)))
    raise AssertionError("the last attempt returns or raises")


def asked_delay(value: str | None) -> float:
    """The seconds of a `Retry-After` header; 0 if there is none or it is a date."""
    try:
        return max(float(value or 0), 0.0)
    except ValueError:
        return 0.0
