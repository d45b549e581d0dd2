"""The documentation site: it is whole, it needs no network, and it leaves nothing undescribed."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

from harness import PROJECT, expect, ingest
from ingest.docs.site import shown


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
