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
from harness import VENDOR, expect, ingest_here
from loading import Loading
from warehouses import Shared, once

# dbt's manifest is millions of objects, hardly one of them garbage, and the collector goes through
# all of them each time. It therefore runs seldom.
gc.set_threshold(100_000, 50, 100)

# Tests run side by side, and two threads of dbt in one of them cost a tenth more time than one.
os.environ["DBT_THREADS"] = "1"

# On small tables two threads of DuckDB take half as much CPU time again as one. It reads the number
# of cores from here, in every process that a test starts too.
os.environ["SLURM_CPUS_ON_NODE"] = "1"

# DuckDB tries to import pandas at every query with values. Where it is not installed, searching for
# it takes a fifth of the time of a small load.
if find_spec("pandas") is None:
    sys.modules["pandas"] = None  # type: ignore[assignment]

# The first builds the sample company, which most of the others need. Those that do not need it come
# next, then the longest: started last, they would leave a core idle.
_ORDER = (
    *("test_landing", "test_load_salesforce", "test_errors", "test_load_batches", "test_company"),
    *("test_stripe_files", "test_segment_files", "test_salesforce_files", "test_load_stripe"),
    *("test_load_files", "test_messages", "test_load_crashes", "test_fuzz", "test_backup"),
    *("test_truth", "test_usage", "test_billing", "test_load_absence", "test_load_segment"),
    *("test_project",),
    *("test_readme", "test_dashboards", "test_late_events", "test_sources", "test_faults"),
    *("test_upgrade",),
    *("test_pull", "test_docs", "test_revenue", "test_pull_stripe", "test_pull_segment"),
    *("test_pull_salesforce",),
    *("test_sales_pipeline", "test_product_marts", "test_quality", "test_diff", "test_orphans"),
    *("test_privacy", "test_share", "test_identity", "test_mrr_scenarios", "test_product_core"),
    *("test_stripe_states", "test_sales_exports", "test_metrics"),
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    places = {name: place for place, name in enumerate(_ORDER)}
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
    return once(extracts, lambda: expect(0, ingest_here(*arguments)))


@pytest.fixture(scope="session")
def tiny_warehouse(workspace: Path) -> Path:
    """The tiny company loaded and built batch by batch, with every data test; read it only."""
    assert workspace
    return warehouses.sample_company()


@pytest.fixture(scope="session")
def predicted_warehouse(workspace: Path) -> Path:
    """The tiny company with a churn model; read it only."""
    assert workspace
    return warehouses.predicted_company()


@pytest.fixture(scope="session")
def site(predicted_warehouse: Path, workspace: Path) -> Path:
    """The site of the tiny company; dbt's artifacts are in `target` beside it."""
    folder = workspace / "docs"

    def write() -> None:
        folder.mkdir()
        # dbt opens the file for writing, which would block the tests that read it meanwhile.
        copy = shutil.copy2(predicted_warehouse, folder)
        command = ("docs", "--warehouse", copy, "--out", folder / "site")
        expect(0, warehouses.ingest_parsed(*command, target=folder / "target"))

    return once(folder, write) / "site"


@pytest.fixture(scope="session")
def data_tests(tiny_warehouse: Path) -> DataTests:
    """The project's data tests, to be run on any warehouse."""
    return DataTests(tiny_warehouse.with_name("data_tests.json"))


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
