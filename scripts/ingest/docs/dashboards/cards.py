"""Cards of charts, for dashboards and for any other page of the site.

A card is a heading with an empty place, its description as JSON, and what the script in `assets`
fills it from: the data of all cards of a page, embedded once. Such a page also needs `HEAD` and
`SCRIPTS`.
"""

import shutil
from collections.abc import Mapping
from pathlib import Path

from markupsafe import Markup

from ingest.docs.dashboards.figures import Figures, as_json, distinct
from ingest.docs.dashboards.spec import FILTERS, Item, completed

HEAD = Markup('<link rel="stylesheet" href="assets/dashboard.css">')
SCRIPTS = Markup(
    '<script src="assets/echarts/echarts.min.js"></script>\n'
    '<script src="assets/charts.js"></script>\n'
    '<script src="assets/dashboard.js"></script>'
)

_ASSETS = Path(__file__).parent.parent / "assets"
_FILES = ("charts.js", "dashboard.js", "dashboard.css")


def copy_assets(out: Path) -> None:
    """Put the script, the style and the charts' library where pages refer to them."""
    target = out / "assets"
    target.mkdir(parents=True, exist_ok=True)
    for name in _FILES:
        shutil.copy(_ASSETS / name, target)
    shutil.copytree(_ASSETS / "echarts", target / "echarts", dirs_exist_ok=True)


def page_data(held: Mapping[str, Figures], as_of: str, *, last_month: str = "") -> Markup:
    """The data of a page's cards as the script's element with the id `page-data`.

    Args:
        held: by the names that items use.
        as_of: the warehouse's as-of date.
        last_month: the last month that may be chosen, such as `2026-09`; empty for no choice.
    """
    months = [month for month in distinct(held.values(), "month") if month <= last_month]
    page = {
        "as_of": as_of,
        "months": months,
        **{f"{name}s": distinct(held.values(), name) for name in FILTERS},
        "data": {name: figures.embedded() for name, figures in held.items()},
    }
    return Markup('<script type="application/json" id="page-data">{}</script>').format(
        as_json(page)
    )


def card(item: Item, figures: Figures, held: Mapping[str, Figures] | None = None) -> Markup:
    """The element that the script fills with a figure.

    Args:
        item: what to show.
        figures: its data, which give its values' labels and formats.
        held: all data of the page, for what a bar is drilled down to.
    """
    known = figures.definitions
    values = [completed(value, known) for value in item.values]
    options = dict(item.options)
    if item.kind == "tile" and values[0]["name"] in known:
        options.setdefault("good", known[values[0]["name"]].get("good", ""))
    if "drill" in options:
        drill = options["drill"]
        definitions = (held or {})[drill["data"]].definitions
        options["drill"] = drill | {
            "values": [completed(one, definitions) for one in drill["values"]]
        }
    spec = {
        "id": item.id,
        "kind": item.kind,
        "title": item.title,
        "data": item.data,
        **options,
        "values": values,
    }
    width = "tile" if item.kind == "tile" else options.get("width", "half")
    inside = _TILE if item.kind == "tile" else _PLOT
    return _CARD.format(
        id=item.id,
        width=width,
        title=item.title,
        inside=inside,
        spec=as_json(spec),
    )


_CARD = Markup("""<section class="card {width}" id="{id}" data-item aria-labelledby="{id}-title">
<h3 id="{id}-title">{title}</h3>
{inside}
<footer class="behind"></footer>
<script type="application/json" class="item">{spec}</script>
</section>""")
_TILE = Markup("""<b class="figure"></b>
<p class="changes"></p>
<div class="sparkline"></div>
<p class="sub"></p>""")
_PLOT = Markup("""<p class="sub"></p>
<div class="plot"></div>
<div class="drill" aria-live="polite"></div>""")


def question(sql: str) -> str:
    """The comment that an analysis begins with."""
    lines = []
    for line in sql.lstrip().splitlines():
        if not line.startswith("--"):
            break
        lines.append(line.removeprefix("--").strip())
    return " ".join(lines)
