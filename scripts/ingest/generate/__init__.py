"""The generator: a fictional company in three vendors' export files, with realistic defects."""

import shutil
from collections import Counter
from dataclasses import asdict
from datetime import date, datetime, time, timedelta
from pathlib import Path

from ingest.errors import UsageError
from ingest.generate.batches import split_batches, write_manifests
from ingest.generate.billing import bill
from ingest.generate.company import simulate
from ingest.generate.figures import Figures, closing_figures
from ingest.generate.salesforce_files import write_salesforce
from ingest.generate.segment import write_segment
from ingest.generate.stripe import write_stripe
from ingest.generate.stripe_catalog import OLDER
from ingest.generate.truth import write_truth
from ingest.progress import Progress

__all__ = ["generate"]

# Share of the card payments of renewals that fail at first, for an account of usual health.
_FAILURE_RATE = 0.065
# Thousandths of the time that each part takes at small.
_SIMULATED, _BILLED, _SOLD, _INVOICED, _USED, _TOLD = 90, 60, 120, 240, 400, 90


def generate(
    out_dir: Path,
    *,
    seed: int = 7,
    scale: str = "small",
    start: date = date(2024, 1, 1),
    end: date = date(2026, 9, 30),
    batches: int = 6,
    stripe_version: str = "2026-07-29.dahlia",
    is_thin: bool = False,
    quiet: bool = True,
) -> Figures:
    """Writes the company's extracts, batch by batch, and the expected results in `_truth/`.

    The same arguments write the same bytes. Batches of an earlier run in the folder are replaced.

    Args:
        out_dir: The folder of batches.
        seed: Of all random draws, at least 0.
        scale: `tiny`, `small`, `medium`, `large` or `xlarge`.
        start: The company's first day.
        end: Its last day, and the last batch.
        batches: How many. All but the first cover a month; the first covers the time before.
        stripe_version: The API version of Stripe's files.
        is_thin: Whether Stripe's files are a thin export, as `write_stripe` explains. The expected
            results are those of the full one.
        quiet: No progress bar.

    Returns:
        Ten figures of the company.

    Raises:
        UsageError: The scale is unknown, the time is too short, the batches do not fit in it, or
            the folder holds batches of others.
    """
    ends = batch_ends(start, end, batches)
    _check(out_dir)
    progress = Progress("generate", 1000, quiet=quiet)
    try:
        company = simulate(seed, start, end, scale, tuple(ends))
        progress.advance(_SIMULATED)
        ledger = bill(company, can_stack=stripe_version != OLDER, failure_rate=_FAILURE_RATE)
        progress.advance(_BILLED)
        _clear(out_dir)
        defects: Counter[str] = Counter()
        salesforce = write_salesforce(company, out_dir, ends, defects)
        progress.advance(_SOLD)
        stripe = write_stripe(
            company,
            ledger,
            out_dir,
            ends,
            version=stripe_version,
            is_thin=is_thin,
            defects=defects,
        )
        progress.advance(_INVOICED)
        segment = write_segment(
            *(company, out_dir, ends, defects),
            advance=lambda share: progress.advance(round(share * _USED)),
        )
        broken = [*salesforce.broken, *stripe.broken, *segment.broken]
        planted = {"counts": dict(defects), "broken": [asdict(record) for record in broken]}
        mrr = write_truth(
            company, ledger, segment.truth, out_dir / "_truth", planted, balance=stripe.balance
        )
        progress.advance(_TOLD)
        files = [*salesforce.files, *stripe.files, *segment.files]
        write_manifests(out_dir, split_batches(ends), files)
        return closing_figures(company, ledger, segment.truth, mrr)
    finally:
        progress.close()


def batch_ends(start: date, end: date, count: int) -> list[datetime]:
    """The exclusive ends of the batches: `end`, and the month-ends before it.

    Raises:
        UsageError: There are not that many month-ends after `start`.
    """
    days = [end]
    while len(days) < count:
        days.append(days[-1].replace(day=1) - timedelta(days=1))
    if count < 1 or days[-1] <= start:
        raise UsageError(f"{count} batches do not fit between {start} and {end}; use fewer")
    return [datetime.combine(day + timedelta(days=1), time()) for day in reversed(days)]


def _check(out_dir: Path) -> None:
    """Refuses to replace batches without a `_truth` beside them, which something else wrote.

    Raises:
        UsageError: There are such batches.
    """
    if not (out_dir / "_truth").is_dir() and any(out_dir.glob("*/_batch.json")):
        raise UsageError(
            f"{out_dir} holds batches that are not of a sample company; name another folder"
        )


def _clear(out_dir: Path) -> None:
    """Removes what an earlier run wrote: folders with a manifest, and `_truth`."""
    if not out_dir.exists():
        return
    for folder in sorted(out_dir.iterdir()):
        if folder.name == "_truth" or (folder / "_batch.json").exists():
            shutil.rmtree(folder)
