"""The command line: what each command takes, and which package does it.

Exit codes: 0 done (or nothing left to do), 1 refused or failed, 2 wrong usage.
"""

import argparse
import os
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path

SCALES = ("tiny", "small", "medium", "large", "xlarge")
STRIPE_VERSIONS = ("2026-07-29.dahlia", "2022-11-15")


def _warehouse(text: str) -> Path:
    """A warehouse file whose name DuckDB can take for the database's."""
    path = Path(text)
    if path.stem.lower() in {"main", "system", "temp"}:
        raise argparse.ArgumentTypeError(f"DuckDB keeps the name {path.stem!r} to itself")
    if path.is_dir():
        raise argparse.ArgumentTypeError(f"{text!r} is a folder; name a file in it")
    return path


def _generate(arguments: argparse.Namespace) -> int:
    from ingest.generate import generate  # noqa: PLC0415  each command imports only what it needs

    generate(
        arguments.out,
        seed=arguments.seed,
        scale=arguments.scale,
        start=arguments.start,
        end=arguments.end,
        batches=arguments.batches,
        stripe_version=arguments.stripe_version,
    )
    return 0


def _load(arguments: argparse.Namespace) -> int:
    from ingest.load import load  # noqa: PLC0415

    return load(
        arguments.extracts,
        arguments.warehouse,
        batch_ids=arguments.batch or None,
        replace=arguments.replace,
        encoding=arguments.encoding,
        quiet=arguments.quiet,
    )


def _status(arguments: argparse.Namespace) -> int:
    from ingest.load import status  # noqa: PLC0415

    return status(arguments.extracts, arguments.warehouse)


def _build(arguments: argparse.Namespace) -> int:
    from ingest.build import build  # noqa: PLC0415

    return build(arguments.extracts, arguments.warehouse, variables=arguments.vars)


def _docs(arguments: argparse.Namespace) -> int:
    from ingest.docs.site import docs  # noqa: PLC0415

    return docs(arguments.warehouse, arguments.out)


def _backup(arguments: argparse.Namespace) -> int:
    from ingest.backup import backup  # noqa: PLC0415

    return backup(arguments.warehouse, _backups_path(arguments), keep=arguments.keep)


def _restore(arguments: argparse.Namespace) -> int:
    from ingest.backup import restore  # noqa: PLC0415

    return restore(arguments.warehouse, _backups_path(arguments), arguments.backup)


def _backups_path(arguments: argparse.Namespace) -> Path:
    path: Path | None = arguments.backups
    return path or arguments.warehouse.parent / "backups"


def _report(arguments: argparse.Namespace) -> int:
    from ingest.docs.report import report  # noqa: PLC0415

    return report(arguments.warehouse, arguments.out, strict=arguments.strict)


def _diff(arguments: argparse.Namespace) -> int:
    from ingest.diff.run import diff  # noqa: PLC0415

    return diff(arguments.base, arguments.extracts)


def _share(arguments: argparse.Namespace) -> int:
    from ingest.share import share  # noqa: PLC0415

    return share(arguments.warehouse, arguments.out or arguments.warehouse.parent / "share.duckdb")


def _soak(arguments: argparse.Namespace) -> int:
    from ingest.bench.soak import soak  # noqa: PLC0415

    return soak(kills=arguments.kills, records=arguments.records, seed=arguments.seed)


def _bench(arguments: argparse.Namespace) -> int:
    from ingest.bench.run import bench  # noqa: PLC0415

    return bench(arguments.scale)


def _at_least_one(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is none; at least 1")
    return number


def _add_paths(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--extracts",
        type=Path,
        default=os.environ.get("EXTRACTS_PATH") or "data/extracts",
        metavar="DIR",
        help="folder of batches, or one batch (EXTRACTS_PATH; %(default)s)",
    )
    _add_warehouse(parser)


def _add_warehouse(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--warehouse",
        type=_warehouse,
        default=os.environ.get("WAREHOUSE_PATH") or "data/warehouse.duckdb",
        metavar="FILE",
        help="DuckDB file (WAREHOUSE_PATH; %(default)s)",
    )


def _add_generate(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", type=Path, default=Path("data/extracts"), metavar="DIR")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--scale", choices=SCALES, default="small")
    parser.add_argument("--start", type=date.fromisoformat, default=date(2024, 1, 1))
    parser.add_argument("--end", type=date.fromisoformat, default=date(2026, 9, 30))
    parser.add_argument("--batches", type=int, default=6)
    parser.add_argument("--stripe-version", choices=STRIPE_VERSIONS, default=STRIPE_VERSIONS[0])


def _add_load(parser: argparse.ArgumentParser) -> None:
    _add_paths(parser)
    parser.add_argument(
        "--batch", action="append", metavar="ID", help="only this batch; may be repeated"
    )
    parser.add_argument(
        "--replace",
        action="store_true",
        help="take a corrected file in place of the one that landed under its name",
    )
    parser.add_argument(
        "--encoding", metavar="NAME", help="of CSV files, where no _batch.json says it"
    )
    parser.add_argument("--quiet", action="store_true", help="no progress bar")


def _add_build(parser: argparse.ArgumentParser) -> None:
    _add_paths(parser)
    parser.add_argument("--vars", default="{}", metavar="YAML", help="dbt variables")


def _add_docs(parser: argparse.ArgumentParser) -> None:
    _add_warehouse(parser)
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("target/site"),
        metavar="DIR",
        help="folder to write (%(default)s)",
    )


def _add_backups(parser: argparse.ArgumentParser) -> None:
    _add_warehouse(parser)
    parser.add_argument(
        "--backups",
        type=Path,
        default=os.environ.get("BACKUPS_PATH") or None,
        metavar="DIR",
        help="folder of backups (BACKUPS_PATH; `backups` beside the warehouse)",
    )


def _add_backup(parser: argparse.ArgumentParser) -> None:
    _add_backups(parser)
    parser.add_argument(
        "--keep",
        type=_at_least_one,
        default=os.environ.get("BACKUPS_KEPT") or "7",
        metavar="N",
        help="backups of this file to keep (BACKUPS_KEPT; %(default)s)",
    )


def _add_restore(parser: argparse.ArgumentParser) -> None:
    _add_backups(parser)
    parser.add_argument(
        "backup",
        nargs="?",
        default=os.environ.get("BACKUP") or None,
        metavar="NAME",
        help="which backup (BACKUP; the newest)",
    )


def _add_report(parser: argparse.ArgumentParser) -> None:
    _add_warehouse(parser)
    parser.add_argument("--out", type=Path, default=Path("data/report"), metavar="DIR")
    parser.add_argument("--strict", action="store_true", help="end with 1 where it says fail")


def _add_diff(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "base",
        nargs="?",
        default=os.environ.get("BASE") or "main",
        metavar="REF",
        help="what to compare with (BASE; %(default)s)",
    )
    parser.add_argument(
        "--extracts",
        type=Path,
        default=os.environ.get("EXTRACTS_PATH") or None,
        metavar="DIR",
        help="folder of batches (EXTRACTS_PATH; without one, a tiny company of the base's)",
    )


def _add_share(parser: argparse.ArgumentParser) -> None:
    _add_warehouse(parser)
    parser.add_argument(
        "--out",
        type=_warehouse,
        default=os.environ.get("SHARE_PATH") or None,
        metavar="FILE",
        help="DuckDB file to write (SHARE_PATH; `share.duckdb` beside the warehouse)",
    )


def _add_soak(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--kills", type=_at_least_one, default=20, help="of each kind")
    parser.add_argument("--records", type=_at_least_one, default=10_000, help="of each format")
    parser.add_argument("--seed", type=int, default=7)


def _add_bench(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--scale",
        choices=SCALES,
        default=os.environ.get("SCALE") or None,
        help="measure one scale (SCALE); without it, each figure at the scale it is promised for",
    )


_COMMANDS: tuple[
    tuple[
        str,
        str,
        Callable[[argparse.ArgumentParser], None],
        Callable[[argparse.Namespace], int],
    ],
    ...,
] = (
    ("generate", "write a made-up company's extracts", _add_generate, _generate),
    ("load", "land batches in the raw schemas", _add_load, _load),
    ("status", "show what has landed and what waits", _add_paths, _status),
    ("build", "load, snapshot and build what is not done yet", _add_build, _build),
    ("docs", "write the documentation site of a built warehouse", _add_docs, _docs),
    ("backup", "keep a dated, verified copy of the warehouse", _add_backup, _backup),
    ("restore", "bring a backup of the warehouse back", _add_restore, _restore),
    ("report", "write the data quality report", _add_report, _report),
    ("diff", "show what a change does to models, metrics and rows", _add_diff, _diff),
    ("share", "copy the marts without personal data", _add_share, _share),
    ("soak", "kill, fill up and fuzz, and count what survives", _add_soak, _soak),
    ("bench", "measure speed and memory", _add_bench, _bench),
)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code."""
    parser = argparse.ArgumentParser(prog="ingest", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="command")
    for name, summary, add_arguments, run in _COMMANDS:
        command = commands.add_parser(name, help=summary, description=summary)
        add_arguments(command)
        command.set_defaults(run=run)
    arguments = parser.parse_args(argv)
    result: int = arguments.run(arguments)
    return result
