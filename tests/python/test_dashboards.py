"""The dashboards: what they show equals the marts, and nothing of them needs a network."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import cache, partial
from hashlib import sha256
from http.server import ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.request import urlopen

import duckdb
import pytest

from harness import PROJECT
from ingest.docs.dashboards import marts, serve
from ingest.docs.dashboards.cards import card, page_data
from ingest.docs.dashboards.exposures import FILE, exposures
from ingest.docs.dashboards.figures import Column, Figures, as_json, named, plain
from ingest.docs.dashboards.spec import Item, dashboards, values
from ingest.errors import UsageError
from ingest.load import WarehouseError

ASSETS = PROJECT / "scripts/ingest/docs/assets"
PAGES = [page.name for page in dashboards()]
WIDTHS = {1400: 2400, 420: 6000}
# A tile may have nothing to show for few accounts; it then says so. All tests of the sample pass.
MAY_BE_EMPTY = {"tile-quick-ratio", "tests-that-did-not-pass"}

Open = Callable[..., "Opened"]


@dataclass(frozen=True, slots=True)
class Opened:
    """A page as a browser shows it.

    Attributes:
        dom: the document once its scripts have run.
        messages: what the console got, among it every request that failed.
    """

    dom: str
    messages: list[str]

    def tile(self, name: str) -> float:
        """The figure of a tile."""
        (found,) = re.findall(rf'id="{name}"[^>]* data-value="([^"]*)"', self.dom)
        return float(found)


@pytest.fixture(scope="module")
def opened(site: Path, tmp_path_factory: pytest.TempPathFactory) -> Open:
    """Opens a page from disk in a browser without a network, and takes its picture."""
    browser = next(filter(None, map(shutil.which, ("chromium", "google-chrome"))), None)
    if browser is None:
        pytest.skip("there is no Chromium on this machine")
    profile = tmp_path_factory.mktemp("chromium")
    pictures = Path(os.environ.get("SCREENSHOTS_PATH") or tmp_path_factory.mktemp("screenshots"))
    pictures.mkdir(parents=True, exist_ok=True)

    @cache
    def open_page(name: str, state: str = "", width: int = 1400) -> Opened:
        picture = pictures / f"{name}-{width}{'-filtered' if state else ''}.png"
        command = (
            *(browser, "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"),
            *("--host-resolver-rules=MAP * ~NOTFOUND", f"--user-data-dir={profile}"),
            *("--enable-logging=stderr", "--virtual-time-budget=5000"),
            *(f"--window-size={width},{WIDTHS[width]}", f"--screenshot={picture}", "--dump-dom"),
            f"{(site / name).as_uri()}.html#{state}",
        )
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
        assert picture.stat().st_size > 20_000
        return Opened(done.stdout, re.findall(r"CONSOLE.*", done.stderr))

    return open_page


@pytest.fixture(scope="module")
def warehouse(tiny_warehouse: Path) -> duckdb.DuckDBPyConnection:
    return duckdb.connect(str(tiny_warehouse), read_only=True)


def _embedded(site: Path, page: str) -> dict[str, Any]:
    """The data of a page, with texts instead of the numbers of levels."""
    text = (site / f"{page}.html").read_text()
    found: dict[str, Any] = json.loads(text.split('id="page-data">')[1].split("</script>")[0])
    for data in found["data"].values():
        for name, column in data["columns"].items():
            if isinstance(column, dict):
                levels = column["levels"]
                data["columns"][name] = [
                    None if code is None else levels[code] for code in column["codes"]
                ]
    return found


def _rows(data: dict[str, Any], *names: str) -> set[tuple[Any, ...]]:
    """The rows of a data set without those in which every figure is missing."""
    columns = [data["columns"][name] for name in names]
    return {row for row in zip(*columns, strict=True) if row[-1] is not None}


def test_the_charts_library_is_the_published_one() -> None:
    folder = ASSETS / "echarts"
    source = json.loads((folder / "source.json").read_text())
    library = (folder / "echarts.min.js").read_bytes()
    assert sha256(library).hexdigest() == source["sha256"]
    assert f'version="{source["version"]}"'.encode() in library
    assert "Apache License" in (folder / "LICENSE").read_text()
    assert "Apache ECharts" in (folder / "NOTICE").read_text()


def test_the_picture_in_the_readme_is_small() -> None:
    (picture,) = re.findall(
        r"!\[[^]]+\]\((docs/assets/\S+\.png)\)", (PROJECT / "README.md").read_text()
    )
    assert (PROJECT / picture).stat().st_size < 300_000


def test_names_are_shown_only_when_asked_for() -> None:
    columns: dict[str, Column] = {
        "account_id": ["001A", None],
        "account_name": ["Acme", None],
        "segment": ["smb", ""],
    }
    shown = named(columns, has_names=True)
    assert shown == {"account": ["Acme", "unknown"], "segment": ["smb", ""]}
    labels = named(columns, has_names=False)["account"]
    assert labels == [f"Account {sha256(b'001A').hexdigest()[:6]}", "unknown"]


def test_a_script_cannot_be_ended_by_the_data() -> None:
    assert "</script" not in as_json({"name": "</script><script>alert(1)"})


def test_an_unknown_key_names_the_file_and_the_figure() -> None:
    with pytest.raises(UsageError, match=r"dashboards/sales.yml, Bookings, won_usd: unknown keys"):
        values("sales.yml, Bookings", [{"won_usd": {"colour": "blue"}}])


def test_a_card_carries_its_figure_with_labels_and_formats() -> None:
    figures = Figures({"month": ["2026-09"], "won_usd": [12.5]}, "select 1")
    item = Item("bars", "Won <deals>", "deals", ({"name": "won_usd"},), {"x": "month"})
    text = card(item, figures)
    assert '<h3 id="won-deals-title">Won &lt;deals&gt;</h3>' in text
    spec = json.loads(text.split('class="item">')[1].split("</script>")[0])
    assert spec["values"] == [{"name": "won_usd", "label": "Won", "format": "usd"}]
    page = json.loads(page_data({"deals": figures}, "2026-09-30").split(">")[1].split("<")[0])
    assert page["data"]["deals"]["columns"]["won_usd"] == [12.5]


def test_money_is_embedded_to_the_cent_and_shares_to_six_digits() -> None:
    assert plain("won_usd", Decimal("10.005000")) == 10.01
    assert plain("won_usd", Decimal("137805.124000")) == 137805.12
    assert plain("win_rate", 1 / 3) == 0.333333


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("width", WIDTHS)
def test_a_page_opens_from_disk_without_errors_or_requests(
    opened: Open, page: str, width: int
) -> None:
    """A request to another place, and one for a missing file, is an error on the console."""
    shown = opened(page, width=width)
    assert shown.messages == []
    cards = len(next(one for one in dashboards() if one.name == page).items)
    assert f'data-drawn="{cards}"' in shown.dom


@pytest.mark.parametrize("page", PAGES)
def test_every_figure_has_data(opened: Open, page: str) -> None:
    dom = opened(page).dom
    drawn = dict(re.findall(r'<section class="card[^>]* id="([^"]+)"[^>]* data-drawn="(\w+)"', dom))
    tiles = dict(
        re.findall(r'<section class="card tile" id="([^"]+)"[^>]* data-value="([^"]*)"', dom)
    )
    items = next(one for one in dashboards() if one.name == page).items
    assert {item.id for item in items} == drawn.keys() | tiles.keys()
    assert {name for name, state in drawn.items() if state != "yes"} <= MAY_BE_EMPTY
    assert {name for name, value in tiles.items() if not value} <= MAY_BE_EMPTY


@pytest.mark.parametrize("page", PAGES)
def test_a_chart_has_a_description_and_a_page_its_size(opened: Open, site: Path, page: str) -> None:
    charts = [
        item
        for item in next(one for one in dashboards() if one.name == page).items
        if item.kind not in {"tile", "table"}
    ]
    descriptions = re.findall(r'class="plot"[^>]*aria-label="([^"]+)"', opened(page).dom)
    assert len(descriptions) == len(charts)
    assert (site / f"{page}.html").stat().st_size < 2_000_000


def test_movements_equal_the_mart_for_every_choice_of_the_filters(
    site: Path, warehouse: duckdb.DuckDBPyConnection
) -> None:
    """By month, segment and region, by each of the two alone, and over all, to the cent."""
    names = [f"{name}_mrr" for name in ("new", "expansion", "contraction", "churn", "fx")]
    sums = ", ".join(f"round(sum({name}_usd), 2)::double" for name in names)
    wanted = warehouse.execute(
        f"""
        select
            strftime(mrr_month, '%Y-%m'),
            if(grouping(segment) = 1, null, segment), if(grouping(region) = 1, null, region),
            {sums}, round(sum(closing_mrr_usd), 2)::double
        from (
            select
                fct_mrr_monthly.*, coalesce(segment, 'unknown') as segment,
                coalesce(region, 'unknown') as region
            from finance.fct_mrr_monthly left join shared.dim_accounts using (account_id)
            where is_month_closed
        )
        group by grouping sets (
            (mrr_month), (mrr_month, segment), (mrr_month, region), (mrr_month, segment, region)
        )
        """
    ).fetchall()
    for page in ("executive", "revenue"):
        data = _embedded(site, page)["data"]["revenue"]
        found = _rows(data, "month", "segment", "region", *names, "mrr")
        assert found == set(wanted)


def test_shares_and_distinct_users_equal_the_marts(
    site: Path, warehouse: duckdb.DuckDBPyConnection
) -> None:
    retention = warehouse.execute(
        """
        select
            strftime(mrr_month, '%Y-%m'), nullif(segment, 'total'),
            round(net_revenue_retention_rate, 6)
        from finance.fct_revenue_retention_monthly
        where is_month_closed and net_revenue_retention_rate is not null
        """
    ).fetchall()
    data = _embedded(site, "revenue")["data"]["retention"]
    found = _rows(data, "month", "segment", "region", "nrr")
    assert {(month, segment, nrr) for month, segment, region, nrr in found if region is None} == {
        *retention
    }
    users = warehouse.execute(
        """
        select strftime(active_date, '%Y-%m'), nullif(segment, 'total'), mau
        from product.fct_active_users_daily
        where active_date = last_day(active_date) and mau > 0
        """
    ).fetchall()
    data = _embedded(site, "product")["data"]["monthly"]
    found = _rows(data, "month", "segment", "last_mau")
    assert set(users) == {row for row in found if row[2] > 0}


def test_deferred_revenue_rolls_forward_on_the_page(site: Path) -> None:
    columns = _embedded(site, "revenue")["data"]["deferred"]["columns"]
    names = ("opening_usd", "billed_usd", "recognized_usd", "reversed_usd", "closing_usd")
    rows = list(zip(*(columns[name] for name in names), strict=True))
    assert len(rows) > 50
    for *parts, closing in rows:
        # Five figures rounded to the cent.
        assert sum(parts) == pytest.approx(closing, abs=0.025)


def test_filters_in_the_address_change_what_is_shown(
    opened: Open, warehouse: duckdb.DuckDBPyConnection
) -> None:
    state = "segment=enterprise&region=emea&from=2026-01&to=2026-06"
    shown, all_of_it = opened("executive", state), opened("executive")
    ((mrr, won),) = warehouse.execute(
        """
        select
            round(sum(closing_mrr_usd) filter (where mrr_month = '2026-06-01'), 2)::double,
            round(12 * sum(new_mrr_usd), 2)::double
        from finance.fct_mrr_monthly inner join shared.dim_accounts using (account_id)
        where segment = 'enterprise' and region = 'emea'
            and mrr_month between '2026-01-01' and '2026-06-01'
        """
    ).fetchall()
    assert shown.tile("tile-mrr") == mrr != all_of_it.tile("tile-mrr")
    assert won is not None
    assert 'value="enterprise"' in shown.dom
    assert "Jan 2026 to Jun 2026" in shown.dom
    assert "executive.html#segment=enterprise" in shown.dom


def test_a_bar_drills_down_to_its_accounts(
    opened: Open, warehouse: duckdb.DuckDBPyConnection
) -> None:
    """The accounts behind a movement add up to it."""
    ((month, accounts),) = warehouse.execute(
        """
        select strftime(mrr_month, '%Y-%m'), count(*)
        from finance.fct_mrr_movements
        where movement_type = 'new' and is_month_closed and mrr_month >= '2025-04-01'
        group by mrr_month order by count(*) desc, mrr_month limit 1
        """
    ).fetchall()
    shown = opened("executive", f"pick=what-moved-mrr%7C{month}%7Cnew")
    drill = shown.dom.split('class="drill" aria-live="polite"><div')[1].split("</table>")[0]
    assert f"({accounts})" in drill
    assert drill.count("<tr>") == accounts + 1
    assert drill.count("Account ") >= accounts


def test_pages_name_no_one(site: Path, warehouse: duckdb.DuckDBPyConnection) -> None:
    names = warehouse.execute(
        """
        select account_name from shared.dim_accounts
        union select opportunity_name from sales.fct_opportunities
        union select sales_rep_name from shared.dim_sales_reps
        union select email from shared.dim_users
        union select account_id from shared.dim_accounts
        """
    ).fetchall()
    assert len(names) > 100
    for page in PAGES:
        data = (site / f"{page}.html").read_text().split('id="page-data">')[1]
        strings = set(re.findall(r'"((?:[^"\\]|\\.)*)"', data))
        assert not strings & {name for (name,) in names}, page


def test_dashboards_follow_the_warehouse(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A change is written once, and a file that a build holds is tried again."""
    monkeypatch.setattr(serve, "_POLL_SECONDS", 0)
    file, state, calls = tmp_path / "marts.duckdb", serve._State(), []
    file.touch()
    stamps = iter([1, 1, 2, 2, 2, 2])
    monkeypatch.setattr(serve, "_stamp", lambda _: next(stamps))

    def write() -> None:
        calls.append(state.version)
        if len(calls) == 1:
            raise WarehouseError("in use")

    serve.watch(file, write, state, rounds=5)
    assert calls == [0, 0]
    assert state.version == 1
    assert "not yet: in use" in capsys.readouterr().out


def test_the_server_adds_to_pages_what_reloads_them(tmp_path: Path) -> None:
    (tmp_path / "executive.html").write_text("<h1>Executive</h1>")
    handler = partial(serve._Handler, serve._State(), directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        with urlopen(f"{address}/executive.html") as answer:
            page = answer.read().decode()
        with urlopen(f"{address}/version") as answer:
            assert answer.read() == b"0"
        server.shutdown()
    assert page.startswith("<h1>Executive</h1>")
    assert "location.reload()" in page


def test_the_published_marts_are_read_in_place_of_the_warehouse(tmp_path: Path) -> None:
    """The queries name the warehouse's database, also when the copy answers them."""
    for name, day in (("warehouse", "2026-08-31"), ("marts", "2026-09-30")):
        with duckdb.connect(str(tmp_path / f"{name}.duckdb")) as connection:
            connection.execute(
                f"""
                create schema quality;
                create table quality.dq_source_freshness as
                select timestamp '{day} 23:59:59' as as_of_at
                """
            )
    with marts(tmp_path / "warehouse.duckdb") as (connection, day):
        assert day == "2026-09-30"
        assert connection.execute(
            'select count(*) from "warehouse"."quality"."dq_source_freshness"'
        ).fetchall() == [(1,)]
    (tmp_path / "marts.duckdb").unlink()
    with marts(tmp_path / "warehouse.duckdb") as (_, day):
        assert day == "2026-08-31"


def test_exposures_are_those_of_the_dashboards(site: Path) -> None:
    wanted = exposures(site.parent / "target", dashboards())
    advice = "run `python -m ingest.docs.dashboards.exposures`"
    assert FILE.read_text(encoding="utf-8") == wanted, advice


def test_every_query_of_the_dashboards_is_shown(site: Path) -> None:
    queries = {path.stem for path in (PROJECT / "analyses/dashboard").glob("*.sql")}
    shown = {data.query for page in dashboards() for data in page.data.values() if data.query}
    assert queries == shown
