"""Acts out the accounts' contracts as Stripe would: states, invoices, payments and their failures.

Everything is done in the order of time, one account after the other, and nothing happens at or
after the company's end. The rules are Stripe's published behaviour: an invoice is a draft for its
first hour, a failed payment makes a subscription past due, a subscription whose first payment
fails expires after 23 hours, a credit stays on the customer's balance until the next invoice.
"""

import heapq
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

import numpy as np

from ingest.generate.contracts import Contract, Step, add_interval, epoch
from ingest.generate.invoicing import (
    Cuts,
    as_trial,
    cut,
    period_lines,
    prorated,
    taxed,
    usage_line,
    whole_units,
)
from ingest.generate.ledger import (
    COUPONS,
    Attempt,
    Charge,
    CreditNote,
    Customer,
    Discount,
    Dispute,
    Invoice,
    Item,
    Ledger,
    Line,
    Pause,
    Refund,
    State,
    Subscription,
)
from ingest.generate.plans import price
from ingest.generate.records import Account, Company

_DRAFT_TIME = timedelta(hours=1)
_RETRY_DAYS = (3, 5, 7)
_FAILURE_CODES = ("card_declined", "expired_card", "insufficient_funds", "processing_error")


def bill(company: Company, *, can_stack: bool = True) -> Ledger:
    """Carries out every contract of the company.

    Args:
        company: The simulation.
        can_stack: Whether a subscription may have several discounts and its items their own; where
            the API version cannot hold them they are not given.
    """
    ledger = Ledger()
    for account in company.accounts:
        contracts = company.contracts.get(account.key, ())
        if contracts:
            rng = np.random.default_rng([company.seed, 1, account.key])
            _AccountBiller(ledger, account, rng, company.end_at, can_stack).run(contracts)
    return ledger


class _AccountBiller:
    """The clock of one account: its customers and subscriptions share balances and time."""

    def __init__(
        self,
        ledger: Ledger,
        account: Account,
        rng: np.random.Generator,
        end_at: datetime,
        can_stack: bool,
    ) -> None:
        self.ledger = ledger
        self.account = account
        self.rng = rng
        self.end_at = end_at
        self.can_stack = can_stack
        self.customer_discounts: defaultdict[str, list[str]] = defaultdict(list)
        self._queue: list[tuple[datetime, int, Callable[[datetime], None]]] = []
        self._order = 0

    def run(self, contracts: tuple[Contract, ...]) -> None:
        for contract in contracts:
            self.at(contract.created_at, _SubscriptionBiller(self, contract).open)
        while self._queue:
            moment, _, action = heapq.heappop(self._queue)
            action(moment)

    def at(self, moment: datetime, action: Callable[[datetime], None]) -> None:
        """Has something done at an instant; things of one instant are done in the order given."""
        if moment < self.end_at:
            self._order += 1
            heapq.heappush(self._queue, (moment, self._order, action))

    def customer(self, contract: Contract, moment: datetime) -> Customer:
        key = f"{self.account.key}/{contract.customer_number}"
        if key not in self.ledger.customers:
            self.ledger.customers[key] = Customer(
                key=key,
                account_key=self.account.key,
                number=contract.customer_number,
                currency=contract.currency,
                created_at=moment - timedelta(seconds=40),
                is_live=contract.is_live,
            )
        return self.ledger.customers[key]


class _SubscriptionBiller:
    """One contract on its way through the ledger."""

    def __init__(self, books: _AccountBiller, contract: Contract) -> None:
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
        self.next_fate: str | None = None
        self.is_over = False

    # The course of a subscription

    def open(self, moment: datetime) -> None:
        """Creates the subscription with what it starts with, and bills the first period."""
        contract = self.contract
        self.customer = self.books.customer(contract, moment)
        self.subscription = Subscription(self.key, contract, self.customer.key)
        self.ledger.subscriptions[self.key] = self.subscription
        while contract.period_start(self.period_number + 1) <= moment and not contract.trial_days:
            self.period_number += 1
        start = contract.start_at or moment
        period = (contract.period_start(self.period_number), self._next_period_start())
        if contract.trial_days:
            self.period_number = -1
            period = (start, contract.anchor_at)
        for code, quantity in ((contract.plan, contract.seats), *contract.add_ons):
            self._put_item(code, quantity, moment, period)
        later = []
        for step in contract.steps:
            if step.at > moment:
                later.append(step)
            else:
                self._take(step, is_opening=True)
        self.status = "trialing" if contract.trial_days else "active"
        if contract.opening != "active":
            self.status = "incomplete"
            self.next_failure = {"outcome": contract.opening, "days": 0}
        lines = [] if contract.trial_days else self._period_lines(moment)
        for number in range(self.period_number if not contract.trial_days else 0):
            times = (contract.period_start(number), contract.period_start(number + 1))
            lines += [
                replace(line, key=f"{line.key}/back{number}", start_at=times[0], end_at=times[1])
                for line in self._period_lines(moment)
            ]
        if contract.trial_days:
            lines = [as_trial(line) for line in self._period_lines(moment)]
        self._invoice(moment, lines, "subscription_create")
        self._save(moment, "created")
        for step in later:
            self.books.at(step.at, lambda _, step=step: self._take(step))  # type: ignore[misc]
        self.books.at(period[1], self._renew)

    def _take(self, step: Step, *, is_opening: bool = False) -> None:
        if self.is_over:
            return
        changed = getattr(self, f"do_{step.verb}")(step.at, **step.terms)
        if changed and not is_opening:
            self._save(step.at, changed)

    def _renew(self, moment: datetime) -> None:
        """The end of a period: the next one begins, or the subscription ends."""
        if self.is_over:
            return
        if self.is_cancel_scheduled:
            self._end(moment)
            return
        if self.status == "trialing" and self.contract.after_trial == "cancel":
            self._end(moment)
            return
        if self.status == "trialing" and self.contract.after_trial == "pause":
            self.status = "paused"
            self._save(moment, "paused")
            return
        if self.status == "trialing":
            self.status = "active"
        usage = self._usage_lines(moment)
        self._forget_what_expired(moment)
        self.period_number += 1
        period = (self.contract.period_start(self.period_number), self._next_period_start())
        for code, item in self.items.items():
            self.items[code] = replace(item, period_start_at=period[0], period_end_at=period[1])
        lines = [*self.pending, *usage, *self._period_lines(moment)]
        self.pending = []
        self._invoice(moment, lines, "subscription_cycle")
        self._save(moment, "updated")
        self.books.at(period[1], self._renew)

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

    def _forget_what_expired(self, moment: datetime) -> None:
        """Stripe drops a used-up `once` discount, those that ended and a pause that is over."""
        kept = []
        for key in self.discount_keys:
            discount = self.ledger.discounts[key]
            if discount.coupon.duration == "once" and discount.start_at < moment:
                discount.removed_at = discount.removed_at or moment
            elif discount.end_at is None or discount.end_at > moment:
                kept.append(key)
        self.discount_keys = tuple(kept)
        if self.pause and self.pause.resumes_at and self.pause.resumes_at <= moment:
            self.pause = None

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

    def _put_item(
        self, code: str, quantity: int, moment: datetime, period: tuple[datetime, datetime]
    ) -> None:
        item_price = self.contract.price_of(code)
        self.items[code] = Item(
            key=f"{self.key}/{code}/{epoch(moment)}",
            price=item_price,
            quantity=None if item_price.plan.is_metered else quantity,
            created_at=moment,
            period_start_at=period[0],
            period_end_at=period[1],
        )

    # What can happen in between; each returns the webhook that tells of it, if one does

    def do_set_quantity(
        self, at: datetime, seats: int, code: str | None = None, proration: str = "pending"
    ) -> str | None:
        """Changes a quantity; `proration` is `pending`, `now` (its own invoice) or `none`."""
        code = code or self.contract.plan
        if code not in self.items or self.items[code].quantity == seats:
            return None
        return self._swap(at, code, replace(self.items[code], quantity=seats), proration)

    def do_change_plan(self, at: datetime, plan: str, proration: str = "now") -> str | None:
        """Puts another plan's price on the main item."""
        code = self.contract.plan
        new_price = self.contract.price_of(plan)
        if self.items[code].price == new_price:
            return None
        return self._swap(at, code, replace(self.items[code], price=new_price), proration)

    def do_raise_price(self, at: datetime, version: int) -> str:
        """Moves the main item to a later version of its price, without proration."""
        code = self.contract.plan
        plan = self.items[code].price.plan.code
        new_price = self.contract.price_of(plan, version)
        return self._swap(at, code, replace(self.items[code], price=new_price), "none")

    def do_add_item(
        self, at: datetime, code: str, quantity: int, proration: str = "pending"
    ) -> str | None:
        """Adds an add-on to the running period."""
        if code in self.items:
            return None
        main = next(iter(self.items.values()))
        before = self._net_amounts(at)
        self._put_item(code, quantity, at, (main.period_start_at, main.period_end_at))
        self._prorate(at, before, proration)
        return "updated"

    def do_remove_item(self, at: datetime, code: str, proration: str = "pending") -> str | None:
        """Takes an add-on out of the running period."""
        if code not in self.items:
            return None
        before = self._net_amounts(at)
        del self.items[code]
        self._prorate(at, before, proration)
        return "updated"

    def do_pause(
        self, _at: datetime, behavior: str, resumes_at: datetime | None, is_silent: bool = False
    ) -> str:
        """Pauses collection; a silent pause passes its end without a webhook."""
        self.pause = Pause(behavior, resumes_at)
        if resumes_at and not is_silent:
            self.books.at(resumes_at, lambda moment: self._take(Step(moment, "unpause")))
        return "updated"

    def do_unpause(self, _at: datetime) -> str | None:
        """Resumes collection."""
        if not self.pause:
            return None
        self.pause = None
        return "updated"

    def do_resume(self, at: datetime) -> str | None:
        """Starts a subscription that was paused when its trial ended."""
        if self.status != "paused":
            return None
        self.status = "active"
        # Billing is counted from the trial's end, so the first invoice covers what is left.
        while self._next_period_start() <= at:
            self.period_number += 1
        period = (self.contract.period_start(self.period_number), self._next_period_start())
        for code, item in self.items.items():
            self.items[code] = replace(item, period_start_at=period[0], period_end_at=period[1])
        self._invoice(at, self._period_lines(at), "subscription_update")
        self.books.at(period[1], self._renew)
        return "resumed"

    def do_discount(self, at: datetime, coupon: str, target: str = "subscription") -> str | None:
        """Gives a coupon to the `subscription`, the `customer` or the item of a plan's code."""
        granted = COUPONS[coupon]
        is_item = target not in {"subscription", "customer"}
        if not self.books.can_stack and (
            is_item or (target == "subscription" and self.discount_keys)
        ):
            return None
        end_at = add_interval(at, "month", granted.months) if granted.months else None
        discount = Discount(
            key=f"{self.key}/{coupon}/{target}/{epoch(at)}",
            coupon=granted,
            currency=self.contract.currency,
            customer_key=self.customer.key,
            start_at=at,
            end_at=end_at,
            subscription_key=None if target == "customer" else self.key,
            item_key=self.items[target].key if is_item else None,
        )
        self.ledger.discounts[discount.key] = discount
        if target == "customer":
            self.books.customer_discounts[self.customer.key].append(discount.key)
            self.customer.changes.append(at)
            return None
        if is_item:
            item = self.items[target]
            keys = (*item.discount_keys, discount.key)
            self.items[target] = replace(item, discount_keys=keys)
        else:
            self.discount_keys = (*self.discount_keys, discount.key)
        return "updated"

    def do_undiscount(self, at: datetime, coupon: str) -> str | None:
        """Takes a coupon away before its time."""
        own = [key for item in self.items.values() for key in item.discount_keys]
        keys = [*own, *self.discount_keys, *self.books.customer_discounts[self.customer.key]]
        for discount in self._live(keys, at):
            if discount.coupon.code == coupon:
                discount.removed_at = at
                if discount.subscription_key is None:
                    self.customer.changes.append(at)
                    return None
                self._drop(discount.key)
                return "updated"
        return None

    def do_switch_discount(self, at: datetime, old: str, new: str) -> str | None:
        """Gives the subscription another coupon in place of the one that it has."""
        for discount in self._live(self.discount_keys, at):
            if discount.coupon.code == old:
                discount.removed_at = at
                self._drop(discount.key)
                self.do_discount(at, new)
                self.ledger.discounts[self.discount_keys[-1]].replaces_key = discount.key
                return "updated"
        return None

    def _drop(self, discount_key: str) -> None:
        self.discount_keys = tuple(key for key in self.discount_keys if key != discount_key)
        for code, item in self.items.items():
            left = tuple(key for key in item.discount_keys if key != discount_key)
            self.items[code] = replace(item, discount_keys=left)

    def do_cancel_at_period_end(self, at: datetime) -> str:
        """Asks for the end of the running period to be the last."""
        self.is_cancel_scheduled = True
        self.canceled_at = at
        self.cancel_reason = "cancellation_requested"
        return "updated"

    def do_keep(self, _at: datetime) -> str:
        """Takes a scheduled cancellation back."""
        self.is_cancel_scheduled = False
        self.canceled_at = None
        self.cancel_reason = None
        return "updated"

    def do_cancel(self, at: datetime, is_credited: bool = False) -> None:
        """Ends it at once; a credited customer gets the rest of the period back."""
        invoice = self.latest_invoice
        if is_credited and invoice and invoice.paid_at and invoice.amount_due > 0:
            main = invoice.lines[-1]
            span = main.end_at - main.start_at
            left = Fraction(
                (main.end_at - at) // timedelta(seconds=1), max(int(span.total_seconds()), 1)
            )
            amount = whole_units(invoice.amount_due * min(left, Fraction(1)))
            self._credit(at, invoice, amount, with_refund=True)
        self._end(at)

    def do_delete_customer(self, at: datetime) -> None:
        """Deletes the customer: its subscriptions are never heard of again."""
        self.customer.deleted_at = at
        self.is_over = True

    def do_payment_fails(self, _at: datetime, outcome: str, days: int) -> None:
        """Lets the next invoice's payment fail, to be `recovered`, `canceled` or `unpaid`."""
        self.next_failure = {"outcome": outcome, "days": days}

    def do_settle(self, at: datetime) -> None:
        """Pays whatever is open, which makes an unpaid subscription active again."""
        self._recover(at)

    def do_fate(self, _at: datetime, of_next_invoice: str) -> None:
        """Decides the next invoice's fate: `void`, `uncollectible` or `open` (never paid)."""
        self.next_fate = of_next_invoice

    def do_refund(self, at: datetime, share: float, is_failing: bool = False) -> None:
        """Gives a share of the latest payment back; a failing refund returns three days later."""
        charge = self._latest_charge()
        if charge:
            amount = min(int(charge.amount * share), charge.amount - self._refunded(charge))
            if amount > 0:
                self._refund(at, charge, amount, is_failing)

    def do_dispute(self, at: datetime, outcome: str) -> None:
        """Has the card holder dispute the latest payment; `outcome` is `won` or `lost`."""
        charge = self._latest_charge()
        if charge and not charge.disputed_at:
            charge.disputed_at = at
            dispute = Dispute(
                f"{charge.key}/d", charge.key, charge.amount, at, at + timedelta(days=18), outcome
            )
            self.ledger.disputes[dispute.key] = dispute

    def do_credit_note(self, at: datetime, share: float) -> None:
        """Credits a share of the latest invoice, off what is open or back to who has paid it."""
        invoice = self.latest_invoice
        if invoice and invoice.finalized_at and not invoice.voided_at and invoice.amount_due > 0:
            self._credit(at, invoice, int(invoice.amount_due * share), with_refund=False)

    def do_one_off(self, at: datetime, code: str = "onboarding") -> None:
        """Bills something once, outside the subscription."""
        sold = price(code, self.contract.currency)
        amount = whole_units(sold.amount(1))
        line = Line(
            f"{self.key}/{code}/{epoch(at)}",
            sold.plan.name,
            sold,
            1,
            amount,
            at,
            at,
            None,
        )
        invoice = self._draft(at, [line], "manual")
        invoice.subscription_key = None
        invoice.days_until_due = 14
        self.books.at(at + _DRAFT_TIME, lambda moment: self._finalize(invoice, moment))

    # Invoices

    def _period_lines(self, moment: datetime) -> list[Line]:
        """A line for each licensed item over the running period, with its discounts and tax."""
        items = self._licensed()
        lines = period_lines(items, self._cuts(moment, items))
        return [taxed(line, self.contract) for line in lines]

    def _usage_lines(self, moment: datetime) -> list[Line]:
        """Metered items are billed for the period that has just ended."""
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
        """What the discounts take off each item: the customer's only if there is no other."""
        on_items = [self._live(item.discount_keys, moment) for item in items]
        on_all = self._live(self.discount_keys, moment)
        if not on_all and not any(on_items):
            on_all = self._live(self.books.customer_discounts[self.customer.key], moment)
        amounts = [whole_units(item.price.amount(item.quantity or 0)) for item in items]
        return cut(amounts, on_items, on_all)

    def _net_amounts(self, moment: datetime) -> dict[Item, int]:
        """What each item costs a period after discounts, to prorate from."""
        items = self._licensed()
        lines = period_lines(items, self._cuts(moment, items))
        return {item: line.discounted for item, line in zip(items, lines, strict=True)}

    def _swap(self, at: datetime, code: str, item: Item, proration: str) -> str:
        before = self._net_amounts(at)
        self.items[code] = item
        self._prorate(at, before, proration)
        return "updated"

    def _prorate(self, at: datetime, before: dict[Item, int], proration: str) -> None:
        """Credits the rest of the period at the old amounts and bills it at the new ones."""
        if proration == "none" or self.status not in {"active", "past_due"}:
            return
        lines = [taxed(line, self.contract) for line in prorated(at, before, self._net_amounts(at))]
        if proration == "now":
            self._invoice(at, lines, "subscription_update")
        else:
            self.pending += lines

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
        """The account's invoices so far; they were written last."""
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
            moment = at + _DRAFT_TIME
            self.books.at(moment, lambda when: self._dismiss(invoice, when, paused.behavior))
        elif reason == "subscription_cycle":
            self.books.at(at + _DRAFT_TIME, lambda moment: self._finalize(invoice, moment))
        else:
            self._finalize(invoice, at)

    def _dismiss(self, invoice: Invoice, at: datetime, behavior: str) -> None:
        invoice.finalized_at = at
        if behavior == "void":
            invoice.voided_at = at
        else:
            invoice.uncollectible_at = at

    def _finalize(self, invoice: Invoice, at: datetime) -> None:
        """Fixes the invoice, uses up the customer's credit and sets about collecting the rest."""
        if self.customer.deleted_at:
            return
        invoice.finalized_at = at
        customer = self.customer
        invoice.starting_balance = customer.balance
        invoice.ending_balance = min(customer.balance + invoice.total, 0)
        if invoice.ending_balance != invoice.starting_balance:
            customer.balances.append((at, invoice.ending_balance))
        fate, self.next_fate = self.next_fate, None
        if invoice.amount_due == 0:
            invoice.paid_at = at
        elif fate == "void":
            self.books.at(
                at + timedelta(days=2), lambda moment: self._dismiss_open(invoice, moment, fate)
            )
        elif fate == "uncollectible":
            self.books.at(
                at + timedelta(days=40), lambda moment: self._dismiss_open(invoice, moment, fate)
            )
        elif fate == "open":
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
            self._pay(invoice, at + timedelta(seconds=2))

    def _dismiss_open(self, invoice: Invoice, at: datetime, fate: str) -> None:
        if invoice.paid_at or invoice.voided_at or invoice.uncollectible_at:
            return
        if fate == "void":
            invoice.voided_at = at
        else:
            invoice.uncollectible_at = at

    def _pay(self, invoice: Invoice, at: datetime) -> None:
        if not (invoice.paid_at or invoice.voided_at) and at < self.books.end_at:
            self._attempt(invoice, at, is_successful=True)
            invoice.paid_at = at

    def _attempt(self, invoice: Invoice, at: datetime, *, is_successful: bool) -> None:
        if invoice.paid_at or invoice.voided_at or at >= self.books.end_at:
            return
        credited = sum(
            note.amount
            for note in self.ledger.credit_notes.values()
            if note.invoice_key == invoice.key and note.is_pre_payment
        )
        code = _FAILURE_CODES[int(self.books.rng.integers(len(_FAILURE_CODES)))]
        charge = Charge(
            key=f"{invoice.key}/ch/{len(invoice.attempts)}",
            customer_key=invoice.customer_key,
            invoice_key=invoice.key,
            currency=invoice.currency,
            amount=invoice.amount_due - credited,
            created_at=at,
            failure_code=None if is_successful else code,
            is_live=invoice.is_live,
        )
        self.ledger.charges[charge.key] = charge
        invoice.attempts.append(Attempt(at, charge.key, is_successful))

    # Failed payments

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

    # Money that goes back

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

    def _refund(
        self, at: datetime, charge: Charge, amount: int, is_failing: bool = False
    ) -> Refund:
        key = f"{charge.key}/re/{epoch(at)}"
        failed_at = at + timedelta(days=3) if is_failing else None
        if failed_at and failed_at >= self.books.end_at:
            failed_at = None
        refund = Refund(key, charge.key, amount, at, failed_at)
        self.ledger.refunds[key] = refund
        return refund

    def _credit(self, at: datetime, invoice: Invoice, amount: int, *, with_refund: bool) -> None:
        if amount <= 0:
            return
        refund_key = None
        if with_refund and invoice.attempts:
            charge = self.ledger.charges[invoice.attempts[-1].charge_key]
            amount = min(amount, charge.amount - self._refunded(charge))
            if amount <= 0:
                return
            refund_key = self._refund(at, charge, amount).key
        rate = invoice.tax_percent
        note = CreditNote(
            key=f"{invoice.key}/cn/{epoch(at)}",
            invoice_key=invoice.key,
            line_key=invoice.lines[-1].key,
            amount=amount,
            tax=whole_units(Fraction(amount * rate, 100 + rate)),
            created_at=at,
            is_pre_payment=invoice.paid_at is None,
            refund_key=refund_key,
        )
        self.ledger.credit_notes[note.key] = note
        if invoice.paid_at and not refund_key:
            self.customer.balances.append((at, self.customer.balance - amount))
