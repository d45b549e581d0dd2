"""The index of the site's search: pages and their sections, metrics, tables, columns, questions.

It is written as a script, because a page that is opened from disk may not fetch a file.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ingest.docs.dashboards.spec import Dashboard

Node = dict[str, Any]
# What is found, its kind, its address and a few words about it. A column has its table and a few
# words instead, because there are thousands of them.
Found = tuple[str, ...]

_LONGEST_TEXT = 110
_HEADING = re.compile(r"^##+ (.+)$", re.MULTILINE)
_FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
_MARKUP = re.compile(r"\[([^\]]*)\]\([^)]*\)|[`*]")


def script(entries: Iterable[Found]) -> str:
    """The index as JavaScript; `site.js` reads it when somebody begins to search."""
    return f"window.SEARCH = {json.dumps(list(entries), separators=(',', ':'))};\n"


def pages(titles: Mapping[str, str]) -> Iterator[Found]:
    """The pages by name."""
    for name, title in titles.items():
        yield title, "page", f"{name}.html", ""


def dashboards(pages: Iterable[Dashboard]) -> Iterator[Found]:
    """The dashboards and their figures."""
    for page in pages:
        yield f"{page.label} dashboard", "page", f"{page.name}.html", page.question
        for item in page.items:
            yield item.title, "figure", f"{page.name}.html#{item.id}", f"{page.label} dashboard"


def sections(papers: Mapping[str, str], titles: Mapping[str, str]) -> Iterator[Found]:
    """The headings of the documents, each with the document's title."""
    for name, text in papers.items():
        for heading in _HEADING.findall(_FENCE.sub("", text)):
            title = _plain(heading)
            yield title, "section", f"{name}.html#{anchor(title)}", titles[name]


def metrics(areas: Mapping[str, list[Node]]) -> Iterator[Found]:
    """The definitions of metrics and terms."""
    for area, blocks in areas.items():
        for block in blocks:
            name = block["name"]
            yield (
                name,
                "metric",
                f"metrics.html#{name}",
                f"{area}: {_first(block['block_contents'])}",
            )


def tables(layers: Mapping[str, list[Node]], columns_of: Any) -> Iterator[Found]:
    """The tables and their columns; only columns of marts have words."""
    for schema, nodes in layers.items():
        for node in nodes:
            name = node["name"]
            address = f"dictionary.html#{name}"
            yield name, "table", address, f"{schema}: {_first(node['description'])}"
            is_mart = node["path"].startswith("marts/")
            for column in columns_of(node):
                yield column["name"], name, _first(column["description"]) if is_mart else ""


def anchor(title: str) -> str:
    """The id of a heading, as GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def _plain(text: str) -> str:
    return _MARKUP.sub(r"\1", text).strip()


def _first(text: str) -> str:
    """The first sentence, cut where it is long."""
    sentence = re.split(r"(?<=[.?!])\s", _plain(" ".join(text.split())), maxsplit=1)[0]
    if len(sentence) <= _LONGEST_TEXT:
        return sentence
    return f"{sentence[: _LONGEST_TEXT - 1].rsplit(' ', 1)[0]}…"
