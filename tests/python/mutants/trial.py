"""Builds one faulty model with everything that reads it, and asks every test."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
from dbt_common.exceptions import DbtBaseException

from mutants.project import NOW, DataTest, Project, is_error
from replay import STARTED

_PATIENCE = 20.0


@dataclass
class Outcome:
    """What came of one fault.

    Attributes:
        is_valid: Whether the faulty model can be built at all in bounded time.
        marts: The marts that differ.
        unit_tests: Those that fail.
        data_tests: Those that fail, or the error that stops the build.
        warnings: Data tests that warn and did not before.
    """

    is_valid: bool = True
    marts: list[str] = field(default_factory=list)
    unit_tests: list[str] = field(default_factory=list)
    data_tests: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


class Bench:
    """The built sample company, in which each trial is rolled back.

    Args:
        project: The project, while it is compiling.
        warehouse: A copy of its warehouse, which trials change and restore.
    """

    def __init__(self, project: Project, warehouse: Path) -> None:
        self.project = project
        self.connection = duckdb.connect(str(warehouse))
        self.connection.execute("set TimeZone = 'UTC'")
        self.connection.execute("set threads = 1")
        nodes = project.manifest.nodes
        recorded = project.recording.first
        self.order = [name for name in recorded if name.startswith("model.") and name in nodes]
        self.children: dict[str, set[str]] = {name: set() for name in self.order}
        for name in self.order:
            for parent in nodes[name].depends_on_nodes:
                if parent in self.children:
                    self.children[parent].add(name)
        self.relations = {name: str(nodes[name].relation_name) for name in self.order}
        # Models of which the recorded statements are not those that dbt would execute now.
        self.stale = {name for name in nodes if name.startswith("model.") and self._is_stale(name)}
        self.columns: dict[str, dict[str, str]] = {}
        self.sums: dict[str, object] = {}
        self.noisy: dict[str, bool] = {}
        self._rebuild()

    def _is_stale(self, name: str) -> bool:
        sql = self.project.model(name, self.project.manifest.nodes[name].raw_code)
        recorded = self.project.recording.first.get(name, [])
        return not any(sql in statement for statement, _ in recorded)

    def _rebuild(self) -> None:
        """Builds every model as a trial does, so that trials differ by their fault alone."""
        for name in self.order:
            self._build(name)
        self.connection.execute("checkpoint")
        for name in self.order:
            described = self.connection.execute(f"describe {self.relations[name]}").fetchall()
            self.columns[name] = {row[0]: row[1] for row in described}
            self.sums[name] = self._sum(name)

    def numeric(self, name: str) -> dict[str, str]:
        """The numeric columns of a model with their types."""
        kinds = ("DECIMAL", "INTEGER", "BIGINT", "DOUBLE", "HUGEINT")
        return {
            column: kind for column, kind in self.columns[name].items() if kind.startswith(kinds)
        }

    def try_out(self, name: str, code: str, *, is_all: bool = False) -> Outcome:
        """Builds a faulty model and all that reads it, and runs every test of what changed.

        Args:
            name: The model.
            code: Its faulty text.
            is_all: Run all data tests rather than stop at the first that fails.
        """
        outcome = Outcome()
        before = self.project.manifest.nodes[name].raw_code
        try:
            sql = self.project.model(name, code)
            self.connection.execute(f"explain {sql.replace(STARTED, NOW)}")
        except (duckdb.Error, DbtBaseException):
            outcome.is_valid = False
            return outcome
        outcome.unit_tests = self._failing_unit_tests(name, before, code)
        with self._undone():
            changed: set[str] = set()
            pending = {name}
            one = name
            try:
                for one in self.order:
                    if one not in pending:
                        continue
                    with self._bounded():
                        if one == name:
                            self._build(one, self.project.model(name, before), sql)
                        else:
                            self._build(one)
                    if self._sum(one) != self.sums[one]:
                        changed.add(one)
                        pending |= self.children[one]
            except duckdb.InterruptException:
                outcome.is_valid = False
                return outcome
            except duckdb.Error as error:
                outcome.data_tests.append(f"build of {one.split('.')[-1]}: {str(error)[:80]}")
                outcome.marts.append(one.split(".")[-1])
                return outcome
            outcome.marts = [
                one.split(".")[-1]
                for one in self.order
                if one in changed and "models/marts/" in self.project.path(one)
            ]
            if outcome.marts:
                self._test(changed, outcome, is_all=is_all)
        return outcome

    def _failing_unit_tests(self, name: str, before: str, code: str) -> list[str]:
        """Unit tests with another result than that of the model as it is, which passes them."""
        failed = []
        right = self.project.unit_tests(name, before)
        for (test, columns, query), (_, _, expected) in zip(
            self.project.unit_tests(name, code), right, strict=True
        ):
            try:
                with self._bounded():
                    if self._rows(query, columns) != self._rows(expected, columns):
                        failed.append(test)
            except duckdb.Error:
                failed.append(test)
        return failed

    def _rows(self, query: str, columns: list[str]) -> Counter[str]:
        chosen = ", ".join(columns) or "*"
        rows = self.connection.execute(f"select {chosen} from (\n{query}\n)").fetchall()
        return Counter(map(str, rows))

    def _test(self, changed: set[str], outcome: Outcome, *, is_all: bool) -> None:
        for test in self.project.data_tests:
            if not changed & self.project.relations(test) or self.noisy.get(test.name, True):
                continue
            try:
                with self._bounded():
                    is_failing = self._is_failing(test)
            except duckdb.Error as error:
                outcome.data_tests.append(f"{test.name}: {str(error)[:80]}")
                return
            if is_failing:
                found = outcome.data_tests if is_error(test) else outcome.warnings
                found.append(test.name)
                if not is_all:
                    return

    def note_noise(self) -> None:
        """Finds the tests that fail or warn without a fault."""
        for test in self.project.data_tests:
            if self.project.relations(test) <= {*self.order}:
                self.noisy[test.name] = self._is_failing(test)

    def _is_failing(self, test: DataTest) -> bool:
        query = self.project.data_test(test)
        return self.connection.execute(query).fetchall() != [(False,)]

    def _build(self, name: str, original: str = "", sql: str = "") -> None:
        relation = self.relations[name]
        node = self.project.manifest.nodes[name]
        kind = "view" if node.config.materialized == "view" else "table"
        self.connection.execute(f"drop {kind} if exists {relation}")
        for statement, values in self.project.recording.first[name]:
            said = statement.replace(original, sql) if original else statement
            self.connection.execute(said.replace(STARTED, NOW), values)

    def _sum(self, name: str) -> object:
        """What differs if a row differs in anything but bookkeeping."""
        chosen = ", ".join(f'"{name}"' for name in self.columns[name] if name[0] != "_")
        return self.connection.execute(
            f"select count(*), sum(hash({chosen})) from {self.relations[name]}"
        ).fetchall()

    @contextmanager
    def _undone(self) -> Iterator[None]:
        self.connection.begin()
        try:
            yield
        finally:
            self.connection.rollback()

    @contextmanager
    def _bounded(self) -> Iterator[None]:
        timer = threading.Timer(_PATIENCE, self.connection.interrupt)
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
