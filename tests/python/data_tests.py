"""The project's data tests, run without dbt: the same SQL in a tenth of the time.

Most of what a data test costs is dbt's preparation of it, some 20 ms for each of a thousand. Test
files that build a warehouse of their own therefore run the compiled SQL. `test_quality.py` proves
on the tiny company that dbt gets the same results, and on a damaged one that a failure is found.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import duckdb
from dbt.contracts.graph.manifest import Manifest
from dbt.contracts.graph.nodes import GenericTestNode, SingularTestNode


@dataclass(frozen=True)
class _DataTest:
    """A compiled data test.

    Attributes:
        name: The test's name.
        folder: The folder of its file.
        severity: `ERROR`, or `WARN` where a build only reports a failure.
        relations: The tables and views that it reads.
        checks: How many columns it tests, or 1 for the whole relation.
        query: Returns true where the test fails.
    """

    name: str
    folder: str
    severity: str
    relations: list[str]
    checks: int
    query: str


class DataTests:
    """The project's data tests, as dbt compiled them for the sample company, run without dbt.

    Args:
        path: What `write` wrote.
    """

    def __init__(self, path: Path) -> None:
        self.tests = [_DataTest(**one) for one in json.loads(path.read_text())]

    def check(
        self,
        warehouse: Path,
        *,
        least: int | None = None,
        folder: str = "",
        severity: str = "ERROR",
    ) -> Path:
        """Asserts that the tests pass whose relations are all built, and returns the warehouse.

        Args:
            warehouse: A built warehouse.
            least: How many checks must have run; all of them unless a part is built.
            folder: Runs the tests in this folder only.
            severity: Runs the tests of this severity only.
        """
        chosen = [
            test
            for test in self.tests
            if test.severity == severity and test.folder.startswith(folder)
        ]
        results = self.results(warehouse, chosen)
        failed = [name for name, is_failure in results.items() if is_failure]
        assert not failed, f"data tests fail: {', '.join(failed)}"
        ran = sum(test.checks for test in chosen if test.name in results)
        least = sum(test.checks for test in chosen) if least is None else least
        assert ran >= least, f"{ran} checks ran, fewer than {least}"
        return warehouse

    def results(
        self, warehouse: Path, chosen: Sequence[_DataTest] | None = None
    ) -> dict[str, bool]:
        """Whether each test fails; a test is left out if a relation that it reads is not built."""
        with duckdb.connect(str(warehouse), read_only=True) as connection:
            connection.execute("set TimeZone = 'UTC'")
            connection.execute("set threads = 1")
            built = {
                f'"{database}"."{schema}"."{name}"'
                for database, schema, name in connection.execute(
                    "select table_catalog, table_schema, table_name from information_schema.tables"
                ).fetchall()
            }
            return {
                test.name: connection.execute(test.query).fetchall() != [(False,)]
                for test in (self.tests if chosen is None else chosen)
                if built.issuperset(test.relations)
            }


def write(path: Path, manifest: Manifest) -> None:
    """Keeps the data tests as dbt has just compiled them to run them."""
    found = []
    for node in manifest.nodes.values():
        if isinstance(node, GenericTestNode | SingularTestNode):
            config = node.config
            assert node.compiled_code
            assert config.limit is None
            parents = (
                manifest.sources.get(name) or manifest.nodes[name] for name in node.depends_on_nodes
            )
            severity = str(config.severity).upper()
            given = node.test_metadata.kwargs if isinstance(node, GenericTestNode) else {}
            is_failure = config.error_if if severity == "ERROR" else config.warn_if
            found.append(
                _DataTest(
                    node.name,
                    node.original_file_path.rpartition("/")[0],
                    severity,
                    sorted(str(parent.relation_name) for parent in parents),
                    len(given.get("columns", "1")),
                    f"select {config.fail_calc} {is_failure} from (\n{node.compiled_code}\n)",
                )
            )
    path.write_text(json.dumps([asdict(one) for one in found]))
