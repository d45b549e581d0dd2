"""Stripe's files, a folder a batch: API objects by kind, the webhook archive, and their defects.

A batch holds the objects that were created or that changed in its window, as they stand at its
end, and the events of the window. Defects are few and are counted under `stripe_` keys.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from functools import cached_property, partial
from pathlib import Path
from typing import TypeVar

import numpy as np

from ingest.generate.batches import Batch, BrokenRecord, WrittenFile, split_batches, write_lines
from ingest.generate.ledger import COUPONS, Coupon, Customer, Ledger, Subscription
from ingest.generate.plans import Price
from ingest.generate.records import Company
from ingest.generate.stripe_bills import LINES_SHOWN
from ingest.generate.stripe_catalog import Object, list_of
from ingest.generate.stripe_events import EventWriter, Notice, notices
from ingest.generate.stripe_objects import Wire
from ingest.generate.truth import major_units

_T = TypeVar("_T")

_LATE_CHARGES = 3
_LATE_EVENTS = 2
_REPEATED_ROWS = 3
_TAX_IDS_FROM_BATCH = 2
_LOCALES_UNTIL_BATCH = 3
_EXPANDED_IN_BATCH = 3
_THIN_ARCHIVE = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class StripeResult:
    """What was written, the records that were broken on purpose, and the company's balance.

    `balance` has the currency, the cost of Stripe, the sum of payouts and the closing balance.
    """

    files: tuple[WrittenFile, ...]
    broken: tuple[BrokenRecord, ...]
    balance: tuple[tuple[object, ...], ...]


@dataclass(frozen=True, slots=True)
class _Source:
    """An object as the extracts see it: when it changed, and how it looked at an instant."""

    key: str
    moments: tuple[datetime, ...]
    render: Callable[[datetime], Object]

    def is_touched(self, starts_at: datetime, ends_at: datetime) -> bool:
        return any(starts_at <= moment < ends_at for moment in self.moments)


def write_stripe(
    company: Company,
    ledger: Ledger,
    out_dir: Path,
    batch_ends: Sequence[datetime],
    *,
    version: str,
    is_thin: bool,
    defects: Counter[str],
) -> StripeResult:
    """Writes `<out_dir>/<batch id>/stripe/<kind>.jsonl[.gz]` for every batch.

    Args:
        company: The simulated company.
        ledger: What billing made of it.
        out_dir: The folder of batches.
        batch_ends: The exclusive end of each batch, ascending.
        version: The API version: `2026-07-29.dahlia` or `2022-11-15`.
        is_thin: Whether to write what an export without expansions holds: discounts as ids, prices
            without tiers, the ledger only inside charges and without details of fees, and the
            webhooks of the last 30 days.
        defects: Counts the planted defects, under keys that start with `stripe_`.
    """
    wire = Wire(company, ledger, version)
    batches = split_batches(batch_ends)
    writer = _Writer(wire, out_dir, batches, is_thin, defects)
    sources = {kind: list(found) for kind, found in _sources(wire).items()}
    if is_thin:
        del sources["balance_transactions"]
    for batch in batches:
        writer.write_objects(batch, sources)
    writer.write_events()
    return StripeResult(tuple(writer.files), tuple(writer.broken), _balance(wire))


def _balance(wire: Wire) -> tuple[tuple[object, ...], ...]:
    """By currency, in major units: cost of Stripe, payouts and closing balance."""
    totals: dict[str, list[int]] = {}
    for movement in wire.movements.values():
        if movement.is_live:
            found = totals.setdefault(movement.currency.upper(), [0, 0, 0])
            found[0] += movement.fee - (movement.amount if movement.kind == "fee" else 0)
            found[1] -= movement.amount if movement.kind == "payout" else 0
            found[2] += movement.amount - movement.fee
    return tuple(
        (currency, *(major_units(Fraction(minor), currency) for minor in found))
        for currency, found in sorted(totals.items())
    )


def _sources(wire: Wire) -> dict[str, Iterable[_Source]]:
    """The extracts' files and what they hold."""
    return {
        "products": _products(wire),
        "prices": _prices(wire),
        "plans": _plans(wire),
        "coupons": _coupons(wire),
        "promotion_codes": _promotion_codes(wire),
        "customers": _customers(wire),
        "subscriptions": _subscriptions(wire),
        "invoices": _invoices(wire),
        "invoice_line_pages": _line_pages(wire),
        "charges": _charges(wire),
        "refunds": (
            _Source(
                refund.key,
                _known(refund.created_at, refund.failed_at),
                partial(wire.refund, refund),
            )
            for refund in wire.ledger.refunds.values()
        ),
        "credit_notes": (
            _Source(
                note.key, _known(note.created_at, note.voided_at), partial(wire.credit_note, note)
            )
            for note in wire.ledger.credit_notes.values()
        ),
        "disputes": (
            _Source(
                dispute.key,
                (dispute.created_at, dispute.closed_at),
                partial(wire.dispute, dispute),
            )
            for dispute in wire.ledger.disputes.values()
        ),
        "balance_transactions": (
            _Source(key, (movement.at,), _always(wire.balance_transaction, key))
            for key, movement in wire.movements.items()
        ),
        "payouts": (
            _Source(key, wire.payout_moments(movement), partial(wire.payout, key))
            for key, movement in wire.payouts()
        ),
    }


def _always(render: Callable[[_T], Object], what: _T) -> Callable[[datetime], Object]:
    """Of what never changes, the same at every instant."""
    return lambda _: render(what)


def _known(*moments: datetime | None) -> tuple[datetime, ...]:
    return tuple(moment for moment in moments if moment)


def _customers(wire: Wire) -> Iterator[_Source]:
    for customer in wire.ledger.customers.values():
        moments = _known(
            customer.created_at,
            customer.deleted_at,
            *(at for at, _ in customer.balances),
            *customer.changes,
        )
        yield _Source(customer.key, moments, partial(wire.customer, customer))


def _subscriptions(wire: Wire) -> Iterator[_Source]:
    """Every other one comes with its discounts expanded, as exports differ in what they expand."""
    for number, subscription in enumerate(wire.ledger.subscriptions.values()):
        moments = tuple(state.at for state in subscription.states)
        render = partial(_subscription_at, wire, subscription, number % 2 == 0)
        yield _Source(subscription.key, moments, render)


def _subscription_at(
    wire: Wire, subscription: Subscription, is_expanded: bool, moment: datetime
) -> Object:
    state = [state for state in subscription.states if state.at < moment][-1]
    return wire.subscription(subscription, state, expand_discounts=is_expanded)


def _invoices(wire: Wire) -> Iterator[_Source]:
    for invoice in wire.ledger.invoices.values():
        moments = _known(
            invoice.created_at,
            invoice.finalized_at,
            invoice.paid_at,
            invoice.voided_at,
            invoice.uncollectible_at,
            *(attempt.at for attempt in invoice.attempts),
            *(
                moment
                for note in wire.credit_notes_of.get(invoice.key, [])
                for moment in (note.created_at, note.voided_at)
            ),
        )
        yield _Source(invoice.key, moments, partial(wire.invoice, invoice))


def _line_pages(wire: Wire) -> Iterator[_Source]:
    """All lines of the invoices that show only their first."""
    for invoice in wire.ledger.invoices.values():
        if len(invoice.lines) > LINES_SHOWN:
            yield _Source(invoice.key, (invoice.created_at,), _always(wire.line_page, invoice))


def _charges(wire: Wire) -> Iterator[_Source]:
    for charge in wire.ledger.charges.values():
        refunds = wire.refunds_of.get(charge.key, [])
        moments = _known(
            charge.created_at,
            charge.disputed_at,
            *(refund.created_at for refund in refunds),
            *(refund.failed_at for refund in refunds),
        )
        yield _Source(charge.key, moments, partial(wire.charge, charge))


def _sold(wire: Wire) -> dict[tuple[str, bool], Price]:
    """Every price that was ever used, by its key and whether in live mode."""
    found: dict[tuple[str, bool], Price] = {}
    for subscription in wire.ledger.subscriptions.values():
        for state in subscription.states:
            for item in state.items:
                found[item.price.key, subscription.contract.is_live] = item.price
    for invoice in wire.ledger.invoices.values():
        for line in invoice.lines:
            found[line.price.key, invoice.is_live] = line.price
    return dict(sorted(found.items()))


def _products(wire: Wire) -> Iterator[_Source]:
    sold = {(price.plan.code, is_live): price.plan for (_, is_live), price in _sold(wire).items()}
    for (code, is_live), plan in sorted(sold.items()):
        yield _Source(
            code, (wire.opened_at,), _always(partial(wire.product, is_live=is_live), plan)
        )


def _prices(wire: Wire) -> Iterator[_Source]:
    for (key, is_live), price in _sold(wire).items():
        moments = (wire.price_created_at(price), wire.price_replaced_at(price))
        yield _Source(key, moments, partial(wire.listed_price, price, is_live=is_live))


def _plans(wire: Wire) -> Iterator[_Source]:
    for (key, is_live), price in _sold(wire).items():
        if not price.plan.is_one_time:
            render = _always(partial(wire.plan, is_live=is_live), price)
            yield _Source(key, (wire.price_created_at(price),), render)


def _coupons(wire: Wire) -> Iterator[_Source]:
    given: dict[tuple[str, str], list[datetime]] = {}
    for discount in wire.ledger.discounts.values():
        key = (discount.coupon.code, discount.currency if discount.coupon.dollars else "USD")
        given.setdefault(key, []).append(discount.start_at)
    for (code, currency), moments in sorted(given.items()):
        render = partial(_coupon_at, wire, code, currency, tuple(moments))
        yield _Source(f"{code}/{currency}", tuple(moments), render)


def _coupon_at(
    wire: Wire, code: str, currency: str, redeemed: tuple[datetime, ...], moment: datetime
) -> Object:
    return wire.coupon(COUPONS[code], currency, sum(at < moment for at in redeemed))


def _promotion_codes(wire: Wire) -> Iterator[_Source]:
    for coupon in COUPONS.values():
        moments = tuple(
            discount.start_at
            for discount in wire.ledger.discounts.values()
            if discount.coupon is coupon
        )
        if coupon.promotion_code and moments:
            render = partial(_promotion_code_at, wire, coupon, moments)
            yield _Source(coupon.code, moments, render)


def _promotion_code_at(
    wire: Wire, coupon: Coupon, redeemed: tuple[datetime, ...], moment: datetime
) -> Object:
    return wire.promotion_code(coupon, sum(at < moment for at in redeemed))


def _text(record: Object) -> bytes:
    return json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode()


class _Writer:
    """Writes the batches and plants the defects."""

    def __init__(
        self,
        wire: Wire,
        out_dir: Path,
        batches: tuple[Batch, ...],
        is_thin: bool,
        defects: Counter[str],
    ) -> None:
        self.wire = wire
        self.is_thin = is_thin
        self.out_dir = out_dir
        self.batches = batches
        self.defects = defects
        self.rng = np.random.default_rng([wire.company.seed, 2])
        self.files: list[WrittenFile] = []
        self.broken: list[BrokenRecord] = []
        self._late: list[_Source] = []
        count = len(batches)
        defects["stripe_fields_appearing"] += count > _TAX_IDS_FROM_BATCH
        defects["stripe_fields_vanishing"] += count > _LOCALES_UNTIL_BATCH
        defects["stripe_fields_retyped"] += count > _EXPANDED_IN_BATCH
        defects["stripe_payouts"] = sum(1 for _ in wire.payouts())
        defects["stripe_fees_billed_alone"] = sum(
            movement.kind == "fee" for movement in wire.movements.values()
        )
        defects["stripe_refunds_without_charge"] = len(wire.refunds_by_intent)
        defects["stripe_disputes_in_another_currency"] = len(wire.disputes_elsewhere)
        defects["stripe_overpaid_invoices"] = sum(
            invoice.overpaid > 0 for invoice in wire.ledger.invoices.values()
        )
        defects["stripe_invoices_failing_first"] = sum(
            invoice.is_live and not invoice.attempts[0].is_successful
            for invoice in wire.ledger.invoices.values()
            if invoice.attempts
        )

    # Objects

    def write_objects(self, batch: Batch, sources: dict[str, list[_Source]]) -> None:
        """Writes all kinds of objects of one batch."""
        for kind, found in sources.items():
            due = [s for s in found if s.is_touched(batch.starts_at, batch.ends_at)]
            if kind == "charges":
                due = self._delay_charges(batch, due)
            records = [self._as_sent(kind, batch, s.render(batch.ends_at)) for s in due]
            lines = [_text(record) for record in records]
            self._count(kind, records)
            if kind in {"customers", "invoices", "charges"}:
                lines += self._repeats(kind, batch, found, lines)
            if batch.number:
                self._break(kind, batch, lines)
            if lines:
                rows = sum(len(page["data"]) for page in records) if kind.endswith("pages") else 0
                self._write(batch, kind, lines, rows or len(lines))

    def _delay_charges(self, batch: Batch, due: list[_Source]) -> list[_Source]:
        """Keeps a few payments back for weeks: they arrive with the batch after their own."""
        arrived, self._late = self._late, []
        keys = {source.key for source in due}
        arrived = [source for source in arrived if source.key not in keys]
        if batch.number + 1 < len(self.batches):
            recent = batch.ends_at - timedelta(days=12)
            fresh = [s for s in due if len(s.moments) == 1 and s.moments[0] < recent]
            self._late = fresh[-_LATE_CHARGES:]
            self.defects["stripe_charges_arriving_late"] += len(self._late)
        late = {source.key for source in self._late}
        return [*(source for source in due if source.key not in late), *arrived]

    def _as_sent(self, kind: str, batch: Batch, record: Object) -> Object:
        """Fields that appear, vanish and change their type between batches."""
        if kind == "customers" and "deleted" not in record:
            if batch.number >= _TAX_IDS_FROM_BATCH:
                url = f"/v1/customers/{record['id']}/tax_ids"
                record["tax_ids"] = list_of([], url)
            if batch.number >= _LOCALES_UNTIL_BATCH:
                del record["preferred_locales"]
        if kind == "charges" and batch.number == _EXPANDED_IN_BATCH:
            customer = self._customers_by_id[record["customer"]]
            record["customer"] = self.wire.customer(customer, batch.ends_at)
        return self._thinned(kind, record) if self.is_thin else record

    def _thinned(self, kind: str, record: Object) -> Object:
        """Leaves out what the API returns only when asked to expand it."""
        missing = 0
        if kind == "prices" and record.get("tiers"):
            del record["tiers"]
            missing = 1
        if kind == "subscriptions" and not self.wire.is_older:
            found = record["discounts"]
            missing = sum(isinstance(discount, dict) for discount in found)
            record["discounts"] = [d["id"] if isinstance(d, dict) else d for d in found]
        if kind == "charges" and record["balance_transaction"]:
            movement = self._movements_by_id[record["balance_transaction"]]
            record["balance_transaction"] = self.wire.balance_transaction(movement)
            del record["balance_transaction"]["fee_details"]
            missing = 1
        self.defects["stripe_fields_not_expanded"] += missing
        return record

    @cached_property
    def _movements_by_id(self) -> dict[str, str]:
        return {self.wire.id("txn", key): key for key in self.wire.movements}

    @cached_property
    def _customers_by_id(self) -> dict[str, Customer]:
        return {
            self.wire.customer_id(customer.key): customer
            for customer in self.wire.ledger.customers.values()
        }

    def _count(self, kind: str, records: list[Object]) -> None:
        if any(record.get("livemode") is False for record in records):
            tests = sum(record.get("livemode") is False for record in records)
            self.defects["stripe_test_mode_rows"] += tests
        if kind == "invoices":
            partial = sum(record["lines"]["has_more"] for record in records)
            self.defects["stripe_partial_line_pages"] += partial

    def _repeats(
        self, kind: str, batch: Batch, found: list[_Source], lines: list[bytes]
    ) -> list[bytes]:
        """Rows sent twice in a file, and rows of the batch before sent again unchanged."""
        again: list[bytes] = []
        if lines:
            picks = self.rng.choice(len(lines), min(_REPEATED_ROWS, len(lines)), replace=False)
            again += [lines[int(pick)] for pick in sorted(picks)]
            self.defects["stripe_rows_repeated_within_a_file"] += len(again)
        if batch.number:
            before = self.batches[batch.number - 1]
            old = [
                source
                for source in found
                if source.is_touched(before.starts_at, before.ends_at)
                and not source.is_touched(batch.starts_at, batch.ends_at)
            ][:_REPEATED_ROWS]
            again += [_text(self._as_sent(kind, batch, s.render(batch.ends_at))) for s in old]
            self.defects["stripe_rows_repeated_across_batches"] += len(old)
        return again

    def _break(self, kind: str, batch: Batch, lines: list[bytes]) -> None:
        """Adds a spoiled copy of a record; the record itself is sent as well."""
        how = {
            "customers": "missing_id",
            "subscriptions": "invalid_utf8",
            "invoices": "bad_value",
            "charges": "bad_json",
        }.get(kind)
        if not how or not lines:
            return
        place = int(self.rng.integers(len(lines)))
        lines.insert(place, _spoil(how, lines[place]))
        name = self._path(kind)
        self.broken.append(BrokenRecord(batch.batch_id, name, place + 1, how))
        self.defects[f"stripe_{how}"] += 1

    # Events

    def write_events(self) -> None:
        """Writes the webhook archive of every batch."""
        writer = EventWriter(self.wire)
        events = notices(self.wire)
        if self.is_thin:
            archived = self.wire.company.end_at - _THIN_ARCHIVE
            self.defects["stripe_events_not_archived"] = sum(n.at < archived for n in events)
            events = [notice for notice in events if notice.at >= archived]
        self._count_same_second(events)
        late: list[Notice] = []
        before: list[Notice] = []
        for batch in self.batches:
            due = [n for n in events if batch.starts_at <= n.at < batch.ends_at]
            arrived, late = late, self._late_events(batch, due)
            kept = [notice for notice in due if notice not in late]
            repeated = self._pick(before, 5) + self._pick(kept, max(len(kept) // 100, 1))
            self.defects["stripe_events_repeated"] += len(repeated)
            ordered = self._shuffled([*kept, *arrived])
            for notice in repeated:
                ordered.insert(int(self.rng.integers(len(ordered) + 1)), notice)
            self._write_archive(batch, ordered, writer)
            before = kept

    def _pick(self, among: list[Notice], count: int) -> list[Notice]:
        if not among:
            return []
        picks = self.rng.choice(len(among), min(count, len(among)), replace=False)
        return [among[int(pick)] for pick in sorted(picks)]

    def _late_events(self, batch: Batch, due: list[Notice]) -> list[Notice]:
        """Changes of subscriptions that reach the archive with the batch after their own."""
        if batch.number + 1 == len(self.batches):
            return []
        recent = batch.ends_at - timedelta(days=12)
        late = [
            notice
            for notice in due
            if notice.event_type == "customer.subscription.updated" and notice.at >= recent
        ][-_LATE_EVENTS:]
        self.defects["stripe_events_arriving_late"] += len(late)
        return late

    def _shuffled(self, ordered: list[Notice]) -> list[Notice]:
        """Puts a few events some places behind those that came after them."""
        for _ in range(len(ordered) // 50):
            place = int(self.rng.integers(len(ordered)))
            notice = ordered.pop(place)
            ordered.insert(place + int(self.rng.integers(1, 20)), notice)
        latest = datetime.min
        for notice in ordered:
            self.defects["stripe_events_out_of_order"] += notice.at < latest
            latest = max(latest, notice.at)
        return ordered

    def _count_same_second(self, events: list[Notice]) -> None:
        updates = Counter(
            (notice.key, notice.at)
            for notice in events
            if notice.event_type == "customer.subscription.updated"
        )
        self.defects["stripe_updates_in_the_same_second"] = sum(n > 1 for n in updates.values())

    def _write_archive(self, batch: Batch, ordered: list[Notice], writer: EventWriter) -> None:
        """Writes event by event: a whole history of them does not fit into memory."""
        spoiled = -1
        if batch.number and ordered:
            spoiled = int(self.rng.integers(len(ordered)))
            path = self._path("events")
            self.broken.append(BrokenRecord(batch.batch_id, path, spoiled + 1, "bad_json"))
            self.defects["stripe_bad_json"] += 1

        def lines() -> Iterator[bytes]:
            for place, notice in enumerate(ordered):
                line = _text(writer.event(notice))
                if place == spoiled:
                    yield _spoil("bad_json", line)
                yield line

        if ordered:
            self._write(batch, "events", lines(), len(ordered) + (spoiled >= 0))

    # Files

    def _path(self, kind: str) -> str:
        return (
            f"stripe/{kind}.jsonl.gz" if kind in {"events", "invoices"} else f"stripe/{kind}.jsonl"
        )

    def _write(self, batch: Batch, kind: str, lines: Iterable[bytes], rows: int) -> None:
        path = self._path(kind)
        self.files.append(write_lines(self.out_dir, batch.batch_id, path, lines, rows))


def _spoil(how: str, line: bytes) -> bytes:
    record = json.loads(line)
    if how == "bad_json":
        return line[: len(line) * 2 // 3]
    if how == "missing_id":
        record.pop("id", None)
        return _text(record)
    if how == "bad_value":
        return _text({**record, "created": "the other day"})
    return line.replace(b'"object":"', b'"description":"caf\xe9","object":"', 1)
