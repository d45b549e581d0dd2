"""Metrics by name: every one equals its mart, and wrong names are explained."""

import json
from pathlib import Path

import pytest
from dbt.contracts.graph.semantic_manifest import SemanticManifest

import warehouses
from ingest.errors import UsageError
from ingest.metrics import Metrics


@pytest.fixture(scope="module")
def manifest(workspace: Path) -> str:
    """What dbt reads of `models/semantic`."""
    path = workspace / "semantic_manifest.json"
    SemanticManifest(warehouses.parsed()).write_json_to_file(str(path))
    return path.read_text()


@pytest.fixture(scope="module")
def metrics(manifest: str) -> Metrics:
    return Metrics(manifest)


def test_dbt_reads_every_semantic_model_and_metric(manifest: str) -> None:
    """dbt 1.11 ignores the newer form of semantic models without a word."""
    read = json.loads(manifest)
    assert (len(read["semantic_models"]), len(read["metrics"])) == (31, 178)


def test_every_metric_is_described(metrics: Metrics) -> None:
    for name in metrics.names:
        found = metrics.definition(name)
        assert found.label, name
        assert found.description.endswith("."), name
        assert found.unit in {"usd", "count", "rate", "ratio", "days", "points"}, name
        assert ("USD" in found.description) == (found.unit == "usd"), name
        assert found.good in {"up", "down", "none"}, name
        assert {mart.split(".")[0] for mart in found.marts} <= {"finance", "sales", "product"}


@pytest.mark.parametrize(
    ("names", "by", "said"),
    [
        (["nrrr"], [], "there is no metric 'nrrr'; did you mean nrr, mrr"),
        (["mrr"], ["segmnt"], "mrr cannot be grouped by 'segmnt'; did you mean segment"),
        (["mrr"], ["day"], "mrr cannot be grouped by 'day'"),
        (["mau"], ["segment"], "mau looks back from a day; add a period"),
        (["step_conversion"], ["month"], "add --by funnel_step__step_name"),
        (["bookings"], ["sales_rep_name"], None),
    ],
)
def test_wrong_names_are_explained(
    metrics: Metrics, names: list[str], by: list[str], said: str | None
) -> None:
    if said is None:
        assert "sales_rep_name" in metrics.sql(names, by)
    else:
        with pytest.raises(UsageError) as raised:
            metrics.sql(names, by)
        assert said in str(raised.value)
