"""Segment's messages from its S3 destination: the files that no earlier batch has, unchanged."""

import gzip
import zlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit

import boto3  # type: ignore[import-untyped]
import botocore.exceptions  # type: ignore[import-untyped]
from boto3.exceptions import Boto3Error  # type: ignore[import-untyped]
from botocore.config import Config  # type: ignore[import-untyped]

from ingest import catalog
from ingest.errors import UsageError
from ingest.pull.errors import PullError, required, scrubbed
from ingest.pull.job import Job

NAME = "segment"
OBJECTS = tuple(table.name for table in catalog.tables_of(NAME))
_SUFFIXES = (".gz", ".json", ".jsonl")
_PAGE = 1000
_DOWNLOADERS = 8
# One of the paths of a bucket is `segment-logs/<source>/<day>/<file>`.
_STEPS = 100
_REFUSALS = {
    "AccessDenied": "may not list or read it; allow s3:ListBucket and s3:GetObject",
    "403": "may not list or read it; allow s3:ListBucket and s3:GetObject",
    "InvalidAccessKeyId": "are not valid",
    "SignatureDoesNotMatch": "are not valid",
    "ExpiredToken": "have expired",
    "InvalidToken": "are not valid",
}


@dataclass(frozen=True, slots=True)
class _File:
    """A file of the bucket; `path` is where it goes in a batch."""

    key: str
    path: str
    etag: str
    size: int
    modified_at: datetime


class Segment:
    """Pulls from the bucket of `SEGMENT_S3_URL`, with AWS's own environment variables.

    Args:
        objects: `messages`.

    Raises:
        UsageError: The address is not set, or is not one of a bucket.
        PullError: The bucket cannot be listed.
    """

    name = NAME

    def __init__(self, objects: Sequence[str]) -> None:
        url = urlsplit(required("SEGMENT_S3_URL"))
        if url.scheme != "s3" or not url.netloc:
            raise UsageError("SEGMENT_S3_URL has to look like s3://bucket or s3://bucket/folder")
        self.objects = objects
        self._bucket, self._prefix = url.netloc, url.path.lstrip("/")
        self.account = f"s3://{self._bucket}/{self._prefix}"
        self._now = datetime.now(UTC)
        retries = {"mode": "standard", "total_max_attempts": 8}
        try:
            self._client: Any = boto3.client(
                "s3", config=Config(retries=retries, max_pool_connections=_DOWNLOADERS)
            )
            self._page()
        except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError) as error:
            self._fail(error)

    def clock(self) -> datetime:
        """The bucket's time when the pull began."""
        return self._now

    def size(self) -> int:
        """How many steps the progress bar counts."""
        return _STEPS

    def pull(self, job: Job) -> None:
        """Downloads what no batch has; files that an interrupted pull downloaded are kept."""
        if job.draft.has(NAME, "messages"):
            return
        known = set() if job.request.full else job.history.keys(self.account)
        try:
            files = [f for f in self._files(job) if (f.path, f.etag) not in known]
            steps = iter(_steps(len(files)))
            with ThreadPoolExecutor(_DOWNLOADERS) as threads:
                found = {}
                for file, rows in zip(
                    files, threads.map(lambda f: self._download(job, f), files), strict=True
                ):
                    found[file.path] = {"etag": file.etag, **({"rows": rows} if rows else {})}
                    job.progress.advance(next(steps))
        except (
            botocore.exceptions.BotoCoreError,
            botocore.exceptions.ClientError,
            Boto3Error,
        ) as error:
            self._fail(error)
        job.draft.done(NAME, "messages", found, job.request.since)

    def _files(self, job: Job) -> Iterator[_File]:
        """The files of the window, in the order of their keys."""
        since, until = job.request.since, job.request.until
        token: dict[str, str] = {}
        while True:
            page = self._page(**token)
            for entry in page.get("Contents", ()):
                file = _File(
                    entry["Key"],
                    f"{NAME}/{entry['Key']}",
                    entry["ETag"].strip('"'),
                    entry["Size"],
                    entry["LastModified"],
                )
                if (since and file.modified_at < since) or (until and file.modified_at >= until):
                    continue
                if not file.key.endswith(_SUFFIXES):
                    continue
                if any(part in {"", "."} or part[0] in "._" for part in file.key.split("/")):
                    job.note(f"segment: {file.key!r} is left out: the loader ignores such names")
                    continue
                yield file
            if not page.get("IsTruncated"):
                return
            token = {"ContinuationToken": page["NextContinuationToken"]}

    def _page(self, **options: object) -> Any:
        page = self._client.list_objects_v2(
            Bucket=self._bucket, Prefix=self._prefix, MaxKeys=_PAGE, **options
        )
        with suppress(TypeError, ValueError, KeyError):
            headers = page["ResponseMetadata"]["HTTPHeaders"]
            self._now = min(self._now, parsedate_to_datetime(headers["date"]))
        return page

    def _download(self, job: Job, file: _File) -> int:
        """Downloads a file under a temporary name, renames it, and counts its lines."""
        path = job.draft.path(file.path)
        if not path.is_file() or path.stat().st_size != file.size:
            # Repeats what breaks off, and renames the file when it is whole.
            self._client.download_file(self._bucket, file.key, str(path))
        if path.stat().st_size != file.size:
            raise PullError(
                f"{file.key} has {path.stat().st_size:,} of {file.size:,} bytes; run the same"
                " command again"
            )
        return _rows(path)

    def _fail(self, error: Exception) -> NoReturn:
        code = ""
        if isinstance(error, botocore.exceptions.ClientError):
            code = str(error.response.get("Error", {}).get("Code", ""))
        if code == "NoSuchBucket":
            reason = f"there is no bucket {self._bucket}; check SEGMENT_S3_URL"
        elif code in _REFUSALS:
            reason = f"the AWS credentials for {self.account} {_REFUSALS[code]}"
        elif isinstance(error, botocore.exceptions.NoCredentialsError):
            reason = "there are no AWS credentials; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        else:
            reason = f"{self.account} cannot be read: {scrubbed(error)}; run the same command again"
        raise PullError(reason) from None


def _steps(count: int) -> list[int]:
    """The steps of the progress bar that each of so many files advances it by."""
    return [_STEPS * (n + 1) // count - _STEPS * n // count for n in range(count)]


def _rows(path: Path) -> int:
    """How many records a file has; 0 if not every line is one, which the loader finds out."""
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as lines:
            kept = [line.lstrip()[:1] for line in lines if line.strip()]
    except (OSError, EOFError, zlib.error):
        return 0
    return len(kept) if all(first == b"{" for first in kept) else 0
