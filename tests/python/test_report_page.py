"""The quality report's page: values are escaped, numbers are aligned, and cut tables say so."""

from ingest.docs.navigation import navigation
from ingest.docs.report_page import Report, Section, Spark, Table, html, markdown

_ROWS = (("<b>x</b>", "1,024", "ok"), ("y | z", "", "late"))
_REPORT = Report(
    "2026-09-30",
    "warn",
    (
        Section("First part", "ok", "Two & more.", Table(("name", "rows", "status"), _ROWS, 7)),
        Section("Empty", "warn", "Nothing.", Table(("name",), (), 0)),
    ),
)


def test_html_escapes_values_and_marks_numbers() -> None:
    page = html(_REPORT)
    assert "<td>&lt;b&gt;x&lt;/b&gt;</td>" in page
    assert "Two &amp; more." in page
    assert '<th class="number">rows</th>' in page
    assert '<td class="number">1,024</td>' in page
    assert '<span class="status warn">late</span>' in page
    assert "<p>5 more are in the warehouse.</p>" in page
    assert page.count("<table>") == 1
    assert 'href="#first-part"' in page
    assert 'id="first-part"' in page
    assert "Overview" not in page
    assert "<script" not in page
    page = html(_REPORT, navigation({"limits": "Limits"}))
    assert '<a href="../index.html">Overview</a>' in page
    assert '<a href="../limits.html">Limits</a>' in page


def test_a_series_is_a_line_with_its_unusual_values_and_words() -> None:
    spark = Spark((0, 5, 10), (2,))
    assert spark.blocks == "▁▅█"
    assert 'points="3,23 66,13 129,3"' in spark.svg
    assert spark.svg.count('class="unusual"') == 1
    assert "3 values, 1 unusual: first 0, last 10, lowest 0, highest 10" in spark.svg
    table = Table(("name", "trend"), (("a", spark),), 1)
    report = Report("2026-09-30", "ok", (Section("Part", "ok", "One.", table, (("All", spark),)),))
    assert html(report).count("<svg") == 2
    assert "| a | ▁▅█ |" in markdown(report)
    assert "All: ▁▅█ (3 values" in markdown(report)


def test_a_series_of_nothing_is_drawn_too() -> None:
    for spark in (Spark(()), Spark((0, 0))):
        assert "<svg" in spark.svg
    assert Spark((0, 0)).blocks == "▁▁"


def test_markdown_escapes_what_a_table_would_read_as_its_own() -> None:
    text = markdown(_REPORT)
    assert "| &lt;b>x&lt;/b> | 1,024 | ok |" in text
    assert "| y \\| z |  | late |" in text
    assert "| --- | ---: | --- |" in text
    assert "5 more are in the warehouse." in text
