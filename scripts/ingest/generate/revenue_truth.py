"""When the lines of an invoice are earned, by Stripe's methodology and in exact fractions."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction

from ingest.generate.contracts import add_interval
from ingest.generate.ledger import CreditNote, Invoice, Line

Earned = tuple[date, Fraction]


@dataclass(frozen=True, slots=True)
class Closing:
    """What ended an invoice or its service before the lines were earned.

    Attributes:
        notes: The credit notes of the invoice.
        service_ended_at: When its subscription ended.
    """

    notes: Sequence[CreditNote]
    service_ended_at: datetime | None


def invoice_revenue(invoice: Invoice, closing: Closing) -> Iterator[Earned]:
    """(day in the month, amount) of all lines of a finalized invoice that was not voided."""
    for line in invoice.lines:
        inclusive = line.tax if invoice.tax_behavior == "inclusive" else 0
        yield from _line_revenue(line, Fraction(line.discounted - inclusive), invoice, closing)


def spread(amount: Fraction, start: date, end: date) -> Iterator[Earned]:
    """An amount by month, evenly over the days of [start, end)."""
    days = (end - start).days
    if days <= 0:
        yield start, amount
        return
    day = start
    while day < end:
        after = min(add_interval(datetime(day.year, day.month, 1), "month", 1).date(), end)
        yield day, amount * (after - day).days / days
        day = after


@dataclass(slots=True)
class _Schedule:
    """The rest of a line: what is left of it, and up to which day it is earned."""

    start: date
    end: date
    position: date
    left: Fraction
    earned: Fraction = Fraction(0)

    def until(self, day: date) -> Iterator[Earned]:
        """What is earned from the position to that day."""
        day = min(max(day, self.position), self.end)
        if day > self.position:
            part = self.left * (day - self.position).days / (self.end - self.start).days
            yield from spread(part, self.position, day)
            self.earned += part
            self.position = day

    def served(self, day: date) -> Fraction:
        """The share of the period before that day."""
        days = (min(max(day, self.start), self.end) - self.start).days
        return Fraction(days, (self.end - self.start).days)


def _line_revenue(
    line: Line, amount: Fraction, invoice: Invoice, closing: Closing
) -> Iterator[Earned]:
    """A credit takes back the earned part of what it credits and stops the rest.

    At the end of the service it clears what is not earned, and what it leaves is earned then.
    """
    start = line.start_at.date()
    end = max(line.end_at.date(), start + timedelta(days=1))
    schedule = _Schedule(start, end, start, amount)
    ended_at = closing.service_ended_at
    for note in sorted(closing.notes, key=lambda note: note.effective_at):
        if note.line_key != line.key:
            continue
        net = Fraction(note.amount - note.tax)
        day, cut = note.effective_at.date(), _cut(note.effective_at)
        yield from schedule.until(cut)
        if ended_at and ended_at.date() <= day and ended_at.date() < end:
            yield day, amount - schedule.earned - net
            return
        covered = min(net, max(schedule.left, Fraction(0)))
        taken = covered * schedule.served(cut) + net - covered
        yield day, -taken
        schedule.left -= covered
        schedule.earned -= taken
        amount -= net
    if invoice.uncollectible_at:
        yield from _written_off(schedule, invoice.uncollectible_at, invoice, closing)
    yield from schedule.until(end)


def _written_off(
    schedule: _Schedule, written_off_at: datetime, invoice: Invoice, closing: Closing
) -> Iterator[Earned]:
    """A write-off stops what is unpaid, and a payment after it brings that back."""
    cut = _cut(written_off_at)
    yield from schedule.until(cut)
    credited = sum(note.amount for note in closing.notes if note.is_pre_payment)
    unpaid = schedule.left
    if invoice.total > credited:
        unpaid *= Fraction(invoice.amount_due - credited, invoice.total - credited)
    schedule.left -= unpaid
    if invoice.paid_at:
        paid = _cut(invoice.paid_at)
        yield from schedule.until(paid)
        yield invoice.paid_at.date(), unpaid * (schedule.served(paid) - schedule.served(cut))
        schedule.left += unpaid


def _cut(at: datetime) -> date:
    """The day after the last that the service lasted for any part of."""
    return (at + timedelta(days=1) - timedelta(microseconds=1)).date()
