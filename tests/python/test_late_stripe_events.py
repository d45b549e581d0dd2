"""Stripe events late, repeated and withdrawn: staging is that of one full refresh.

Each case lands the same deliveries in batches drawn at random and runs the models after each.
"""

import random
from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest

from harness import Row, rows
from loading import Loading
from mrr_scenarios import Record, all_scenarios, at
from warehouses import build_again

_BATCHES = ("2026-03-31", "2026-04-30", "2026-05-31")
_KINDS = ("catalog", "customer", "discount", "subscription")
_MODELS = tuple(f"stg_stripe__{kind}_events" for kind in _KINDS)


def _event(number: int, kind: str, **fields: object) -> Record:
    return {
        "id": f"evt_{number}",
        "object": "event",
        "type": kind,
        "created": at("2026-02-01") + number,
        "livemode": True,
        "data": {"object": {"id": f"object_{number}", **fields}},
    }


def _deliveries() -> list[Record]:
    """Events of every kind that staging types: a third delivered twice, some of test mode."""
    scenarios = [
        record
        for scenario in all_scenarios()
        for records in scenario.objects.values()
        for record in records
        if record["object"] == "event"
    ]
    kinds: dict[str, dict[str, object]] = {
        "customer.created": {"name": "Acme", "metadata": {"sfdc_account_id": "001"}},
        "customer.updated": {"email": "pay@acme.example", "discount": {"id": "di", "start": 0}},
        "customer.deleted": {},
        "customer.discount.created": {"source": {"coupon": "c"}, "customer": "cus_1", "start": 0},
        "coupon.created": {"percent_off": 12.5, "duration": "forever"},
        "product.updated": {"name": "Team"},
        "customer.source.created": {},
    }
    made = [
        _event(10 * copy + number, kind, **fields)
        for copy in range(4)
        for number, (kind, fields) in enumerate(kinds.items())
    ]
    in_test_mode = [{**event, "id": f"{event['id']}_test", "livemode": False} for event in made[:9]]
    events = [*scenarios, *made, *in_test_mode]
    return [*events, *events[::3]]


def _land(folder: Path, parts: Iterable[tuple[str, Sequence[Record]]]) -> dict[str, list[Row]]:
    """What staging has after each batch landed and the models ran, but for columns of the load.

    Makes sure that a full refresh changes nothing, down to the batch that an event is from.
    """
    folder.mkdir()
    loading = Loading(folder)
    for batch, events in parts:
        loading.write_json("stripe/events.jsonl", *events, batch=batch)
        loading.load(batch_ids=[batch], replace=True)
        build_again(loading.warehouse, *_MODELS)

    def staged(columns: str) -> dict[str, list[Row]]:
        return {
            model: rows(
                loading.warehouse, f"select {columns} from staging.{model} order by event_id"
            )
            for model in _MODELS
        }

    landed = staged("*")
    build_again(loading.warehouse, *_MODELS, full_refresh=True)
    assert staged("*") == landed
    return staged("columns('^[^_]')")


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Row]]:
    """Staging of all deliveries at once."""
    return _land(tmp_path_factory.mktemp("expected") / "all", [(_BATCHES[-1], _deliveries())])


def test_every_kind_of_event_is_staged_once(expected: dict[str, list[Row]]) -> None:
    """Else the splits would prove nothing."""
    for found in expected.values():
        ids = [row[0] for row in found]
        assert len(ids) == len(set(ids)) >= 8
        assert not [event_id for event_id in ids if str(event_id).endswith("_test")]


@pytest.mark.parametrize("seed", range(2))
def test_any_split_in_any_order_gives_the_same_events(
    expected: dict[str, list[Row]], tmp_path: Path, seed: int
) -> None:
    luck = random.Random(seed)
    parts: dict[str, list[Record]] = {batch: [] for batch in _BATCHES}
    for event in luck.sample(deliveries := _deliveries(), len(deliveries)):
        parts[luck.choice(_BATCHES)].append(event)
    assert _land(tmp_path / "landed", luck.sample(list(parts.items()), len(parts))) == expected


@pytest.mark.parametrize("replaced", _BATCHES[:2])
def test_a_replaced_batch_leaves_what_another_one_delivers(
    expected: dict[str, list[Row]], tmp_path: Path, replaced: str
) -> None:
    """Every event is in two batches of three; the correction of one has none of them."""
    thirds = [_deliveries()[part::3] for part in range(3)]
    withdrawn = [_event(99, "customer.created"), _event(100, "coupon.created")]
    parts = [
        (batch, thirds[part] + thirds[part - 1] + withdrawn * (batch == replaced))
        for part, batch in enumerate(_BATCHES)
    ]
    assert _land(tmp_path / "replaced", [*parts, (replaced, [_event(98, "x")])]) == expected


def _extracted(folder: Path, parts: Iterable[tuple[str, Sequence[Record]]]) -> list[Row]:
    """The subscriptions of every extract after each batch landed and the model ran.

    Makes sure that a full refresh changes nothing, down to the row that an extract is from.
    """
    folder.mkdir()
    loading = Loading(folder)
    model = "stg_stripe__subscription_extracts"
    for batch, subscriptions in parts:
        loading.write_json("stripe/subscriptions.jsonl", *subscriptions, batch=batch)
        loading.load(batch_ids=[batch], replace=True)
        build_again(loading.warehouse, model)

    def staged(columns: str) -> list[Row]:
        return rows(loading.warehouse, f"select {columns} from staging.{model} order by all")

    landed = staged("*")
    build_again(loading.warehouse, model, full_refresh=True)
    assert staged("*") == landed
    return staged("subscription_id, extracted_at, status, items, _batch_id, _source_row")


def _subscription(number: int, status: str, **fields: object) -> Record:
    items = {"data": [{"id": f"si_{number}", "price": {"id": "p"}, "quantity": number}]}
    made = {"id": f"sub_{number}", "object": "subscription", "status": status, "items": items}
    return {**made, "created": at("2026-02-01"), **fields}


def test_extracts_are_the_same_in_any_order_and_after_a_correction(tmp_path: Path) -> None:
    """One day is exported twice, a subscription is twice in a file, and one batch is corrected."""
    again = f"{_BATCHES[1]}-again"
    right = {
        _BATCHES[0]: [_subscription(n, "trialing") for n in (1, 2, 3)],
        _BATCHES[1]: [_subscription(n, "active") for n in (1, 2, 2, 4)],
        again: [_subscription(1, "past_due"), _subscription(5, "active", livemode=False)],
        _BATCHES[2]: [_subscription(1, "canceled"), {"id": "sub_4", "object": "subscription"}],
    }
    wrong = [_subscription(n, "unpaid") for n in (1, 4, 6)]
    expected = _extracted(tmp_path / "in_order", right.items())
    assert [row[0] for row in expected] == [f"sub_{n}" for n in (1, 1, 1, 2, 2, 3, 4)]
    assert [row[2] for row in expected[:3]] == ["trialing", "past_due", "canceled"]
    late = [(batch, right[batch]) for batch in (_BATCHES[2], again, _BATCHES[1])]
    landed = [(again, wrong), (_BATCHES[0], wrong), *late, (_BATCHES[0], right[_BATCHES[0]])]
    assert _extracted(tmp_path / "landed", landed) == expected
