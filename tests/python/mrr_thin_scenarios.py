"""Exports that lack what Stripe returns only when asked to, with the MRR that their invoices prove.

Imported for its effect: each function adds a scenario to those of `mrr_scenarios`.
"""

from itertools import pairwise
from typing import Any

from mrr_scenarios import Record, Scenario, at, item, price, scenario

FIRST_DAYS = [f"2026-{month:02}-01" for month in range(1, 8)]


def line(
    item_id: str,
    of_price: Record | str,
    amount: int,
    quantity: int = 1,
    *,
    discounts: dict[str, int] | None = None,
    tax: int | None = None,
    is_proration: bool = False,
    period: tuple[str, str] | None = None,
) -> Record:
    """What a line bills; `invoice` gives it the shape of an API version.

    Arguments:
        amount: before discounts, with the inclusive `tax`, in minor units.
        discounts: what each discount takes off, in minor units.
        period: its days, the invoice's by default.
    """
    return {
        "item": f"si_{item_id}",
        "price": of_price["id"] if isinstance(of_price, dict) else of_price,
        "product": of_price["product"] if isinstance(of_price, dict) else "prod_x",
        "amount": amount,
        "quantity": quantity,
        "discounts": discounts or {},
        "tax": tax,
        "is_proration": is_proration,
        "period": period,
    }


def shaped(of: Record, record_id: str, subscription: str, currency: str, is_old: bool) -> Record:
    """A line as API version 2022-11-15 or as one since basil sends it."""
    start, end = of["period"]
    shared = {
        "id": record_id,
        "object": "line_item",
        "amount": of["amount"],
        "currency": currency,
        "quantity": of["quantity"],
        "discount_amounts": [
            {"amount": amount, "discount": discount} for discount, amount in of["discounts"].items()
        ],
        "livemode": True,
        "period": {"start": at(start), "end": at(end)},
    }
    taxes = [] if of["tax"] is None else [{"amount": of["tax"]}]
    if is_old:
        return {
            **shared,
            "type": "invoiceitem" if of["is_proration"] else "subscription",
            "proration": of["is_proration"],
            "subscription": subscription,
            "subscription_item": of["item"],
            "price": {"id": of["price"], "object": "price", "product": of["product"]},
            "tax_amounts": [{**tax, "inclusive": True} for tax in taxes],
        }
    return {
        **shared,
        "parent": {
            "type": "subscription_item_details",
            "subscription_item_details": {
                "proration": of["is_proration"],
                "subscription": subscription,
                "subscription_item": of["item"],
            },
        },
        "pricing": {"price_details": {"price": of["price"], "product": of["product"]}},
        "taxes": [{**tax, "tax_behavior": "inclusive"} for tax in taxes],
    }


def invoice(
    s: Scenario,
    start: str,
    end: str,
    *lines: Record,
    name: str = "",
    currency: str = "usd",
    is_old: bool = False,
    **fields: Any,
) -> None:
    """A paid invoice of the days from `start` to `end`."""
    subscription = f"sub_{s.name}{name}"
    number = sum(r["object"] == "invoice" for rows in s.objects.values() for r in rows)
    invoice_id = f"in_{s.name}_{number}"
    total = sum(of["amount"] - sum(of["discounts"].values()) for of in lines)
    of_subscription: Record = (
        {"subscription": subscription}
        if is_old
        else {"parent": {"subscription_details": {"subscription": subscription}}}
    )
    s.add(
        {
            "id": invoice_id,
            "object": "invoice",
            "customer": s.customer_id,
            "currency": currency,
            "livemode": True,
            "created": at(start),
            "status": "paid",
            "subtotal": sum(of["amount"] for of in lines),
            "total": total,
            # A negative total becomes a credit balance of the customer.
            "amount_due": max(total, 0),
            "amount_paid": max(total, 0),
            "amount_remaining": 0,
            "starting_balance": 0,
            "ending_balance": min(total, 0),
            "total_discount_amounts": [
                {"amount": amount, "discount": discount}
                for of in lines
                for discount, amount in of["discounts"].items()
            ],
            ("tax" if is_old else "total_taxes"): (
                sum(of["tax"] or 0 for of in lines)
                if is_old
                else [{"amount": of["tax"]} for of in lines if of["tax"]]
            ),
            "status_transitions": {"finalized_at": at(start), "paid_at": at(start)},
            "lines": {
                "object": "list",
                "has_more": False,
                "data": [
                    shaped(
                        {**of, "period": of["period"] or (start, end)},
                        f"il_{s.name}_{number}_{place}",
                        subscription,
                        currency,
                        is_old,
                    )
                    for place, of in enumerate(lines)
                ],
            },
            **of_subscription,
            **fields,
        },
        batch="2026-06-30",
    )


def monthly_invoices(s: Scenario, *lines: Record, **fields: Any) -> None:
    """The same lines on the first day of January to June."""
    for start, end in pairwise(FIRST_DAYS):
        invoice(s, start, end, *lines, **fields)


def export(s: Scenario, *records: Record) -> None:
    """Objects of the last batch, which is the first to have any of the customer."""
    s.add(*records, batch="2026-06-30")


@scenario
def currency_option_not_expanded(s: Scenario) -> None:
    """100.00 USD sold at 90.00 EUR by an option that the price does not show: lines bill 90.00."""
    of = price("optless", 10000)
    sub = s.subscription(item("opt", of), created="2026-01-01", currency="eur")
    monthly_invoices(s, line("opt", of, 9000), currency="eur")
    export(s, sub)
    s.expect(90, 90, 90, 90, 90, 90)
    s.rests_on(*["invoice"] * 6)


@scenario
def currency_option_not_expanded_in_old_version(s: Scenario) -> None:
    """The same in API version 2022-11-15. 3 seats were never billed, so 3 x 90.00 a seat = 270."""
    of = price("optlessold", 10000)
    sub = s.subscription(item("opto", of, 3), created="2026-01-01", currency="eur")
    monthly_invoices(s, line("opto", of, 18000, 2), currency="eur", is_old=True)
    s.event("customer.subscription.created", "2026-01-01", sub)
    export(s, sub)
    s.expect(270, 270, 270, 270, 270, 270)
    s.rests_on(*["invoice"] * 6)


@scenario
def currency_option_that_nothing_shows(s: Scenario) -> None:
    """No option and no invoice: the price in euros is unknown and excluded."""
    sub = s.subscription(item("unk", price("optunk", 10000)), created="2026-01-01", currency="eur")
    export(s, sub)
    s.expect(0, 0, 0, 0, 0, 0)
    s.reasons = ("price_missing",)


@scenario
def coupon_products_not_expanded(s: Scenario) -> None:
    """50 % on the add-on alone; the coupon hides its products: 100.00 + 50.00 - 25.00 = 125."""
    core, addon = price("scorea", 10000), price("saddon", 5000)
    coupon = s.coupon("addon", percent_off=50)
    discount = s.discount("addon", coupon, "2026-01-01", subscription=f"sub_{s.name}")
    sub = s.subscription(
        item("score", core), item("sadd", addon), created="2026-01-01", discounts=[discount]
    )
    monthly_invoices(
        s, line("score", core, 10000), line("sadd", addon, 5000, discounts={discount["id"]: 2500})
    )
    export(s, coupon, sub)
    s.expect(125, 125, 125, 125, 125, 125)


@scenario
def discounts_as_bare_ids(s: Scenario) -> None:
    """Only the discount's id is exported. Every line has a quarter off 100.00: 75."""
    of = price("bared", 10000)
    sub = s.subscription(item("bared", of), created="2026-01-01", discounts=["di_bare"])
    monthly_invoices(s, line("bared", of, 10000, discounts={"di_bare": 2500}))
    s.event("customer.subscription.created", "2026-01-01", sub)
    export(s, sub)
    s.expect(75, 75, 75, 75, 75, 75)
    s.rests_on(*["invoice"] * 6)


@scenario
def bare_discount_that_ends(s: Scenario) -> None:
    """The lines of January to March have 20.00 off 100.00, the others nothing: 80, then 100."""
    of = price("bareend", 10000)
    sub = s.subscription(item("bareend", of), created="2026-01-01")
    for start, end in pairwise(FIRST_DAYS):
        discounts = {"di_ends": 2000} if start < "2026-04-01" else None
        invoice(s, start, end, line("bareend", of, 10000, discounts=discounts))
    export(s, sub)
    s.expect(80, 80, 80, 100, 100, 100)


@scenario
def bare_discount_on_one_invoice(s: Scenario) -> None:
    """One of six lines has 20.00 off, as a `once` discount has: 100 throughout."""
    of = price("bareonce", 10000)
    sub = s.subscription(item("bareonce", of), created="2026-01-01")
    for start, end in pairwise(FIRST_DAYS):
        discounts = {"di_onceonly": 2000} if start < "2026-02-01" else None
        invoice(s, start, end, line("bareonce", of, 10000, discounts=discounts))
    export(s, sub)
    s.expect(100, 100, 100, 100, 100, 100)


@scenario
def tiers_not_expanded(s: Scenario) -> None:
    """12 seats of a graduated price without its tiers: 5 for 50.00 and 7 for 42.00 = 92."""
    of = price("tierless", None, billing_scheme="tiered", tiers_mode="graduated")
    sub = s.subscription(item("tierless", of, 12), created="2026-01-01")
    monthly_invoices(s, line("tierless", of, 5000, 5), line("tierless", of, 4200, 7))
    export(s, sub)
    s.expect(92, 92, 92, 92, 92, 92)
    s.rests_on(*["invoice"] * 6)


@scenario
def tax_inside_the_price_by_stripe_tax(s: Scenario) -> None:
    """120.00 with 20.00 of tax on every line and no tax rate anywhere: 100."""
    of = price("taxin", 12000, tax_behavior="inclusive")
    sub = s.subscription(item("taxin", of), created="2026-01-01")
    monthly_invoices(s, line("taxin", of, 12000, tax=2000))
    s.event("customer.subscription.created", "2026-01-01", sub)
    export(s, sub)
    s.expect(100, 100, 100, 100, 100, 100)
    s.rests_on(*["invoice"] * 6)


@scenario
def tax_inside_the_price_in_old_version(s: Scenario) -> None:
    """119.00 less 10 %, with 17.10 of tax in the 107.10: 100.00 list, 90 after the discount."""
    of = price("taxold", 11900)
    coupon = s.coupon("taxold", percent_off=10)
    discount = s.discount("taxold", coupon, "2026-01-01", subscription=f"sub_{s.name}")
    sub = s.subscription(item("taxold", of), created="2026-01-01", discounts=[discount])
    monthly_invoices(
        s, line("taxold", of, 11900, tax=1710, discounts={discount["id"]: 1190}), is_old=True
    )
    export(s, coupon, sub)
    s.expect(90, 90, 90, 90, 90, 90)


@scenario
def price_as_a_bare_id(s: Scenario) -> None:
    """The item names its price by id; the price itself is exported: 3 x 20.00 = 60."""
    bare: Record = {"id": "si_barep", "object": "subscription_item", "quantity": 3}
    sub = s.subscription({**bare, "price": "price_barep"}, created="2026-01-01")
    s.event("customer.subscription.created", "2026-01-01", sub)
    export(s, price("barep", 2000), sub)
    s.expect(60, 60, 60, 60, 60, 60)
    s.rests_on(*["event"] * 6)


@scenario
def price_that_only_invoices_show(s: Scenario) -> None:
    """Two bare ids without a price: 60.00 a month for 3, and 1200.00 for a year / 12: 160."""
    items = [
        {"id": "si_onlym", "object": "subscription_item", "quantity": 3, "price": "price_onlym"},
        {"id": "si_onlyy", "object": "subscription_item", "quantity": 1, "price": "price_onlyy"},
    ]
    sub = s.subscription(*items, created="2026-01-01")
    invoice(s, "2026-01-01", "2027-01-01", line("onlyy", "price_onlyy", 120000))
    monthly_invoices(s, line("onlym", "price_onlym", 6000, 3))
    export(s, sub)
    s.expect(160, 160, 160, 160, 160, 160)
    s.rests_on(*["invoice"] * 6)


def seats(s: Scenario, item_id: str, of: Record, *quantities: int, **fields: Any) -> None:
    """An invoice on the first of each month for so many seats; none for 0."""
    unit_amount = of["unit_amount"]
    for (start, end), quantity in zip(pairwise(FIRST_DAYS), quantities, strict=False):
        if quantity:
            invoice(s, start, end, line(item_id, of, unit_amount * quantity, quantity), **fields)


@scenario
def history_only_in_invoices(s: Scenario) -> None:
    """5 seats at 10.00 until March, 10 from April on; the object of June shows 10."""
    of = price("histonly", 1000)
    seats(s, "histonly", of, 5, 5, 5, 10, 10, 10)
    export(s, s.subscription(item("histonly", of, 10), created="2026-01-01"))
    s.expect(50, 50, 50, 100, 100, 100)
    s.rests_on(*["invoice"] * 5, "extract")


@scenario
def archive_of_thirty_days(s: Scenario) -> None:
    """5 seats, 10 from March on, 12 by an event of 5 June, which is the first in the archive."""
    of = price("thirty", 1000)
    sub = s.subscription(item("thirty", of, 12), created="2026-01-01")
    seats(s, "thirty", of, 5, 5, 10, 10, 10, 10)
    before = {"items": {"object": "list", "data": [item("thirty", of, 10)], "has_more": False}}
    s.event("customer.subscription.updated", "2026-06-05", sub, before)
    export(s, sub)
    s.expect(50, 50, 100, 100, 100, 120)
    s.rests_on(*["invoice"] * 5, "event")


def changed_in_march(s: Scenario, name: str, *, is_old: bool = False) -> Record:
    """5 seats at 10.00; on 10 March 8, billed as a credit and a debit with the invoice of April."""
    of = price(name, 1000)
    seats(s, name, of, 5, 5, 5, is_old=is_old)
    rest = ("2026-03-10", "2026-04-01")
    invoice(
        s,
        "2026-04-01",
        "2026-05-01",
        line(name, of, -3548, 5, is_proration=True, period=rest),
        line(name, of, 5677, 8, is_proration=True, period=rest),
        line(name, of, 8000, 8),
        is_old=is_old,
    )
    seats(s, name, of, 0, 0, 0, 0, 8, 8, is_old=is_old)
    return of


@scenario
def seats_changed_by_proration(s: Scenario) -> None:
    """The debit of 8 seats begins on 10 March, so March ends with 80."""
    of = changed_in_march(s, "prorated")
    export(s, s.subscription(item("prorated", of, 8), created="2026-01-01"))
    s.expect(50, 50, 80, 80, 80, 80)


@scenario
def seats_changed_by_proration_in_old_version(s: Scenario) -> None:
    """The same in API version 2022-11-15, where a proration is an invoice item."""
    of = changed_in_march(s, "proratedold", is_old=True)
    export(s, s.subscription(item("proratedold", of, 8), created="2026-01-01"))
    s.expect(50, 50, 80, 80, 80, 80)


@scenario
def canceled_before_the_export(s: Scenario) -> None:
    """No object, only invoices of January to March for 5 seats: nothing from 1 April on."""
    seats(s, "before", price("before", 1000), 5, 5, 5)
    export(s, price("before", 1000))
    s.expect(50, 50, 50, 0, 0, 0)
    s.rests_on_months("invoice", 3)


@scenario
def canceled_at_once_before_the_export(s: Scenario) -> None:
    """A year from January paid in euros; on 10 March a credit for the rest ends it: 100 to 0."""
    of = price("atonce", 120000, interval="year", currency="eur")
    invoice(s, "2026-01-01", "2027-01-01", line("atonce", of, 120000), currency="eur")
    rest = ("2026-03-10", "2027-01-01")
    credit = line("atonce", of, -97644, is_proration=True, period=rest)
    invoice(s, "2026-03-10", "2026-03-11", credit, currency="eur")
    export(s, of)
    s.expect(100, 100, 0, 0, 0, 0)


@scenario
def only_a_canceled_object(s: Scenario) -> None:
    """Ended on 15 April with 10 seats; the invoices show 5 until February."""
    of = price("cancobj", 1000)
    seats(s, "cancobj", of, 5, 5, 10, 10)
    sub = s.subscription(
        item("cancobj", of, 10),
        created="2026-01-01",
        status="canceled",
        ended_at=at("2026-04-15"),
    )
    export(s, sub)
    s.expect(50, 50, 100, 0, 0, 0)


@scenario
def yearly_line_with_an_upgrade(s: Scenario) -> None:
    """2 seats at 120.00 a year are 20 a month; from 10 April 4 seats, by proration: 40."""
    of = price("yearline", 12000, interval="year")
    invoice(s, "2026-01-01", "2027-01-01", line("yearline", of, 24000, 2))
    rest = ("2026-04-10", "2027-01-01")
    invoice(
        s,
        "2026-04-10",
        "2026-04-11",
        line("yearline", of, -17490, 2, is_proration=True, period=rest),
        line("yearline", of, 34981, 4, is_proration=True, period=rest),
    )
    export(s, s.subscription(item("yearline", of, 4), created="2026-01-01"))
    s.expect(20, 20, 20, 40, 40, 40)


@scenario
def trial_that_only_a_line_shows(s: Scenario) -> None:
    """January's line bills 0 for a price of 100.00, a trial; gone before the export in April."""
    of = price("trialline", 10000)
    invoice(s, "2026-01-01", "2026-02-01", line("trialline", of, 0))
    seats(s, "trialline", of, 0, 1, 1)
    export(s, of)
    s.expect(0, 100, 100, 0, 0, 0)
    s.reasons = ("trialing",)


@scenario
def pause_that_only_invoices_show(s: Scenario) -> None:
    """March's invoice is void, as while collection is paused: no MRR in March."""
    of = price("pausedline", 10000)
    seats(s, "pausedline", of, 1, 1)
    invoice(s, "2026-03-01", "2026-04-01", line("pausedline", of, 10000), status="void")
    seats(s, "pausedline", of, 0, 0, 0, 1, 1, 1)
    export(s, s.subscription(item("pausedline", of), created="2026-01-01"))
    s.expect(100, 100, 0, 100, 100, 100)
    s.reasons = ("paused",)


@scenario
def paused_today(s: Scenario) -> None:
    """The object of June is paused. The invoices of January to April were paid, May's is void."""
    of = price("pausednow", 10000)
    seats(s, "pausednow", of, 1, 1, 1, 1)
    invoice(s, "2026-05-01", "2026-06-01", line("pausednow", of, 10000), status="void")
    sub = s.subscription(
        item("pausednow", of), created="2026-01-01", pause_collection={"behavior": "void"}
    )
    export(s, sub)
    s.expect(100, 100, 100, 100, 0, 0)


@scenario
def add_on_bought_and_plan_changed(s: Scenario) -> None:
    """100.00, in February with a 50.00 add-on, in April at the 200.00 price without it."""
    old, new, addon = price("plana", 10000), price("planb", 20000), price("planadd", 5000)
    for start, end in pairwise(FIRST_DAYS):
        lines = [line("plan", old if start < "2026-04-01" else new, 10000)]
        if start >= "2026-04-01":
            lines = [line("plan", new, 20000)]
        elif start >= "2026-02-01":
            lines.append(line("planadd", addon, 5000))
        invoice(s, start, end, *lines)
    export(s, old, addon, s.subscription(item("plan", new), created="2026-01-01"))
    s.expect(100, 150, 150, 200, 200, 200)


@scenario
def months_without_an_invoice(s: Scenario) -> None:
    """The invoices of March and April are not in the export: 5 seats are assumed, and say so."""
    of = price("holes", 1000)
    seats(s, "holes", of, 5, 5, 0, 0, 8, 8)
    export(s, s.subscription(item("holes", of, 8), created="2026-01-01"))
    s.expect(50, 50, 50, 50, 80, 80)
    s.rests_on("invoice", "invoice", "projected", "projected", "invoice", "extract")


@scenario
def no_invoice_at_all(s: Scenario) -> None:
    """The object's own dates give the start, and everything before the export is projected."""
    export(s, s.subscription(item("noinv", price("noinv", 1000), 5), created="2026-01-01"))
    s.expect(50, 50, 50, 50, 50, 50)
    s.rests_on(*["projected"] * 5, "extract")


@scenario
def complete_archive_beside_invoices(s: Scenario) -> None:
    """Events from the creation on. An invoice that bills 9 seats, in error, changes nothing."""
    of = price("complete", 1000)
    seats(s, "complete", of, 5, 9, 5, 5, 5, 5)
    sub = s.subscription(item("complete", of, 5), created="2026-01-01")
    s.event("customer.subscription.created", "2026-01-01", sub)
    export(s, sub)
    s.expect(50, 50, 50, 50, 50, 50)
    s.rests_on(*["event"] * 6)


@scenario
def phases_of_a_schedule(s: Scenario) -> None:
    """5 seats at 10.00; 8 from 1 August without a discount, and the end on 1 October."""
    of = price("phased", 1000)
    sub = s.subscription(item("phased", of, 5), created="2026-01-01", schedule="sub_sched_1")
    s.event("customer.subscription.created", "2026-01-01", sub)

    def phase(start: str, end: str, quantity: int) -> Record:
        return {
            "start_date": at(start),
            "end_date": at(end),
            "currency": "usd",
            "discounts": [],
            "items": [{"price": of["id"], "quantity": quantity, "discounts": []}],
        }

    schedule = {
        "id": "sub_sched_1",
        "object": "subscription_schedule",
        "customer": s.customer_id,
        "subscription": sub["id"],
        "status": "active",
        "end_behavior": "cancel",
        "livemode": True,
        "created": at("2026-01-01"),
        "phases": [phase("2026-01-01", "2026-08-01", 5), phase("2026-08-01", "2026-10-01", 8)],
    }
    export(s, of, sub, schedule)
    s.expect(50, 50, 50, 50, 50, 50)
