"""What can go wrong while loading, and how a command line should end for it."""


class IngestError(Exception):
    """A failure that is told to the user as one sentence, never as a stack trace."""

    exit_code = 1


class UsageError(IngestError):
    """The command was called with something that cannot be meant."""

    exit_code = 2


class NothingUsableError(IngestError):
    """There is nothing to load."""


class RefusedError(IngestError):
    """A batch is not taken; nothing of it landed."""


class WarehouseError(IngestError):
    """The warehouse file cannot be opened or written."""
