"""The ledger of Stripe's balance: fees, payouts and closing balances, also of thin exports."""

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from data_tests import DataTests
from harness import Row, rows
from warehouses import NAME, build_new, load

_MAY = 1_777_636_800  # noon of 1 May 2026, UTC
_DAY = 86_400


def _transaction(number: int, day: int, amount: int, fee: int, **fields: Any) -> dict[str, Any]:
    """A balance transaction `day` days after 1 May, without details of its fee."""
    return {
        "id": f"txn_{number}",
        "object": "balance_transaction",
        "amount": amount,
        "available_on": _MAY + day * _DAY,
        "created": _MAY + day * _DAY,
        "currency": "usd",
        "fee": fee,
        "net": amount - fee,
        "status": "available",
        **fields,
    }


def _charge(number: int, amount: int, transaction: object, **fields: Any) -> dict[str, Any]:
    return {
        "id": f"ch_{number}",
        "object": "charge",
        "amount": amount,
        "amount_captured": amount,
        "balance_transaction": transaction,
        "captured": True,
        "created": _MAY,
        "currency": "usd",
        "customer": "cus_1",
        "livemode": True,
        "paid": True,
        "status": "succeeded",
        **fields,
    }


def _export(extracts: Path) -> Path:
    """Dollars with a full ledger and a payout; euros whose charge holds its transaction."""
    dispute = {
        "id": "dp_1",
        "object": "dispute",
        "amount": 5000,
        "balance_transactions": [],
        "charge": "ch_2",
        "created": _MAY + 19 * _DAY,
        "currency": "usd",
        "livemode": True,
        "reason": "fraudulent",
        "status": "lost",
    }
    payout = {
        "id": "po_1",
        "object": "payout",
        "amount": 7305,
        "arrival_date": _MAY + 33 * _DAY,
        "automatic": True,
        "balance_transaction": "txn_5",
        "created": _MAY + 32 * _DAY,
        "currency": "usd",
        "livemode": True,
        "status": "paid",
    }
    euro = _transaction(6, 0, 20_000, 610, currency="eur", source="ch_3", type="payment")
    records = [
        _charge(1, 10_000, "txn_1"),
        _charge(2, 5000, "txn_2"),
        _charge(3, 20_000, euro, currency="eur"),
        _charge(9, 100_000, "txn_9", livemode=False),
        dispute,
        payout,
        _transaction(1, 0, 10_000, 320, reporting_category="charge", source="ch_1", type="charge"),
        _transaction(2, 1, 5000, 175, reporting_category="charge", source="ch_2", type="charge"),
        _transaction(3, 30, -700, 0, reporting_category="fee", type="stripe_fee"),
        _transaction(
            4, 19, -5000, 1500, reporting_category="dispute", source="dp_1", type="adjustment"
        ),
        _transaction(5, 32, -7305, 0, reporting_category="payout", source="po_1", type="payout"),
        # A type that Stripe has not documented, in euros.
        _transaction(7, 2, -90, 0, currency="eur", reporting_category="novelty", type="novelty"),
        # The ledger has a payout that was not exported: 200.00 - 6.10 - 0.90.
        _transaction(8, 3, -19_300, 0, currency="eur", source="po_2", type="payout"),
        _transaction(9, 0, 100_000, 320, source="ch_9", type="charge"),
    ]
    kinds: defaultdict[str, list[object]] = defaultdict(list)
    for record in records:
        kinds[str(record["object"])].append(record)
    stripe = extracts / "2026-06-30" / "stripe"
    stripe.mkdir(parents=True)
    for kind, found in kinds.items():
        lines = "".join(f"{json.dumps(record)}\n" for record in found)
        (stripe / f"{kind}s.jsonl").write_text(lines)
    return extracts


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The finance marts of the ledger, built from the export above."""
    folder = tmp_path_factory.mktemp("ledger")
    warehouse = load(_export(folder / "extracts"), folder / NAME)
    built = ("payouts", "payments", "stripe_balance_daily")
    return build_new(warehouse, *(f"+fct_{name}" for name in built))


def _found(ledger: Path, columns: str, mart: str) -> list[Row]:
    return [
        tuple(str(value) for value in row)
        for row in rows(ledger, f"select {columns} from finance.{mart} order by all")
    ]


def test_fees_are_all_that_stripe_took(ledger: Path) -> None:
    """3.20 + 1.75 on charges, 15.00 on a dispute and 7.00 billed on its own are 26.95."""
    columns = "currency, sum(fees)::decimal(9, 2)"
    found = rows(
        ledger, f"select {columns} from finance.fct_stripe_balance_daily group by all order by all"
    )
    assert [(currency, str(fees)) for currency, fees in found] == [
        ("EUR", "6.10"),
        ("USD", "26.95"),
    ]


def test_the_balance_is_0_after_the_payout(ledger: Path) -> None:
    found = rows(
        ledger,
        """
        select currency, closing_balance_amount
        from finance.fct_stripe_balance_daily
        where balance_date = (select max(balance_date) from finance.fct_stripe_balance_daily)
        order by all
        """,
    )
    assert [(currency, float(str(amount))) for currency, amount in found] == [
        ("EUR", 0.0),
        ("USD", 0.0),
    ]


def test_payouts_equal_their_transactions(ledger: Path) -> None:
    columns = "payout_id, amount::decimal(9, 2), transaction_count, is_reconciled, is_exported"
    assert _found(ledger, columns, "fct_payouts") == [
        ("po_1", "73.05", "4", "True", "True"),
        ("po_2", "193.00", "2", "True", "False"),
    ]


def test_every_type_has_a_category_and_test_mode_is_left_out(ledger: Path) -> None:
    columns = "balance_transaction_id, reporting_category, coalesce(payout_id, '')"
    assert _found(ledger, columns, "fct_balance_transactions") == [
        ("txn_1", "charge", "po_1"),
        ("txn_2", "charge", "po_1"),
        ("txn_3", "fee", "po_1"),
        ("txn_4", "dispute", "po_1"),
        ("txn_5", "payout", "po_1"),
        ("txn_6", "charge", "po_2"),
        ("txn_7", "other", "po_2"),
        ("txn_8", "payout", "po_2"),
    ]


def test_a_charge_that_holds_its_transaction_has_its_fee(ledger: Path) -> None:
    columns = "charge_id, settlement_currency, fee_amount::decimal(9, 2)"
    assert _found(ledger, columns, "fct_payments") == [
        ("ch_1", "USD", "3.20"),
        ("ch_2", "USD", "1.75"),
        ("ch_3", "EUR", "6.10"),
    ]


def test_the_ledger_passes_its_data_tests(ledger: Path, data_tests: DataTests) -> None:
    data_tests.check(ledger, folder="tests/finance", least=2)


def test_the_balance_of_the_company_is_the_truth(tiny_extracts: Path, tiny_warehouse: Path) -> None:
    truth = tiny_extracts / "_truth" / "stripe_balance.csv"
    found = rows(
        tiny_warehouse,
        """
        select
            currency,
            sum(fees),
            -sum(payouts),
            max_by(closing_balance_amount, balance_date)
        from finance.fct_stripe_balance_daily
        group by currency
        order by currency
        """,
    )
    expected = rows(
        tiny_warehouse,
        f"""
        select currency, fees, payouts, closing_balance
        from read_csv('{truth}', types = {{'fees': 'decimal(28, 6)', 'payouts': 'decimal(28, 6)',
            'closing_balance': 'decimal(28, 6)'}})
        order by currency
        """,
    )
    assert found == expected
    assert len(found) > 1
