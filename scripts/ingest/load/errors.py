"""What can go wrong while loading."""

from ingest.errors import IngestError


class NothingUsableError(IngestError):
    """There is nothing to load."""


class RefusedError(IngestError):
    """A batch is refused: none of it landed."""


class WarehouseError(IngestError):
    """The warehouse file cannot be opened or written."""
