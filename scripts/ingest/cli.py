"""The command line: the options of each command, and the one place that reports errors.

All output passes one filter, `ingest.text.printable`: names and values come from other people.

Exit codes: 0 done (or nothing left to do), 1 failed, 2 wrong usage, 130 interrupted.
"""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path

import click

from ingest.errors import UsageError, explained
from ingest.text import Printable

# Each command imports its package when it runs, so that the others start at once.
# ruff: noqa: PLC0415

SCALES = ("tiny", "small", "medium", "large", "xlarge")
VENDORS = ("salesforce", "stripe", "segment")
# Those of `ingest.build`, which takes a second to import.
BUILD_STEPS = ("batches", "models", "publish")
STRIPE_VERSIONS = ("2026-07-29.dahlia", "2022-11-15")
# The years that the currencies, prices and calendars of the simulation are made for.
_FIRST_YEAR, _LAST_YEAR = 2000, 2100


class _Day(click.ParamType[date]):
    """A date in ISO format."""

    name = "date"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> date:
        if isinstance(value, date):
            return value
        try:
            day = date.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r} is not a date; write it as 2026-09-30", param, ctx)
        if not _FIRST_YEAR <= day.year < _LAST_YEAR:
            self.fail(f"{day} is not between {_FIRST_YEAR} and {_LAST_YEAR}", param, ctx)
        return day


class _WarehouseFile(click.ParamType[Path]):
    """A DuckDB file; DuckDB names the database after it."""

    name = "file"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> Path:
        path = Path(str(value))
        try:
            str(path).encode()
        except UnicodeEncodeError:
            self.fail(f"the name {str(path)!r} is not UTF-8; name another file", param, ctx)
        if path.stem.lower() in {"main", "system", "temp"}:
            self.fail(
                f"DuckDB reserves the name {path.stem!r}; name the file otherwise", param, ctx
            )
        if path.is_dir():
            self.fail(f"{str(path)!r} is a folder; name a file in it", param, ctx)
        return path


_DIR = click.Path(path_type=Path)
_FILE = _WarehouseFile()
_COUNT = click.IntRange(min=1)

_extracts = click.option(
    "--extracts",
    type=_DIR,
    default="data/extracts",
    envvar="EXTRACTS_PATH",
    metavar="DIR",
    help="Folder of batches, or one batch.",
)
_warehouse = click.option(
    "--warehouse",
    type=_FILE,
    default="data/warehouse.duckdb",
    envvar="WAREHOUSE_PATH",
    metavar="FILE",
    help="DuckDB file.",
)
_marts = click.option(
    "--marts",
    type=_FILE,
    envvar="MARTS_PATH",
    metavar="FILE",
    help="DuckDB file of the published marts; by default `marts.duckdb` beside the warehouse.",
)
_backups = click.option(
    "--backups",
    type=_DIR,
    envvar="BACKUPS_PATH",
    metavar="DIR",
    help="Folder of backups; by default `backups` beside the warehouse.",
)
_names = click.option(
    "--names",
    "has_names",
    is_flag=True,
    envvar="DASHBOARD_NAMES",
    help="Show names of accounts, deals and people; without it, pages may be public.",
)


_full = click.option(
    "--full",
    is_flag=True,
    help="Each batch is a full Salesforce export: records it lacks are deleted.",
)


def _out(default: str) -> Callable[[click.decorators.FC], click.decorators.FC]:
    return click.option(
        "--out", type=_DIR, default=default, metavar="DIR", help="Folder to write to."
    )


def _split(_context: click.Context, _parameter: click.Parameter, value: str | None) -> list[str]:
    """The names in a text with commas between them."""
    return [name for one in (value or "").split(",") if (name := one.strip())]


@click.group(
    context_settings={
        "help_option_names": ["-h", "--help"],
        "show_default": True,
    }
)
def cli() -> None:
    """Generates, loads, builds and documents the warehouse.

    Exit codes: 0 done (or nothing left to do), 1 failed, 2 wrong usage, 130 interrupted.
    """


@cli.command()
@_out("data/extracts")
@click.option("--seed", type=click.IntRange(min=0), default=7, help="Seed of all random draws.")
@click.option("--scale", type=click.Choice(SCALES), default="small", help="Size of the company.")
@click.option("--start", type=_Day(), default="2024-01-01", help="First day.")
@click.option("--end", type=_Day(), default="2026-09-30", help="Last day.")
@click.option("--batches", type=_COUNT, default=6, help="Number of batches.")
@click.option(
    "--stripe-version",
    type=click.Choice(STRIPE_VERSIONS),
    default=STRIPE_VERSIONS[0],
    help="API version of Stripe's files.",
)
@click.option(
    "--thin", is_flag=True, help="Stripe's files without expansions and with 30 days of webhooks."
)
@click.option("--quiet", is_flag=True, help="Show no progress bar and no figures.")
def generate(
    *,
    out: Path,
    seed: int,
    scale: str,
    start: date,
    end: date,
    batches: int,
    stripe_version: str,
    thin: bool,
    quiet: bool,
) -> None:
    """Write the extracts of a fictional company, and print ten figures of it."""
    from ingest.generate import generate as run

    figures = run(
        out,
        seed=seed,
        scale=scale,
        start=start,
        end=end,
        batches=batches,
        stripe_version=stripe_version,
        is_thin=thin,
        quiet=quiet,
    )
    for name, value in () if quiet else figures:
        click.echo(f"{name:<24} {value}")


@cli.command()
@_extracts
@_warehouse
@click.option(
    "--batch", "batch_ids", multiple=True, metavar="ID", help="Only this batch; repeatable."
)
@click.option(
    "--replace", is_flag=True, help="Replace a batch whose files changed since it landed."
)
@_full
@click.option(
    "--encoding", metavar="NAME", help="Encoding of CSV files that no _batch.json describes."
)
@click.option("--quiet", is_flag=True, help="Show no progress bar.")
def load(
    *,
    extracts: Path,
    warehouse: Path,
    batch_ids: tuple[str, ...],
    replace: bool,
    full: bool,
    encoding: str | None,
    quiet: bool,
) -> int:
    """Load batches into the raw schemas."""
    from ingest import load as package

    return package.load(
        extracts,
        warehouse,
        batch_ids=batch_ids or None,
        replace=replace,
        full=full,
        encoding=encoding,
        quiet=quiet,
    )


@cli.command()
@_extracts
@_warehouse
def status(extracts: Path, warehouse: Path) -> None:
    """Show which batches have landed or are pending, and why records were rejected."""
    from ingest import load as package

    package.status(extracts, warehouse)


@cli.command()
@click.argument("vendors", nargs=-1, type=click.Choice(VENDORS), metavar="[VENDORS]...")
@_extracts
@click.option("--since", type=_Day(), help="First day; by default where the last pull ended.")
@click.option("--until", type=_Day(), help="Last day; by default up to now.")
@click.option(
    "--objects", callback=_split, metavar="NAMES", help="Only these, such as customers,Account."
)
@click.option(
    "--full",
    is_flag=True,
    help="Read everything again; Salesforce records that it lacks are deleted.",
)
@click.option(
    "--look-back",
    type=click.IntRange(min=0),
    default=30,
    metavar="DAYS",
    help="Days of balance transactions to read again, because no events report them.",
)
@click.option("--vars", "variables", default="{}", metavar="YAML", help="dbt variables.")
@click.option("--quiet", is_flag=True, help="Show no progress bar.")
def pull(
    *,
    vendors: tuple[str, ...],
    extracts: Path,
    since: date | None,
    until: date | None,
    objects: list[str],
    full: bool,
    look_back: int,
    variables: str,
    quiet: bool,
) -> None:
    """Pull what is new from Salesforce, Stripe and Segment into a batch.

    VENDORS are salesforce, stripe and segment; by default those whose environment variables are
    set. docs/exports.md lists the variables.
    """
    from ingest.pull import pull as run

    run(
        vendors,
        extracts,
        since=since,
        until=until,
        objects=objects,
        full=full,
        look_back_days=look_back,
        variables=variables,
        quiet=quiet,
    )


@cli.command()
@_extracts
@_warehouse
@_full
@click.option("--vars", "variables", default="{}", metavar="YAML", help="dbt variables.")
@click.option(
    "--as-of",
    type=click.DateTime(["%Y-%m-%d"]),
    envvar="AS_OF",
    help="The day that the figures are as of; by default that of the newest batch.",
)
@_marts
@click.option(
    "--personal-data",
    is_flag=True,
    envvar="MARTS_PERSONAL_DATA",
    help="Publish personal data instead of masking it.",
)
@click.option(
    "--batch",
    "until",
    envvar="BUILD_BATCH",
    metavar="ID",
    help="Stop after this batch: load and snapshot it and those before it, and build no model.",
)
@click.option(
    "--step",
    "steps",
    type=click.Choice(BUILD_STEPS),
    multiple=True,
    envvar="BUILD_STEP",
    help="Only this step; repeatable. By default all three.",
)
def build(
    *,
    extracts: Path,
    warehouse: Path,
    full: bool,
    variables: str,
    as_of: datetime | None,
    marts: Path | None,
    personal_data: bool,
    until: str | None,
    steps: tuple[str, ...],
) -> None:
    """Load, snapshot, build and publish what is not done yet.

    An orchestrator may run the steps apart. `batches` loads each pending batch and takes its
    snapshot before the next one lands, `models` builds and tests what has landed, `publish` copies
    the marts. Together they do what one command does.
    """
    from ingest.build import build as run

    if until is not None and set(steps) - {"batches"}:
        raise UsageError("--batch stops after the step batches; leave out the other steps")

    if as_of:
        day = f"as_of_date: {as_of:%Y-%m-%d}"
        variables = f"{{{day}}}" if variables == "{}" else f"{{{day}, {variables.strip()[1:]}"
    run(
        extracts,
        warehouse,
        variables=variables,
        full=full,
        marts_path=marts,
        has_personal_data=personal_data,
        steps=steps or (BUILD_STEPS if until is None else ("batches",)),
        until=until,
    )


@cli.command()
@_warehouse
@click.option("--vars", "variables", default="{}", metavar="YAML", help="dbt variables.")
@_marts
@click.option(
    "--personal-data",
    is_flag=True,
    envvar="MARTS_PERSONAL_DATA",
    help="Publish personal data instead of masking it.",
)
@click.option(
    "--least-churns",
    type=_COUNT,
    default=30,
    metavar="N",
    help="With fewer known churns, every account gets the share that churned.",
)
def predict(
    *,
    warehouse: Path,
    variables: str,
    marts: Path | None,
    personal_data: bool,
    least_churns: int,
) -> None:
    """Fit the churn model, and score accounts with it.

    It needs a built warehouse, and the packages in requirements-predict.txt.
    """
    try:
        from ingest.predict import predict as run
    except ModuleNotFoundError as error:
        raise UsageError(
            f"{error.name} is not installed;"
            " `python -m pip install -r requirements-predict.txt` installs it"
        ) from error
    run(
        warehouse,
        variables,
        marts_path=marts,
        has_personal_data=personal_data,
        least_churns=least_churns,
    )


@cli.command()
@click.argument("sql")
@_warehouse
@_marts
@click.pass_context
def query(context: click.Context, sql: str, warehouse: Path, marts: Path | None) -> None:
    """Print the result of one SQL query.

    It is answered from the published marts, even while a build runs. With --warehouse on the
    command line, it is answered from that file. Either is opened for reading only.
    """
    from ingest.query import query as run

    run(_to_read(context, warehouse, marts), sql)


def _to_read(context: click.Context, warehouse: Path, marts: Path | None) -> Path:
    """The published marts, unless there are none or the command line names a warehouse."""
    from ingest.load.warehouse import published

    source = context.get_parameter_source("warehouse")
    path = marts or published(warehouse)
    is_named = source is click.core.ParameterSource.COMMANDLINE
    return warehouse if is_named or not path.is_file() else path


@cli.command()
@click.argument("names", required=False, callback=_split, metavar="[NAMES]")
@click.option("--by", callback=_split, metavar="NAMES", help="Dimensions, such as month,segment.")
@click.option(
    "--where", multiple=True, metavar="SQL", help="A condition on dimensions; repeatable."
)
@click.option(
    "--order", callback=_split, metavar="NAMES", help="Columns; `-` before one: descending."
)
@click.option("--limit", type=_COUNT, metavar="N", help="Maximum number of rows.")
@click.option("--csv", "form", flag_value="csv", help="Print CSV, with figures in full.")
@click.option("--sql", "form", flag_value="sql", help="Print the query and do not run it.")
@click.option(
    "--list", "form", flag_value="list", help="Print definitions, of NAMES with their dimensions."
)
@_warehouse
@_marts
@click.pass_context
def metric(
    context: click.Context,
    *,
    names: list[str],
    by: list[str],
    where: tuple[str, ...],
    order: list[str],
    limit: int | None,
    form: str | None,
    warehouse: Path,
    marts: Path | None,
) -> None:
    """Print metrics by name, such as `mrr,nrr --by month,segment`.

    NAMES are those of `--list`. They are computed from the published marts, or from the warehouse
    that --warehouse names. Either is opened for reading only.
    """
    from ingest.metrics import show

    if form == "list":
        show.show_definitions(warehouse, names)
    else:
        path = _to_read(context, warehouse, marts)
        show.metric(
            *(warehouse, names),
            by=by,
            where=where,
            order=order,
            limit=limit,
            form=form,
            marts_path=path,
        )


@cli.command()
@_warehouse
@_out("target/site")
@_names
def docs(warehouse: Path, out: Path, has_names: bool) -> None:
    """Write the documentation site of a built warehouse."""
    from ingest.docs.site import docs as run

    run(warehouse, out, has_names=has_names)


@cli.command()
@_warehouse
@_out("target/site")
@_names
@click.option("--port", type=_COUNT, default=8321, show_default=True, help="Port of the server.")
def dashboard(warehouse: Path, out: Path, has_names: bool, port: int) -> None:
    """Open the dashboards on a local server, and rebuild them when the warehouse changes."""
    from ingest.docs.dashboards.serve import serve as run

    run(warehouse, out, port, has_names=has_names)


@cli.command()
@_warehouse
@_backups
@click.option(
    "--keep",
    type=_COUNT,
    default=7,
    envvar="BACKUPS_KEPT",
    metavar="N",
    help="Number of backups of this file to keep.",
)
def backup(warehouse: Path, backups: Path | None, keep: int) -> None:
    """Keep a dated, verified copy of the warehouse."""
    from ingest.backup import backup as run

    run(warehouse, backups or warehouse.parent / "backups", keep=keep)


@cli.command()
@click.argument("name", metavar="[NAME]", required=False, envvar="BACKUP")
@_warehouse
@_backups
def restore(name: str | None, warehouse: Path, backups: Path | None) -> None:
    """Restore the backup NAME (BACKUP), or the newest one."""
    from ingest.backup import restore as run

    run(warehouse, backups or warehouse.parent / "backups", name)


@cli.command()
@_warehouse
@_out("data/report")
@click.option("--strict", is_flag=True, help="Exit with 1 if the report's status is `fail`.")
def report(warehouse: Path, out: Path, strict: bool) -> int:
    """Write the data quality report."""
    from ingest.docs.report import report as run

    return run(warehouse, out, strict=strict)


@cli.command()
@click.argument("base", metavar="[REF]", default="main", envvar="BASE")
@click.option(
    "--extracts",
    type=_DIR,
    envvar="EXTRACTS_PATH",
    metavar="DIR",
    help="Folder of batches; by default a tiny company that the base generates.",
)
def diff(base: str, extracts: Path | None) -> int:
    """Compare models, metrics and rows with those of the git reference REF (BASE; main)."""
    from ingest.diff.run import diff as run

    return run(base, extracts)


@cli.command()
@_warehouse
@click.option(
    "--out",
    type=_FILE,
    envvar="SHARE_PATH",
    metavar="FILE",
    help="DuckDB file to write; by default `share.duckdb` beside the warehouse.",
)
@click.option(
    "--mask",
    is_flag=True,
    envvar="SHARE_MASK",
    help="Hash rows with people in columns that should hold none, instead of stopping.",
)
def share(warehouse: Path, out: Path | None, mask: bool) -> None:
    """Copy the marts without personal data."""
    from ingest.share import share as run

    run(warehouse, out or warehouse.parent / "share.duckdb", is_masked=mask)


@cli.command()
@_warehouse
@click.option(
    "--lake",
    default="data/lake",
    envvar="LAKE_PATH",
    metavar="DIR",
    help="Folder, or the address of one in an object store.",
)
def export(warehouse: Path, lake: str) -> None:
    """Append landed batches to a lake of Parquet files, for Spark."""
    from ingest.lake.export import export as run

    run(warehouse, lake)


@cli.command()
@click.option("--kills", type=_COUNT, default=20, help="Trials of each kind.")
@click.option("--records", type=_COUNT, default=10_000, help="Broken records of each format.")
@click.option("--seed", type=int, default=7, help="Seed of all random draws.")
def soak(kills: int, records: int, seed: int) -> int:
    """Kill processes, fill the disk and corrupt input, and count lost rows."""
    from ingest.bench.soak import soak as run

    return run(kills=kills, records=records, seed=seed)


@cli.command()
@click.option(
    "--scale",
    type=click.Choice(SCALES),
    envvar="SCALE",
    help="Measure this scale; by default each figure is measured at the scale of its target.",
)
def bench(scale: str | None) -> None:
    """Measure speed and memory."""
    from ingest.bench.run import bench as run

    run(scale)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code.

    Every error that a user can cause is printed to standard error as one message.

    Args:
        argv: The arguments; by default those of this process.
    """
    with _printable_output():
        return _reported(list(sys.argv[1:] if argv is None else argv))


@contextmanager
def _printable_output() -> Iterator[None]:
    """Keeps control characters in names and values from steering the terminal."""
    streams = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = Printable(sys.stdout), Printable(sys.stderr)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = streams


def _reported(arguments: Sequence[str]) -> int:
    """Runs one command and reports its errors."""
    try:
        code = _run(list(arguments))
        sys.stdout.flush()
    except click.exceptions.Exit as done:
        # After `--help`.
        code = done.exit_code
    except BaseException as error:
        found = _of_the_command_line(error) or explained(error)
        if found is None:
            raise
        message, code = found
        print(message, file=sys.stderr)
        _drop_unwritten_output()
    return code


def _run(arguments: list[str]) -> int:
    with cli.make_context("ingest", arguments) as context:
        code: int | None = cli.invoke(context)
    return code or 0


def _of_the_command_line(error: BaseException) -> tuple[str, int] | None:
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        return error.format_message(), error.exit_code
    if isinstance(error, click.UsageError) and error.ctx:
        variable = _variable_with_the_error(error, error.ctx)
        message = f"{variable}{error.format_message().rstrip('.')}"
        hint = f"`python -m {error.ctx.command_path} --help` lists the options"
        return f"{message}; {hint}", error.exit_code
    if isinstance(error, click.ClickException):
        return error.format_message(), error.exit_code
    return None


def _variable_with_the_error(error: click.UsageError, context: click.Context) -> str:
    """The environment variable that a wrong value comes from, as a prefix of the message."""
    parameter = error.param if isinstance(error, click.BadParameter) else None
    if parameter is None or parameter.name is None:
        return ""
    source = context.get_parameter_source(parameter.name)
    is_variable = source is click.core.ParameterSource.ENVIRONMENT
    return f"Environment variable {parameter.envvar}: " if is_variable else ""


def _drop_unwritten_output() -> None:
    """Keeps Python from failing again at exit over output that cannot be written."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
