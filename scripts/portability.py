"""Renders every model for other warehouses and parses it in their dialects.

    python scripts/portability.py

A macro of `macros/engine` that has no form for an engine is one call here, and its name is listed:
these are the macros to write for that engine. dbt's own macros take their default form. What is
left is the SQL that all engines share. Prints what would not parse, by construct, and exits with 1
when an engine has more such models than today. Parsing does not show that figures are equal.
"""

import logging
import sys
from collections import defaultdict
from collections.abc import Callable
from functools import partial
from typing import Any

import sqlglot
from dbt.adapters.duckdb.impl import DuckDBAdapter
from dbt.artifacts.schemas.run import RunExecutionResult
from dbt.cli.main import dbtRunner
from dbt.context.providers import BaseDatabaseWrapper
from dbt.contracts.graph.manifest import Manifest
from dbt.contracts.graph.nodes import CompiledNode
from sqlglot.errors import ErrorLevel, ParseError

# Databricks is Spark; the others have the forms that are standard SQL.
ENGINES = {"snowflake": ("default",), "bigquery": ("default",), "databricks": ("spark", "default")}
# What encloses an identifier that is a reserved word; double quotes elsewhere.
QUOTES = {"bigquery": "`"}
# How many models may fail.
BOUNDS = {"snowflake": 0, "bigquery": 0, "databricks": 0}
# What a wrapper of dbt finds by name, before a call takes its place.
_dispatch = BaseDatabaseWrapper.dispatch
_PREFIXES = "_get_adapter_macro_prefixes"


def _call(name: str) -> Callable[..., str]:
    """An engine macro as a function call of the SQL expressions that it was given.

    It has a prefix, because `json_object` and others are functions with a grammar of their own.
    """

    def render(*arguments: object, **named: object) -> str:
        # The fields of `json_fields` are types.
        if name == "json_fields":
            arguments = arguments[:1]
        expressions = [text for value in (*arguments, *named.values()) for text in _texts(value)]
        return f"engine_{name}({', '.join(expressions)})"

    return render


def _texts(value: object) -> list[str]:
    if isinstance(value, dict):
        return [text for part in value.values() for text in _texts(part)]
    if isinstance(value, (list, tuple)):
        return [text for part in value for text in _texts(part)]
    return [value] if isinstance(value, str) and value.strip() else []


def _dispatch_for(engine: str, missing: set[str]) -> Callable[..., Any]:
    prefixes = [engine, "default"]

    def dispatch(
        self: BaseDatabaseWrapper, macro_name: str, macro_namespace: str | None = None, **_: object
    ) -> Any:
        if macro_namespace is not None:
            # What asks the database still asks DuckDB.
            own_prefixes = ["duckdb", "default"] if macro_name.startswith("list_") else prefixes
            setattr(BaseDatabaseWrapper, _PREFIXES, lambda _: own_prefixes)
            return _dispatch(self, macro_name, macro_namespace)
        find = partial(self._namespace.get_from_package, None)
        for prefix in (engine, *ENGINES[engine]):
            if own := find(f"{prefix}__{macro_name}"):
                return own
        missing.add(macro_name)
        return _call(macro_name)

    return dispatch


def _compiled(manifest: Manifest, engine: str, missing: set[str]) -> dict[str, str]:
    """The SQL of every model and snapshot; adds the macros that the engine lacks to `missing`."""
    setattr(BaseDatabaseWrapper, "dispatch", _dispatch_for(engine, missing))  # noqa: B010
    quote = QUOTES.get(engine, '"')
    setattr(DuckDBAdapter, "quote", lambda _, identifier: f"{quote}{identifier}{quote}")  # noqa: B010
    for node in manifest.nodes.values():
        if isinstance(node, CompiledNode):
            node.compiled, node.extra_ctes_injected, node.extra_ctes = False, False, []
    result = dbtRunner(manifest=manifest).invoke(
        [
            *("--quiet", "compile", "--no-populate-cache"),
            *("--select", "resource_type:model", "resource_type:snapshot"),
            *("--indirect-selection", "empty"),
        ]
    )
    compiled = result.result
    if not result.success or not isinstance(compiled, RunExecutionResult):
        raise SystemExit(f"dbt compile failed for {engine}: {result.exception or ''}")
    nodes = (one.node for one in compiled.results)
    return {node.name: node.compiled_code or "" for node in nodes if isinstance(node, CompiledNode)}


def _construct(error: ParseError | TypeError) -> str:
    """The words around the place that does not parse."""
    if isinstance(error, TypeError):
        return f"sqlglot fails: {error}"
    found = error.errors[0]
    before = " ".join((found["start_context"] or "").split()[-2:])
    after = " ".join((found["end_context"] or "").split()[:2])
    return f"{before} >{found['highlight']}< {after}".strip()


def main() -> int:
    """Print the table; 1 when an engine has more models that do not parse than the bound."""
    logging.disable()
    parsed = dbtRunner().invoke(["--quiet", "parse"])
    if not isinstance(parsed.result, Manifest):
        raise SystemExit(f"dbt parse failed: {parsed.exception}")
    is_worse = False
    for engine in ENGINES:
        missing: set[str] = set()
        models = _compiled(parsed.result, engine, missing)
        failures: dict[str, list[str]] = defaultdict(list)
        for name, code in models.items():
            try:
                sqlglot.parse_one(code, dialect=engine, error_level=ErrorLevel.IMMEDIATE)
            except (ParseError, TypeError) as error:
                failures[_construct(error)].append(name)
        count = sum(map(len, failures.values()))
        is_worse |= count > BOUNDS[engine]
        print(f"{engine}: {len(models) - count} of {len(models)} models and snapshots parse")
        for construct, names in sorted(failures.items(), key=lambda item: -len(item[1])):
            print(f"    {construct}: {', '.join(sorted(names))}")
        if missing:
            print(f"    macros to write, {len(missing)}: {', '.join(sorted(missing))}")
    return int(is_worse)


if __name__ == "__main__":
    sys.exit(main())
