"""The table of the benchmark: goals, ratios, and the statements of the flattening."""

import json

import duckdb
import pytest

from ingest import catalog
from ingest.bench import finance
from ingest.bench.figure import Figure, Goal, Run
from ingest.load import warehouse


def test_processes_one_after_the_other_add_their_time_and_keep_the_higher_peak() -> None:
    assert Run(1.5, 2.0, 0.5) + Run(2.5, 5.5, 1.2) == Run(4.0, 7.5, 1.2)
    assert str(Run(4.0, 7.5, 1.2)) == "4.0 s, 7.5 CPU s, 1.20 GB"


def test_a_ratio_is_of_wall_time_and_of_cpu() -> None:
    ratio = Run(4.0, 7.5).against(Run(2.0, 3.0))
    assert ratio == "4.0 s / 2.0 s = 2.00, CPU 7.5 / 3.0 = 2.50"


@pytest.mark.parametrize(
    ("goal", "text", "is_met"),
    [
        (Goal(55.0, 55, " s"), "at most 55 s", True),
        (Goal(1.81, 1.8), "at most 1.8", False),
        (Goal(99_999, 100_000, " a second", is_floor=True), "at least 100,000 a second", False),
        (Goal(100_000, 100_000, " a second", is_floor=True), "at least 100,000 a second", True),
    ],
)
def test_a_goal_is_met_up_to_its_limit(goal: Goal, text: str, *, is_met: bool) -> None:
    assert (str(goal), goal.is_met) == (text, is_met)


@pytest.mark.parametrize(
    ("goals", "end"),
    [
        ([Goal(1, 2), Goal(5, 4, " GB")], "  at most 2, at most 4 GB: missed"),
        ([Goal(1, 2), Goal(4, 4, " GB")], "  at most 2, at most 4 GB: met"),
        ([], "  no goal"),
    ],
)
def test_a_line_is_met_if_all_its_goals_are(goals: list[Goal], end: str) -> None:
    line = str(Figure("load", "small", "1.0 s", goals))
    assert line.split()[:4] == ["load", "small", "1.0", "s"]
    assert line.endswith(end)


def test_flattening_makes_a_table_of_each_raw_one_with_a_row_for_each_nested_record() -> None:
    connection = duckdb.connect()
    connection.execute("attach ':memory:' as warehouse")
    connection.execute("use warehouse")
    warehouse.create_tables(connection)
    connection.execute(
        """
        insert into raw_stripe.invoices (id, lines)
        values ('in_1', '{"data": [{"id": "il_1", "amount": 5}, {"id": "il_2"}]}');
        insert into raw_stripe.events (id, data)
        values ('evt_1', '{"object": {"id": "sub_1", "items": {"data": [{"quantity": 3}]}}}');
        """
    )
    connection.execute("use memory")
    for statement in json.loads(finance.flat_tables()):
        connection.execute(statement)
    tables = {name for (name,) in connection.execute("show tables").fetchall()}
    assert tables == {table.name for table in catalog.tables_of("stripe")}
    lines = "select id, nested.id, nested.amount from invoices order by all"
    assert connection.execute(lines).fetchall() == [("in_1", "il_1", "5"), ("in_1", "il_2", None)]
    items = "select id, nested.id, nested.items.data[1].quantity from events"
    assert connection.execute(items).fetchall() == [("evt_1", "sub_1", "3")]
