"""Backups are equal to the warehouse, are found out when damaged, and come back whole."""

import json
import shutil
from pathlib import Path

import duckdb
import pytest

from harness import expect, ingest, ingest_here
from ingest import backup
from ingest.cli import main
from ingest.load import warehouse
from loading import Loading, customer


@pytest.fixture
def loading(tmp_path: Path) -> Loading:
    loading = Loading(tmp_path)
    loading.write_json("stripe/customers.jsonl", *(customer(number) for number in range(5000)))
    loading.load()
    return loading


def _paths(loading: Loading) -> list[object]:
    return ["--warehouse", loading.warehouse]


def _content(warehouse: Path) -> dict[str, tuple[object, ...]]:
    """Rows and checksum of every table."""
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        return {
            name: connection.execute(
                f"select count(*), bit_xor(hash(one)) from {name} as one"
            ).fetchall()[0]
            for name in backup.row_counts(connection)
        }


def _backups(loading: Loading) -> list[Path]:
    return sorted((loading.warehouse.parent / "backups").iterdir())


def _flip(path: Path, start: int, count: int) -> None:
    data = bytearray(path.read_bytes())
    for at in range(start, min(start + count, len(data))):
        data[at] ^= 0xFF
    path.write_bytes(data)


def _overwrite_every_block(path: Path) -> None:
    """Leave the headers, so that the file opens, and damage what they lead to."""
    _flip(path, 3 * 4096, path.stat().st_size)


def test_a_backup_is_restored_and_equal(loading: Loading) -> None:
    before = _content(loading.warehouse)
    assert before["raw_stripe.customers"][0] == 5000
    expect(0, ingest("backup", *_paths(loading)))
    loading.write_json("stripe/customers.jsonl", customer(9999), batch="2026-06-30")
    loading.load()
    assert _content(loading.warehouse) != before
    output = expect(0, ingest("restore", *_paths(loading)))
    assert _content(loading.warehouse) == before
    (aside,) = loading.warehouse.parent.glob("*.before-*")
    assert str(aside) in output
    assert _content(aside)["raw_stripe.customers"][0] == 5001
    # And it is a warehouse like any other: the batch that came after the backup lands again.
    assert [report.status for report in loading.load()] == ["unchanged", "landed"]


def test_what_only_the_log_holds_is_in_the_backup(loading: Loading) -> None:
    connection = duckdb.connect(str(loading.warehouse))
    connection.execute("pragma disable_checkpoint_on_shutdown")
    connection.execute("insert into raw_audit.batches (batch_id) values ('late')")
    connection.close()
    assert loading.warehouse.with_name(loading.warehouse.name + ".wal").exists()
    before = _content(loading.warehouse)
    expect(0, ingest_here("backup", *_paths(loading)))
    loading.warehouse.unlink()
    expect(0, ingest_here("restore", *_paths(loading)))
    assert _content(loading.warehouse) == before
    assert before["raw_audit.batches"][0] == 2


def test_a_link_to_the_warehouse_stays_one(loading: Loading) -> None:
    link = loading.warehouse.parent / "elsewhere" / "current.duckdb"
    link.parent.mkdir()
    link.symlink_to("../warehouse.duckdb")
    places = ["--warehouse", link, "--backups", loading.warehouse.parent / "backups"]
    expect(0, ingest_here("backup", *places))
    before = _content(loading.warehouse)
    loading.write_json("stripe/customers.jsonl", customer(9999), batch="2026-06-30")
    expect(0, ingest_here("load", "--extracts", loading.extracts, "--warehouse", link))
    assert _content(loading.warehouse) != before
    expect(0, ingest_here("restore", *places))
    assert link.is_symlink()
    assert _content(loading.warehouse) == before
    assert [path.name for path in link.parent.iterdir()] == [link.name]
    # It is one file by either name, whose backups count together.
    expect(0, ingest_here("backup", *_paths(loading), "--keep", 1))
    assert len(_backups(loading)) == 1


def test_what_a_killed_backup_or_restore_left_is_removed(
    loading: Loading, monkeypatch: pytest.MonkeyPatch
) -> None:
    backups = loading.warehouse.parent / "backups"
    with monkeypatch.context() as killed:
        killed.setattr(shutil, "rmtree", lambda *_, **__: None)
        killed.setattr(backup, "verify", lambda _: 1 // 0)
        with pytest.raises(ZeroDivisionError):
            backup.take(loading.warehouse, backups)
    (partial,) = backups.iterdir()
    assert (partial / "warehouse.duckdb").stat().st_size > 100_000
    coming = loading.warehouse.with_name(".warehouse.duckdb.restoring")
    coming.write_bytes(b"half of a warehouse")
    output = expect(0, ingest_here("backup", *_paths(loading)))
    assert f"{partial}: removed" in output
    assert f"{coming}: removed" in output
    assert not coming.exists()
    assert [folder.name[0] for folder in _backups(loading)] == ["2"]


def test_as_many_backups_are_kept_as_asked_for(loading: Loading) -> None:
    other = loading.warehouse.with_name("other.duckdb")
    shutil.copy(loading.warehouse, other)
    expect(0, ingest_here("backup", "--warehouse", other))
    for _ in range(3):
        expect(0, ingest_here("backup", *_paths(loading), settings={"BACKUPS_KEPT": "2"}))
    names = [next(folder.glob("*.duckdb")).name for folder in _backups(loading)]
    assert sorted(names) == ["other.duckdb", "warehouse.duckdb", "warehouse.duckdb"]
    expect(2, ingest_here("backup", *_paths(loading), "--keep", 0))
    # Folders that do not describe themselves as backups are not ours, whatever they hold.
    other = loading.warehouse.parent / "backups" / "1999 by hand"
    shutil.copytree(_backups(loading)[-1], other)
    (other / "backup.json").unlink()
    for _ in range(2):
        output = expect(0, ingest_here("backup", *_paths(loading), settings={"BACKUPS_KEPT": "1"}))
        assert "1999 by hand" not in output
    assert (other / "warehouse.duckdb").exists()
    assert len(_backups(loading)) == 3


def test_a_backup_by_name(loading: Loading) -> None:
    expect(0, ingest_here("backup", *_paths(loading)))
    (folder,) = _backups(loading)
    before = _content(loading.warehouse)
    loading.write_json("stripe/customers.jsonl", customer(9999), batch="2026-06-30")
    loading.load()
    expect(0, ingest_here("backup", *_paths(loading)))
    expect(0, ingest_here("restore", folder.name, *_paths(loading)))
    assert _content(loading.warehouse) == before
    assert folder.name in expect(2, ingest_here("restore", "2001-01-01", *_paths(loading)))


def test_without_a_backup_or_a_warehouse(loading: Loading) -> None:
    assert "there is no backup" in expect(1, ingest_here("restore", *_paths(loading)))
    loading.warehouse.unlink()
    assert "there is no warehouse" in expect(1, ingest_here("backup", *_paths(loading)))


def test_a_damaged_backup_is_not_restored(loading: Loading) -> None:
    expect(0, ingest_here("backup", *_paths(loading)))
    (folder,) = _backups(loading)
    before = _content(loading.warehouse)
    _flip(folder / "warehouse.duckdb", 100_000, 1)
    assert "is damaged" in expect(1, ingest_here("restore", *_paths(loading)))
    assert _content(loading.warehouse) == before


def test_a_damaged_warehouse_is_no_backup(loading: Loading) -> None:
    _overwrite_every_block(loading.warehouse)
    output = expect(1, ingest_here("backup", *_paths(loading)))
    assert "Traceback" not in output
    assert "damaged" in output
    assert _backups(loading) == []


def test_a_backup_that_lies_about_its_rows_is_found_out(loading: Loading) -> None:
    expect(0, ingest_here("backup", *_paths(loading)))
    (folder,) = _backups(loading)
    said = json.loads((folder / "backup.json").read_text())
    said["rows"]["raw_stripe.customers"] = 4999
    (folder / "backup.json").write_text(json.dumps(said))
    with pytest.raises(backup.BackupError, match="row counts differ"):
        backup.verify(folder)


def test_a_warehouse_in_use_is_neither_backed_up_nor_replaced(loading: Loading) -> None:
    expect(0, ingest("backup", *_paths(loading)))
    with duckdb.connect(str(loading.warehouse)):
        for command in ("backup", "restore"):
            assert "is in use by process" in expect(1, ingest(command, *_paths(loading)))


_DAMAGES = {
    "no header": lambda path: _flip(path, 0, 4096),
    "one bit of the header": lambda path: _flip(path, 3000, 1),
    "cut short": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 3]),
    "blocks": _overwrite_every_block,
}


@pytest.mark.parametrize("damage", _DAMAGES)
@pytest.mark.parametrize("command", ["load", "status", "build"])
def test_a_damaged_warehouse_is_said_plainly(
    loading: Loading, damage: str, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    _DAMAGES[damage](loading.warehouse)
    places = ("--extracts", str(loading.extracts), "--warehouse", str(loading.warehouse))
    assert main([command, *places]) == 1
    (message,) = capsys.readouterr().err.splitlines()
    assert str(loading.warehouse) in message
    assert "make restore" in message


def test_damage_that_dbt_finds_is_said_plainly() -> None:
    message = "IO Error: Corrupt database file: computed checksum 1 does not match stored checksum"
    assert warehouse.is_damage(message)
    assert "make restore" in warehouse.failure(Path("w.duckdb"), message)
