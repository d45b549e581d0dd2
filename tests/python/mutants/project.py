"""The project as dbt builds it, kept so that one changed model costs seconds to try.

dbt builds the sample company once. What it executed is recorded, as for the test suite, and
executed again with the changed model's SQL in its place. Tests are compiled as dbt compiles them.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from functools import cached_property
from pathlib import Path
from typing import Any
from unittest.mock import patch

from dbt import tracking
from dbt.adapters.factory import get_adapter
from dbt.compilation import Compiler
from dbt.contracts.graph.nodes import GenericTestNode, SingularTestNode, UnitTestNode
from dbt.parser.unit_tests import UnitTestManifestLoader

import warehouses
from replay import STARTED, TIME_FORMAT, Recording, recorded
from warehouses import NAME, Shared

DataTest = GenericTestNode | SingularTestNode
NOW = "2026-01-01 00:00:00"


class Project:
    """The parsed project with its recorded statements, and dbt's compiler.

    Args:
        folder: Where the sample company and the recorded statements are kept between runs.
    """

    def __init__(self, folder: Path) -> None:
        Shared.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.warehouse = warehouses.sample_company()
        self.recording: Recording = recorded(folder / "statements.json")
        self.manifest = warehouses.parsed()
        self._compiled: dict[str, str] = {}
        self._compiler: Compiler

    @contextmanager
    def compiling(self) -> Iterator[None]:
        """Keeps dbt's compiler usable; it reads the columns of relations for unit tests."""
        copy = Shared.folder / "compiled" / NAME
        copy.parent.mkdir(exist_ok=True)
        shutil.copy(self.warehouse, copy)
        created = Compiler.__init__

        def note(compiler: Compiler, config: Any) -> None:
            created(compiler, config)
            self._compiler = compiler

        with patch.object(Compiler, "__init__", note):
            # Incremental models are compiled for their first run, as they are recorded.
            command = ("compile", "--full-refresh", "--select", "dim_times")
            warehouses.dbt(copy, *command, excluded="")
        os.environ["WAREHOUSE_PATH"] = str(copy)
        with get_adapter(self._compiler.config).connection_named("mutants"):
            yield

    def model(self, name: str, code: str) -> str:
        """The SQL of a model with another text."""
        return self._compile(self.manifest.nodes[name], code)

    def unit_tests(self, model: str, code: str) -> Iterator[tuple[str, list[str], str]]:
        """Name, asserted columns and query of each unit test of a model with another text."""
        node = self.manifest.nodes[model]
        before = node.raw_code
        for test in self.manifest.unit_tests.values():
            if test.depends_on.nodes[0] != model:
                continue
            node.raw_code = code
            try:
                loader = UnitTestManifestLoader(
                    self.manifest, self._compiler.config, {test.unique_id}
                )
                loader.load()
            finally:
                node.raw_code = before
            made = loader.unit_test_manifest
            unit_test = made.nodes[test.unique_id]
            assert isinstance(unit_test, UnitTestNode)
            compiled = self._compiler.compile_node(unit_test, made, {}, write=False)
            rows = test.expect.rows
            columns = list(rows[0]) if isinstance(rows, list) and rows else []
            yield test.name, columns, _timeless(str(compiled.compiled_code)).replace(STARTED, NOW)

    def data_test(self, test: DataTest) -> str:
        """A query that returns true where the test fails."""
        if test.unique_id not in self._compiled:
            config = test.config
            is_failure = config.error_if if is_error(test) else config.warn_if
            code = self._compile(test, test.raw_code)
            self._compiled[test.unique_id] = (
                f"select {config.fail_calc} {is_failure} from (\n{code}\n)"
            )
        return self._compiled[test.unique_id]

    def relations(self, test: DataTest) -> set[str]:
        """The models that a data test reads."""
        return {name for name in test.depends_on_nodes if name.startswith("model.")}

    @cached_property
    def data_tests(self) -> list[DataTest]:
        """Every data test, those that fail a build first."""
        found = [
            node
            for node in self.manifest.nodes.values()
            if isinstance(node, GenericTestNode | SingularTestNode)
        ]
        return sorted(found, key=lambda test: not is_error(test))

    def _compile(self, node: Any, code: str) -> str:
        copy = deepcopy(node)
        copy.raw_code, copy.compiled, copy.extra_ctes_injected = code, False, False
        copy.extra_ctes = []
        self._compiler.compile_node(copy, self.manifest, {}, write=False)
        return _timeless(str(copy.compiled_code))

    def path(self, name: str) -> str:
        """The file of a model."""
        return str(self.manifest.nodes[name].original_file_path)


def _timeless(sql: str) -> str:
    """SQL with the time of this run as recorded statements have theirs."""
    assert tracking.active_user
    return sql.replace(tracking.active_user.run_started_at.strftime(TIME_FORMAT), STARTED)


def is_error(test: DataTest) -> bool:
    """Whether a build stops where the test fails."""
    return str(test.config.severity).upper() == "ERROR"
