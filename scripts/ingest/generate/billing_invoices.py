"""Invoices of one subscription: drafts, payments, failures, refunds and credits."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

from ingest.generate.billing_account import AccountBooks
from ingest.generate.contracts import Contract, epoch
from ingest.generate.health import level_at
from ingest.generate.invoicing import Cuts, cut, period_lines, taxed, usage_line, whole_units
from ingest.generate.ledger import (
    Attempt,
    Charge,
    CreditNote,
    Customer,
    Discount,
    Invoice,
    Item,
    Line,
    Pause,
    Refund,
    State,
    Subscription,
)

DRAFT_TIME = timedelta(hours=1)
_RETRY_DAYS = (3, 5, 7)
_FAILURE_CODES = ("card_declined", "expired_card", "insufficient_funds", "processing_error")


class InvoiceBiller:
    """The state of one subscription, and everything that happens to its invoices.

    Args:
        books: The account's clock and ledger.
        contract: The contract that the subscription carries out.
    """

    customer: Customer
    subscription: Subscription

    def __init__(self, books: AccountBooks, contract: Contract) -> None:
        self.books = books
        self.ledger = books.ledger
        self.contract = contract
        self.key = f"{books.account.key}/{contract.number}"
        self.items: dict[str, Item] = {}
        self.status = "active"
        self.discount_keys: tuple[str, ...] = ()
        self.pause: Pause | None = None
        self.is_cancel_scheduled = False
        self.canceled_at: datetime | None = None
        self.cancel_reason: str | None = None
        self.latest_invoice: Invoice | None = None
        self.period_number = 0
        self.pending: list[Line] = []
        self.next_failure: dict[str, Any] | None = None
        self.next_outcome: str | None = None
        self.is_overpaying = False
        self.is_over = False

    def _end(self, moment: datetime, reason: str | None = "cancellation_requested") -> None:
        self.status = "canceled"
        self.is_over = True
        self.canceled_at = self.canceled_at or moment
        self.cancel_reason = self.cancel_reason or reason
        self._save(moment, "deleted", ended_at=moment)
        for invoice in self._open_invoices():
            if reason == "payment_failed":
                invoice.uncollectible_at = moment + timedelta(seconds=1)
            else:
                invoice.voided_at = moment + timedelta(seconds=1)

    def _save(self, moment: datetime, kind: str, *, ended_at: datetime | None = None) -> None:
        period_end = next(iter(self.items.values())).period_end_at
        scheduled = self.is_cancel_scheduled and not ended_at
        self.subscription.states.append(
            State(
                at=moment,
                kind=kind,
                status=self.status,
                items=tuple(self.items.values()),
                discount_keys=self.discount_keys,
                pause=self.pause,
                is_cancel_scheduled=scheduled,
                cancel_at=period_end if scheduled else None,
                canceled_at=self.canceled_at,
                ended_at=ended_at,
                cancel_reason=self.cancel_reason,
                latest_invoice_key=self.latest_invoice.key if self.latest_invoice else None,
            )
        )

    def _next_period_start(self) -> datetime:
        return self.contract.period_start(self.period_number + 1)

    def _period_lines(self, moment: datetime) -> list[Line]:
        """A line for each licensed item over the current period, with its discounts and tax."""
        items = self._licensed()
        lines = period_lines(items, self._cuts(moment, items))
        return [taxed(line, self.contract) for line in lines]

    def _usage_lines(self, moment: datetime) -> list[Line]:
        """A line for each metered item over the period that has just ended."""
        metered = [item for item in self.items.values() if item.quantity is None]
        used = [int(self.books.rng.integers(2_000, 60_000)) for _ in metered]
        return [
            taxed(usage_line(item, count, moment), self.contract)
            for item, count in zip(metered, used, strict=True)
        ]

    def _licensed(self) -> list[Item]:
        return [item for item in self.items.values() if item.quantity is not None]

    def _live(self, keys: Iterable[str], moment: datetime) -> list[Discount]:
        after = moment + timedelta(microseconds=1)
        found = [self.ledger.discounts[key] for key in keys]
        return [discount for discount in found if discount.is_live(after)]

    def _cuts(self, moment: datetime, items: list[Item]) -> list[Cuts]:
        """The discounts of each item; the customer's apply only if there are no others."""
        on_items = [self._live(item.discount_keys, moment) for item in items]
        on_all = self._live(self.discount_keys, moment)
        if not on_all and not any(on_items):
            on_all = self._live(self.books.customer_discounts[self.customer.key], moment)
        amounts = [whole_units(item.price.amount(item.quantity or 0)) for item in items]
        return cut(amounts, on_items, on_all)

    def _draft(self, at: datetime, lines: list[Line], reason: str) -> Invoice:
        number = sum(invoice.customer_key == self.customer.key for invoice in self.books_invoices())
        main = next(iter(self.items.values()))
        starts = self.latest_invoice.created_at if self.latest_invoice else at
        invoice = Invoice(
            key=f"{self.key}/in/{reason}/{epoch(at)}",
            account_key=self.books.account.key,
            customer_key=self.customer.key,
            subscription_key=self.key,
            currency=main.price.currency,
            number=number + 1,
            reason=reason,
            created_at=at,
            period_start_at=starts,
            period_end_at=at,
            lines=tuple(lines),
            days_until_due=self.contract.days_until_due,
            tax_percent=self.contract.tax_percent,
            tax_behavior=self.contract.tax_behavior,
            is_live=self.contract.is_live,
        )
        self.ledger.invoices[invoice.key] = invoice
        return invoice

    def books_invoices(self) -> list[Invoice]:
        """The account's invoices so far, newest first: the last ones in the ledger."""
        found = []
        for invoice in reversed(self.ledger.invoices.values()):
            if invoice.account_key != self.books.account.key:
                break
            found.append(invoice)
        return found

    def _invoice(self, at: datetime, lines: list[Line], reason: str) -> None:
        if not lines:
            return
        invoice = self._draft(at, lines, reason)
        self.latest_invoice = invoice
        paused = self.pause if self.pause and reason == "subscription_cycle" else None
        if self.status == "unpaid" or (paused and paused.behavior == "keep_as_draft"):
            return
        if paused:
            moment = at + DRAFT_TIME
            self.books.at(moment, lambda when: self._dismiss(invoice, when, paused.behavior))
        elif reason == "subscription_cycle":
            self.books.at(at + DRAFT_TIME, lambda moment: self._finalize(invoice, moment))
        else:
            self._finalize(invoice, at)

    def _dismiss(self, invoice: Invoice, at: datetime, behavior: str) -> None:
        invoice.finalized_at = at
        if behavior == "void":
            invoice.voided_at = at
        else:
            invoice.uncollectible_at = at

    def _finalize(self, invoice: Invoice, at: datetime) -> None:
        """Finalizes the invoice, applies the customer's credit and schedules the payment."""
        if self.customer.deleted_at:
            return
        invoice.finalized_at = at
        customer = self.customer
        invoice.starting_balance = customer.balance
        invoice.ending_balance = min(customer.balance + invoice.total, 0)
        if invoice.ending_balance != invoice.starting_balance:
            customer.balances.append((at, invoice.ending_balance))
        outcome, self.next_outcome = self.next_outcome, None
        if invoice.amount_due == 0:
            invoice.paid_at = at
        elif outcome == "void":
            self.books.at(
                at + timedelta(days=2), lambda moment: self._dismiss_open(invoice, moment, outcome)
            )
        elif outcome == "uncollectible":
            self.books.at(
                at + timedelta(days=40), lambda moment: self._dismiss_open(invoice, moment, outcome)
            )
        elif outcome == "open":
            pass
        elif invoice.days_until_due is not None:
            days = float(self.books.rng.gamma(6, invoice.days_until_due / 7))
            moment = at + timedelta(seconds=int(days * 86_400) + 60)
            self.books.at(moment, lambda when: self._pay(invoice, when))
        elif self.next_failure:
            failure, self.next_failure = self.next_failure, None
            self._attempt(invoice, at + timedelta(seconds=2), is_successful=False)
            self._fall_behind(invoice, at, failure)
        elif self.status == "past_due":
            self._attempt(invoice, at + timedelta(seconds=2), is_successful=False)
        else:
            self._collect(invoice, at)

    def _collect(self, invoice: Invoice, at: datetime) -> None:
        """Charges the card; a renewal may fail by chance, and is then paid some days later."""
        is_renewal = invoice.reason == "subscription_cycle" and invoice.is_live
        level = level_at(self.contract.health, at)
        days = self.books.mishaps.recovery_days(level) if is_renewal else None
        if days is None:
            self._pay(invoice, at + timedelta(seconds=2))
            return
        self._attempt(invoice, at + timedelta(seconds=2), is_successful=False)
        self._fall_behind(invoice, at, {"outcome": "recovered", "days": days})

    def _dismiss_open(self, invoice: Invoice, at: datetime, outcome: str) -> None:
        if invoice.paid_at or invoice.voided_at or invoice.uncollectible_at:
            return
        if outcome == "void":
            invoice.voided_at = at
        else:
            invoice.uncollectible_at = at

    def _pay(self, invoice: Invoice, at: datetime) -> None:
        if not (invoice.paid_at or invoice.voided_at) and at < self.books.end_at:
            if self.is_overpaying:
                self.is_overpaying = False
                invoice.overpaid = invoice.amount_due // 10
            self._attempt(invoice, at, is_successful=True)
            invoice.paid_at = at
            if invoice.overpaid:
                customer = self.customer
                customer.balances.append((at, customer.balance - invoice.overpaid))

    def _attempt(self, invoice: Invoice, at: datetime, *, is_successful: bool) -> None:
        if invoice.paid_at or invoice.voided_at or at >= self.books.end_at:
            return
        credited = sum(
            note.amount
            for note in self.ledger.credit_notes.values()
            if note.invoice_key == invoice.key and note.is_pre_payment and not note.voided_at
        )
        code = _FAILURE_CODES[int(self.books.rng.integers(len(_FAILURE_CODES)))]
        charge = Charge(
            key=f"{invoice.key}/ch/{len(invoice.attempts)}",
            customer_key=invoice.customer_key,
            invoice_key=invoice.key,
            currency=invoice.currency,
            amount=invoice.amount_due - credited + invoice.overpaid,
            created_at=at,
            failure_code=None if is_successful else code,
            is_live=invoice.is_live,
        )
        self.ledger.charges[charge.key] = charge
        invoice.attempts.append(Attempt(at, charge.key, is_successful))

    def _fall_behind(self, invoice: Invoice, at: datetime, failure: dict[str, Any]) -> None:
        outcome, days = failure["outcome"], failure["days"]
        if outcome == "abandoned":
            ends = self.contract.created_at + timedelta(hours=23)
            self.books.at(ends, lambda moment: self._expire(invoice, moment))
            return
        if outcome == "incomplete":
            self.books.at(at + timedelta(hours=20), self._recover)
            return
        self.books.at(at + timedelta(seconds=3), self._become_past_due)
        outcome_at = invoice.created_at + timedelta(days=days)
        for retry in _RETRY_DAYS:
            moment = at + timedelta(days=retry)
            if moment < outcome_at:
                self.books.at(
                    moment, lambda when: self._attempt(invoice, when, is_successful=False)
                )
        after = {
            "recovered": self._recover,
            "canceled": self._give_up,
            "unpaid": self._become_unpaid,
        }[outcome]
        self.books.at(outcome_at, after)

    def _become_past_due(self, moment: datetime) -> None:
        if not self.is_over and self.status == "active":
            self.status = "past_due"
            self._save(moment, "updated")

    def _become_unpaid(self, moment: datetime) -> None:
        if not self.is_over and self.status == "past_due":
            self.status = "unpaid"
            self._save(moment, "updated")

    def _give_up(self, moment: datetime) -> None:
        if not self.is_over:
            self._end(moment, "payment_failed")

    def _expire(self, invoice: Invoice, moment: datetime) -> None:
        self.status = "incomplete_expired"
        self.is_over = True
        invoice.voided_at = moment
        self._save(moment, "updated", ended_at=moment)

    def _recover(self, moment: datetime) -> None:
        if self.is_over:
            return
        for invoice in self._open_invoices():
            self._pay(invoice, moment)
        if self.status != "active":
            self.status = "active"
            self._save(moment + timedelta(seconds=1), "updated")

    def _open_invoices(self) -> list[Invoice]:
        return [
            invoice
            for invoice in reversed(self.books_invoices())
            if invoice.subscription_key == self.key
            and invoice.finalized_at
            and not (invoice.paid_at or invoice.voided_at or invoice.uncollectible_at)
        ]

    def _latest_charge(self) -> Charge | None:
        for invoice in self.books_invoices():
            if invoice.subscription_key == self.key and invoice.paid_at and invoice.attempts:
                return self.ledger.charges[invoice.attempts[-1].charge_key]
        return None

    def _refunded(self, charge: Charge) -> int:
        return sum(
            refund.amount
            for refund in self.ledger.refunds.values()
            if refund.charge_key == charge.key and not refund.failed_at
        )

    def _give_back(
        self, at: datetime, charge: Charge, amount: int, is_failing: bool = False
    ) -> Refund:
        key = f"{charge.key}/re/{epoch(at)}"
        failed_at = at + timedelta(days=3) if is_failing else None
        if failed_at and failed_at >= self.books.end_at:
            failed_at = None
        refund = Refund(key, charge.key, amount, at, failed_at)
        self.ledger.refunds[key] = refund
        return refund

    def _credit(
        self,
        at: datetime,
        invoice: Invoice,
        amount: int,
        *,
        with_refund: bool,
        effective_at: datetime | None = None,
    ) -> None:
        if amount <= 0:
            return
        refund_key = None
        if with_refund and invoice.attempts:
            charge = self.ledger.charges[invoice.attempts[-1].charge_key]
            amount = min(amount, charge.amount - self._refunded(charge))
            if amount <= 0:
                return
            refund_key = self._give_back(at, charge, amount).key
        rate = invoice.tax_percent
        note = CreditNote(
            key=f"{invoice.key}/cn/{epoch(at)}",
            invoice_key=invoice.key,
            line_key=invoice.lines[-1].key,
            amount=amount,
            tax=whole_units(Fraction(amount * rate, 100 + rate)),
            created_at=at,
            effective_at=effective_at or at,
            is_pre_payment=invoice.paid_at is None,
            refund_key=refund_key,
        )
        self.ledger.credit_notes[note.key] = note
        if invoice.paid_at and not refund_key:
            self.customer.balances.append((at, self.customer.balance - amount))
