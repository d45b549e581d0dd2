"""A comparison as GitHub's Markdown, short enough for a comment on a pull request."""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal

from ingest.diff.compare import Comparison, Figure
from ingest.diff.rows import Example, MartDiff

# GitHub refuses a comment of more than 65,536 characters.
_LONGEST = 60_000
_ENDED = {"success": "built", "pass": "passed", "fail": "failed", "warn": "warned"}
_NAMES = 20
_LINES = 3
_LINES_SAID = 12
_WIDEST = 150
# Characters that Markdown or GitHub turns into links, mentions or tables.
_READ = re.compile(r"[\\`*\[\]<>|~#@&]")
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def markdown(compared: Comparison, base: str) -> str:
    """The report.

    Args:
        compared: the comparison.
        base: the name of the base, for the heading.
    """
    parts = [
        f"# Against {base}",
        _verdict(compared),
        *_changes(compared),
        *_contracts(compared),
        *_figures(compared),
        *_tests(compared),
        *_marts(compared),
        *_slowest(compared),
    ]
    # Rows and times come last, so what is cut off is what a reader misses least.
    whole = "\n\n".join(parts) + "\n"
    if len(whole) <= _LONGEST:
        return whole
    cut = whole[:_LONGEST].rsplit("\n\n", 1)[0]
    closing = "\n\n</details>" if cut.count("<details>") > cut.count("</details>") else ""
    return f"{cut}{closing}\n\n… cut here: a comment holds no more. `make diff` prints the same.\n"


def unreadable(said: str, base: str) -> str:
    """The report of a project that dbt cannot read.

    Args:
        said: dbt's message.
        base: the name of the base, for the heading.
    """
    return (
        f"# Against {base}\n\n"
        "❌ **Nothing was built**: dbt cannot read the project.\n\n"
        f"```text\n{_message(said)}\n```\n"
    )


def _verdict(compared: Comparison) -> str:
    """The summary: a few lines that a reader must see."""
    bad = [one for one in compared.outcomes if one.status in {"error", "fail"}]
    lines = []
    if not compared.is_sound:
        said = f"{len(bad)} failed: " + _listed([one.name for one in bad]) if bad else "see the log"
        lines.append(f"❌ **The build does not pass**, {said}")
    elif compared.statuses:
        lines.append(f"✅ **All was built and every test passes** ({_counted(compared.statuses)}).")
    else:
        lines.append("✅ **Nothing to build**: no model, seed, snapshot or test differs.")
    for figure in compared.figures:
        if figure.is_moved:
            said = f"**{figure.metric.name}** "
            if figure.before == figure.after:
                said += f"is {_value(figure, figure.after)} as before, but past periods differ"
            else:
                said += _step(figure, figure.before, figure.after)
            parts = [said, *([_over_time(figure)] if figure.moved else [])]
            because = [f"`{path[0]}`" for path in figure.paths]
            parts += [f"through {', '.join(because)}"] if because else []
            lines.append("⚠️ " + "; ".join(parts))
    if compared.contracts:
        lines.append(f"⚠️ **Contracts change** of {_listed(list(compared.contracts))}")
    if compared.statuses and not any(one.is_moved for one in compared.figures):
        lines.append("No key metric moved in any period.")
    if compared.is_loader_changed:
        lines.append("The loader differs, so everything was loaded and built again.")
    return "\n\n".join(lines)


def _changes(compared: Comparison) -> Iterator[str]:
    yield "## What changed"
    table = [[one.how, one.kind, f"`{one.name}`", one.what or "—"] for one in compared.changes]
    yield _table(["", "kind", "name", "in its"], table) if table else "No model, seed or snapshot."
    for how, names in compared.tests.items():
        yield f"Tests {how}: {_listed(names)}."


def _contracts(compared: Comparison) -> Iterator[str]:
    if compared.contracts:
        yield "## Contracts"
        yield "\n".join(
            f"- `{mart}`: {'; '.join(said)}" for mart, said in compared.contracts.items()
        )


def _figures(compared: Comparison) -> Iterator[str]:
    yield "## Key metrics"
    yield _table(
        ["", "before", "after", "difference", "at any time"],
        [
            [
                one.metric.name,
                _value(one, one.before),
                _value(one, one.after),
                _difference(one) if one.before != one.after else "—",
                _over_time(one) if one.moved else "—",
            ]
            for one in compared.figures
        ],
    )
    moved: dict[tuple[str, ...], list[str]] = {}
    for one in compared.figures:
        for path in one.paths:
            moved.setdefault(tuple(path), []).append(one.metric.name.split(",")[0])
    if moved:
        what = {change.name: change.what or change.how for change in compared.changes}
        lines = [
            f"- {', '.join(names)}: "
            + " → ".join(f"`{step}`" for step in path)
            + f" ({what.get(path[0], 'changed')})"
            for path, names in moved.items()
        ]
        yield "Why, from what changed to the mart that the metric is read from:"
        yield "\n".join(lines[:_NAMES])


def _tests(compared: Comparison) -> Iterator[str]:
    yield "## Tests"
    yield f"Ran what differs and what depends on it: {_counted(compared.statuses) or 'nothing'}."
    for one in compared.outcomes:
        if one.status != "skipped":
            yield f"**{one.status}** `{one.name}`"
            yield f"```text\n{_message(one.message)}\n```"


def _marts(compared: Comparison) -> Iterator[str]:
    yield "## Marts"
    same = [mart.name for mart in compared.marts if mart.how == "same"]
    differing = [mart for mart in compared.marts if mart.how != "same"]
    if same:
        yield f"Built again and the same, row for row: {_listed(same)}."
    if not differing:
        yield "No mart differs."
        return
    yield _table(
        ["mart", "", "rows before", "rows after", "added", "removed", "changed", "through"],
        [
            [
                f"`{mart.name}`",
                mart.how,
                _number(mart.before),
                _number(mart.after),
                *(_number(one or None) for one in (mart.added, mart.removed, mart.changed)),
                _listed(mart.causes[:_LINES]) or "—",
            ]
            for mart in differing
        ],
    )
    yield from (_examples(mart) for mart in differing if mart.examples)


def _examples(mart: MartDiff) -> str:
    rows = [
        [
            one.how,
            *([_key(one)] if mart.key else []),
            "<br>".join(_said(one)),
        ]
        for one in mart.examples
    ]
    columns = ", ".join(f"`{name}` ({count:,})" for name, count in mart.columns.items())
    parts = [
        f"<details><summary>{mart.name}: rows that differ</summary>",
        f"Compared by {_listed(mart.key)}." if mart.key else "No key: whole rows are compared.",
        *([f"Rows that differ by column: {columns}."] if columns else []),
        _table(["", *(["key"] if mart.key else []), "before → after"], rows),
        "</details>",
    ]
    return "\n\n".join(parts)


def _said(example: Example) -> list[str]:
    """The first values, and the number of further ones."""
    if example.how == "changed":
        said = [f"{name}: {_text(old)} → {_text(new)}" for name, old, new in example.values]
    else:
        here = 2 if example.how == "added" else 1
        said = [f"{one[0]}: {_text(one[here])}" for one in example.values if one[here] is not None]
    more = len(said) - _LINES
    return said[:_LINES] + ([f"and {more} more"] if more > 0 else [])


def _slowest(compared: Comparison) -> Iterator[str]:
    if compared.slowest:
        yield "## Slowest models"
        yield _table(
            ["model", "seconds before", "seconds after"],
            [
                [f"`{name}`", "—" if old is None else f"{old:.2f}", f"{new:.2f}"]
                for name, new, old in compared.slowest
            ],
            right=2,
        )


def _key(example: Example) -> str:
    return ", ".join(_text(one) for one in example.key)


def _value(figure: Figure, value: float | None) -> str:
    if value is None:
        return "none"
    return f"{value:.1%}" if figure.metric.is_rate else f"{value:,.2f}".removesuffix(".00")


def _difference(figure: Figure) -> str:
    if figure.before is None or figure.after is None:
        return "—"
    moved = figure.after - figure.before
    if figure.metric.is_rate:
        return f"{100 * moved:+.2f} points"
    said = f"{moved:+,.2f}".removesuffix(".00")
    return said + (f" ({figure.after / figure.before - 1:+.1%})" if figure.before else "")


def _over_time(figure: Figure) -> str:
    """The number of periods that differ, and the one with the largest difference."""
    period, before, after = figure.moved[0]
    said = _step(figure, before, after)
    unit = "days" if figure.metric.period.endswith("_date") else "months"
    return f"{len(figure.moved):,} of {figure.periods:,} {unit} differ, most {period}: {said}"


def _step(figure: Figure, before: float | None, after: float | None) -> str:
    """Both values and their difference: in points for a rate, otherwise in percent."""
    said = f"{_value(figure, before)} → {_value(figure, after)}"
    if before is None or after is None:
        return said
    if figure.metric.is_rate:
        return f"{said} ({100 * (after - before):+.1f} points)"
    return f"{said} ({after / before - 1:+.1%})" if before else said


def _counted(statuses: dict[str, int]) -> str:
    return ", ".join(
        f"{count:,} {_ENDED.get(status, status)}" for status, count in sorted(statuses.items())
    )


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _NAMES
    said = ", ".join(f"`{name}`" for name in names[:_NAMES])
    return said + (f" and {more} more" if more > 0 else "")


def _number(value: int | None) -> str:
    return "—" if value is None else f"{value:,}"


def _text(value: object) -> str:
    """A value on one line, without characters that Markdown interprets."""
    if value is None:
        return "null"
    if isinstance(value, Decimal):
        text = f"{value:f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    return _plain(str(value), 40)


def _message(text: str) -> str:
    """The first lines of a tool's output, for a block of text."""
    lines = [line.rstrip() for line in _COLOUR.sub("", text).replace("```", "'''").splitlines()]
    said = [line[:_WIDEST] for line in lines if line]
    return "\n".join(said[:_LINES_SAID] + ["…"] * (len(said) > _LINES_SAID))


def _plain(text: str, longest: int) -> str:
    """Shortened, with everything escaped that Markdown interprets: values are data, not markup."""
    cut = text if len(text) <= longest else text[: longest - 1] + "…"
    return _READ.sub(lambda sign: f"&#{ord(sign[0])};", " ".join(cut.split()))


def _table(head: Sequence[str], rows: Iterable[Sequence[str]], right: int = 0) -> str:
    """A table whose last `right` columns are numbers."""
    ruled = ["---"] * (len(head) - right) + ["--:"] * right
    return "\n".join(f"| {' | '.join(row)} |" for row in [head, ruled, *rows])
