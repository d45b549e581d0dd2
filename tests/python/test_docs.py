"""The documentation site: it is whole, it needs no network, and it leaves nothing undescribed."""

import json
import re
import shutil
import subprocess
from datetime import date
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from harness import PROJECT, expect, ingest
from ingest.docs import site as pages
from ingest.docs.board import NO_ROWS, conclude, conclusions, shown
from ingest.docs.dashboards.spec import dashboards
from ingest.docs.documents import documents


class _Page(HTMLParser):
    """Collects what a page links to and what can be linked to in it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.ids: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in {"href", "src"} and value:
                self.links.append(value)
            elif name == "id" and value:
                self.ids.add(value)


def _own_pages(site: Path) -> dict[Path, _Page]:
    return {path: _Page(path.read_text()) for path in sorted(site.glob("*.html"))}


def test_every_link_leads_somewhere(site: Path) -> None:
    pages = _own_pages(site)
    assert {"index.html", "board.html", "dictionary.html", "limits.html"} <= {
        path.name for path in pages
    }
    tables = {
        # As dbt's docs and the lineage page read an address.
        "dbt/index.html": json.loads((site.parent / "target/manifest.json").read_text())["nodes"],
        "lineage/index.html": json.loads((site / "lineage/colibri-manifest.json").read_text())[
            "nodes"
        ],
    }
    for path, page in pages.items():
        for link in page.links:
            if link.startswith(("data:", "https://")):
                continue
            name, sign, rest = re.split(r"([?#]|$)", unquote(link), maxsplit=1)
            target = (path.parent / name) if name else path
            assert target.is_file(), f"{path.name}: {link}"
            if name in tables and sign:
                (table,) = re.findall(r"(?:^model=|^!/\w+/)([\w.]+)", rest)
                assert table in tables[name], f"{path.name}: {link}"
                assert name == "lineage/index.html" or rest.split("/")[1] == table.split(".")[0]
            elif sign:
                assert rest in pages[target].ids, f"{path.name}: {link}"


def test_every_page_can_be_reached_from_the_first(site: Path) -> None:
    own = {path.name: page for path, page in _own_pages(site).items()}
    reached: set[str] = set()
    found = ["index.html"]
    while found:
        name = found.pop()
        if name not in reached:
            reached.add(name)
            links = own[name].links if name in own else []
            found += [re.split("[?#]", link)[0] for link in links]
    assert {str(path.relative_to(site)) for path in site.rglob("*.html")} <= reached


def _search(site: Path) -> list[list[str]]:
    text = (site / "search.js").read_text()
    found: list[list[str]] = json.loads(text.removeprefix("window.SEARCH = ").rstrip(";\n"))
    return found


def test_navigation_has_at_most_seven_entries_on_every_page(site: Path) -> None:
    pages = [*sorted(site.glob("*.html")), site / "quality/report.html"]
    for path in pages:
        (nav,) = re.findall(r'<nav aria-label="Site">(.*?)</nav>', path.read_text(), re.DOTALL)
        groups = re.findall(r"<details.*?</details>", nav, re.DOTALL)
        single = re.sub(r"<details.*?</details>", "", nav, flags=re.DOTALL)
        assert 4 <= len(groups) + single.count("<a ") <= 7, path.name
        # Of documents of their own, decisions are listed on a page of theirs.
        if path.name != "quality/report.html":
            assert nav.count('aria-current="page"') == 1, path.name


def test_no_document_has_the_page_of_a_dashboard() -> None:
    assert not documents().keys() & {dashboard.name for dashboard in dashboards()}


def test_search_covers_pages_metrics_tables_and_columns(site: Path) -> None:
    entries = _search(site)
    pages = _own_pages(site)
    kinds = {entry[1] for entry in entries if len(entry) == 4}
    assert kinds == {"page", "figure", "section", "metric", "table", "question"}
    for entry in entries:
        if len(entry) == 4:
            name, _, anchor = entry[2].partition("#")
            assert site / name in pages, entry
            assert not anchor or anchor in pages[site / name].ids, entry
    catalog = json.loads((site.parent / "target/catalog.json").read_text())
    columns = {
        (column.lower(), table["metadata"]["name"])
        for name, table in catalog["nodes"].items()
        if name.split(".")[0] in {"model", "seed", "snapshot"}
        for column in table["columns"]
    }
    assert {(entry[0].lower(), entry[1]) for entry in entries if len(entry) == 3} == columns
    found = {entry[2] for entry in entries if len(entry) == 4}
    assert {path.name for path in pages} <= {address.split("#")[0] for address in found}
    assert "metrics.html#net_revenue_retention" in found
    assert "bi_tools.html#why-a-copy" in found


def test_search_works_from_disk(site: Path, tmp_path: Path) -> None:
    """In a browser without a network: words are typed, and the first result is opened."""
    browser = next(filter(None, map(shutil.which, ("chromium", "google-chrome"))), None)
    if browser is None:
        pytest.skip("there is no Chromium on this machine")
    typed = """
    <script>addEventListener("load", () => {
      const box = document.querySelector("#search");
      box.value = "closing mrr usd";
      box.dispatchEvent(new Event("input"));
    })</script>
    """
    page = site / "typed.html"
    page.write_text((site / "limits.html").read_text() + typed)
    try:
        done = subprocess.run(
            [
                *(browser, "--headless=new", "--no-sandbox", "--disable-gpu", "--dump-dom"),
                *("--host-resolver-rules=MAP * ~NOTFOUND", f"--user-data-dir={tmp_path}"),
                *("--enable-logging=stderr", "--virtual-time-budget=4000", page.as_uri()),
            ],
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        )
    finally:
        page.unlink()
    assert "CONSOLE" not in done.stderr
    links = re.findall(r'role="option".*?href="([^"]+)"', done.stdout)
    assert links[0] == "metrics.html#closing_mrr_usd"
    assert "dictionary.html#fct_mrr_monthly.closing_mrr_usd" in links


def test_pages_load_nothing_from_elsewhere(site: Path) -> None:
    loaded = re.compile(r"<(?:script|img|iframe|link)\b[^>]*(?:src|href)=\"?(?:https?:)?//[^>]*>")
    for path in site.rglob("*.html"):
        assert not loaded.findall(path.read_text()), path.name
    # It would send what is looked at to its maker.
    assert "telemetry is disabled" in (site / "lineage/index.html").read_text()


def test_every_table_and_column_of_the_warehouse_is_described(site: Path) -> None:
    target = site.parent / "target"
    manifest = json.loads((target / "manifest.json").read_text())
    catalog = json.loads((target / "catalog.json").read_text())
    written = manifest["nodes"] | manifest["sources"]
    kinds = {"model", "seed", "snapshot", "source"}
    # The rows on which tests failed are tables too.
    built = {
        name: table
        for name, table in (catalog["nodes"] | catalog["sources"]).items()
        if name.split(".")[0] in kinds
    }
    assert set(built) == {name for name in written if name.split(".")[0] in kinds}
    missing = []
    for name, table in built.items():
        node = written[name]
        words = {column.lower(): about["description"] for column, about in node["columns"].items()}
        missing += [] if node["description"].strip() else [name]
        # Raw columns are the vendors' own; staging describes what it takes of them.
        if not name.startswith("source."):
            missing += [f"{name}.{one}" for one in table["columns"] if not words.get(one.lower())]
            # And nothing is described that is no longer there.
            there = {one.lower() for one in table["columns"]}
            missing += [f"{name}.{one}" for one in words.keys() - there]
    assert missing == []


def test_columns_that_are_never_null_are_shown(site: Path) -> None:
    """By the contract of a mart, and elsewhere by one test of several columns."""
    page = (site / "dictionary.html").read_text()
    agents = page.split('<details id="int_user_agents_described">')[1].split("</details>")[0]
    assert re.findall(r"<code>(\w+)</code></td><td>[^<]*, never null<", agents) == [
        *("user_agent", "browser_name", "is_bot")
    ]
    movements = page.split('<details id="fct_mrr_monthly">')[1].split("</details>")[0]
    assert "<code>closing_mrr_usd</code></td><td>decimal(28,6), never null<" in movements
    page = (site / "dbt/index.html").read_text()
    shown = re.findall(r'"unique_id": "[\w.]*\.(not_null_int_user_agents_described\.[\w.]+)"', page)
    assert {one.rsplit(".", maxsplit=1)[1] for one in shown} >= {"user_agent", "is_bot"}


def test_columns_have_lineage(site: Path) -> None:
    """Below this share the parser has lost a whole kind of query, as with sqlglot 30.30."""
    lineage = json.loads((site / "lineage/colibri-manifest.json").read_text())
    followed = {
        (edge["target"], edge["targetColumn"].lower())
        for edge in lineage["lineage"]["edges"]
        if edge.get("targetColumn")
    }
    columns = [
        (name, column.lower())
        for name, node in lineage["nodes"].items()
        if name.startswith("model.")
        for column in node["columns"]
    ]
    assert len(columns) > 2000
    assert sum(column in followed for column in columns) / len(columns) > 0.95


def test_every_model_has_an_owner_and_its_access(site: Path) -> None:
    manifest = json.loads((site.parent / "target/manifest.json").read_text())
    for node in manifest["nodes"].values():
        if node["resource_type"] == "model":
            assert node["group"] in {"platform", "finance", "sales", "product"}, node["name"]
            is_mart = node["path"].startswith("marts/")
            assert node["access"] == ("public" if is_mart else "protected"), node["name"]


def test_exposures_read_marts_and_all_that_their_queries_read(site: Path) -> None:
    manifest = json.loads((site.parent / "target/manifest.json").read_text())
    exposures = {one["name"]: one for one in manifest["exposures"].values()}
    for name, exposure in exposures.items():
        assert exposure["owner"]["email"], name
        for model in exposure["depends_on"]["nodes"]:
            assert manifest["nodes"][model]["path"].startswith("marts/"), f"{name}: {model}"
    # `test_dashboards` compares those of the dashboards.
    read = {
        model
        for node in manifest["nodes"].values()
        if node["resource_type"] == "analysis" and "board" in node["fqn"]
        for model in node["depends_on"]["nodes"]
    }
    assert read == set(exposures["board_report"]["depends_on"]["nodes"])


def test_every_board_question_has_an_answer(site: Path) -> None:
    queries = {path.stem for path in (PROJECT / "analyses/board").glob("*.sql")}
    text = (site / "board.html").read_text()
    sections = {part.split('"')[0]: part for part in text.split('<section id="')[1:]}
    assert set(sections) == queries
    for name, section in sections.items():
        assert re.search(r"<h2>.+</h2>", section), name
        assert section.count("<tr>") > 1, name
        (conclusion,) = re.findall(r'<p class="conclusion">(.+)</p>', section)
        assert conclusion != NO_ROWS, name
        assert section.count("data-item") == 1, name
        # Labels are a person's, not names of columns.
        assert not [one for one in re.findall(r"<th[^>]*>(.*?)</th>", section) if "_" in one], name


def test_hours_are_in_the_order_of_the_day(site: Path) -> None:
    section = (site / "board.html").read_text().split('<section id="busiest_hours">')[1]
    hours = re.findall(r"<tr><td[^>]*>(\d+)</td>", section.split('<section id="')[0])
    assert len(hours) > 12
    assert hours == sorted(hours, key=int)


def test_a_conclusion_is_what_the_rows_say() -> None:
    def concluded(name: str, *rows: Any) -> str:
        return conclude(conclusions(), name, rows)

    amounts = ("new_and_reactivated", "expansion", "contraction", "fx")
    quarter: dict[str, Any] = {
        "quarter_start_date": date(2026, 7, 1),
        **{f"{one}_arr_usd": 0 for one in amounts},
    }
    fallen = quarter | {"opening_arr_usd": 1000, "closing_arr_usd": 400, "churn_arr_usd": -600}
    assert concluded("arr_bridge_by_quarter", fallen) == (
        "In 2026 Q3, ARR fell by $600 to $400. The largest movement was churn, -$600."
    )
    still = quarter | {"opening_arr_usd": 1000, "closing_arr_usd": 1000, "churn_arr_usd": 0}
    assert concluded("arr_bridge_by_quarter", still) == (
        "ARR did not change in 2026 Q3: it is $1,000."
    )
    # (1 x 100 + 0.5 x 300) / 400 = 62.5 %; the youngest quarter has no figure yet.
    kept = {"kept_12_months_rate": 1.0, "kept_24_months_rate": None, "first_mrr_usd": 100}
    younger = {"kept_12_months_rate": 0.5, "kept_24_months_rate": None, "first_mrr_usd": 300}
    youngest = {"kept_12_months_rate": None, "kept_24_months_rate": None, "first_mrr_usd": 50}
    assert concluded("revenue_kept_by_cohort", kept, younger, youngest).endswith(
        "keep 62.5% of their first MRR after 12 months."
    )
    assert concluded("revenue_kept_by_cohort", youngest) == (
        "No quarter's customers are twelve months old yet."
    )
    hours = [
        {"hour_number": 9, "weekday_event_count": 60, "weekend_event_count": 15},
        {"hour_number": 14, "weekday_event_count": 25, "weekend_event_count": 0},
    ]
    shares = [
        one | {"event_share_rate": share} for one, share in zip(hours, (0.75, 0.25), strict=True)
    ]
    assert concluded("busiest_hours", *shares) == (
        "The busiest hour begins at 09:00 UTC, with 75.0% of all events. Weekends have 15.0%."
    )


def test_without_rows_every_conclusion_says_so() -> None:
    templates = conclusions()
    for path in (PROJECT / "analyses/board").glob("*.sql"):
        assert hasattr(templates.get_template("conclusions.j2").module, path.stem)
        assert conclude(templates, path.stem, []) == NO_ROWS


def test_values_read_as_a_person_writes_them() -> None:
    assert shown("closing_arr_usd", 1234567.5) == "1,234,568"
    assert shown("win_rate", 1 / 3) == "33.3%"
    assert shown("won_count", 1200) == "1,200"
    assert shown("median_won_cycle_days", 17.5) == "17.5"
    assert shown("win_rate", None) == "-"


def test_without_a_warehouse_it_says_what_to_do(tmp_path: Path) -> None:
    said = expect(
        1, ingest("docs", "--warehouse", tmp_path / "none.duckdb", "--out", tmp_path / "site")
    )
    assert "make build" in said
    assert not (tmp_path / "site").exists()


def test_a_new_site_removes_the_files_of_the_older_one_alone(tmp_path: Path) -> None:
    for name in ("index.html", "lineage/old.html", "my-thesis.txt", "lineage/my-notes.txt"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("")
    assert not pages._is_site(tmp_path)
    (tmp_path / ".site-files").write_text("index.html\nlineage/old.html\n../outside\n")
    assert pages._is_site(tmp_path)
    assert pages._without_site(tmp_path) == {"my-thesis.txt", "lineage/my-notes.txt"}
    left = {path.name for path in tmp_path.rglob("*") if path.is_file()}
    assert left == {".site-files", "my-thesis.txt", "my-notes.txt"}


def test_the_site_lists_all_its_files(site: Path) -> None:
    listed = set((site / ".site-files").read_text().splitlines())
    assert {"index.html", "dbt/index.html", "quality/report.html", "search.js"} <= listed
    assert listed <= pages._files(site)
