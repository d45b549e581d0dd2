"""Exports that lack what Stripe usually sends: dates, intervals, currencies, items of a list.

Imported for its effect: each function adds a scenario to those of `mrr_scenarios`.
"""

from itertools import pairwise

from mrr_scenarios import Record, Scenario, at, item, price, scenario
from mrr_thin_scenarios import FIRST_DAYS, export, invoice, line, monthly_invoices, seats


def without(record: Record, *names: str) -> Record:
    """A record that lacks some of its fields."""
    return {name: value for name, value in record.items() if name not in names}


def of_no_item(one: Record) -> Record:
    """A line that does not name its item, as a proration may before basil."""
    return {**one, "item": None}


@scenario
def subscription_without_its_currency(s: Scenario) -> None:
    """100.00 USD sold at 90.00 EUR. Only the invoices say that it is euros."""
    of = price("nocur", 10000)
    monthly_invoices(s, line("nocur", of, 9000), currency="eur")
    export(s, without(s.subscription(item("nocur", of), created="2026-01-01"), "currency"))
    s.expect(90, 90, 90, 90, 90, 90)


@scenario
def subscription_without_its_items(s: Scenario) -> None:
    """The items are exported on their own: 5 x 10.00 = 50."""
    sub = without(s.subscription(created="2026-01-01"), "items")
    export(s, sub, {**item("noitems", price("noitems", 1000), 5), "subscription": sub["id"]})
    s.expect(50, 50, 50, 50, 50, 50)


@scenario
def subscription_without_any_items(s: Scenario) -> None:
    """Nothing lists the items. The invoices bill 5 seats at 10.00, which nothing shows as gone."""
    seats(s, "nolist", price("nolist", 1000), 5, 5, 5, 5, 5, 5)
    sub = without(s.subscription(created="2026-01-01"), "items")
    export(s, price("nolist", 1000), sub)
    s.expect(50, 50, 50, 50, 50, 50)


@scenario
def price_without_its_interval(s: Scenario) -> None:
    """10.00 for an unknown time is excluded; where invoices bill months, it is 10.00 a month."""
    unknown, billed = (
        without(price(name, 1000), "recurring") for name in ("nointerval", "nointervalb")
    )
    monthly_invoices(s, line("nointervalb", billed, 1000))
    items = item("nointerval", unknown), item("nointervalb", billed)
    export(s, s.subscription(*items, created="2026-01-01"))
    s.expect(10, 10, 10, 10, 10, 10)
    s.reasons = ("price_missing",)


@scenario
def lines_without_their_price(s: Scenario) -> None:
    """The lines show 5 and then 8 seats but no price; the object of June has one of 10.00."""
    of = price("nopriceline", 1000)
    for start, end in pairwise(FIRST_DAYS):
        quantity = 5 if start < "2026-04-01" else 8
        billed = line("nopriceline", of, 1000 * quantity, quantity) | {"price": None}
        invoice(s, start, end, billed)
    export(s, s.subscription(item("nopriceline", of, 8), created="2026-01-01"))
    s.expect(50, 50, 50, 80, 80, 80)


@scenario
def coupon_without_its_currency_option(s: Scenario) -> None:
    """10.00 USD off a price of 90.00 EUR. Every line has 9.00 EUR off: 81."""
    of = price("nooption", 9000, currency="eur")
    coupon = s.coupon("nooption", amount_off=1000, currency="usd")
    discount = s.discount("nooption", coupon, "2026-01-01", subscription=f"sub_{s.name}")
    sub = s.subscription(
        item("nooption", of), created="2026-01-01", currency="eur", discounts=[discount]
    )
    monthly_invoices(s, line("nooption", of, 9000, discounts={discount["id"]: 900}), currency="eur")
    s.event("customer.subscription.created", "2026-01-01", sub)
    export(s, coupon, sub)
    s.expect(81, 81, 81, 81, 81, 81)
    s.rests_on(*["invoice"] * 6)


@scenario
def two_bare_discounts_of_which_one_ends(s: Scenario) -> None:
    """A quarter off and 10 % of the rest, by ids: 67.50. From April on the 10 % alone: 90."""
    of = price("barepair", 10000)
    for start, end in pairwise(FIRST_DAYS):
        both = {"di_pairends": 2500, "di_pairstays": 750}
        discounts = both if start < "2026-04-01" else {"di_pairstays": 1000}
        invoice(s, start, end, line("barepair", of, 10000, discounts=discounts))
    export(s, s.subscription(item("barepair", of), created="2026-01-01"))
    s.expect("67.5", "67.5", "67.5", 90, 90, 90)


@scenario
def bare_discount_of_a_fixed_amount_that_pauses(s: Scenario) -> None:
    """20.00 off 100.00 and, from April on, off 160.00; March has nothing off: 80, 100, then 140."""
    small, large = price("barefix", 10000), price("barefixlarge", 16000)
    of = {"2026-04-01": large, "2026-05-01": large, "2026-06-01": large}
    for start, end in pairwise(FIRST_DAYS):
        billed = of.get(start, small)
        discounts = None if start == "2026-03-01" else {"di_barefix": 2000}
        invoice(s, start, end, line("barefix", billed, billed["unit_amount"], discounts=discounts))
    export(s, small, s.subscription(item("barefix", large), created="2026-01-01"))
    s.expect(80, 80, 100, 140, 140, 140)


@scenario
def repeating_discount_without_dates(s: Scenario) -> None:
    """Half off for three months, without a start. The lines of January to March have it."""
    of = price("nodates", 10000)
    coupon = s.coupon("nodates", percent_off=50, duration="repeating", duration_in_months=3)
    discount = {"id": f"di_{s.name}", "object": "discount", "coupon": coupon}
    for start, end in pairwise(FIRST_DAYS):
        discounts = {f"di_{s.name}": 5000} if start < "2026-04-01" else None
        invoice(s, start, end, line("nodates", of, 10000, discounts=discounts))
    export(s, s.subscription(item("nodates", of), created="2026-01-01", discounts=[discount]))
    s.expect(50, 50, 50, 100, 100, 100)


@scenario
def seats_changed_by_a_proration_of_no_item(s: Scenario) -> None:
    """5 seats at 10.00, on 10 March 8. The prorations name the price alone, which one item has."""
    of = price("noitem", 1000)
    seats(s, "noitem", of, 5, 5, 5)
    rest = ("2026-03-10", "2026-04-01")
    invoice(
        s,
        "2026-04-01",
        "2026-05-01",
        of_no_item(line("noitem", of, -3548, 5, is_proration=True, period=rest)),
        of_no_item(line("noitem", of, 5677, 8, is_proration=True, period=rest)),
        line("noitem", of, 8000, 8),
    )
    seats(s, "noitem", of, 0, 0, 0, 0, 8, 8)
    export(s, s.subscription(item("noitem", of, 8), created="2026-01-01"))
    s.expect(50, 50, 80, 80, 80, 80)


@scenario
def plan_changed_by_a_proration_of_no_item(s: Scenario) -> None:
    """A year at 120.00; on 10 April the 360.00 price, by prorations of API version 2022-11-15."""
    old, new = (price(f"noitem{name}", amount, interval="year") for name, amount in _PLANS)
    invoice(s, "2026-01-01", "2027-01-01", line("noitemplan", old, 12000), is_old=True)
    rest = ("2026-04-10", "2027-01-01")
    invoice(
        s,
        "2026-04-10",
        "2026-04-11",
        of_no_item(line("noitemplan", old, -8745, is_proration=True, period=rest)),
        of_no_item(line("noitemplan", new, 26236, is_proration=True, period=rest)),
        is_old=True,
    )
    export(s, old, s.subscription(item("noitemplan", new), created="2026-01-01"))
    s.expect(10, 10, 10, 30, 30, 30)


_PLANS = (("old", 12000), ("new", 36000))


@scenario
def canceled_at_once_by_a_credit_of_no_item(s: Scenario) -> None:
    """A year from January without an object; on 10 March a credit for the rest: 100 to 0."""
    of = price("noitemend", 120000, interval="year")
    invoice(s, "2026-01-01", "2027-01-01", line("noitemend", of, 120000))
    rest = ("2026-03-10", "2027-01-01")
    credit = line("noitemend", of, -97644, is_proration=True, period=rest)
    invoice(s, "2026-03-10", "2026-03-11", of_no_item(credit))
    export(s, of)
    s.expect(100, 100, 0, 0, 0, 0)


@scenario
def only_the_event_of_the_end(s: Scenario) -> None:
    """5 seats, 8 from March on, by invoices. The archive has only the end, on 10 June."""
    of = price("lastevent", 1000)
    seats(s, "lastevent", of, 5, 5, 8, 8, 8)
    sub = s.subscription(item("lastevent", of, 8), created="2026-01-01", status="canceled")
    sub["ended_at"] = at("2026-06-10")
    s.event("customer.subscription.deleted", "2026-06-10", sub)
    export(s, of)
    s.expect(50, 50, 80, 80, 80, 0)
