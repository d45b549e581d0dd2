"""A copy of the marts to hand to others, without personal data.

`ingest.marts` says what is personal. A person in a column that is declared to hold none stops the
copy.
"""

import os
from pathlib import Path

from ingest import marts
from ingest.build import Dbt
from ingest.errors import IngestError
from ingest.load import warehouse

_ADVICE = "name another file for the copy with --out or SHARE_PATH"


def share(warehouse_path: Path, out: Path, *, is_masked: bool = False) -> None:
    """Write the copy.

    Args:
        warehouse_path: the DuckDB file.
        out: the DuckDB file to write; an older copy is replaced once the new one is complete.
        is_masked: hash the rows with people in columns that are declared to hold none, and go on.

    Raises:
        UsageError: the copy would replace something else.
        WarehouseError: there is no warehouse, or it cannot be read.
        IngestError: a mart is not built, or a column holds people and is declared to hold none.
    """
    # dbt may change the working directory.
    source, target = warehouse_path.resolve(), out.resolve()
    marts.check(source, target, _ADVICE)
    warehouse.require(warehouse_path)
    described = marts.described(Dbt(source, "{}").parse())
    with warehouse.opened(source, read_only=True) as connection:
        leaks = marts.leaks(connection, described)
        found = [leak for leak in leaks if not leak.is_declared]
        if found and not is_masked:
            raise IngestError(_refusal(found))
        with marts.swapped(target) as path, marts.attached(connection, path) as copy:
            marts.copy(connection, copy, described, is_masked=True, leaks=leaks)
    for leak in found:
        print(f"{leak}, which are hashed")
    print(f"{out}: {len(described)} marts without personal data")
    if not os.environ.get("SHARE_KEY"):
        print("hashes differ from those of other copies; set SHARE_KEY to keep them the same")


def _refusal(found: list[marts.Leak]) -> str:
    """What was found where, and the three ways to resolve it."""
    advice = (
        "nothing was written; correct the values at their source and load them again, declare the"
        " column with `meta: {contains_pii: true}` in its yml, or hash these rows with --mask"
        " (SHARE_MASK=1)"
    )
    return "\n".join([*(f"{leak} ({leak.path})" for leak in found), advice])
