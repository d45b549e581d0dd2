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
    known = isinstance(of_price, dict)
    return {
        "item": f"si_{item_id}",
        "price": of_price["id"] if isinstance(of_price, dict) else of_price,
        "product": of_price["product"] if known else "prod_x",
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
            "amount_due": total,
            "amount_paid": total,
            "amount_remaining": 0,
            "starting_balance": total,
            "ending_balance": 0,
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
