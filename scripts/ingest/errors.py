"""Failures that a user can cause, each with the one message and the exit code it ends with.

Exit codes: 0 done (or nothing left to do), 1 failed, 2 wrong usage, 130 interrupted.
"""

import errno
import os
import shlex
import subprocess

import duckdb

INTERRUPTED = 130
_INTERRUPTED_MESSAGE = "Interrupted. Run the same command again to continue."

_NO_SPACE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_NO_PERMISSION = {errno.EACCES, errno.EPERM, errno.EROFS}


class IngestError(Exception):
    """A failure that the command line reports as one message, without a stack trace."""

    exit_code = 1


class UsageError(IngestError):
    """A command was called with arguments that it cannot use."""

    exit_code = 2


def explained(error: BaseException) -> tuple[str, int] | None:
    """The message and the exit code for an error that a user can cause.

    Returns:
        None for any other error: it is a defect of this program, and its stack trace is needed.
    """
    message = None
    match error:
        case IngestError():
            return str(error), error.exit_code
        case KeyboardInterrupt():
            return _INTERRUPTED_MESSAGE, INTERRUPTED
        # DuckDB raises this for Ctrl-C during a query.
        case RuntimeError() if str(error) == "Query interrupted":
            return _INTERRUPTED_MESSAGE, INTERRUPTED
        case BrokenPipeError():
            message = "standard output was closed before the command finished; run it again"
        case FileNotFoundError() if _is_program(error):
            message = f"{error.filename} was not found; install it or add its folder to the PATH"
        case OSError():
            message = of_the_system(error)
        case subprocess.CalledProcessError():
            message = f"`{shlex.join(map(str, error.cmd))}` failed with code {error.returncode}"
        # A defect in this program's SQL, or in DuckDB. `ingest query` reports the user's own SQL,
        # and `warehouse.opened` reports a damaged file.
        case duckdb.BinderException() | duckdb.ParserException() | duckdb.InternalException():
            return None
        case duckdb.Error():
            message = f"DuckDB reports: {str(error).splitlines()[0]}"
    return (message, 1) if message else None


def of_the_system(error: OSError) -> str:
    """What the operating system refuses, for which file, and what to do about it."""
    path = error.filename2 or error.filename
    reason = error.strerror or str(error)
    if error.errno in _NO_SPACE:
        place = f" while writing {path}" if path else ""
        return f"the disk is full{place}; free some space, then run the same command again"
    if path is None:
        return f"the system reports: {reason}"
    if error.errno in _NO_PERMISSION:
        return f"{path}: {reason}; change its permissions or name another path"
    return f"{path}: {reason}; name another path"


def _is_program(error: OSError) -> bool:
    """Whether the missing file is a program that was to be run by its name."""
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    is_from_subprocess = trace and trace.tb_frame.f_code.co_filename == subprocess.__file__
    return bool(is_from_subprocess) and os.sep not in str(error.filename)
