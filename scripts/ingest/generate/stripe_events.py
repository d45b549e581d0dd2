"""The webhook archive: one event per change, in the order in which the changes happened."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ingest.generate.contracts import epoch
from ingest.generate.ids import stripe_id
from ingest.generate.ledger import Customer, Invoice, Ledger, Subscription
from ingest.generate.stripe_catalog import Object
from ingest.generate.stripe_objects import Wire

_INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Notice:
    """An event before it is written out: `position` is the state's number, where there are some."""

    at: datetime
    order: int
    event_type: str
    kind: str
    key: str
    position: int = 0


def notices(wire: Wire) -> list[Notice]:
    """Every event of the ledger, by time and, within a second, in the order of their happening."""
    found = [
        Notice(at, order, event_type, kind, key, position)
        for order, (at, event_type, kind, key, position) in enumerate(_all(wire))
    ]
    return sorted(found, key=lambda notice: (notice.at, notice.order))


_Told = tuple[datetime, str, str, str, int]


def _all(wire: Wire) -> Iterator[_Told]:
    ledger = wire.ledger
    for customer in ledger.customers.values():
        yield from _of_customer(customer)
    replaced = {discount.replaces_key for discount in ledger.discounts.values()}
    for discount in ledger.discounts.values():
        if _is_archived(wire, discount.subscription_key):
            verb = "updated" if discount.replaces_key else "created"
            yield discount.start_at, f"customer.discount.{verb}", "discount", discount.key, 0
            if discount.removed_at and discount.key not in replaced:
                yield discount.removed_at, "customer.discount.deleted", "discount", discount.key, 0
    for subscription in ledger.subscriptions.values():
        for position, state in enumerate(subscription.states):
            if state.at >= subscription.contract.archived_from:
                kind = f"customer.subscription.{state.kind}"
                yield state.at, kind, "subscription", subscription.key, position
    for invoice in ledger.invoices.values():
        yield from _of_invoice(invoice)
    yield from _of_payments(ledger)


def _of_customer(customer: Customer) -> Iterator[_Told]:
    yield customer.created_at, "customer.created", "customer", customer.key, 0
    for position, (at, _) in enumerate(customer.balances):
        yield at, "customer.updated", "customer", customer.key, position
    if customer.deleted_at:
        yield customer.deleted_at, "customer.deleted", "customer", customer.key, 0


def _of_payments(ledger: Ledger) -> Iterator[_Told]:
    for charge in ledger.charges.values():
        kind = "charge.failed" if charge.failure_code else "charge.succeeded"
        yield charge.created_at, kind, "charge", charge.key, 0
    for refund in ledger.refunds.values():
        yield refund.created_at, "charge.refunded", "charge", refund.charge_key, 0
        if refund.failed_at:
            yield refund.failed_at, "refund.failed", "refund", refund.key, 0
    for dispute in ledger.disputes.values():
        yield dispute.created_at, "charge.dispute.created", "dispute", dispute.key, 0
        yield dispute.closed_at, "charge.dispute.closed", "dispute", dispute.key, 0


def _is_archived(wire: Wire, subscription_key: str | None) -> bool:
    if subscription_key is None:
        return True
    subscription = wire.ledger.subscriptions.get(subscription_key)
    return subscription is None or subscription.contract.archived_from == datetime.min


def _of_invoice(invoice: Invoice) -> Iterator[_Told]:
    moments = (
        ("invoice.created", invoice.created_at),
        ("invoice.finalized", invoice.finalized_at),
        ("invoice.paid", invoice.paid_at),
        ("invoice.voided", invoice.voided_at),
        ("invoice.marked_uncollectible", invoice.uncollectible_at),
    )
    for kind, at in moments:
        if at:
            yield at, kind, "invoice", invoice.key, 0
    for attempt in invoice.attempts:
        if not attempt.is_successful:
            yield attempt.at, "invoice.payment_failed", "invoice", invoice.key, 0


class EventWriter:
    """Writes notices out as event objects."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire

    def event(self, notice: Notice) -> Object:
        """The event object; a repeated event has the same id, which is derived from its content."""
        wire = self.wire
        data: Object = {"object": self._object(notice)}
        if notice.event_type.endswith(".updated"):
            data["previous_attributes"] = self._previous(notice, data["object"])
        key = f"{notice.event_type}/{notice.key}/{notice.position}/{epoch(notice.at)}"
        return {
            "id": stripe_id("evt", wire.company.seed, key),
            "object": "event",
            "api_version": wire.version,
            "created": epoch(notice.at),
            "data": data,
            "livemode": data["object"].get("livemode", True),
            "pending_webhooks": 0,
            "request": {"id": None, "idempotency_key": None},
            "type": notice.event_type,
        }

    def _object(self, notice: Notice) -> Object:
        wire, ledger, after = self.wire, self.wire.ledger, notice.at + _INSTANT
        match notice.kind:
            case "subscription":
                subscription = ledger.subscriptions[notice.key]
                return wire.subscription(subscription, subscription.states[notice.position])
            case "invoice":
                is_draft = notice.event_type == "invoice.created"
                return wire.invoice(ledger.invoices[notice.key], after, as_draft=is_draft)
            case "customer":
                # The last event of a customer holds the whole object before the deletion.
                is_last = notice.event_type == "customer.deleted"
                return wire.customer(ledger.customers[notice.key], notice.at if is_last else after)
            case "discount":
                return wire.discount(ledger.discounts[notice.key])
            case "charge":
                return wire.charge(ledger.charges[notice.key], after)
            case kind:
                is_refund = kind == "refund"
                return (
                    wire.refund(ledger.refunds[notice.key], after)
                    if is_refund
                    else wire.dispute(ledger.disputes[notice.key], after)
                )

    def _previous(self, notice: Notice, current: Object) -> Object:
        """The fields that changed, as they were before."""
        ledger = self.wire.ledger
        if notice.kind == "subscription":
            subscription: Subscription = ledger.subscriptions[notice.key]
            before = self.wire.subscription(subscription, subscription.states[notice.position - 1])
            changed: dict[str, Any] = {
                field: value for field, value in before.items() if value != current[field]
            }
            if "items" in changed:
                changed["items"] = {"data": changed["items"]["data"]}
            return changed
        if notice.kind == "discount":
            replaced = ledger.discounts[ledger.discounts[notice.key].replaces_key or ""]
            before = self.wire.discount(replaced)
            return {field: value for field, value in before.items() if value != current[field]}
        balances = ledger.customers[notice.key].balances
        return {"balance": balances[notice.position - 1][1] if notice.position else 0}
