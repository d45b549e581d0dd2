"""Every numeric column of a mart is compared with a value that somebody worked out."""

import re

from dbt.contracts.graph.manifest import Manifest

from warehouses import parsed

_NUMERIC = re.compile(r"(decimal|double|integer|bigint|hugeint|float)\b")
# Reconciliations that recompute these columns from other relations, or compare them with what is
# worked out there. A unit test of the calendar would have to list each of its days.
_RECONCILED = {
    "dim_dates": "assert_known_days_of_the_calendar",
}
# Digests: a value worked out by hand would only repeat the hash function.
_DIGESTS = {("fct_events", "touch_key")}


def test_every_number_of_a_mart_is_asserted_by_value() -> None:
    manifest = parsed()
    asserted = _expected(manifest)
    numbers = {
        (node.name, column.name)
        for node in manifest.nodes.values()
        if node.original_file_path.startswith("models/marts/")
        # These count files and records; `test_quality.py` compares them with the extracts.
        and not node.original_file_path.startswith("models/marts/quality/")
        for column in node.columns.values()
        if _NUMERIC.match(str(column.data_type))
    }
    assert len(numbers) > 500
    for mart, test in _RECONCILED.items():
        sql = next(node.raw_code for node in manifest.nodes.values() if node.name == test)
        asserted |= {(mart, word) for word in re.findall(r"\w+", sql)}
    assert sorted(numbers - asserted - _DIGESTS) == []


def _expected(manifest: Manifest) -> set[tuple[str, str]]:
    """Marts with the columns of which a unit test expects a value other than null."""
    found = set()
    for test in manifest.unit_tests.values():
        rows = test.expect.rows
        # SQL names its columns; CSV is read into rows by dbt.
        if isinstance(rows, str):
            found |= {(test.model, word) for word in re.findall(r"\w+", rows)}
            continue
        for row in rows or []:
            found |= {(test.model, name) for name, value in row.items() if value not in (None, "")}
    return found
