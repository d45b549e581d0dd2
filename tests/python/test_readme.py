"""Every command in README and CONTRIBUTING runs, and every figure printed under a query is so.

The commands are run in order, in a copy of the project whose default warehouse is the tiny company.
What takes minutes there is asked of make without being done. CI runs `make lint` and `make test`;
`test_docs.py`, `test_diff.py` and `test_landing.py` run what `make docs`, `make diff` and a build
after a dbt command run.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from harness import PROJECT, clone, opened
from warehouses import seed_parsed

_DOCUMENTS = [PROJECT / "README.md", PROJECT / "CONTRIBUTING.md"]
_OF_TINY = [PROJECT / "CONTRIBUTING.md", *sorted((PROJECT / "docs").glob("*.md"))]
# A warehouse of `make build`, whose answers the README prints; `make answers` sets it.
_BUILT = os.environ.get("ANSWERS_PATH")
_QUESTION = re.compile(r"^```sql\n(.*?)^```\n+((?:^\|[^\n]*\n?)+)", re.MULTILINE | re.DOTALL)

_PERSON = [f"GIT_{who}_{what}" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")]

# `make` with what is installed taken as it is; without being done what would take minutes.
_MAKE = """#!/bin/sh
case "$DOCUMENT $* " in
    *" lint "* | *" format "* | *" test "* | *" docs "* | *" diff "* | *EXTRACTS_PATH=* \\
    | CONTRIBUTING.md*" build "*)
        set -- --dry-run "$@"
        ;;
esac
exec {make} --old-file .venv/.installed --old-file .venv/.installed-dev "$@"
"""


def _script(document: Path) -> str:
    """The document's blocks of commands, in order; one that is said to fail has to."""
    blocks = re.findall(r"^```sh\n(.*?)^```", document.read_text(), re.MULTILINE | re.DOTALL)
    lines = ["set -eu"]
    for line in "".join(blocks).splitlines():
        if re.search(r"# fails\b", line):
            command = line.split("#")[0].strip()
            lines.append(f'if {command}; then echo "it did not fail" >&2; exit 1; fi')
        else:
            lines.append(line)
    return "\n".join(lines) + "\n"


@pytest.fixture
def project(tmp_path: Path, tiny_extracts: Path, tiny_warehouse: Path) -> Path:
    """A clone in which `make build` has run once."""
    project = clone(tmp_path / "project")
    (project / "data").mkdir()
    (project / "data/extracts").symlink_to(tiny_extracts)
    shutil.copy2(tiny_warehouse, project / "data/warehouse.duckdb")
    shutil.copytree(tiny_warehouse.parent / "target", project / "target")
    seed_parsed(project / "target", "data/warehouse.duckdb")
    (project / ".venv").symlink_to(sys.prefix)
    (project / ".git/info/exclude").write_text(".venv\n")
    # Something to commit that nothing is built from.
    (project / "docs/limits.md").write_text("Edited.\n")
    make = tmp_path / "bin/make"
    make.parent.mkdir()
    make.write_text(_MAKE.format(make=shutil.which("make")))
    make.chmod(0o755)
    return project


@pytest.mark.parametrize("document", _DOCUMENTS, ids=lambda path: path.name)
def test_commands_run_as_they_are_written(document: Path, project: Path) -> None:
    unset = {"BASE", "EXTRACTS_PATH", "WAREHOUSE_PATH", "MAKEFLAGS", "MAKELEVEL"}
    done = subprocess.run(
        ["bash", "-c", _script(document)],
        cwd=project,
        env={
            **{name: value for name, value in os.environ.items() if name not in unset},
            "PATH": f"{project.parent}/bin:{os.environ['PATH']}",
            "PYTHONPATH": str(project / "scripts"),
            "DOCUMENT": document.name,
            **dict.fromkeys(_PERSON, "a"),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_command_that_does_not_run_would_be_noticed(tmp_path: Path) -> None:
    document = tmp_path / "wrong.md"
    document.write_text("```sh\ntrue # fails\n```\n")
    assert subprocess.run(
        ["bash", "-c", _script(document)], check=False, capture_output=True
    ).returncode
    document.write_text("```sh\nfalse\ntrue\n```\n")
    assert subprocess.run(["bash", "-c", _script(document)], check=False).returncode


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def _is_as_printed(value: object, printed: str) -> bool:
    """Whether a value is what a person wrote of it: rounded, with commas, $ or %."""
    if value is None:
        return printed in {"", "—", "null"}
    number = printed.replace(",", "").replace("$", "").rstrip("%").strip("`* ")
    if not isinstance(value, bool) and re.fullmatch(r"-?\d+(\.\d+)?", number):
        try:
            exact = float(str(value)) * (100 if printed.endswith("%") else 1)
        except ValueError:
            return str(value) == number
        return abs(exact - float(number)) <= 0.5001 * 10.0 ** -len(number.partition(".")[2])
    return str(value).lower() == printed.strip("`* ").lower()


def _wrong(connection: duckdb.DuckDBPyConnection, query: str, table: str) -> list[str]:
    """What a printed table says otherwise than the warehouse."""
    head, _, *printed = [_cells(line) for line in table.strip().splitlines()]
    answer = connection.execute(query)
    columns = [name for name, *_ in answer.description or []]
    rows = answer.fetchall()
    if [name.strip("`* ") for name in head] != columns or len(printed) != len(rows):
        return [f"{len(rows)} rows of {columns}, not {len(printed)} of {head}"]
    return [
        f"{column}: {value} is printed as {cell}"
        for row, cells in zip(rows, printed, strict=True)
        for column, value, cell in zip(columns, row, cells, strict=True)
        if not _is_as_printed(value, cell)
    ]


def _assert_answers(document: Path, warehouse: Path) -> None:
    with opened(warehouse) as connection:
        for query, table in _QUESTION.findall(document.read_text()):
            assert not _wrong(connection, query, table), f"{document.name}: {query}"


@pytest.mark.parametrize("document", _OF_TINY, ids=lambda path: path.name)
def test_answers_are_those_of_the_tiny_company(document: Path, tiny_warehouse: Path) -> None:
    _assert_answers(document, tiny_warehouse)


@pytest.mark.skipif(not _BUILT, reason="`make answers` compares them with what `make build` built")
def test_answers_in_the_readme_are_those_of_make_build() -> None:
    assert len(_QUESTION.findall(_DOCUMENTS[0].read_text())) == 3
    _assert_answers(_DOCUMENTS[0], PROJECT / str(_BUILT))


def test_queries_in_the_readme_have_the_columns_that_it_prints(tiny_warehouse: Path) -> None:
    with opened(tiny_warehouse) as connection:
        for query, table in _QUESTION.findall(_DOCUMENTS[0].read_text()):
            columns = [name for name, *_ in connection.execute(query).description or []]
            assert columns == _cells(table.splitlines()[0])


@pytest.mark.parametrize(
    ("printed", "is_right"),
    [
        ("| a | b | c |\n|---|--:|---|\n| x | 1,234.57 | 12.5% |", True),
        ("| a | b | c |\n|---|--:|---|\n| x | $1,235 | 13% |", True),
        ("| a | b | c |\n|---|--:|---|\n| x | 1,234.56 | 12.5% |", False),
        ("| a | b | c |\n|---|--:|---|\n| y | 1,234.57 | 12.5% |", False),
        ("| a | b |\n|---|--:|\n| x | 1,234.57 |", False),
        ("| a | b | c |\n|---|--:|---|", False),
    ],
)
def test_a_printed_figure_is_compared_as_it_is_rounded(printed: str, is_right: bool) -> None:
    document = f"Asked:\n\n```sql\nselect 'x' as a, 1234.567 as b, 0.125 as c\n```\n\n{printed}\n"
    ((query, table),) = _QUESTION.findall(document)
    with duckdb.connect() as connection:
        assert (not _wrong(connection, query, table)) == is_right
