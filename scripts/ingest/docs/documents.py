"""The Markdown documents of `docs/` as pages of the site."""

import re
from functools import partial
from pathlib import Path

from ingest.build import PROJECT

_DOCS = PROJECT / "docs"
_LINK = re.compile(r"\]\((?!\w+:|#)([^)#\s]+)(#[^)\s]*)?\)")


def documents() -> dict[str, str]:
    """The documents by page name, with links that work in one flat folder.

    `docs/limits.md` is the page `limits`, `docs/decisions/README.md` is `decisions`, and
    `docs/decisions/data-quality.md` is `decisions_data_quality`.
    """
    return {
        _page(path): _LINK.sub(partial(_relinked, path), path.read_text())
        for path in sorted(_DOCS.rglob("*.md"))
    }


def _page(path: Path) -> str:
    parts = path.relative_to(_DOCS).with_suffix("").parts
    return "_".join(part for part in parts if part != "README").replace("-", "_")


def _relinked(path: Path, link: re.Match[str]) -> str:
    """A link as the site needs it: to a page, or to an asset by its path in the project."""
    target = (path.parent / link[1]).resolve()
    if target.suffix == ".md" and target.is_relative_to(_DOCS):
        return f"]({_page(target)}.html{link[2] or ''})"
    if target.is_relative_to(_DOCS):
        return f"]({target.relative_to(PROJECT)})"
    return link[0]
