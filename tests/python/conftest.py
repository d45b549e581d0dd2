"""The small company that the tests share, generated and built once a session."""

from pathlib import Path

import pytest

from harness import VENDOR, build_warehouse, expect, ingest


@pytest.fixture(scope="session")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for what is too dear to make twice."""
    return tmp_path_factory.mktemp("company")


@pytest.fixture(scope="session")
def tiny_extracts(workspace: Path) -> Path:
    """The default company at scale tiny."""
    extracts = workspace / "extracts"
    expect(0, ingest("generate", "--scale", "tiny", "--out", extracts))
    return extracts


@pytest.fixture(scope="session")
def tiny_warehouse(tiny_extracts: Path, workspace: Path) -> Path:
    """The tiny company loaded and built batch by batch; open it read-only."""
    return build_warehouse(tiny_extracts, workspace / "tiny.duckdb", without=())


@pytest.fixture(scope="session")
def vendor() -> Path:
    """The vendors' schemas, validators and samples; they are not part of a public clone."""
    if not VENDOR.exists():
        pytest.skip("the vendors' samples are not beside this clone")
    return VENDOR
