"""The churn model: fits its coefficients and writes them where dbt scores accounts with them."""

from ingest.predict.run import predict

__all__ = ["predict"]
