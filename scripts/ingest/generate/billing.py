"""Acts out the accounts' contracts as Stripe would: states, invoices, payments and their failures.

Accounts are billed one after another, each in the order of time, and nothing happens at or after
the company's end. The rules are Stripe's published behaviour: an invoice is a draft for its first
hour, a failed payment makes a subscription past due, a subscription whose first payment fails
expires after 23 hours, a credit stays on the customer's balance until the next invoice.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from fractions import Fraction

import numpy as np

from ingest.generate.billing_account import AccountBooks, Mishaps
from ingest.generate.billing_invoices import DRAFT_TIME, InvoiceBiller
from ingest.generate.contracts import Contract, Step, add_interval, epoch
from ingest.generate.invoicing import as_trial, period_lines, prorated, taxed, whole_units
from ingest.generate.ledger import (
    COUPONS,
    Discount,
    Dispute,
    Item,
    Ledger,
    Line,
    Pause,
    Subscription,
)
from ingest.generate.plans import price
from ingest.generate.records import Company

# Carries out a step; returns the kind of webhook that reports it, if there is one.
_Action = Callable[..., str | None]


def bill(company: Company, *, can_stack: bool = True, failure_rate: float = 0) -> Ledger:
    """Carries out every contract of the company.

    Args:
        company: The simulation.
        can_stack: Whether a subscription may have several discounts and its items their own.
            Discounts that the API version cannot represent are not given.
        failure_rate: Share of renewals whose first payment fails by chance and is then recovered.
    """
    ledger = Ledger()
    for account in company.accounts:
        contracts = company.contracts.get(account.key, ())
        if contracts:
            rng = np.random.default_rng([company.seed, 1, account.key])
            chance = np.random.default_rng([company.seed, 5, account.key])
            mishaps = Mishaps(chance, failure_rate)
            books = AccountBooks(
                ledger, account, rng, company.end_at, can_stack=can_stack, mishaps=mishaps
            )
            for contract in contracts:
                books.at(contract.created_at, _SubscriptionBiller(books, contract).open)
            books.run()
    return ledger


class _SubscriptionBiller(InvoiceBiller):
    """One contract, from its creation through its periods and steps to its end."""

    def __init__(self, books: AccountBooks, contract: Contract) -> None:
        super().__init__(books, contract)
        self._actions: dict[str, _Action] = {
            "set_quantity": self._set_quantity,
            "change_plan": self._change_plan,
            "raise_price": self._raise_price,
            "add_item": self._add_item,
            "remove_item": self._remove_item,
            "pause": self._pause,
            "unpause": self._unpause,
            "resume": self._resume,
            "discount": self._discount,
            "undiscount": self._undiscount,
            "switch_discount": self._switch_discount,
            "cancel_at_period_end": self._cancel_at_period_end,
            "keep": self._keep,
            "cancel": self._cancel,
            "delete_customer": self._delete_customer,
            "payment_fails": self._payment_fails,
            "settle": self._settle,
            "overpay": self._overpay,
            "end_next_invoice": self._end_next_invoice,
            "refund": self._refund,
            "dispute": self._dispute,
            "credit_note": self._credit_note,
            "void_credit_note": self._void_credit_note,
            "one_off": self._one_off,
        }

    def open(self, moment: datetime) -> None:
        """Creates the subscription with its first items and bills the first period."""
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
        changed = self._actions[step.verb](step.at, **step.terms)
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
        self._drop_expired(moment)
        self.period_number += 1
        period = (self.contract.period_start(self.period_number), self._next_period_start())
        for code, item in self.items.items():
            self.items[code] = replace(item, period_start_at=period[0], period_end_at=period[1])
        lines = [*self.pending, *usage, *self._period_lines(moment)]
        self.pending = []
        self._invoice(moment, lines, "subscription_cycle")
        self._save(moment, "updated")
        self.books.at(period[1], self._renew)

    def _drop_expired(self, moment: datetime) -> None:
        """Drops used-up `once` discounts, expired ones and a pause that is over, as Stripe does."""
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

    def _set_quantity(
        self, at: datetime, seats: int, code: str | None = None, proration: str = "pending"
    ) -> str | None:
        """Changes a quantity; `proration` is `pending`, `now` (its own invoice) or `none`."""
        code = code or self.contract.plan
        if code not in self.items or self.items[code].quantity == seats:
            return None
        return self._swap(at, code, replace(self.items[code], quantity=seats), proration)

    def _change_plan(self, at: datetime, plan: str, proration: str = "now") -> str | None:
        """Changes the price of the main item to another plan's."""
        code = self.contract.plan
        new_price = self.contract.price_of(plan)
        if self.items[code].price == new_price:
            return None
        return self._swap(at, code, replace(self.items[code], price=new_price), proration)

    def _raise_price(self, at: datetime, version: int) -> str:
        """Moves the main item to a later version of its price, without proration."""
        code = self.contract.plan
        plan = self.items[code].price.plan.code
        new_price = self.contract.price_of(plan, version)
        return self._swap(at, code, replace(self.items[code], price=new_price), "none")

    def _add_item(
        self, at: datetime, code: str, quantity: int, proration: str = "pending"
    ) -> str | None:
        """Adds an add-on to the current period."""
        if code in self.items:
            return None
        main = next(iter(self.items.values()))
        before = self._net_amounts(at)
        self._put_item(code, quantity, at, (main.period_start_at, main.period_end_at))
        self._prorate(at, before, proration)
        return "updated"

    def _remove_item(self, at: datetime, code: str, proration: str = "pending") -> str | None:
        """Removes an add-on from the current period."""
        if code not in self.items:
            return None
        before = self._net_amounts(at)
        del self.items[code]
        self._prorate(at, before, proration)
        return "updated"

    def _pause(
        self, _at: datetime, behavior: str, resumes_at: datetime | None, is_silent: bool = False
    ) -> str:
        """Pauses collection; a silent pause passes its end without a webhook."""
        self.pause = Pause(behavior, resumes_at)
        if resumes_at and not is_silent:
            self.books.at(resumes_at, lambda moment: self._take(Step(moment, "unpause")))
        return "updated"

    def _unpause(self, _at: datetime) -> str | None:
        """Resumes collection."""
        if not self.pause:
            return None
        self.pause = None
        return "updated"

    def _resume(self, at: datetime) -> str | None:
        """Starts a subscription that was paused when its trial ended."""
        if self.status != "paused":
            return None
        self.status = "active"
        # Periods count from the end of the trial, so the first invoice covers the rest of one.
        while self._next_period_start() <= at:
            self.period_number += 1
        period = (self.contract.period_start(self.period_number), self._next_period_start())
        for code, item in self.items.items():
            self.items[code] = replace(item, period_start_at=period[0], period_end_at=period[1])
        self._invoice(at, self._period_lines(at), "subscription_update")
        self.books.at(period[1], self._renew)
        return "resumed"

    def _discount(self, at: datetime, coupon: str, target: str = "subscription") -> str | None:
        """Applies a coupon to the `subscription`, the `customer` or the item of a plan's code."""
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

    def _undiscount(self, at: datetime, coupon: str) -> str | None:
        """Removes a coupon before it ends."""
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

    def _switch_discount(self, at: datetime, old: str, new: str) -> str | None:
        """Replaces a coupon of the subscription by another."""
        for discount in self._live(self.discount_keys, at):
            if discount.coupon.code == old:
                discount.removed_at = at
                self._drop(discount.key)
                self._discount(at, new)
                self.ledger.discounts[self.discount_keys[-1]].replaces_key = discount.key
                return "updated"
        return None

    def _drop(self, discount_key: str) -> None:
        self.discount_keys = tuple(key for key in self.discount_keys if key != discount_key)
        for code, item in self.items.items():
            left = tuple(key for key in item.discount_keys if key != discount_key)
            self.items[code] = replace(item, discount_keys=left)

    def _cancel_at_period_end(self, at: datetime) -> str:
        """Schedules the cancellation for the end of the current period."""
        self.is_cancel_scheduled = True
        self.canceled_at = at
        self.cancel_reason = "cancellation_requested"
        return "updated"

    def _keep(self, _at: datetime) -> str:
        """Revokes a scheduled cancellation."""
        self.is_cancel_scheduled = False
        self.canceled_at = None
        self.cancel_reason = None
        return "updated"

    def _cancel(self, at: datetime, is_credited: bool = False) -> None:
        """Ends it at once; a credited customer is refunded for the rest of the period."""
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

    def _delete_customer(self, at: datetime) -> None:
        """Deletes the customer; no later event of its subscriptions is sent."""
        self.customer.deleted_at = at
        self.is_over = True

    def _payment_fails(self, _at: datetime, outcome: str, days: int) -> None:
        """Makes the next invoice's payment fail, then be `recovered`, `canceled` or `unpaid`."""
        self.next_failure = {"outcome": outcome, "days": days}

    def _settle(self, at: datetime) -> None:
        """Pays all open invoices, which makes an unpaid subscription active again."""
        self._recover(at)

    def _overpay(self, _at: datetime) -> None:
        """Makes the customer transfer a tenth too much for the next invoice."""
        self.is_overpaying = True

    def _end_next_invoice(self, _at: datetime, outcome: str) -> None:
        """Decides how the next invoice ends: `void`, `uncollectible` or `open` (never paid)."""
        self.next_outcome = outcome

    def _refund(self, at: datetime, share: float, is_failing: bool = False) -> None:
        """Refunds a share of the latest payment; a failing refund is returned after three days."""
        charge = self._latest_charge()
        if charge:
            amount = min(int(charge.amount * share), charge.amount - self._refunded(charge))
            if amount > 0:
                self._give_back(at, charge, amount, is_failing)

    def _dispute(self, at: datetime, outcome: str) -> None:
        """Opens a dispute of the latest payment; `outcome` is `won` or `lost`."""
        charge = self._latest_charge()
        if charge and not charge.disputed_at:
            charge.disputed_at = at
            dispute = Dispute(
                f"{charge.key}/d", charge.key, charge.amount, at, at + timedelta(days=18), outcome
            )
            self.ledger.disputes[dispute.key] = dispute

    def _credit_note(self, at: datetime, share: float, effective_days: int = 0) -> None:
        """Credits a share of the latest invoice: to the open amount, or to the balance."""
        invoice = self.latest_invoice
        if invoice and invoice.finalized_at and not invoice.voided_at and invoice.amount_due > 0:
            amount = int(invoice.amount_due * share)
            later = timedelta(days=effective_days)
            self._credit(at, invoice, amount, with_refund=False, effective_at=at + later)

    def _void_credit_note(self, at: datetime) -> None:
        """Voids the credit notes of the latest invoice, which Stripe allows while it is open."""
        invoice = self.latest_invoice
        for note in self.ledger.credit_notes.values():
            if invoice and note.invoice_key == invoice.key and not invoice.paid_at:
                note.voided_at = at

    def _one_off(self, at: datetime, code: str = "onboarding") -> None:
        """Bills a one-off product outside the subscription."""
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
        self.books.at(at + DRAFT_TIME, lambda moment: self._finalize(invoice, moment))

    def _net_amounts(self, moment: datetime) -> dict[Item, int]:
        """The price of each item per period after discounts, for proration."""
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
