"""The small company that the tests share, generated and built once a session."""

import fcntl
from collections.abc import Callable
from pathlib import Path

import pytest

from harness import VENDOR, build_warehouse, expect, ingest

# Where whole warehouses are built, the longest first: begun last, they would leave a core idle.
_LONGEST = (
    *("test_landing", "test_sources", "test_late_events", "test_faults", "test_readme"),
    *("test_sales_pipeline", "test_product_marts", "test_diff", "test_quality", "test_privacy"),
    *("test_share", "test_docs", "test_identity", "test_mrr_scenarios", "test_product_core"),
    "test_orphans",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    places = {name: place for place, name in enumerate(_LONGEST)}
    items.sort(key=lambda item: places.get(item.path.stem, len(places)))


@pytest.fixture(scope="session")
def workspace(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A folder for what is too dear to make twice, shared by the processes that run tests."""
    base = tmp_path_factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / "company"
    folder.mkdir(exist_ok=True)
    return folder


def _once(path: Path, make: Callable[[], object]) -> Path:
    """The path, made by whichever process asks first while the others wait."""
    done = path.with_name(f"{path.name}.done")
    with path.with_name(f"{path.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            make()
            done.touch()
    return path


@pytest.fixture(scope="session")
def tiny_extracts(workspace: Path) -> Path:
    """The default company at scale tiny."""
    extracts = workspace / "extracts"
    return _once(
        extracts, lambda: expect(0, ingest("generate", "--scale", "tiny", "--out", extracts))
    )


@pytest.fixture(scope="session")
def tiny_warehouse(tiny_extracts: Path, workspace: Path) -> Path:
    """The tiny company loaded and built batch by batch; open it read-only."""
    warehouse = workspace / "warehouse.duckdb"
    return _once(warehouse, lambda: build_warehouse(tiny_extracts, warehouse))


@pytest.fixture(scope="session")
def vendor() -> Path:
    """The vendors' schemas, validators and samples; they are not part of a public clone."""
    if not VENDOR.exists():
        pytest.skip("the vendors' samples are not beside this clone")
    return VENDOR
