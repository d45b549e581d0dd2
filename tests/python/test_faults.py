"""A few of each fault that `make soak` does by the dozen: nothing is lost, and nothing is twice."""

import shutil
import time
from pathlib import Path

import duckdb
import pytest

from harness import PROJECT
from ingest.bench.soak import Soak, Tally, differing
from warehouses import build_warehouse, seed_parsed


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Soak:
    """A company of two batches, and what `ingest build` makes of the first and then of both."""
    folder = tmp_path_factory.mktemp("soak")
    seed_parsed(folder / "target", folder / "trial" / "warehouse.duckdb")
    company = Soak(folder, seed=1, count=2)
    shutil.copytree(company.extracts / company.batches[0], folder / "earlier" / company.batches[0])
    for path in (company.begun, company.built):
        path.parent.mkdir()
    build_warehouse(folder / "earlier", company.begun)
    shutil.copy(company.begun, company.built)
    started = time.monotonic()
    build_warehouse(company.extracts, company.built)
    # A process of its own needs as long to start as the one that loaded.
    company.build_seconds = company.load_seconds + time.monotonic() - started
    return company


def _all_survived(tally: Tally) -> None:
    assert (tally.lost, tally.twice, tally.survived) == (0, 0, tally.tried), tally


def test_a_killed_load_is_made_good(company: Soak) -> None:
    _all_survived(company.kills_of_the_loader(3))


def test_a_full_disk_is_made_good(company: Soak) -> None:
    _all_survived(company.full_disks(1))


def test_two_loads_at_once_take_turns(company: Soak) -> None:
    _all_survived(company.loads_at_once(1))


def test_a_damaged_file_comes_back(company: Soak) -> None:
    _all_survived(company.damaged_files(3))


def test_a_killed_build_is_made_good(company: Soak) -> None:
    _all_survived(company.kills_of_the_build(1))


def test_the_comparison_sees_lost_and_doubled_rows(company: Soak, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.duckdb"
    damaged.write_bytes(company.loaded.read_bytes())
    with duckdb.connect(str(damaged)) as connection:
        connection.execute("insert into raw_stripe.prices from raw_stripe.prices limit 2")
        connection.execute(
            "delete from raw_stripe.customers where id = (select min(id) from raw_stripe.customers)"
        )
    lost, twice = differing(company.loaded, damaged, ("raw_stripe",))
    assert lost >= 1
    assert twice == 2


def test_the_table_of_the_last_soak_is_in_the_documentation() -> None:
    page = (PROJECT / "docs" / "reliability.md").read_text()
    section = page.split("## What survives")[1].split("\n## ")[0]
    table = [line.split("|")[2:6] for line in section.splitlines() if line.startswith("| ")][1:]
    assert len(table) == 11
    for tried, survived, lost, twice in table:
        assert tried == survived
        assert (lost.strip(), twice.strip()) == ("0", "0")
