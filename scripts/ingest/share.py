"""A copy of the marts to hand to others, without personal data.

`ingest.marts` says what is personal. Personal data in a column that no yml declares as personal
stops the copy.
"""

import os
from pathlib import Path

from ingest import marts
from ingest.build import Dbt
from ingest.errors import IngestError, UsageError
from ingest.load import warehouse


def share(warehouse_path: Path, out: Path) -> None:
    """Write the copy.

    Args:
        warehouse_path: the DuckDB file.
        out: the DuckDB file to write; an existing one is replaced once the new one is complete.

    Raises:
        UsageError: the copy would replace the warehouse itself.
        WarehouseError: there is no warehouse, or it cannot be read.
        IngestError: a mart is not built, or a column holds personal data and is not declared so.
    """
    if out.resolve() == warehouse_path.resolve():
        raise UsageError(f"{out} is the warehouse itself; name another file for the copy")
    warehouse.require(warehouse_path)
    # dbt may change the working directory.
    source, target = warehouse_path.resolve(), out.resolve()
    described = marts.described(Dbt(source, "{}").parse())
    with warehouse.opened(source, read_only=True) as connection, marts.swapped(target) as path:
        for leak in marts.leaks(connection, described):
            raise IngestError(f"{leak}; declare it with `meta: {{contains_pii: true}}`")
        with marts.attached(connection, path) as copy:
            marts.copy(connection, copy, described, is_masked=True)
    print(f"{out}: {len(described)} marts without personal data")
    if not os.environ.get("SHARE_KEY"):
        print("hashes differ from those of other copies; set SHARE_KEY to keep them the same")
