"""The quality report's page: values are escaped, numbers are aligned, and cut tables say so."""

from ingest.docs.report_page import Report, Section, Table, html, markdown

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
    assert '<a href="../index.html">Overview</a>' in html(_REPORT, home="../index.html")


def test_markdown_escapes_what_a_table_would_read_as_its_own() -> None:
    text = markdown(_REPORT)
    assert "| &lt;b>x&lt;/b> | 1,024 | ok |" in text
    assert "| y \\| z |  | late |" in text
    assert "| --- | ---: | --- |" in text
    assert "5 more are in the warehouse." in text
