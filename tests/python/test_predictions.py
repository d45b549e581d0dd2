"""Predictions of churn: what they are made from never changes, and SQL scores as the model does."""

import math
import sys
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.special import expit
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from data_tests import DataTests
from harness import batches, expect, ingest_here, opened, rows
from ingest.predict.churn import Coefficient, Examples, Flags, fit_origins
from ingest.predict.run import read_examples
from warehouses import build_warehouse

# What is only known months later.
_OUTCOME = "outcome, churned_month"


@pytest.fixture(autouse=True)
def _unmarked_pandas(monkeypatch: pytest.MonkeyPatch) -> None:
    """`conftest.py` marks pandas as absent, and scikit-learn takes the mark for the package."""
    monkeypatch.delitem(sys.modules, "pandas", raising=False)


def _part(extracts: Path, folder: Path, count: int) -> Path:
    """An extracts folder with the first batches of another."""
    folder.mkdir()
    for batch in batches(extracts)[:count]:
        (folder / batch.name).symlink_to(batch)
    return folder


@pytest.fixture(scope="module")
def earlier_warehouse(
    tiny_extracts: Path, tiny_warehouse: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The tiny company after two of its six batches."""
    folder = tmp_path_factory.mktemp("earlier")
    extracts = _part(tiny_extracts, folder / "extracts", 2)
    warehouse = folder / tiny_warehouse.name
    return build_warehouse(extracts, warehouse, select=("+fct_churn_features",))


def test_no_feature_changes_when_later_batches_arrive(
    tiny_warehouse: Path, earlier_warehouse: Path
) -> None:
    """All rows of the months that two batches close are the same after four more.

    That late and corrected records do change what is now known of these months is checked too;
    without such records the comparison would hold for features of any kind.
    """
    (newest,) = rows(earlier_warehouse, "select max(feature_month) from product.fct_churn_features")
    query = f"""
        select * exclude ({_OUTCOME})
        from product.fct_churn_features
        where feature_month <= ?
        order by account_id, feature_month
    """
    before, after = (rows(place, query, *newest) for place in (earlier_warehouse, tiny_warehouse))
    assert len(before) > 100
    assert before == after
    now = """
        select account_id, date_trunc('month', occurred_date), count(*)
        from product.fct_events
        where is_counted and event_type = 'track' and date_trunc('month', occurred_date) <= ?
        group by all
        order by all
    """
    assert rows(earlier_warehouse, now, *newest) != rows(tiny_warehouse, now, *newest)
    mrr = """
        select account_id, mrr_month, closing_mrr_usd
        from intermediate.int_mrr_months_closed
        where mrr_month <= ?
        order by all
    """
    assert rows(earlier_warehouse, mrr, *newest) != rows(tiny_warehouse, mrr, *newest)


def _examples(months: int = 8, accounts: int = 60) -> Examples:
    """Accounts of which every fifth churns when its one input is high, each for some months."""
    rng = np.random.default_rng(1)
    account, month = (grid.ravel() for grid in np.indices((accounts, months)))
    inputs = rng.normal(size=(accounts * months, 2))
    inputs[::7, 1] = np.nan
    has_churned = (account % 5 == 0) & (month >= account % months - 2) & (month < account % months)
    inputs[has_churned, 0] += 2
    first = np.datetime64("2026-01", "M")
    return Examples(
        features=("a", "b"),
        inputs=inputs,
        accounts=account,
        months=first + month,
        is_ending=np.zeros(len(month), dtype=bool),
        is_known=month < months - 3,
        has_churned=has_churned,
        churned_months=np.where(has_churned, first + account % months, np.datetime64("NaT")),
    )


def test_a_model_knows_no_outcome_after_its_origin() -> None:
    """Other outcomes of later months change no coefficient of an origin, those before do."""
    examples = _examples()
    origin = np.datetime64("2026-07", "M")
    is_after = examples.months > origin - np.timedelta64(3, "M")

    def fitted(is_flipped: Flags) -> list[Coefficient]:
        flipped = replace(examples, has_churned=examples.has_churned ^ is_flipped)
        rows = fit_origins(flipped, least_churns=5)
        return [row for row in rows if row.origin_month == f"{origin}-01"]

    nothing = np.zeros_like(is_after)
    assert {row.method for row in fitted(nothing)} == {"logistic", "base_rate"}
    assert fitted(is_after) == fitted(nothing)
    is_one = nothing.copy()
    is_one[0] = True
    assert fitted(is_one) != fitted(nothing)


def test_a_churn_counts_once_however_many_months_precede_it() -> None:
    """12 accounts churn, each after two months; too few for a model gives the share that churned.

    Of 240 account-months up to April, the outcomes are known by July.
    """
    rows = [row for row in fit_origins(_examples()) if row.origin_month == "2026-07-01"]
    (share,) = (row for row in rows if row.account_group == "open")
    churned = {(row, month) for row in range(0, 60, 5) for month in range(4)} & {
        (row, row % 8 - ahead) for row in range(0, 60, 5) for ahead in (1, 2)
    }
    assert (share.method, share.feature_name) == ("base_rate", "intercept")
    assert share.churn_count == len({row for row, _ in churned})
    assert share.example_count == 240
    expected = (len(churned) + 0.5) / 241
    assert math.exp(share.coefficient) == pytest.approx(expected / (1 - expected))


def test_sql_scores_as_scikit_learn_does(predicted_warehouse: Path) -> None:
    """The marts against a pipeline of scikit-learn's own that never sees the coefficients.

    It expects as many churns as there were in the last twelve months with a known outcome.
    """
    with opened(predicted_warehouse) as connection:
        examples = read_examples(connection)
    newest = examples.months.max()
    is_open = ~examples.is_ending
    is_trained = (examples.months <= newest - np.timedelta64(3, "M")) & is_open & examples.is_known
    model = make_pipeline(
        SimpleImputer(), StandardScaler(), LogisticRegression(C=0.05, tol=1e-8, max_iter=1000)
    ).fit(examples.inputs[is_trained], examples.has_churned[is_trained])
    is_scored = (examples.months == newest) & is_open
    is_recent = is_trained & (examples.months > newest - np.timedelta64(15, "M"))
    churns = (examples.has_churned[is_recent].sum() + 0.5) / (is_recent.sum() + 1)
    log_odds = model.decision_function(examples.inputs[is_recent])
    shift = brentq(lambda level: expit(log_odds + level).mean() - churns, -20, 20, xtol=1e-12)
    expected = expit(model.decision_function(examples.inputs[is_scored]) + shift)
    found = rows(
        predicted_warehouse,
        """
        select churn_probability, low_probability, high_probability, is_base_rate
        from product.fct_churn_predictions
        where is_newest and account_group = 'open'
        order by account_id
        """,
    )
    assert len(found) > 20
    assert [probability for probability, *_ in found] == pytest.approx(list(expected), abs=1e-6)
    for _, low, high, is_base_rate in found:
        assert isinstance(low, float)
        assert isinstance(high, float)
        assert 0 < low < high < 1
        assert not is_base_rate
    scopes = "select count(*), count(distinct score_name) from product.fct_churn_backtest"
    assert rows(predicted_warehouse, scopes) == [(36, 3)]


def test_the_tests_of_the_data_hold_on_predictions(
    predicted_warehouse: Path, data_tests: DataTests
) -> None:
    data_tests.check(predicted_warehouse, folder="models/marts/product")


def test_nothing_is_predicted_without_a_model(tiny_warehouse: Path) -> None:
    """The build of the sample company fits none: the marts are there, empty and tested."""
    for mart in ("fct_churn_predictions", "fct_churn_backtest"):
        assert rows(tiny_warehouse, f"select count(*) from product.{mart}") == [(0,)]
    assert rows(tiny_warehouse, "select count(*) from product.fct_churn_inputs") > [(0,)]


def test_predicting_without_scikit_learn_names_the_file_to_install(tmp_path: Path) -> None:
    is_ours = [name for name in sys.modules if name.startswith("ingest.predict")]
    with patch.dict(sys.modules, {"scipy.stats": None, "sklearn.linear_model": None}):
        for name in is_ours:
            del sys.modules[name]
        done = ingest_here("predict", "--warehouse", tmp_path / "warehouse.duckdb")
    assert "requirements-predict.txt" in expect(2, done)
