"""Reads what is known of accounts, writes the model's coefficients, and scores with them."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import duckdb
import numpy as np
import numpy.typing as npt

from ingest.build.run import build_part
from ingest.load import warehouse
from ingest.predict.churn import INTERCEPT, LEAST_CHURNS, Coefficient, Examples, fit_origins

# What is scored again, with its tests.
_SELECTED = "stg_predict__churn_coefficients+"


def predict(
    warehouse_path: Path,
    variables: str = "{}",
    *,
    marts_path: Path | None = None,
    has_personal_data: bool = False,
    least_churns: int = LEAST_CHURNS,
) -> None:
    """Fits the churn model, replaces its coefficients, and builds and publishes what reads them.

    Args:
        warehouse_path: The DuckDB file, built.
        variables: dbt variables as YAML, those of the build.
        marts_path: The file to publish the marts to; `warehouse.published` names the default.
        has_personal_data: Publish personal data instead of masking it.
        least_churns: Churns without which every account gets the share that churned.

    Raises:
        BuildError: The warehouse is not up to date with the project, or dbt failed.
        WarehouseError: The warehouse cannot be opened or written.
    """
    warehouse.require(warehouse_path)

    def fit() -> None:
        with warehouse.opened(warehouse_path) as connection:
            rows = list(fit_origins(read_examples(connection), least_churns=least_churns))
            write_coefficients(connection, rows)
        print(_summary(rows))

    build_part(
        warehouse_path,
        _SELECTED,
        variables,
        before=fit,
        marts_path=marts_path,
        has_personal_data=has_personal_data,
    )


def read_examples(connection: duckdb.DuckDBPyConnection) -> Examples:
    """Every account and month of `fct_churn_features` with its inputs."""
    known = connection.execute(
        """
        select
            dense_rank() over (order by account_id) as account_number,
            feature_month,
            is_ending,
            outcome != 'unknown' as is_known,
            outcome = 'churned' as has_churned,
            churned_month
        from product.fct_churn_features
        order by account_id, feature_month
        """
    ).fetchnumpy()
    names = connection.execute(
        """
        select distinct feature_name from product.fct_churn_inputs
        where feature_name != ?
        order by feature_name
        """,
        [INTERCEPT],
    ).fetchall()
    columns = [_input(connection, name) for (name,) in names]
    return Examples(
        features=tuple(name for (name,) in names),
        inputs=np.column_stack(columns) if columns else np.empty((0, 0)),
        accounts=np.asarray(known["account_number"]),
        months=np.asarray(known["feature_month"]).astype("datetime64[M]"),
        is_ending=np.asarray(known["is_ending"], dtype=bool),
        is_known=np.asarray(known["is_known"], dtype=bool),
        has_churned=np.asarray(known["has_churned"], dtype=bool),
        churned_months=np.ma.filled(known["churned_month"], np.datetime64("NaT")).astype(
            "datetime64[M]"
        ),
    )


def _input(connection: duckdb.DuckDBPyConnection, name: str) -> npt.NDArray[np.float64]:
    values = connection.execute(
        """
        select input_value from product.fct_churn_inputs
        where feature_name = ?
        order by account_id, feature_month
        """,
        [name],
    ).fetchnumpy()["input_value"]
    return np.ma.filled(np.ma.asarray(values, dtype=float), np.nan)


def write_coefficients(connection: duckdb.DuckDBPyConnection, rows: Sequence[Coefficient]) -> None:
    """Replaces the coefficients of all earlier runs."""
    with tempfile.TemporaryDirectory() as folder:
        warehouse.temp_table(
            connection,
            "fitted",
            warehouse.CHURN_COEFFICIENTS,
            rows,
            Path(folder) / "coefficients.jsonl",
        )
    connection.begin()
    connection.execute("delete from raw_predict.churn_coefficients")
    connection.execute("insert into raw_predict.churn_coefficients select * from fitted")
    connection.commit()


def _summary(rows: Sequence[Coefficient]) -> str:
    """What the newest model of open accounts learned from, in a line."""
    newest = max((row for row in rows if row.account_group == "open"), default=None)
    if newest is None:
        return "no account-months with a known outcome; predictions are empty"
    return (
        f"fitted {len({row.origin_month for row in rows})} origins; the newest,"
        f" {newest.origin_month[:7]}, by {newest.method} from {newest.churn_count} churns"
        f" in {newest.example_count} account-months up to {newest.trained_through_month[:7]}"
    )
