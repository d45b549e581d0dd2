"""Failures of a pull, and the credentials that no message may show."""

import os

from ingest.errors import IngestError, UsageError

SECRETS = (
    "STRIPE_API_KEY",
    "SALESFORCE_ACCESS_TOKEN",
    "SALESFORCE_CLIENT_SECRET",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
)
_SHORTEST_SECRET = 4
_MOST_TEXT = 500


class PullError(IngestError):
    """A vendor refuses, or stays out of reach; nothing of the batch is in the extracts folder."""


def setting(name: str) -> str:
    """An environment variable without spaces and line ends around it; empty if it is not set."""
    return os.environ.get(name, "").strip()


def required(name: str) -> str:
    """An environment variable.

    Raises:
        UsageError: It is not set, or holds what no address or credential has.
    """
    value = setting(name)
    if not value:
        raise UsageError(f"the environment variable {name} is not set")
    if not value.isprintable() or " " in value:
        raise UsageError(f"the environment variable {name} has a space or a line end inside")
    return value


def scrubbed(text: object) -> str:
    """A vendor's message on one line, without any credential of the environment."""
    found = str(text)
    for name in SECRETS:
        for secret in (os.environ.get(name, ""), setting(name)):
            if len(secret) >= _SHORTEST_SECRET:
                for written in (secret, repr(secret)[1:-1]):
                    found = found.replace(written, f"<{name}>")
    found = " ".join(found.split())
    return found if len(found) <= _MOST_TEXT else f"{found[:_MOST_TEXT]}…"
