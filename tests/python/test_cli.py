"""What the command line takes, and how it says no."""

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
    ],
)
def test_wrong_usage_ends_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    assert ended.value.code == 2
    assert "usage: ingest" in capsys.readouterr().err


def test_paths_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Path] = []

    def status(extracts_path: Path, warehouse_path: Path) -> int:
        seen.extend([extracts_path, warehouse_path])
        return 0

    monkeypatch.setattr("ingest.load.status", status)
    monkeypatch.setenv("EXTRACTS_PATH", "my exports")
    monkeypatch.setenv("WAREHOUSE_PATH", "")
    assert cli.main(["status"]) == 0
    assert seen == [Path("my exports"), Path("data/warehouse.duckdb")]
