"""One pull: the vendors asked in turn, and their records written as one batch."""

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any, Protocol

import yaml  # type: ignore[import-untyped]

from ingest.errors import IngestError, UsageError
from ingest.progress import Progress
from ingest.pull.draft import Draft, locked, seconds
from ingest.pull.errors import SECRETS, PullError, scrubbed, setting
from ingest.pull.history import History, iso
from ingest.pull.job import Job, Request

# What has to be set for a vendor to be pulled without being named.
VENDORS = {
    "salesforce": "SALESFORCE_INSTANCE_URL",
    "stripe": "STRIPE_API_KEY",
    "segment": "SEGMENT_S3_URL",
}
_PROJECT_FILE = Path(__file__).parents[3] / "dbt_project.yml"


class _Source(Protocol):
    """A connected vendor."""

    name: str
    account: str
    objects: Sequence[str]

    def clock(self) -> datetime: ...

    def size(self) -> int: ...

    def pull(self, job: Job) -> None: ...


def pull(
    vendors: Sequence[str],
    extracts_path: Path,
    *,
    since: date | None = None,
    until: date | None = None,
    objects: Sequence[str] = (),
    full: bool = False,
    look_back_days: int = 30,
    variables: str = "{}",
    quiet: bool = False,
) -> None:
    """Pulls what is new into one batch.

    Args:
        vendors: Of `VENDORS`; those whose variables are set if none is named.
        extracts_path: The folder of batches; created when absent.
        since: The first day; by default each object continues after its last pull.
        until: The last day; by default the pull reaches up to now.
        objects: Only these, in any case; by default all.
        full: Read everything again. Salesforce records that are not there any more were deleted.
        look_back_days: For how many days balance transactions are read again.
        variables: dbt variables as YAML; they name custom fields of Salesforce.
        quiet: No progress bar.

    Raises:
        UsageError: No vendor, an unknown object or an impossible window.
        PullError: A vendor refuses, or stays out of reach.
    """
    if (extracts_path / "_truth").exists():
        raise UsageError(
            f"{extracts_path} holds the sample company; remove it and its warehouse with"
            " `make clean`, or name another folder and warehouse"
        )
    request = Request(
        since=_midnight(since) if since else None,
        until=_midnight(until + timedelta(days=1)) if until else None,
        full=full,
        look_back=timedelta(days=look_back_days),
    )
    if since and until and since > until:
        raise UsageError(f"--since {since} is after --until {until}")
    if since and full:
        raise UsageError("--full reads everything, so it cannot go with --since")
    try:
        chosen = _chosen(vendors, objects)
        if "salesforce" in chosen:
            module = _module("salesforce")
            request = replace(request, custom_fields=module.custom_fields(_variables(variables)))
        with locked(extracts_path):
            _pull(chosen, extracts_path, request, quiet=quiet)
    except IngestError:
        raise
    except Exception as error:
        # A stack trace ends with the error's text, which may quote a header.
        if any(f"<{name}>" in scrubbed(error) for name in SECRETS):
            raise PullError(f"{type(error).__name__}: {scrubbed(error)}") from None
        raise


def _pull(
    chosen: Mapping[str, Sequence[str]], extracts_path: Path, request: Request, *, quiet: bool
) -> None:
    history = History(extracts_path)
    sources = [_connected(vendor, names) for vendor, names in chosen.items()]
    now = seconds(min(source.clock() for source in sources))
    until = min(request.until or now, now)
    if request.since and request.since > now:
        raise UsageError(f"--since {request.since:%Y-%m-%d} is in the future")
    asked = {
        "sources": {source.name: [source.account, *source.objects] for source in sources},
        "after": history.newest,
        "options": repr(request),
    }
    draft = Draft(extracts_path, asked, until)
    if draft.is_continued:
        print("continuing the pull that was interrupted", flush=True)
    for source in sources:
        progress = Progress(source.name, source.size(), quiet=quiet)
        notes: list[str] = []
        try:
            source.pull(Job(request, history, draft, progress, notes.append))
        finally:
            progress.close()
        for note in notes:
            print(f"note: {note}", flush=True)
        print(f"{source.name:<10}  {_counts(draft.rows(source.name))}", flush=True)
    days = [batch.path.name[:10] for batch in history.batches]
    if draft.is_empty and f"{draft.until:%Y-%m-%d}" in days:
        draft.discard()
        print(f"nothing is new since {history.newest}")
        return
    is_full_export = request.full and _is_all_of_salesforce(sources)
    accounts = {source.name: source.account for source in sources}
    batch_id = draft.publish(accounts, is_full_export=is_full_export)
    print(f"{batch_id}  pulled up to {iso(draft.until)}")


def _is_all_of_salesforce(sources: Sequence[_Source]) -> bool:
    return any(
        source.name == "salesforce" and set(source.objects) == set(_module("salesforce").OBJECTS)
        for source in sources
    )


def _counts(rows: Mapping[str, int]) -> str:
    parts = [f"{count:,} {name}" for name, count in rows.items() if count]
    return ", ".join(parts) or "nothing new"


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _chosen(vendors: Sequence[str], objects: Sequence[str]) -> dict[str, list[str]]:
    """The objects to pull, by vendor."""
    named = list(vendors) or [vendor for vendor, variable in VENDORS.items() if setting(variable)]
    if not named:
        raise UsageError(
            f"no vendor to pull from: set {', '.join(VENDORS.values())} or some of them;"
            " docs/exports.md lists the variables of each vendor"
        )
    available = {vendor: list(_module(vendor).OBJECTS) for vendor in VENDORS if vendor in named}
    wanted = {name.lower() for name in objects}
    known = {name.lower() for names in available.values() for name in names}
    if unknown := sorted(wanted - known):
        every = ", ".join(name for names in available.values() for name in names)
        raise UsageError(f"no vendor named here has {', '.join(unknown)}; the objects are {every}")
    chosen = {
        vendor: [name for name in names if not wanted or name.lower() in wanted]
        for vendor, names in available.items()
    }
    return {vendor: names for vendor, names in chosen.items() if names}


def _module(vendor: str) -> Any:
    """A vendor's module, which needs the packages of `requirements-pull.txt`."""
    try:
        return importlib.import_module(f"ingest.pull.{vendor}")
    except ModuleNotFoundError as error:
        raise PullError(
            f"the Python package {error.name} is missing; install what a pull needs with"
            " `pip install -r requirements-pull.txt`"
        ) from error


def _connected(vendor: str, names: Sequence[str]) -> _Source:
    source: _Source = getattr(_module(vendor), vendor.capitalize())(names)
    return source


def _variables(text: str) -> dict[str, Any]:
    """The project's variables, with those of the command line in front."""
    project = yaml.safe_load(_PROJECT_FILE.read_text(encoding="utf-8"))
    return {**(project.get("vars") or {}), **(yaml.safe_load(text) or {})}
