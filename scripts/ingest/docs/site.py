"""The documentation site: static pages, opened from disk.

dbt's own documentation and dbt-colibri's column lineage are in it, beside pages rendered from the
same manifest and catalog: metrics, data dictionary, source map, board questions with their answers
from this warehouse, owners, and everything in `docs/`.
"""

import html
import json
import logging
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
from dbt_colibri.lineage_extractor.extractor import DbtColumnLineageExtractor
from dbt_colibri.report.generator import DbtColibriReportGenerator
from markdown_it import MarkdownIt
from markupsafe import Markup

from ingest.build import PROJECT, Dbt
from ingest.docs import dashboards, search
from ingest.docs.board import answers
from ingest.docs.dashboards.cards import HEAD, SCRIPTS, page_data
from ingest.docs.dashboards.spec import dashboards as described
from ingest.docs.documents import documents
from ingest.docs.navigation import Entry, navigation
from ingest.docs.pages import environment
from ingest.docs.report import as_of, report
from ingest.errors import UsageError
from ingest.load import WarehouseError, warehouse
from ingest.progress import Progress

Node = dict[str, Any]

_ASSETS = Path("docs/assets")
# Names the files of the site. What is not on it is somebody else's and stays.
_LIST = ".site-files"
_MARKDOWN = MarkdownIt("commonmark").enable("table")
_HEADING = re.compile(r"<h([2-6])>(.*?)</h\1>")
# The project's test of several columns.
_NOT_NULL = "not_null_columns"
_SPOKEN = {"arpa", "arr", "crm", "dau", "fx", "id", "ltv", "mau", "mrr", "usd", "wau"}
_INNER_LAYERS = ("staging", "intermediate", "seeds", "snapshots")
_PAGES = {
    "index": "Overview",
    "board": "Board questions",
    "metrics": "Metrics and terms",
    "dictionary": "Data dictionary",
    "sources": "Source map",
    "owners": "Dashboards and owners",
    "limits": "Assumptions and limits",
}


def docs(warehouse_path: Path, out: Path, *, has_names: bool = False) -> None:
    """Write the site of a built warehouse.

    Args:
        warehouse_path: the DuckDB file.
        out: the folder to write; an older site in it is replaced.
        has_names: show names of accounts, deals and people on the dashboards.

    Raises:
        UsageError: the folder holds something other than a site.
        WarehouseError: there is no warehouse, or its marts are not built.
        BuildError: dbt cannot describe the project.
    """
    warehouse_path, out = warehouse_path.resolve(), out.resolve()
    target = PROJECT / os.environ.get("DBT_TARGET_PATH", "target")
    warehouse.require(warehouse_path)
    if out.is_dir() and any(out.iterdir()) and not _is_site(out):
        raise UsageError(f"{out} holds other files and no site; name a new folder for the site")
    # Of 100: about as many as the step takes of the time.
    progress = Progress("docs", 100, quiet=False)
    progress.advance(0)
    try:
        Dbt(warehouse_path, "{}").run("docs", "generate", "--static")
        progress.advance(45)
        with warehouse.opened(warehouse_path, read_only=True) as connection:
            project = _Project(target)
            others = _write(project, connection, target, out, progress, has_names=has_names)
    except (duckdb.BinderException, duckdb.CatalogException) as error:
        raise WarehouseError("the marts are not built; `make build` builds them") from error
    finally:
        progress.close()
    print(f"open {out / 'index.html'}")
    report(warehouse_path, out / "quality", navigation=_navigation())
    written = _files(out) - others
    (out / _LIST).write_text("".join(f"{name}\n" for name in sorted(written)))


def refresh(warehouse_path: Path, out: Path, *, has_names: bool = False) -> None:
    """Write only the dashboards of a site again.

    Raises:
        WarehouseError: there is no warehouse, a build holds it, or its marts are not built.
        BuildError: dbt cannot compile the queries.
    """
    target = PROJECT / os.environ.get("DBT_TARGET_PATH", "target")
    path = warehouse_path.resolve()
    Dbt(path, "{}").run("compile", "--select", "path:analyses/dashboard")
    try:
        with dashboards.marts(path) as (connection, day):
            templates = environment()
            templates.globals |= _globals(day)
            dashboards.write(out, templates, connection, target, day, has_names=has_names)
    except (duckdb.BinderException, duckdb.CatalogException) as error:
        raise WarehouseError("the marts are not built; `make build` builds them") from error


class _Project:
    """The manifest and the catalog, with the lookups that the pages need."""

    def __init__(self, target: Path) -> None:
        self.manifest: Node = json.loads((target / "manifest.json").read_text())
        catalog: Node = json.loads((target / "catalog.json").read_text())
        self._tables: Node = catalog["nodes"] | catalog["sources"]
        self.nodes: Node = self.manifest["nodes"] | self.manifest["sources"]
        self._never_null = set(_never_null(self.nodes))
        self.groups = sorted(self.manifest["groups"].values(), key=lambda group: group["name"])
        self.exposures = sorted(self.manifest["exposures"].values(), key=lambda one: one["label"])

    def layers(self) -> dict[str, list[Node]]:
        """Every table by its schema, marts first."""
        found: dict[str, list[Node]] = {}
        for node in sorted(self.nodes.values(), key=lambda node: node["name"]):
            if node["resource_type"] in {"model", "seed", "snapshot"}:
                found.setdefault(node["schema"], []).append(node)
        order = ["shared", "finance", "sales", "product", "quality", *_INNER_LAYERS]
        return {schema: found[schema] for schema in order if schema in found}

    def columns(self, node: Node) -> list[Node]:
        """The columns in the warehouse, with the descriptions from the project."""
        table = self._tables.get(node["unique_id"], {"columns": {}})
        written = {name.lower(): column for name, column in node["columns"].items()}
        return [
            {
                "name": column["name"],
                "type": column["type"].lower(),
                "description": written.get(column["name"].lower(), {}).get("description", ""),
                "is_never_null": (node["unique_id"], column["name"].lower()) in self._never_null,
            }
            for column in sorted(table["columns"].values(), key=lambda column: column["index"])
        ]

    def metrics(self) -> dict[str, list[Node]]:
        """Metric definitions by area, each with the columns that refer to it."""
        carriers: dict[str, list[str]] = {}
        for node in self.nodes.values():
            if node["path"].startswith("marts/"):
                for name, column in node["columns"].items():
                    for block in column.get("doc_blocks", []):
                        carriers.setdefault(block, []).append(f"{node['name']}.{name}")
        found: dict[str, list[Node]] = {}
        for key, block in self.manifest["docs"].items():
            if block["path"].startswith("marts/"):
                area = Path(block["path"]).parts[1]
                found.setdefault(area, []).append(
                    block | {"columns": sorted(carriers.get(key, []))}
                )
        # The file named after its area comes first; blocks keep their order within a file.
        for area, blocks in found.items():
            blocks.sort(key=lambda block: (f"_{area}__" not in block["path"], block["path"]))
        return dict(sorted(found.items()))

    def sources(self) -> dict[str, list[Node]]:
        """Raw tables by source, the loader's audit last, each with its readers and marts."""
        found: dict[str, list[Node]] = {}
        for source in sorted(self.manifest["sources"].values(), key=lambda one: one["name"]):
            staging = self._readers(source["unique_id"])
            reached = set(self._below(source["unique_id"]))
            marts = [name for name in reached if self.nodes[name]["path"].startswith("marts/")]
            entry = source | {"staging": staging, "marts": sorted(marts)}
            found.setdefault(source["source_name"], []).append(entry)
        return dict(sorted(found.items(), key=lambda item: (item[0] == "audit", item[0])))

    def board(self) -> list[Node]:
        """The board's analyses, in their order."""
        return sorted(
            (node for node in self.nodes.values() if "board" in node["fqn"]),
            key=lambda node: (node["config"]["meta"].get("order", 99), node["name"]),
        )

    def _readers(self, name: str) -> list[str]:
        return [
            child
            for child in sorted(self.manifest["child_map"].get(name, []))
            if child.split(".")[0] in {"model", "snapshot"}
        ]

    def _below(self, name: str) -> Iterator[str]:
        seen, waiting = set[str](), [name]
        while waiting:
            for child in self._readers(waiting.pop()):
                if child not in seen:
                    seen.add(child)
                    waiting.append(child)
                    yield child


def _never_null(nodes: Node) -> Iterator[tuple[str, str]]:
    """Node and name of every column that a constraint or a test keeps from being null."""
    for node in nodes.values():
        test = node.get("test_metadata") or {}
        if test.get("name") == _NOT_NULL and node["config"]["severity"].lower() == "error":
            for column in test["kwargs"]["columns"]:
                yield node["attached_node"], column
        for name, column in node["columns"].items():
            if any(one["type"] == "not_null" for one in column.get("constraints") or []):
                yield node["unique_id"], name


def _dbt_page(target: Path) -> str:
    """The page of dbt itself, which shows a test of several columns at each of them."""
    written = (target / "manifest.json").read_text()
    manifest: Node = json.loads(written)
    for name, test in list(manifest["nodes"].items()):
        given = test.get("test_metadata") or {}
        if given.get("name") == _NOT_NULL:
            for column in given["kwargs"]["columns"]:
                manifest["nodes"][f"{name}.{column}"] = test | {
                    "unique_id": f"{name}.{column}",
                    "column_name": column,
                    "test_metadata": given | {"name": "not_null"},
                }
    return (target / "static_index.html").read_text().replace(written, json.dumps(manifest))


def _write(
    project: _Project,
    connection: duckdb.DuckDBPyConnection,
    target: Path,
    out: Path,
    progress: Progress,
    *,
    has_names: bool,
) -> set[str]:
    """Write the pages in place of an older site's, and return the files that are not a site's."""
    # What may fail comes first, so that an older site is kept if it does.
    answered = answers(connection, project.board())
    day = as_of(connection)
    others = _without_site(out)
    (out / "dbt").mkdir(parents=True, exist_ok=True)
    (out / "dbt/index.html").write_text(_dbt_page(target))
    for folder in (out, out / "dbt"):
        shutil.copytree(PROJECT / _ASSETS, folder / _ASSETS, dirs_exist_ok=True)
    here = Path(__file__).parent
    shutil.copy(here / "assets" / "site.js", out)
    styles = (here / "templates" / name for name in ("style.css", "header.css"))
    (out / "style.css").write_text("\n".join(path.read_text() for path in styles))
    _write_lineage(target, out / "lineage")
    progress.advance(20)

    papers = documents()
    titles = _PAGES | _paper_titles()
    found = (
        *search.pages(titles),
        *search.dashboards(described()),
        *search.sections(papers, titles),
        *search.metrics(project.metrics()),
        *search.tables(project.layers(), project.columns),
        *((one.question, "question", f"board.html#{one.name}", "") for one in answered),
    )
    (out / "search.js").write_text(search.script(found))
    templates = environment()
    templates.filters |= {"markdown": _markdown, "inline": _inline, "words": _words}
    templates.globals |= _globals(day) | {
        "project": project,
        "head": HEAD,
        "scripts": SCRIPTS,
        "board_data": page_data({one.name: one.figures for one in answered}, day),
    }
    dashboards.write(out, templates, connection, target, day, has_names=has_names)
    progress.advance(30)
    for name in _PAGES:
        if name not in papers:
            text = templates.get_template(f"{name}.html").render(page=name, answers=answered)
            (out / f"{name}.html").write_text(text)
    for name, paper in papers.items():
        text = templates.get_template("paper.html").render(page=name, paper=paper)
        (out / f"{name}.html").write_text(text)
    return others


def _is_site(out: Path) -> bool:
    """Whether a folder holds a site, perhaps of a version that wrote no list."""
    older = ("dbt/index.html", "search.js", "dictionary.html")
    return (out / _LIST).is_file() or all((out / name).is_file() for name in older)


def _files(out: Path) -> set[str]:
    """The files in a folder but the list, relative to it."""
    names = (path.relative_to(out).as_posix() for path in out.rglob("*") if not path.is_dir())
    return {name for name in names if name != _LIST}


def _without_site(out: Path) -> set[str]:
    """Remove the files that an older site's list names, and return those that are left."""
    there = _files(out)
    listed = (out / _LIST).read_text().splitlines() if (out / _LIST).is_file() else []
    ours = there & set(listed)
    for name in ours:
        (out / name).unlink()
    return there - ours


def _write_lineage(target: Path, out: Path) -> None:
    """Write column lineage; a column whose expression cannot be parsed has none."""
    for name in ("colibri", "sqlglot"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    extractor = DbtColumnLineageExtractor(
        str(target / "manifest.json"), str(target / "catalog.json")
    )
    # The light mode drops the queries and then warns that they are missing.
    report = DbtColibriReportGenerator(extractor, disable_telemetry=True)
    report.generate_report(output_dir=str(out))


def _words(name: str) -> str:
    """A name as words, with abbreviations in capitals."""
    spoken = (word.upper() if word in _SPOKEN else word for word in name.split("_"))
    return " ".join(spoken)


def _globals(day: str) -> dict[str, Any]:
    """What the templates of all pages read."""
    return {"titles": _PAGES | _paper_titles(), "as_of": day, "navigation": _navigation()}


def _navigation() -> list[Entry]:
    return navigation(_paper_titles(), [one.name for one in described()])


def _paper_titles() -> dict[str, str]:
    return {name: _title(text) for name, text in documents().items()}


def _title(text: str) -> str:
    return text.splitlines()[0].removeprefix("# ")


def _markdown(text: str) -> Markup:
    return Markup(_HEADING.sub(_with_id, _MARKDOWN.render(_local(text))))  # noqa: S704  own text


def _with_id(heading: re.Match[str]) -> str:
    """A heading below the first that links can lead to."""
    level, text = heading.groups()
    title = html.unescape(re.sub(r"<[^>]+>", "", text))
    return f'<h{level} id="{search.anchor(title)}">{text}</h{level}>'


def _inline(text: str) -> Markup:
    return Markup(_MARKDOWN.renderInline(_local(" ".join(text.split()))))  # noqa: S704


def _local(text: str) -> str:
    """Point links to papers and models at pages of the site, and turn links into code into text."""
    text = re.sub(r"\]\((?:docs/)?([a-z_]+)\.md\b", r"](\1.html", text)
    text = re.sub(r"\]\(#!/model/model\.\w+\.(\w+)\)", r"](dictionary.html#\1)", text)
    return re.sub(r"(?<!!)\[([^\]]+)\]\((?![a-z_]+\.html|https:|#)[^)]+\)", r"\1", text)
