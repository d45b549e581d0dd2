"""Renders every model for other warehouses and parses it in their dialects.

    python scripts/portability.py

A macro of `macros/engine` is one call here, because each engine has its own form of it; dbt's own
macros take their default form. What is left is the SQL that all engines share. Prints what would
not parse, by construct, and exits with 1 when an engine has more such models than the bound.
"""

import json
import logging
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import sqlglot
from dbt.cli.main import dbtRunner
from dbt.context.providers import BaseDatabaseWrapper
from sqlglot.errors import ErrorLevel, ParseError

ENGINES = ("snowflake", "bigquery", "databricks")
BOUND = 5
# What a wrapper of dbt finds by name, before a call takes its place.
_dispatch = BaseDatabaseWrapper.dispatch


def _call(name: str) -> Callable[..., str]:
    """An engine macro as a function call of the SQL expressions that it was given."""

    def render(*arguments: object, **named: object) -> str:
        expressions = [text for value in (*arguments, *named.values()) for text in _texts(value)]
        return f"{name}({', '.join(expressions)})"

    return render


def _texts(value: object) -> list[str]:
    if isinstance(value, dict):
        return [text for part in value.values() for text in _texts(part)]
    if isinstance(value, (list, tuple)):
        return [text for part in value for text in _texts(part)]
    return [value] if isinstance(value, str) and value.strip() else []


def _dispatch_for(engine: str) -> Callable[..., Any]:
    def dispatch(
        self: BaseDatabaseWrapper, macro_name: str, macro_namespace: str | None = None, **_: object
    ) -> Any:
        if macro_namespace is None:
            find = partial(self._namespace.get_from_package, None)
            own = find(f"{engine}__{macro_name}") or find(f"default__{macro_name}")
            return own or _call(macro_name)
        return _dispatch(self, macro_name, macro_namespace)

    return dispatch


def _compiled(engine: str) -> dict[str, str]:
    """The SQL of every model and snapshot."""
    with tempfile.TemporaryDirectory() as target:
        BaseDatabaseWrapper.dispatch = _dispatch_for(engine)
        BaseDatabaseWrapper._get_adapter_macro_prefixes = lambda _: [engine, "default"]
        selected = ("resource_type:model", "resource_type:snapshot")
        result = dbtRunner().invoke(
            [
                "--quiet",
                "compile",
                "--target-path",
                target,
                "--select",
                *selected,
                "--indirect-selection",
                "empty",
                "--no-populate-cache",
            ]
        )
        if not result.success:
            raise SystemExit(f"dbt compile failed for {engine}: {result.exception or ''}")
        nodes = json.loads((Path(target) / "manifest.json").read_text())["nodes"].values()
    return {node["name"]: node["compiled_code"] for node in nodes if node.get("compiled_code")}


def _construct(error: ParseError) -> str:
    """The words around the place that does not parse."""
    found = error.errors[0]
    before = " ".join((found["start_context"] or "").split()[-2:])
    after = " ".join((found["end_context"] or "").split()[:2])
    return f"{before} >{found['highlight']}< {after}".strip()


def main() -> int:
    """Print the table; 1 when an engine has more models that do not parse than the bound."""
    logging.disable()
    worst = 0
    for engine in ENGINES:
        models = _compiled(engine)
        failures: dict[str, list[str]] = defaultdict(list)
        for name, code in models.items():
            try:
                sqlglot.parse_one(code, dialect=engine, error_level=ErrorLevel.IMMEDIATE)
            except ParseError as error:
                failures[_construct(error)].append(name)
        count = sum(map(len, failures.values()))
        worst = max(worst, count)
        print(f"{engine}: {len(models) - count} of {len(models)} models and snapshots parse")
        for construct, names in sorted(failures.items(), key=lambda item: -len(item[1])):
            print(f"    {construct}: {', '.join(sorted(names))}")
    return int(worst > BOUND)


if __name__ == "__main__":
    sys.exit(main())
