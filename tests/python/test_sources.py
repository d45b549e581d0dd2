"""Whatever is there, the project builds: one source alone, none, the vendors' own samples."""

import json
import shutil
from collections.abc import Iterable
from pathlib import Path

import pytest

from data_tests import DataTests
from harness import batches, marts, rows
from warehouses import build_warehouse, dbt, described_once

_SOURCE_OF_SCHEMA = {"finance": "stripe", "sales": "salesforce", "product": "segment"}
# Marts about accounts with MRR, in which use may be unknown.
_OF_MRR = {"product.fct_account_ltv", "product.fct_churn_features", "product.fct_churn_inputs"}


def _sources_only(extracts: Path, sources: Iterable[str], into: Path) -> Path:
    """The full history with some of its sources, and so without its manifest."""
    batch = batches(extracts)[0]
    for source in sources:
        shutil.copytree(batch / source, into / batch.name / source)
    return into


@pytest.mark.parametrize("source", ["salesforce", "stripe", "segment"])
def test_one_source_alone_leaves_the_others_marts_empty(
    tiny_extracts: Path, tmp_path: Path, data_tests: DataTests, source: str
) -> None:
    extracts = _sources_only(tiny_extracts, [source], tmp_path / "extracts")
    warehouse = data_tests.check(build_warehouse(extracts, tmp_path / "warehouse.duckdb"))
    counts = (f"select '{mart}' as mart, count(*) as rows from {mart}" for mart in marts(warehouse))
    counted = rows(warehouse, f"select mart from ({' union all '.join(counts)}) where rows > 0")
    filled = {str(mart) for (mart,) in counted}
    assert {mart.split(".")[0] for mart in filled - _OF_MRR} - {"shared"} == {
        schema for schema, of_source in _SOURCE_OF_SCHEMA.items() if of_source == source
    }
    assert filled & _OF_MRR == (_OF_MRR if source == "stripe" else set())


@pytest.fixture(scope="module")
def empty_warehouse(tmp_path_factory: pytest.TempPathFactory, data_tests: DataTests) -> Path:
    folder = tmp_path_factory.mktemp("nothing")
    (folder / "my exports").mkdir()
    built = build_warehouse(folder / "my exports", folder / "warehouse.duckdb")
    return data_tests.check(built)


def test_nothing_at_all_builds_empty_marts(empty_warehouse: Path) -> None:
    assert "finance.fct_mrr_monthly" in marts(empty_warehouse)
    assert rows(empty_warehouse, "select * from finance.fct_mrr_monthly") == []


def test_every_unit_test_passes(empty_warehouse: Path) -> None:
    """They bring their own rows, so an empty warehouse is enough."""
    with described_once():
        done = dbt(empty_warehouse, "test", "--select", "resource_type:unit_test", excluded="test")
    assert int(done.removesuffix(" unit tests")) > 120


def test_the_vendors_own_samples_build(vendor: Path, tmp_path: Path, data_tests: DataTests) -> None:
    """Stripe's fixtures of six API versions as six batches; Salesforce and Segment in the last."""
    extracts = tmp_path / "my exports"
    for fixture in sorted((vendor / "stripe_spec/fixtures").glob("*.json")):
        version = fixture.stem.removeprefix("fixtures3_")
        folder = extracts / version / "stripe"
        folder.mkdir(parents=True)
        objects = json.loads(fixture.read_text())["resources"].values()
        (folder / "objects.jsonl").write_text("".join(json.dumps(one) + "\n" for one in objects))
    shutil.copytree(vendor / "samples/salesforce_sfdmu_workshop", folder.parent / "salesforce")
    (folder.parent / "segment").mkdir()
    shutil.copy(vendor / "samples/segment_docs_payloads.jsonl", folder.parent / "segment")
    warehouse = tmp_path / "vendor samples" / "warehouse.duckdb"
    data_tests.check(build_warehouse(extracts, warehouse))
    ((opportunities, batches_landed),) = rows(
        warehouse,
        """
        select
            (select count(*) from sales.fct_opportunities),
            (select count(*) from raw_audit.batches)
        """,
    )
    assert (opportunities, batches_landed) == (50, 6)
