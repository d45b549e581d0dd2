"""Pulled batches as wholes: after kills, beside other pulls, and up to the marts."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import boto3  # type: ignore[import-untyped]
import pytest

from harness import PROJECT, batches, differences, expect, ingest_here
from ingest.load import load_batches
from ingest.pull.draft import locked
from pull_records import (
    salesforce_records,
    segment_files,
    stripe_records,
    write_salesforce,
    write_segment,
    write_stripe,
)
from pull_servers import KEY, TOKEN, SalesforceServer, StripeServer, at_once, free_port, program
from warehouses import build_warehouse

# The sample company ends the day before.
_NOW = datetime(2026, 10, 1, tzinfo=UTC)


@dataclass
class Vendors:
    """The sample company's records on servers.

    Attributes:
        settings: the environment variables of a pull.
    """

    stripe: StripeServer
    salesforce: SalesforceServer
    settings: dict[str, str] = field(default_factory=dict)

    def at(self, now: datetime) -> None:
        """Sets the servers' clocks; records from later are not there yet."""
        self.stripe.now = self.salesforce.now = now

    def pull(self, extracts: Path, *options: object, code: int = 0) -> str:
        """Pulls in this process, and returns the output."""
        with at_once():
            command = ("pull", "--extracts", extracts, *options)
            return expect(code, ingest_here(*command, settings=self.settings))


@pytest.fixture(scope="module")
def company(tiny_extracts: Path) -> Iterator[Vendors]:
    stripe = StripeServer(records=stripe_records(tiny_extracts))
    salesforce = SalesforceServer(records=salesforce_records(tiny_extracts), page=400)
    with stripe.running() as stripe_url, salesforce.running() as salesforce_url:
        settings = {
            "STRIPE_API_KEY": KEY,
            "STRIPE_API_BASE": stripe_url,
            "SALESFORCE_INSTANCE_URL": salesforce_url,
            "SALESFORCE_ACCESS_TOKEN": TOKEN,
        }
        yield Vendors(stripe, salesforce, settings)


@pytest.fixture
def vendors(company: Vendors) -> Vendors:
    company.at(_NOW)
    company.stripe.faults = []
    return company


def _contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != "_batch.json"
    }


def _requests(vendors: Vendors) -> int:
    return len(vendors.stripe.requests) + len(vendors.salesforce.requests)


def test_a_killed_pull_leaves_whole_batches_only_and_is_continued(
    vendors: Vendors, tmp_path: Path
) -> None:
    """Killed after so many requests, drawn at random: while it checks, writes and renames."""
    extracts, expected = tmp_path / "extracts", tmp_path / "expected"
    vendors.pull(expected)
    luck = random.Random(7)
    command = [sys.executable, "-c", _PULL, "pull", "--extracts", str(extracts), "--quiet"]
    continued = 0
    for requests in (1, *(luck.randint(20, 90) for _ in range(4))):
        before = _requests(vendors)
        with subprocess.Popen(
            command,
            env={**os.environ, **vendors.settings},
            cwd=PROJECT,
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            while _requests(vendors) < before + requests and process.poll() is None:
                time.sleep(0.001)
            process.send_signal(signal.SIGKILL)
            continued += "continuing" in process.communicate()[0]
        for batch in batches(extracts) if extracts.exists() else ():
            manifest = json.loads((batch / "_batch.json").read_text())
            assert {entry["path"] for entry in manifest["files"]} == _contents(batch).keys()
    vendors.pull(extracts)
    assert continued
    (batch,) = batches(extracts)
    assert _contents(batch) == _contents(batches(expected)[0])
    assert not (extracts / ".pull").exists()


# As `python -m ingest`, without waiting for jobs.
_PULL = """
import sys
import ingest.pull.salesforce
from ingest.cli import main
ingest.pull.salesforce._FIRST_WAIT = 0.0
sys.exit(main())
"""


def test_only_one_pull_writes_to_a_folder(vendors: Vendors, tmp_path: Path) -> None:
    with locked(tmp_path):
        assert "another pull is writing" in vendors.pull(tmp_path, code=1)
    assert "up to 2026-10-01T00:00:00Z" in vendors.pull(tmp_path, "--objects", "Product2,coupons")


def test_another_request_discards_what_was_interrupted(vendors: Vendors, tmp_path: Path) -> None:
    options = ("--objects", "coupons,prices")
    vendors.stripe.faults = [*[None] * 5, *[503] * 40]
    assert "Stripe failed" in vendors.pull(tmp_path, *options, code=1)
    vendors.stripe.faults = []
    assert "continuing" not in vendors.pull(tmp_path, "--objects", "products")
    (batch,) = batches(tmp_path)
    assert _contents(batch).keys() == {"stripe/products.jsonl.gz"}
    # Nor does what was interrupted more than a day ago end a window in the past.
    vendors.stripe.faults = [*[None] * 5, *[503] * 40]
    vendors.pull(tmp_path, *options, code=1)
    vendors.stripe.faults = []
    vendors.at(_NOW + timedelta(hours=25))
    assert "continuing" not in vendors.pull(tmp_path, *options)


def test_a_quiet_day_gives_a_batch_without_records(vendors: Vendors, tmp_path: Path) -> None:
    """It says that nothing changed, and moves the day that the figures are as of."""
    options = ("--objects", "coupons,Product2")
    vendors.pull(tmp_path, *options)
    vendors.at(_NOW + timedelta(hours=23))
    assert "nothing is new since 2026-10-01T000000Z" in vendors.pull(tmp_path, *options)
    vendors.at(_NOW + timedelta(days=1))
    assert "2026-10-02T000000Z" in vendors.pull(tmp_path, *options)
    _, report = load_batches(tmp_path, tmp_path / "w.duckdb", quiet=True)
    assert (report.status, report.rows_read) == ("landed", 0)


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ((), 2, "no vendor to pull from: set SALESFORCE_INSTANCE_URL"),
        (("stripe",), 2, "the environment variable STRIPE_API_KEY is not set"),
        (("salesforce",), 2, "SALESFORCE_INSTANCE_URL is not set"),
        (("segment",), 2, "SEGMENT_S3_URL is not set"),
        (("stripe", "--objects", "charge"), 2, "no vendor named here has charge"),
        (("stripe", "--full", "--since", "2026-01-01"), 2, "cannot go with --since"),
    ],
)
def test_wrong_usage(tmp_path: Path, arguments: tuple[str, ...], code: int, message: str) -> None:
    command = ("pull", *arguments, "--extracts", tmp_path)
    unset = dict.fromkeys(("STRIPE_API_KEY", "SALESFORCE_INSTANCE_URL", "SEGMENT_S3_URL"), "")
    assert message in expect(code, ingest_here(*command, settings=unset))


def test_the_sample_company_is_not_mixed_with_what_is_pulled(tmp_path: Path) -> None:
    (tmp_path / "_truth").mkdir()
    output = expect(2, ingest_here("pull", "stripe", "--extracts", tmp_path))
    assert "holds the sample company" in output


def test_what_a_pull_needs_is_installed_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "boto3", None)
    monkeypatch.delitem(sys.modules, "ingest.pull.segment", raising=False)
    settings = {"SEGMENT_S3_URL": "s3://archive"}
    output = expect(1, ingest_here("pull", "segment", "--extracts", tmp_path, settings=settings))
    assert "pip install -r requirements-pull.txt" in output


def test_marts_are_those_of_files_and_of_one_full_pull(
    vendors: Vendors, tiny_extracts: Path, tmp_path: Path
) -> None:
    """Pulled at once, pulled in two parts that overlap, and exported by hand."""
    # Each file is a request, and a few are as good as all.
    files = dict(sorted(segment_files(tiny_extracts).items())[::40])
    split = _NOW - timedelta(hours=30)
    port = free_port()
    once, parts, by_hand = (tmp_path / name for name in ("once", "parts", "by_hand"))
    aws = {
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "x",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    with program("-m", "moto.server", "-p", port, port=port, settings={}) as url:
        vendors.settings |= aws | {"SEGMENT_S3_URL": "s3://logs", "AWS_ENDPOINT_URL_S3": url}
        client = boto3.client(
            "s3",
            endpoint_url=url,
            region_name="us-east-1",
            aws_access_key_id="x",
            aws_secret_access_key="x",
        )
        client.create_bucket(Bucket="logs")
        late = sorted(files)[-3:]
        for key in files.keys() - set(late):
            client.put_object(Bucket="logs", Key=key, Body=files[key])
        vendors.at(split)
        vendors.pull(parts / "extracts")
        for key in late:
            client.put_object(Bucket="logs", Key=key, Body=files[key])
        vendors.at(_NOW)
        vendors.pull(parts / "extracts")
        vendors.pull(once / "extracts")
    folder = by_hand / "extracts" / "2026-10-01"
    write_stripe(folder / "stripe", vendors.stripe.records, _NOW.timestamp() - 30 * 86_400)
    write_salesforce(folder / "salesforce", vendors.salesforce.records)
    write_segment(folder / "segment", files.items())
    # What no event dates is dated by the extract.
    (folder / "_batch.json").write_text('{"extracted_at": "2026-10-01T00:00:00Z"}')
    assert [len(batches(one / "extracts")) for one in (once, parts, by_hand)] == [1, 2, 1]
    built = [
        build_warehouse(one / "extracts", one / "warehouse.duckdb")
        for one in (once, parts, by_hand)
    ]
    assert differences(built[0], built[2]) == {}
    # What only an extract dates is dated by the pull that saw it, and here two pulls did.
    assert differences(built[0], built[1]).keys() <= {
        "finance.fct_mrr_monthly",
        "finance.fct_subscription_item_mrr",
        # Features are kept as the first pull of a closed month reported them.
        "product.fct_churn_features",
        "product.fct_churn_inputs",
        "shared.dim_accounts_history",
    }
