"""The navigation of the site: at most seven entries, some of which are groups of pages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

# The model whose lineage the page of lineage opens with.
_LINEAGE = "lineage/index.html?model=model.saas_warehouse.fct_mrr_monthly&parents=2&children=0"
# Documents that every reader wants, in this order; the others follow by title.
_FIRST = ("architecture", "limits", "decisions")


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of the navigation, with an address or with entries below it.

    Attributes:
        title: its text.
        href: the page that it opens; empty for a group.
        entries: those of a group.
        pages: names of further pages that are reached from the page it opens.
    """

    title: str
    href: str = ""
    entries: tuple["Entry", ...] = field(default=())
    pages: tuple[str, ...] = field(default=())

    def leads_to(self, page: str) -> bool:
        """Whether a page is that of the entry or is reached from it."""
        is_own = self.href == f"{page}.html" or page in self.pages
        return is_own or any(one.leads_to(page) for one in self.entries)


def navigation(papers: Mapping[str, str], dashboards: Sequence[str] = ()) -> list[Entry]:
    """The entries, in their order.

    Args:
        papers: the titles of the documents by page name.
        dashboards: the names of the dashboards' pages, which link to each other.
    """
    decisions = tuple(name for name in papers if name.startswith("decisions_"))
    names = sorted(
        papers.keys() - decisions,
        key=lambda name: (_FIRST.index(name) if name in _FIRST else len(_FIRST), papers[name]),
    )
    return [
        Entry("Overview", "index.html"),
        *(Entry("Dashboards", f"{name}.html", pages=tuple(dashboards)) for name in dashboards[:1]),
        Entry("Board", "board.html"),
        Entry("Metrics", "metrics.html"),
        Entry(
            "Data",
            entries=(
                Entry("Data dictionary", "dictionary.html"),
                Entry("Source map", "sources.html"),
                Entry("Column lineage", _LINEAGE),
                Entry("dbt docs", "dbt/index.html"),
            ),
        ),
        Entry("Quality", "quality/report.html"),
        Entry(
            "Documents",
            entries=(
                *(
                    Entry(papers[name], f"{name}.html", pages=decisions * (name == "decisions"))
                    for name in names
                ),
                Entry("Dashboards and owners", "owners.html"),
            ),
        ),
    ]
