"""Measures the project against the bounds that keep it easy to change.

    WAREHOUSE_PATH=:memory: DBT_TARGET_PATH=target/lint dbt --quiet compile
    python scripts/measures.py --list

Reads the manifest of `dbt compile` and the SQL and Python files that git tracks. Prints one line
per measure and exits with 1 when a measure exceeds its bound. `--list` also prints what it counts.
"""

import argparse
import csv
import json
import re
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from graphlib import TopologicalSorter
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple, cast

from sqlglot import exp, parse_one
from sqlglot.optimizer.pushdown_projections import pushdown_projections
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import traverse_scope

Node = dict[str, Any]
Run = tuple[str, ...]

# What holds rows; tests and exposures are nodes too.
DATA = ("model", "source", "seed", "snapshot")
BILLING = re.compile(
    r"models/(intermediate/(billing|mrr|currency|bookings)/|marts/finance/|staging/stripe/"
    r"(?!.*stg_stripe__(customers|customer_events|customer_extracts)\.sql))"
)
# Stripe objects that identify a customer, and so are part of identity.
IDENTITY_SOURCES = {"customers", "events"}
SNAPSHOT_COLUMNS = ["dbt_scd_id", "dbt_updated_at", "dbt_valid_from", "dbt_valid_to"]

RUN_LENGTH = 6
RANKED_PAIRS = 20
# A run in more places than this is a convention of the project, not a copy.
COMMON_PLACES = 8
FOLDER_FILES = 3
FINANCE = "models/marts/finance/"

INSUBSTANTIAL = re.compile(r"#|--|\*|\"\"\"|import |from \S+ import ")
COMMENTS = re.compile(r"\{#.*?#\}|--[^\n]*", re.DOTALL)
IMPORT_CTE = re.compile(r"select \* from \{\{ (?:ref|source)\([^)]*\) \}\}\s*\)")
LAST_SELECT = re.compile(r"^select \* from \w+", re.MULTILINE)
# A star after an operand multiplies, and one after a bracket counts rows.
STAR = re.compile(r"(?:\bselect|\bselect distinct|,|\.)\s*\*|^\s*\*(?=,?\s*$)")
INCREMENT = re.compile(r"is_incremental\(\).*?\{%-? *endif", re.DOTALL)
WORD = re.compile(r"\w+")
TOKEN = re.compile(r"'[^']*'|\"[^\"]*\"|[A-Za-z_]\w*|\d[\w.]*|\S")


class Measure(NamedTuple):
    """A count of things to keep few, with the things themselves."""

    name: str
    bound: int
    found: list[str]


class SharedRuns(NamedTuple):
    """Two files, how many runs of lines they share, and where the first begins in each."""

    runs: int
    one: str
    other: str
    one_line: int
    other_line: int


def tracked_files(*patterns: str) -> list[Path]:
    """Files of the working tree that git tracks."""
    listed = subprocess.run(
        ["git", "ls-files", *patterns],  # noqa: S607
        capture_output=True,
        text=True,
        check=True,
    )
    return [path for name in listed.stdout.splitlines() if (path := Path(name)).exists()]


# Lineage of models


def ancestors(manifest: Node, name: str) -> Iterator[Node]:
    """Models, sources, seeds and snapshots that a model is built from, directly or not."""
    nodes = manifest["nodes"] | manifest["sources"]
    pending = [key for key in nodes if key.startswith("model.") and key.endswith("." + name)]
    seen: set[str] = set()
    while pending:
        for parent in manifest["parent_map"][pending.pop()]:
            if parent not in seen and nodes[parent]["resource_type"] in DATA:
                seen.add(parent)
                pending.append(parent)
                yield nodes[parent]


def is_billing(node: Node) -> bool:
    """Whether a node is part of billing, which must not be able to stop counts of usage."""
    if node["resource_type"] == "source":
        return node["source_name"] == "stripe" and node["name"] not in IDENTITY_SOURCES
    return BILLING.match(node["original_file_path"]) is not None


# Lines that two files share


def lines_of_substance(path: Path) -> list[tuple[int, str]]:
    """Numbered lines with white space folded, without blanks, comments, imports and punctuation."""
    folded = (" ".join(line.split()) for line in path.read_text().split("\n"))
    return [
        (number, line)
        for number, line in enumerate(folded, 1)
        if re.search(r"\w{2}", line) and not INSUBSTANTIAL.match(line)
    ]


def shape(line: str) -> str:
    """A line with its names, strings and numbers replaced by one letter each."""

    def letter(token: str) -> str:
        if token[0] in "'\"":
            return "s"
        if token[0].isdigit():
            return "0"
        return "x" if token[0].isidentifier() else token

    return " ".join(letter(token) for token in TOKEN.findall(line))


def is_slight(run: Run) -> bool:
    """Whether a run of shapes says too little to be a copy: short lines, or a list of names."""
    lines = [line.split() for line in run]
    return sum(map(len, lines)) < 4 * RUN_LENGTH or sum(len(x) >= 8 or "=" in x for x in lines) < 2


def is_convention(run: Run, paths: set[str]) -> bool:
    """Whether a run of shapes is mostly punctuation, or the way files of one folder look."""
    tokens = [token for line in run for token in line.split()]
    folders = Counter(str(Path(path).parent) for path in paths)
    return (
        sum(x in ("x", "s", "0") for x in tokens) < 0.4 * len(tokens)
        or max(folders.values()) >= FOLDER_FILES
    )


def shared_runs(files: Iterable[Path]) -> list[SharedRuns]:
    """Pairs of files that share runs of lines, literally or by their shape; most first."""
    texts = {str(path): lines_of_substance(path) for path in files}
    places: dict[tuple[bool, Run], list[tuple[str, int]]] = defaultdict(list)
    for path, numbered in texts.items():
        lines = [line for _, line in numbered]
        for is_shape, forms in ((False, lines), (True, [shape(line) for line in lines])):
            for index in range(len(forms) - RUN_LENGTH + 1):
                places[is_shape, tuple(forms[index : index + RUN_LENGTH])].append((path, index))
    shared: dict[tuple[str, str], set[tuple[int, int]]] = defaultdict(set)
    copies: Counter[tuple[str, str]] = Counter()
    for (is_shape, run), found in places.items():
        if not 1 < len(found) <= COMMON_PLACES or (is_shape and is_slight(run)):
            continue
        weight = 0 if is_shape and is_convention(run, {path for path, _ in found}) else 1
        for (one, index), (other, second) in combinations(found, 2):
            if one != other or second >= index + RUN_LENGTH:
                shared[one, other].add((index, second))
                # One literal run makes a pair a copy, whatever its shapes say.
                copies[one, other] += weight if is_shape else len(texts[one])
    ranked = []
    for (one, other), indexes in shared.items():
        if 2 * copies[one, other] >= len(indexes):
            first, second = min(indexes)
            place = texts[one][first][0], texts[other][second][0]
            ranked.append(SharedRuns(len(indexes), one, other, *place))
    return sorted(ranked, key=lambda pair: (-pair.runs, *pair[1:]))


# Columns that are read


class ColumnReads:
    """The columns of every relation, and which of them any node of the project reads."""

    def __init__(self, manifest: Node) -> None:
        """Reads the compiled SQL, upstream first."""
        nodes: dict[str, Node] = manifest["nodes"]
        self.columns: dict[str, list[str]] = {}
        self.read: dict[str, set[str]] = defaultdict(set)
        graph = {key: set(manifest["parent_map"].get(key, ())) & nodes.keys() for key in nodes}
        for node in map(nodes.__getitem__, TopologicalSorter(graph).static_order()):
            if node["resource_type"] == "seed":
                with Path(node["original_file_path"]).open(newline="") as file:
                    self.columns[node["name"]] = next(csv.reader(file))
            elif code := node.get("compiled_code"):
                columns = self._read_query(code)
                if node["resource_type"] == "snapshot":
                    columns += SNAPSHOT_COLUMNS
                self.columns[node["name"]] = columns
                if node["config"].get("materialized") == "incremental":
                    self._read_increment(manifest, node)

    def _read_query(self, code: str) -> list[str]:
        """Notes what a query reads; returns its own columns."""
        query = parse_one(code, dialect="duckdb")
        schema: dict[str, dict[str, str]] = {}
        for table in query.find_all(exp.Table):
            if table.db and table.name in self.columns:
                table.set("catalog", None)
                table.set("db", None)
                schema[table.name] = dict.fromkeys(self.columns[table.name], "text")
        qualified = qualify(
            query,
            dialect="duckdb",
            schema=schema,
            infer_schema=True,
            validate_qualify_columns=False,
            quote_identifiers=False,
            identify=False,
        )
        columns = [column.output_name for column in cast("exp.Query", qualified).selects]
        # What a CTE passes on and nothing takes is not read.
        for scope in traverse_scope(pushdown_projections(qualified, schema=schema)):
            for column in scope.columns:
                source = scope.sources.get(column.table)
                if isinstance(source, exp.Table):
                    self.read[source.name].add(column.name)
        return list(columns)

    def _read_increment(self, manifest: Node, node: Node) -> None:
        """Notes what an incremental model reads only when its table exists, which is not compiled.

        Every word of its `is_incremental` blocks and of its macros counts.
        """
        code = "".join(INCREMENT.findall(node["raw_code"]))
        for key in node["depends_on"]["macros"]:
            if manifest["macros"][key]["package_name"] == node["package_name"]:
                code += manifest["macros"][key]["macro_sql"]
        for parent in (node["unique_id"], *manifest["parent_map"][node["unique_id"]]):
            self.read[parent.split(".")[-1]].update(WORD.findall(code))


def unread_columns(manifest: Node) -> Iterator[str]:
    """Columns of intermediate models that no model, test, snapshot, analysis or Python file reads.

    Columns that begin with an underscore are bookkeeping and left out.
    """
    reads = ColumnReads(manifest)
    python = [set(WORD.findall(path.read_text())) for path in tracked_files("scripts/ingest/*.py")]
    for node in manifest["nodes"].values():
        path = node["original_file_path"]
        if node["resource_type"] != "model" or not path.startswith("models/intermediate/"):
            continue
        name = node["name"]
        words = set().union(*(found for found in python if name in found))
        for column in reads.columns.get(name, ()):
            if column not in reads.read[name] | words and not column.startswith("_"):
                yield f"{name}.{column}"


# Stars


def stars(path: Path) -> Iterator[str]:
    """Every `*` that stands for columns, outside import CTEs and the last line."""
    text = path.read_text()
    for pattern in (COMMENTS, IMPORT_CTE, LAST_SELECT):
        text = pattern.sub(lambda found: "\n" * found[0].count("\n"), text)
    for number, line in enumerate(text.split("\n"), 1):
        for _ in STAR.finditer(line):
            yield f"{path}:{number}"


# The table


def measures(manifest: Node) -> Iterator[Measure]:
    """Every measure with its bound."""
    dau = ancestors(manifest, "fct_active_users_daily")
    billing = [node["name"] for node in dau if is_billing(node)]
    yield Measure("billing ancestors of fct_active_users_daily", 0, billing)
    events = [node["name"] for node in ancestors(manifest, "fct_events")]
    yield Measure("ancestors of fct_events", 42, events)
    models = [node for node in manifest["nodes"].values() if node["resource_type"] == "model"]
    yield Measure("models", 242, [node["original_file_path"] for node in models])
    yield Measure("macro files", 70, [str(path) for path in tracked_files("macros/*.sql")])
    most = shared_runs(tracked_files("*.sql", "*.py"))[:RANKED_PAIRS]
    copies = [
        f"{pair.one}:{pair.one_line} {pair.other}:{pair.other_line} ({pair.runs} runs)"
        for pair in most
        if pair.one.startswith(FINANCE) and pair.other.startswith(FINANCE)
    ]
    yield Measure(f"pairs in {FINANCE} of the {RANKED_PAIRS} that share most lines", 3, copies)
    yield Measure("intermediate columns that nothing reads", 5, list(unread_columns(manifest)))
    queries = tracked_files("models/*.sql", "snapshots/*.sql", "tests/*.sql", "analyses/*.sql")
    found = [star for path in queries for star in stars(path)]
    yield Measure("`*` outside import CTEs and the last line", 30, found)


def main() -> int:
    """Prints the table; 1 when a measure exceeds its bound."""
    parser = argparse.ArgumentParser(description="Measure the project against its bounds.")
    parser.add_argument("--list", action="store_true", help="list what each measure counts")
    parser.add_argument("--target-path", type=Path, default=Path("target/lint"))
    options = parser.parse_args()
    manifest = json.loads((options.target_path / "manifest.json").read_text())
    if not any(node.get("compiled_code") for node in manifest["nodes"].values()):
        parser.error(f"{options.target_path} has no compiled SQL; run dbt compile first")
    results = list(measures(manifest))
    for measure in results:
        value = len(measure.found)
        state = "over" if value > measure.bound else "ok"
        print(f"{measure.name:<62} {value:>4}  at most {measure.bound:>3}  {state}")
        if options.list and measure.found:
            print(*(f"    {found}" for found in sorted(measure.found)), sep="\n")
    return int(any(len(measure.found) > measure.bound for measure in results))


if __name__ == "__main__":
    sys.exit(main())
