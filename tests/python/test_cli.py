"""The options of the command line, and its answer to wrong ones."""

from pathlib import Path

import pytest

from ingest import cli


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["unload"],
        ["generate", "--scale", "huge"],
        ["generate", "--start", "yesterday"],
        ["load", "--warehouse", "data/temp.duckdb"],
        ["load", "--warehouse", "."],
        ["backup", "--keep", "0"],
    ],
)
def test_wrong_usage_ends_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(arguments) == 2
    assert "--help" in capsys.readouterr().err


def test_paths_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Path] = []

    def status(extracts_path: Path, warehouse_path: Path) -> None:
        seen.extend([extracts_path, warehouse_path])

    monkeypatch.setattr("ingest.load.status", status)
    monkeypatch.setenv("EXTRACTS_PATH", "my exports")
    monkeypatch.setenv("WAREHOUSE_PATH", "")
    assert cli.main(["status"]) == 0
    assert seen == [Path("my exports"), Path("data/warehouse.duckdb")]
