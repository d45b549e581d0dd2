"""Batches from the vendors' interfaces, in the files that the loader reads."""

from ingest.pull.errors import PullError
from ingest.pull.run import pull

__all__ = ["PullError", "pull"]
