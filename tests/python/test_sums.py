"""Every figure of the finance marts adds up over the whole table, or says over what it does."""

import re
from collections.abc import Iterator
from typing import Any

import yaml  # type: ignore[import-untyped]

from harness import PROJECT

_FOLDER = PROJECT / "models/marts/finance"
_FIGURE = re.compile(r".*(_usd|_amount|_count|_mrr)|amount|mrr")
_NATIVE = re.compile(r".*_amount|amount|.*_mrr|mrr")
_SAYS = re.compile(r"doc\(\"(adds_up_\w+|accounts_in_several_rows)\"\)|\badds?\s(it\s)?up\b", re.I)

# Where a plain sum over all rows is right, within one currency where amounts have one. A figure of
# a new mart has to be listed here, or its description has to say over what it adds up.
_ADDITIVE = {
    "fct_balance_transactions": r".*",
    "fct_coupon_performance": r"discount_usd",
    "fct_deferred_revenue_monthly": (
        r"(billed|recognized|reversed|contra_revenue|bad_debt)_(amount|usd)"
    ),
    "fct_disputes": r"lost_(amount|usd)",
    "fct_invoices": (
        r"(pre_payment_credit|post_payment_credit|paid|overpaid|out_of_band|remaining|written_off"
        r"|charged|refunded)_amount|(paid|remaining|written_off|refunded)_usd"
        r"|(line|charge|attempt)_count"
    ),
    "fct_mrr_monthly": r"(new|reactivation|expansion|contraction|churn|fx)_mrr_usd",
    "fct_mrr_movement_parts": r".*",
    "fct_mrr_movements": r".*",
    "fct_mrr_plans_monthly": r"(new|reactivation|expansion|contraction|churn|swap|fx)_mrr_usd",
    "fct_payment_recovery": r".*",
    "fct_payments": (
        r"(collected|refunded|dispute_lost|kept|settled|fee|settled_net)_amount"
        r"|(collected|refunded|kept|fee)_usd|(refund|dispute)_count"
    ),
    "fct_payouts": r".*",
    "fct_refunds": r"refunded_(amount|usd)",
    "fct_revenue_monthly": r"(billed|reversed|recognized|contra_revenue|bad_debt)_usd",
    "fct_revenue_schedule": r".*",
    "fct_stripe_balance_daily": r"transaction_count",
}


def _marts() -> Iterator[tuple[str, dict[str, str]]]:
    """Name of each mart with the descriptions of its columns."""
    for path in sorted(_FOLDER.glob("fct_*.yml")):
        for model in yaml.safe_load(path.read_text())["models"]:
            columns: list[dict[str, Any]] = model["columns"]
            yield model["name"], {column["name"]: column["description"] for column in columns}


def test_figures_add_up_or_say_over_what() -> None:
    undecided = [
        f"{mart}.{column}"
        for mart, columns in _marts()
        for column, description in columns.items()
        if _FIGURE.fullmatch(column)
        and not _SAYS.search(description)
        and not re.fullmatch(_ADDITIVE.get(mart, "^$"), column)
    ]
    assert not undecided


def test_amounts_name_the_currency_within_which_they_add_up() -> None:
    documented = (_FOLDER / "_billing__docs.md").read_text()
    block = documented.split("{% docs billing_currency %}")[1].split("{% enddocs %}")[0]
    assert "add up within one currency only" in block
    for mart, columns in _marts():
        if any(_NATIVE.fullmatch(column) for column in columns):
            described = columns["currency"]
            assert 'doc("billing_currency")' in described or "one currency only" in described, mart
