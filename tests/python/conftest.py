"""The small company that the tests share, generated and built once a session."""

import gc
import os
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

import warehouses
from data_tests import DataTests
from harness import VENDOR, expect, ingest
from loading import Loading
from warehouses import Shared, build_warehouse, once

# dbt's manifest is millions of objects, hardly one of them garbage, and the collector goes through
# all of them each time. It therefore runs seldom.
gc.set_threshold(100_000, 50, 100)

# Tests run side by side, and two threads of dbt in one of them cost a tenth more time than one.
os.environ["DBT_THREADS"] = "1"

# DuckDB tries to import pandas at every query with values. Where it is not installed, searching for
# it takes a fifth of the time of a small load.
if find_spec("pandas") is None:
    sys.modules["pandas"] = None  # type: ignore[assignment]

# Where whole warehouses are built, the longest first: started last, they would leave a core idle.
_LONGEST = (
    *("test_landing", "test_sources", "test_late_events", "test_faults", "test_readme"),
    *("test_sales_pipeline", "test_product_marts", "test_diff", "test_quality", "test_privacy"),
    *(
        "test_share",
        "test_docs",
        "test_dashboards",
        "test_identity",
        "test_mrr_scenarios",
        "test_product_core",
    ),
    *("test_orphans", "test_stripe_states"),
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    places = {name: place for place, name in enumerate(_LONGEST)}
    items.sort(key=lambda item: places.get(item.path.stem, len(places)))


@pytest.fixture(scope="session", autouse=True)
def workspace(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A folder for what is expensive to make, shared by the processes that run tests."""
    base = tmp_path_factory.getbasetemp()
    Shared.folder = (base if worker_id == "master" else base.parent) / "company"
    Shared.folder.mkdir(exist_ok=True)
    return Shared.folder


@pytest.fixture(scope="session")
def tiny_extracts(workspace: Path) -> Path:
    """The default company at scale tiny."""
    assert workspace
    return warehouses.tiny_extracts()


@pytest.fixture(scope="session")
def older_extracts(workspace: Path) -> Path:
    """The same company with Stripe's files in the older API version."""
    extracts = workspace / "older_extracts"
    version = ("--stripe-version", "2022-11-15")
    arguments = ("generate", "--scale", "tiny", "--out", extracts, *version)
    return once(extracts, lambda: expect(0, ingest(*arguments)))


@pytest.fixture(scope="session")
def tiny_warehouse(tiny_extracts: Path, workspace: Path) -> Path:
    """The tiny company loaded and built batch by batch, with every data test; read it only."""
    warehouse = workspace / "warehouse.duckdb"
    return once(warehouse, lambda: build_warehouse(tiny_extracts, warehouse, has_tests=True))


@pytest.fixture(scope="session")
def site(tiny_warehouse: Path, workspace: Path) -> Path:
    """The site of the tiny company; dbt's artifacts are in `target` beside it."""
    folder = workspace / "docs"

    def write() -> None:
        folder.mkdir()
        # dbt opens the file for writing, which would block the tests that read it meanwhile.
        copy = shutil.copy2(tiny_warehouse, folder)
        command = ("docs", "--warehouse", copy, "--out", folder / "site")
        expect(0, warehouses.ingest_here(*command, target=folder / "target"))

    return once(folder, write) / "site"


@pytest.fixture(scope="session")
def data_tests(workspace: Path) -> DataTests:
    """The project's data tests, to be run on any warehouse."""
    return DataTests(workspace / "data_tests.json")


@pytest.fixture
def loading(tmp_path: Path) -> Loading:
    """An empty extracts folder with a warehouse to load it into."""
    return Loading(tmp_path)


@pytest.fixture(scope="session")
def vendor() -> Path:
    """The vendors' schemas, validators and samples; they are not part of a public clone."""
    if not VENDOR.exists():
        pytest.skip("the vendors' samples are not beside this clone")
    return VENDOR
