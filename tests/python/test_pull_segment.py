"""Pulls from Segment's S3 destination, against moto's server."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import boto3  # type: ignore[import-untyped]
import pytest
import requests

from harness import batches, expect, ingest_here
from pull_servers import at_once, free_port, program

_PLACE = "segment-logs/abc/1775001600000"


class Pulling:
    """A bucket, and a folder to pull into."""

    def __init__(self, folder: Path, url: str) -> None:
        self.extracts = folder / "extracts"
        self.url = url
        self.settings = {
            "SEGMENT_S3_URL": "s3://archive/",
            "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
            "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI-secret",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ENDPOINT_URL_S3": url,
        }
        self.client = boto3.client(
            "s3",
            endpoint_url=url,
            region_name="us-east-1",
            aws_access_key_id="x",
            aws_secret_access_key="x",
        )

    def put(self, key: str, *messages: object) -> bytes:
        """Writes a file of messages."""
        content = gzip.compress("".join(json.dumps(m) + "\n" for m in messages).encode(), mtime=0)
        self.client.put_object(Bucket="archive", Key=key, Body=content)
        return content

    def pull(self, *options: object, code: int = 0) -> str:
        """Pulls, and returns the output."""
        command = ("pull", "segment", "--extracts", self.extracts, *options)
        with at_once():
            return expect(code, ingest_here(*command, settings=self.settings))

    def pulled(self, batch: int = -1) -> dict[str, bytes]:
        """The files of a batch, by their key."""
        folder = batches(self.extracts)[batch]
        return {
            path.relative_to(folder / "segment").as_posix(): path.read_bytes()
            for path in folder.rglob("*.gz")
        }


@pytest.fixture(scope="module")
def bucket() -> Iterator[str]:
    port = free_port()
    with program("-m", "moto.server", "-p", port, port=port, settings={}) as url:
        yield url


@pytest.fixture
def pulling(tmp_path: Path, bucket: str) -> Pulling:
    requests.post(f"{bucket}/moto-api/reset", timeout=30)
    pulling = Pulling(tmp_path, bucket)
    pulling.client.create_bucket(Bucket="archive")
    return pulling


def test_new_files_are_downloaded_as_they_are(pulling: Pulling) -> None:
    message = {"type": "track", "messageId": "m"}
    files = {
        key: pulling.put(key, *[message] * count)
        for key, count in ((f"{_PLACE}/1.gz", 3), (f"{_PLACE}/2.gz", 1), ("other/3.gz", 1))
    }
    pulling.client.put_object(Bucket="archive", Key="readme.txt", Body=b"not a log")
    assert "5 messages" in pulling.pull()
    assert pulling.pulled() == files
    # A late file may have an early name, and one may be written again.
    late = pulling.put(f"{_PLACE}/0.gz", message)
    again = pulling.put(f"{_PLACE}/2.gz", message, message)
    pulling.pull()
    assert pulling.pulled() == {f"{_PLACE}/0.gz": late, f"{_PLACE}/2.gz": again}
    assert "nothing is new" in pulling.pull()


def test_more_files_than_a_page_of_the_bucket_has(pulling: Pulling) -> None:
    files = {
        f"{_PLACE}/{number}.gz": pulling.put(f"{_PLACE}/{number}.gz", {}) for number in range(8)
    }
    with patch("ingest.pull.segment._PAGE", 3):
        pulling.pull()
    assert pulling.pulled() == files


def test_the_address_may_name_a_folder(pulling: Pulling) -> None:
    pulling.put("one/segment-logs/1.gz", {})
    pulling.put("two/segment-logs/1.gz", {})
    pulling.settings["SEGMENT_S3_URL"] = "s3://archive/two"
    pulling.pull()
    assert pulling.pulled().keys() == {"two/segment-logs/1.gz"}


def test_refusals_name_what_is_missing(pulling: Pulling) -> None:
    pulling.settings["SEGMENT_S3_URL"] = "s3://elsewhere"
    assert "there is no bucket elsewhere" in pulling.pull(code=1)
    pulling.settings["SEGMENT_S3_URL"] = "https://archive.s3.amazonaws.com"
    assert "has to look like s3://bucket" in pulling.pull(code=2)
    pulling.settings["SEGMENT_S3_URL"] = "s3://archive"
    requests.post(f"{pulling.url}/moto-api/reset-auth", data="0", timeout=30)
    try:
        output = pulling.pull(code=1)
    finally:
        requests.post(f"{pulling.url}/moto-api/reset-auth", data="Infinity", timeout=30)
    assert "the AWS credentials for s3://archive/ are not valid" in output
    assert "secret" not in output
    assert not batches(pulling.extracts)
