"""Hand-made Stripe exports, each with the month-end MRR that its docstring works out.

Every scenario is one customer of its own in one export, so that one build judges them all. Amounts
are minor units as Stripe sends them; expected MRR is in major units of the customer's currency.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

Record = dict[str, Any]
MONTHS = ("2026-01", "2026-02", "2026-03", "2026-04", "2026-05", "2026-06")
BATCHES = ("2026-05-31", "2026-06-30")


def at(text: str) -> int:
    """Epoch seconds of `2026-01-15` or `2026-01-15 10:00:00`, UTC."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def price(price_id: str, unit_amount: int | None, **fields: Any) -> Record:
    """A licensed monthly price in dollars unless `fields` says otherwise."""
    recurring = {
        "interval": fields.pop("interval", "month"),
        "interval_count": fields.pop("interval_count", 1),
        "usage_type": fields.pop("usage_type", "licensed"),
    }
    return {
        "id": f"price_{price_id}",
        "object": "price",
        "billing_scheme": "per_unit",
        "currency": "usd",
        "livemode": True,
        "product": f"prod_{price_id}",
        "recurring": recurring,
        "type": "recurring",
        "unit_amount": unit_amount,
        "unit_amount_decimal": None if unit_amount is None else str(unit_amount),
        **fields,
    }


def item(item_id: str, of_price: Record, quantity: int | None = 1, **fields: Any) -> Record:
    record = {"id": f"si_{item_id}", "object": "subscription_item", "price": of_price, **fields}
    return record if quantity is None else {**record, "quantity": quantity}


@dataclass
class Scenario:
    """What one customer's export holds and what its MRR should be.

    Attributes:
        objects: Stripe objects by batch.
        expected: Month-end MRR by month, native currency, January to June 2026.
        reasons: Exclusion reasons that its items must show at some time.
        evidence: What each month's MRR rests on, where the scenario is about that.
    """

    name: str
    objects: dict[str, list[Record]] = field(default_factory=dict)
    expected: dict[str, Decimal] = field(default_factory=dict)
    reasons: tuple[str, ...] = ()
    evidence: dict[str, str] = field(default_factory=dict)
    event_count: int = 0

    @property
    def customer_id(self) -> str:
        return f"cus_{self.name}"

    def add(self, *records: Record, batch: str = BATCHES[0]) -> None:
        self.objects.setdefault(batch, []).extend(records)

    def subscription(self, *items: Record, created: str, name: str = "", **fields: Any) -> Record:
        return {
            "id": f"sub_{self.name}{name}",
            "object": "subscription",
            "customer": self.customer_id,
            "currency": "usd",
            "created": at(created),
            "start_date": at(created),
            "status": "active",
            "livemode": True,
            "cancel_at": None,
            "cancel_at_period_end": False,
            "canceled_at": None,
            "ended_at": None,
            "trial_start": None,
            "trial_end": None,
            "pause_collection": None,
            "discounts": [],
            "items": {"object": "list", "data": list(items), "has_more": False},
            **fields,
        }

    def event(
        self,
        event_type: str,
        when: str,
        record: Record,
        previous: Record | None = None,
        batch: str = BATCHES[0],
    ) -> None:
        self.event_count += 1
        data: Record = {"object": record}
        if previous is not None:
            data["previous_attributes"] = previous
        self.add(
            {
                "id": f"evt_{self.name}_{self.event_count:03}",
                "object": "event",
                "api_version": "2026-07-29.dahlia",
                "created": at(when),
                "type": event_type,
                "livemode": True,
                "data": data,
            },
            batch=batch,
        )

    def expect(self, *amounts: str | int) -> None:
        self.expected = {
            month: Decimal(amount) for month, amount in zip(MONTHS, amounts, strict=True)
        }

    def rests_on(self, *evidence: str) -> None:
        self.evidence = dict(zip(MONTHS, evidence, strict=True))

    def rests_on_months(self, evidence: str, count: int) -> None:
        self.evidence = dict.fromkeys(MONTHS[:count], evidence)

    def coupon(self, name: str, **fields: Any) -> Record:
        return {
            "id": f"coupon_{self.name}_{name}",
            "object": "coupon",
            "duration": "forever",
            "percent_off": None,
            "amount_off": None,
            "currency": None,
            "livemode": True,
            **fields,
        }

    def discount(self, name: str, coupon: Record, start: str, **fields: Any) -> Record:
        return {
            "id": f"di_{self.name}_{name}",
            "object": "discount",
            "customer": self.customer_id,
            "start": at(start),
            "end": None,
            "subscription": None,
            "subscription_item": None,
            "source": {"type": "coupon", "coupon": coupon["id"]},
            **fields,
        }


SCENARIOS: dict[str, Callable[[Scenario], None]] = {}


def scenario(build: Callable[[Scenario], None]) -> Callable[[Scenario], None]:
    SCENARIOS[build.__name__] = build
    return build


def all_scenarios() -> list[Scenario]:
    made = []
    for name, build in SCENARIOS.items():
        one = Scenario(name.replace("_", ""))
        build(one)
        made.append(one)
    return made


def write_export(folder: Path) -> list[Scenario]:
    """Writes every scenario's objects and returns the scenarios.

    They are the exports of two Stripe accounts, with the same names of files.
    """
    scenarios = all_scenarios()
    for batch in BATCHES:
        for number, account in enumerate(("acct_eu", "acct_us")):
            target = folder / batch / "stripe" / account
            target.mkdir(parents=True, exist_ok=True)
            with (target / "objects.jsonl").open("w") as lines:
                for one in scenarios[number::2]:
                    for record in one.objects.get(batch, []):
                        lines.write(json.dumps(record) + "\n")
    return scenarios


def created_and(s: Scenario, subscription: Record, created: str) -> None:
    """The `created` event of a subscription that is in the archive from its start."""
    s.event("customer.subscription.created", created, subscription)


@scenario
def monthly_price_by_quantity(s: Scenario) -> None:
    """3 seats at 20.00 a month from 10 January: 60.00 at every month-end."""
    sub = s.subscription(item("a", price("m20", 2000), 3), created="2026-01-10")
    created_and(s, sub, "2026-01-10")
    s.add(sub)
    s.expect(60, 60, 60, 60, 60, 60)


@scenario
def yearly_quarterly_weekly_and_daily_prices(s: Scenario) -> None:
    """1200.00 a year / 12 = 100; 90.00 a quarter / 3 = 30; 10.00 per 2 weeks: 10 x 52 / 24 =
    21.666667; 1.00 a day x 365 / 12 = 30.416667; 2400.00 per 2 years / 24 = 100. Sum 282.083334."""
    for name, of_price in (
        ("y", price("y1200", 120000, interval="year")),
        ("q", price("q90", 9000, interval_count=3)),
        ("w", price("w10", 1000, interval="week", interval_count=2)),
        ("d", price("d1", 100, interval="day")),
        ("t", price("t2400", 240000, interval="year", interval_count=2)),
    ):
        sub = s.subscription(item(f"int{name}", of_price), created="2026-01-10", name=name)
        created_and(s, sub, "2026-01-10")
    s.expect(*["282.083334"] * 6)


@scenario
def yen_have_no_cents(s: Scenario) -> None:
    """12000 yen a year is 1000 yen a month, not 10."""
    sub = s.subscription(
        item("yen", price("y12000jpy", 12000, interval="year", currency="jpy")),
        created="2026-01-10",
        currency="jpy",
    )
    s.add(sub)
    s.expect(*[1000] * 6)


@scenario
def dinars_have_three_decimals(s: Scenario) -> None:
    """12340 fils are 12.340 dinars."""
    sub = s.subscription(
        item("kwd", price("m12kwd", 12340, currency="kwd")), created="2026-01-10", currency="kwd"
    )
    s.add(sub)
    s.expect(*["12.34"] * 6)


@scenario
def sub_cent_price(s: Scenario) -> None:
    """0.125 cents x 10,000 units = 12.50."""
    of_price = price("subcent", None, unit_amount_decimal="0.125")
    s.add(s.subscription(item("sc", of_price, 10000), created="2026-01-10"))
    s.expect(*["12.5"] * 6)


TIERS = [
    {"up_to": 5, "unit_amount": 1000, "unit_amount_decimal": "1000", "flat_amount": 500},
    {"up_to": 10, "unit_amount": 800, "unit_amount_decimal": "800", "flat_amount": None},
    {"up_to": None, "unit_amount": 600, "unit_amount_decimal": "600", "flat_amount": 2000},
]


@scenario
def graduated_tiers(s: Scenario) -> None:
    """12 units: 5 x 10 + 5.00 flat, 5 x 8, 2 x 6 + 20.00 flat = 127.00. The subscription's price
    came without tiers, the extracted one has them."""
    bare = price("grad", None, billing_scheme="tiered", tiers_mode="graduated")
    s.add({**bare, "tiers": TIERS})
    created_and(s, s.subscription(item("gr", bare, 12), created="2026-01-10"), "2026-01-10")
    s.expect(*[127] * 6)


@scenario
def volume_tiers(s: Scenario) -> None:
    """10 units all at the second tier: 80.00; from 3 March 12 units: 12 x 6 + 20.00 = 92.00."""
    bare = price("vol", None, billing_scheme="tiered", tiers_mode="volume")
    s.add({**bare, "tiers": TIERS})
    before = s.subscription(item("vo", bare, 10), created="2026-01-10")
    after = s.subscription(item("vo", bare, 12), created="2026-01-10")
    created_and(s, before, "2026-01-10")
    s.event("customer.subscription.updated", "2026-03-03", after, {"items": before["items"]})
    s.expect(80, 80, 92, 92, 92, 92)


@scenario
def tiers_that_never_came(s: Scenario) -> None:
    """A tiered price without its tiers has no MRR and says so."""
    bare = price("notiers", None, billing_scheme="tiered", tiers_mode="volume")
    s.add(s.subscription(item("nt", bare, 12), created="2026-01-10"))
    s.expect(*[0] * 6)
    s.reasons = ("tiers_missing",)


@scenario
def package_price(s: Scenario) -> None:
    """23 units in packages of 10 at 5.00: rounded up 3 packages = 15.00."""
    of_price = price("pack", 500, transform_quantity={"divide_by": 10, "round": "up"})
    s.add(s.subscription(item("pk", of_price, 23), created="2026-01-10"))
    s.expect(*[15] * 6)


@scenario
def package_price_rounded_down(s: Scenario) -> None:
    """29 units in packages of 10 at 5.00, rounded down: 10.00."""
    of_price = price("packd", 500, transform_quantity={"divide_by": 10, "round": "down"})
    s.add(s.subscription(item("pd", of_price, 29), created="2026-01-10"))
    s.expect(*[10] * 6)


@scenario
def metered_free_and_empty_items(s: Scenario) -> None:
    """Beside 20.00 a metered item, a free plan and a quantity of 0 add nothing, with a reason."""
    s.add(
        s.subscription(
            item("mf1", price("m20", 2000)),
            item("mf2", price("metered", 10, usage_type="metered"), None),
            item("mf3", price("free", 0)),
            item("mf4", price("m30", 3000), 0),
            created="2026-01-10",
        )
    )
    s.expect(*[20] * 6)
    s.reasons = ("metered", "zero_price", "zero_quantity")


@scenario
def trial_then_paid(s: Scenario) -> None:
    """A trial from 20 January to 19 February counts nothing; active from then."""
    trial: Record = {"trial_start": at("2026-01-20"), "trial_end": at("2026-02-19")}
    items = item("tr", price("m20", 2000), 2)
    before = s.subscription(items, created="2026-01-20", status="trialing", **trial)
    after = s.subscription(items, created="2026-01-20", **trial)
    created_and(s, before, "2026-01-20")
    s.event("customer.subscription.updated", "2026-02-19", after, {"status": "trialing"})
    s.expect(0, 40, 40, 40, 40, 40)
    s.reasons = ("trialing",)


@scenario
def trial_told_only_by_the_object(s: Scenario) -> None:
    """No event at all: the object's own dates say that it was on trial until 19 February."""
    trial: Record = {"trial_start": at("2026-01-20"), "trial_end": at("2026-02-19")}
    s.add(s.subscription(item("to", price("m20", 2000), 2), created="2026-01-20", **trial))
    s.expect(0, 40, 40, 40, 40, 40)
    s.reasons = ("trialing",)


@scenario
def expired_before_it_began(s: Scenario) -> None:
    """Incomplete for a day, then expired: never MRR."""
    items = item("ie", price("m20", 2000))
    created_and(s, s.subscription(items, created="2026-01-30", status="incomplete"), "2026-01-30")
    s.event(
        "customer.subscription.updated",
        "2026-01-31",
        s.subscription(
            items, created="2026-01-30", status="incomplete_expired", ended_at=at("2026-01-31")
        ),
        {"status": "incomplete", "ended_at": None},
    )
    s.expect(*[0] * 6)
    s.reasons = ("incomplete", "incomplete_expired")


@scenario
def seats_added_mid_month(s: Scenario) -> None:
    """2 seats, on 15 February 5, on 15 April 3: earlier months do not change."""
    subs = [
        s.subscription(item("sm", price("m20", 2000), seats), created="2026-01-10")
        for seats in (2, 5, 3)
    ]
    created_and(s, subs[0], "2026-01-10")
    s.event("customer.subscription.updated", "2026-02-15", subs[1], {"items": subs[0]["items"]})
    s.event("customer.subscription.updated", "2026-04-15", subs[2], {"items": subs[1]["items"]})
    s.add(subs[2])
    s.expect(40, 100, 100, 60, 60, 60)


@scenario
def archive_that_starts_late(s: Scenario) -> None:
    """The first event there is says what was before it: 2 seats from 10 January on."""
    before = s.subscription(item("al", price("m20", 2000), 2), created="2026-01-10")
    after = s.subscription(item("al", price("m20", 2000), 5), created="2026-01-10")
    s.event("customer.subscription.updated", "2026-03-15", after, {"items": before["items"]})
    s.expect(40, 40, 100, 100, 100, 100)


@scenario
def two_updates_in_one_second(s: Scenario) -> None:
    """2 → 5 → 3 seats within a second, delivered backwards: what counts after it is 3."""
    subs = [
        s.subscription(item("ts", price("m20", 2000), seats), created="2026-01-10")
        for seats in (2, 5, 3)
    ]
    second = "2026-02-15 12:00:00"
    s.event("customer.subscription.updated", second, subs[2], {"items": subs[1]["items"]})
    s.event("customer.subscription.updated", second, subs[1], {"items": subs[0]["items"]})
    created_and(s, subs[0], "2026-01-10")
    s.expect(40, 60, 60, 60, 60, 60)


@scenario
def there_and_back_in_one_second(s: Scenario) -> None:
    """2 → 5 → 2 seats within a second: the state before it says which came first."""
    two, five = (
        s.subscription(item("tb", price("m20", 2000), seats), created="2026-01-10")
        for seats in (2, 5)
    )
    second = "2026-02-15 12:00:00"
    s.event("customer.subscription.updated", second, two, {"items": five["items"]})
    s.event("customer.subscription.updated", second, five, {"items": two["items"]})
    created_and(s, two, "2026-01-10")
    s.expect(*[40] * 6)


@scenario
def repeated_and_late_events(s: Scenario) -> None:
    """The change of 15 February is delivered twice, the second time in June's batch. Only June's
    batch contains the change of 10 March."""
    subs = [
        s.subscription(item("rl", price("m20", 2000), seats), created="2026-01-10")
        for seats in (1, 2, 4)
    ]
    created_and(s, subs[0], "2026-01-10")
    s.event("customer.subscription.updated", "2026-02-15", subs[1], {"items": subs[0]["items"]})
    s.add(s.objects[BATCHES[0]][-1], batch=BATCHES[1])
    s.event(
        "customer.subscription.updated",
        "2026-03-10",
        subs[2],
        {"items": subs[1]["items"]},
        batch=BATCHES[1],
    )
    s.expect(20, 40, 80, 80, 80, 80)


@scenario
def plan_swap_on_one_item(s: Scenario) -> None:
    """20.00 a month becomes 1200.00 a year on 5 March: 20, then 100."""
    old = s.subscription(item("ps", price("m20", 2000)), created="2026-01-10")
    new = s.subscription(item("ps", price("y1200", 120000, interval="year")), created="2026-01-10")
    created_and(s, old, "2026-01-10")
    s.event("customer.subscription.updated", "2026-03-05", new, {"items": old["items"]})
    s.expect(20, 20, 100, 100, 100, 100)


@scenario
def add_on_comes_and_goes(s: Scenario) -> None:
    """20.00, an add-on of 5.00 from 3 February to 3 April."""
    base, add_on = item("ac1", price("m20", 2000)), item("ac2", price("m5", 500))
    one = s.subscription(base, created="2026-01-10")
    two = s.subscription(base, add_on, created="2026-01-10")
    created_and(s, one, "2026-01-10")
    s.event("customer.subscription.updated", "2026-02-03", two, {"items": one["items"]})
    s.event("customer.subscription.updated", "2026-04-03", one, {"items": two["items"]})
    s.expect(20, 25, 25, 20, 20, 20)
    s.reasons = ("canceled",)


@scenario
def cancelled_at_once(s: Scenario) -> None:
    """Gone at ended_at, 14 March."""
    live = s.subscription(item("co", price("m20", 2000)), created="2026-01-10")
    gone = {
        **live,
        "status": "canceled",
        "canceled_at": at("2026-03-14"),
        "ended_at": at("2026-03-14"),
    }
    created_and(s, live, "2026-01-10")
    s.event("customer.subscription.deleted", "2026-03-14", gone)
    s.expect(20, 20, 0, 0, 0, 0)
    s.reasons = ("canceled",)


@scenario
def cancelled_told_only_by_the_object(s: Scenario) -> None:
    """No event: active from its start to ended_at, 14 March."""
    s.add(
        s.subscription(
            item("cto", price("m20", 2000)),
            created="2026-01-10",
            status="canceled",
            canceled_at=at("2026-03-14"),
            ended_at=at("2026-03-14"),
        )
    )
    s.expect(20, 20, 0, 0, 0, 0)


@scenario
def ended_with_the_month(s: Scenario) -> None:
    """Ended on 1 April 00:00:00: the last instant of March still counts."""
    live = s.subscription(item("em", price("m20", 2000)), created="2026-01-10")
    gone = {**live, "status": "canceled", "canceled_at": at("2026-03-02")}
    gone["ended_at"] = at("2026-04-01")
    created_and(s, live, "2026-01-10")
    s.event("customer.subscription.deleted", "2026-04-01", gone)
    s.expect(20, 20, 20, 0, 0, 0)


@scenario
def scheduled_cancellation(s: Scenario) -> None:
    """Cancelled on 12 February for the period's end on 10 April: counts until then."""
    live = s.subscription(item("sca", price("m20", 2000)), created="2026-01-10")
    scheduled = {
        **live,
        "cancel_at_period_end": True,
        "cancel_at": at("2026-04-10"),
        "canceled_at": at("2026-02-12"),
    }
    created_and(s, live, "2026-01-10")
    s.event(
        "customer.subscription.updated",
        "2026-02-12",
        scheduled,
        {"cancel_at_period_end": False, "cancel_at": None, "canceled_at": None},
    )
    s.expect(20, 20, 20, 0, 0, 0)


@scenario
def scheduled_cancellation_undone(s: Scenario) -> None:
    """The schedule is taken back on 1 April, before its day."""
    live = s.subscription(item("scu", price("m20", 2000)), created="2026-01-10")
    dates: Record = {"cancel_at_period_end": True, "cancel_at": at("2026-04-10")}
    scheduled = {**live, **dates, "canceled_at": at("2026-02-12")}
    created_and(s, live, "2026-01-10")
    s.event(
        "customer.subscription.updated",
        "2026-02-12",
        scheduled,
        {"cancel_at_period_end": False, "cancel_at": None, "canceled_at": None},
    )
    s.event(
        "customer.subscription.updated",
        "2026-04-01",
        live,
        {**dates, "canceled_at": at("2026-02-12")},
    )
    s.expect(*[20] * 6)


@scenario
def pauses(s: Scenario) -> None:
    """Paused with `void` from 10 February until resumes_at, 10 April, which no event reports."""
    live = s.subscription(item("pa", price("m20", 2000)), created="2026-01-10")
    pause = {"behavior": "void", "resumes_at": at("2026-04-10")}
    created_and(s, live, "2026-01-10")
    s.event(
        "customer.subscription.updated",
        "2026-02-10",
        {**live, "pause_collection": pause},
        {"pause_collection": None},
    )
    s.expect(20, 0, 0, 20, 20, 20)
    s.reasons = ("paused",)


@scenario
def pause_that_keeps_drafts(s: Scenario) -> None:
    """`keep_as_draft` only delays the invoice: it is still MRR."""
    live = s.subscription(
        item("pd1", price("m20", 2000)),
        created="2026-01-10",
        pause_collection={"behavior": "keep_as_draft", "resumes_at": None},
    )
    created_and(s, live, "2026-01-10")
    s.expect(*[20] * 6)


@scenario
def status_paused_and_unpaid(s: Scenario) -> None:
    """The status `paused` in February, `active` in March, `unpaid` from April."""
    live = s.subscription(item("sp", price("m20", 2000)), created="2026-01-10")
    created_and(s, live, "2026-01-10")
    for when, before, after in (
        ("2026-02-05", "active", "paused"),
        ("2026-03-05", "paused", "active"),
        ("2026-04-05", "active", "unpaid"),
    ):
        s.event(
            "customer.subscription.updated", when, {**live, "status": after}, {"status": before}
        )
    s.expect(20, 0, 20, 0, 0, 0)
    s.reasons = ("paused", "unpaid")


@scenario
def past_due_and_recovered(s: Scenario) -> None:
    """past_due from 10 February to 5 March, 23 days: within the grace of 30, it never left."""
    live = s.subscription(item("pr", price("m20", 2000)), created="2026-01-10")
    created_and(s, live, "2026-01-10")
    late = {**live, "status": "past_due"}
    s.event("customer.subscription.updated", "2026-02-10", late, {"status": "active"})
    s.event("customer.subscription.updated", "2026-03-05", live, {"status": "past_due"})
    s.expect(*[20] * 6)


@scenario
def past_due_beyond_the_grace(s: Scenario) -> None:
    """past_due from 10 February: counts until 12 March 00:00 (30 days), back on 20 April. A second
    update in between (seats 1 → 2) does not restart the grace period."""
    live = s.subscription(item("pb", price("m20", 2000)), created="2026-01-10")
    more = s.subscription(item("pb", price("m20", 2000), 2), created="2026-01-10")
    created_and(s, live, "2026-01-10")
    late, late_more = {**live, "status": "past_due"}, {**more, "status": "past_due"}
    s.event("customer.subscription.updated", "2026-02-10", late, {"status": "active"})
    s.event("customer.subscription.updated", "2026-03-01", late_more, {"items": live["items"]})
    s.event("customer.subscription.updated", "2026-04-20", more, {"status": "past_due"})
    s.expect(20, 20, 0, 40, 40, 40)
    s.reasons = ("past_due_expired",)


@scenario
def past_due_told_by_the_invoice(s: Scenario) -> None:
    """No event: the oldest open invoice was due on 20 March, so it counts until 19 April."""
    s.add(
        s.subscription(item("pi", price("m20", 2000)), created="2026-01-10", status="past_due"),
        {
            "id": f"in_{s.name}",
            "object": "invoice",
            "customer": s.customer_id,
            "livemode": True,
            "created": at("2026-03-10"),
            "due_date": at("2026-03-20"),
            "status": "open",
            "currency": "usd",
            "number": "A-1",
            "parent": {
                "type": "subscription_details",
                "subscription_details": {"subscription": f"sub_{s.name}"},
            },
            "lines": {"object": "list", "data": [], "has_more": False},
        },
    )
    s.expect(20, 20, 20, 0, 0, 0)
    s.reasons = ("past_due_expired",)


@scenario
def backdated_start(s: Scenario) -> None:
    """Made on 5 March but started on 10 January: MRR from January."""
    sub = s.subscription(
        item("bd", price("m20", 2000)), created="2026-03-05", start_date=at("2026-01-10")
    )
    created_and(s, sub, "2026-03-05")
    s.expect(*[20] * 6)


@scenario
def customer_deleted(s: Scenario) -> None:
    """The customer is deleted on 7 April; no event speaks of the subscription."""
    customer = {"id": s.customer_id, "object": "customer", "livemode": True, "name": "Deleted Ltd"}
    s.add(customer)
    created_and(
        s, s.subscription(item("cd", price("m20", 2000)), created="2026-01-10"), "2026-01-10"
    )
    s.event("customer.deleted", "2026-04-07", customer)
    s.expect(20, 20, 20, 0, 0, 0)


@scenario
def back_on_a_new_subscription(s: Scenario) -> None:
    """Gone on 10 February, back on a new subscription on 3 April: a reactivation, not new."""
    live = s.subscription(item("bn1", price("m20", 2000)), created="2026-01-10", name="a")
    gone = {**live, "status": "canceled", "canceled_at": at("2026-02-10")}
    gone["ended_at"] = at("2026-02-10")
    created_and(s, live, "2026-01-10")
    s.event("customer.subscription.deleted", "2026-02-10", gone)
    again = s.subscription(item("bn2", price("m20", 2000), 2), created="2026-04-03", name="b")
    created_and(s, again, "2026-04-03")
    s.expect(20, 0, 0, 40, 40, 40)


@scenario
def extracts_without_events(s: Scenario) -> None:
    """No archive: 2 seats in May's extract, 5 in June's."""
    s.add(s.subscription(item("ew", price("m20", 2000), 2), created="2026-01-10"))
    s.add(s.subscription(item("ew", price("m20", 2000), 5), created="2026-01-10"), batch=BATCHES[1])
    s.expect(40, 40, 40, 40, 40, 100)


@scenario
def extract_that_knows_more_than_the_archive(s: Scenario) -> None:
    """The archive ends in January; June's extract has a state that no webhook reported."""
    live = s.subscription(item("ek", price("m20", 2000), 2), created="2026-01-10")
    created_and(s, live, "2026-01-10")
    s.add(live)
    s.add(s.subscription(item("ek", price("m20", 2000), 3), created="2026-01-10"), batch=BATCHES[1])
    s.expect(40, 40, 40, 40, 40, 60)


@scenario
def test_mode(s: Scenario) -> None:
    """Nothing of test mode is MRR."""
    s.add(s.subscription(item("tm", price("m20", 2000)), created="2026-01-10", livemode=False))
    s.expect(*[0] * 6)


@scenario
def stacked_discounts(s: Scenario) -> None:
    """On 100.00 + 50.00: the second item's own 10 % leaves 45.00; the subscription's 20 % leaves
    80.00 and 36.00; 11.60 off is spread by what is left: 8.00 and 3.60. 72.00 + 32.40 = 104.40."""
    ten, twenty = s.coupon("ten", percent_off=10), s.coupon("twenty", percent_off=20)
    fixed = s.coupon("fixed", amount_off=1160, currency="usd")
    first, second = item("st1", price("m100", 10000)), item("st2", price("m50", 5000))
    second["discounts"] = ["di_stackeddiscounts_c"]
    sub = s.subscription(
        first,
        second,
        created="2026-01-10",
        discounts=["di_stackeddiscounts_a", "di_stackeddiscounts_b"],
    )
    of_sub = {"subscription": sub["id"]}
    s.add(ten, twenty, fixed)
    for name, coupon, fields in (
        ("a", twenty, of_sub),
        ("b", fixed, of_sub),
        ("c", ten, {**of_sub, "subscription_item": "si_st2"}),
    ):
        s.event(
            "customer.discount.created",
            "2026-01-10",
            s.discount(name, coupon, "2026-01-10", **fields),
        )
    created_and(s, sub, "2026-01-10")
    s.expect(*["104.4"] * 6)


@scenario
def repeating_once_and_removed_discounts(s: Scenario) -> None:
    """100.00. Half off for 2 months from 15 January, to 15 March; `once` never counts; 30 % off
    from 1 March, removed on 20 May: 50, 50, 70, 70, 100, 100."""
    half = s.coupon("half", percent_off=50, duration="repeating", duration_in_months=2)
    once = s.coupon("once", percent_off=80, duration="once")
    thirty = s.coupon("thirty", percent_off=30)
    s.add(half, once, thirty)
    items = item("ro", price("m100", 10000))
    name = f"sub_{s.name}"
    discounts = {
        "h": s.discount("h", half, "2026-01-15", end=at("2026-03-15"), subscription=name),
        "o": s.discount("o", once, "2026-01-15", subscription=name),
        "t": s.discount("t", thirty, "2026-03-01", subscription=name),
    }
    ids = {key: value["id"] for key, value in discounts.items()}
    first = s.subscription(items, created="2026-01-15", discounts=[ids["h"], ids["o"]])
    second = {**first, "discounts": [ids["o"], ids["t"]]}
    s.event("customer.discount.created", "2026-01-15", discounts["h"])
    s.event("customer.discount.created", "2026-01-15", discounts["o"])
    created_and(s, first, "2026-01-15")
    s.event("customer.discount.created", "2026-03-01", discounts["t"])
    s.event(
        "customer.subscription.updated", "2026-03-16", second, {"discounts": first["discounts"]}
    )
    s.event("customer.discount.deleted", "2026-05-20", discounts["t"])
    s.expect(50, 50, 70, 70, 100, 100)


@scenario
def amount_off_a_yearly_price(s: Scenario) -> None:
    """1200.00 a year less 240.00 off each invoice: 100.00 - 20.00 = 80.00. The discount came whole
    inside the subscription, with its coupon, in the older shape."""
    coupon = s.coupon("off", amount_off=24000, currency="usd")
    discount = s.discount("d", coupon, "2026-01-10", subscription=f"sub_{s.name}")
    del discount["source"]
    discount["coupon"] = coupon
    sub = s.subscription(item("ay", price("y1200", 120000, interval="year")), created="2026-01-10")
    del sub["discounts"]
    s.add({**sub, "discount": discount})
    s.expect(*[80] * 6)


@scenario
def amount_off_never_below_zero(s: Scenario) -> None:
    """30.00 off 20.00 leaves 0, which still counts and is not `zero_price`."""
    coupon = s.coupon("off", amount_off=3000, currency="usd")
    discount = s.discount("d", {"id": coupon["id"]}, "2026-01-10", subscription=f"sub_{s.name}")
    sub = s.subscription(
        item("anz", price("m20", 2000)), created="2026-01-10", discounts=[discount]
    )
    s.add(coupon, sub)
    s.expect(*[0] * 6)


@scenario
def discount_of_the_customer(s: Scenario) -> None:
    """The customer's 10 % applies while nothing of the subscription's own does: its own 50 %
    repeats from 10 February to 10 April. 90, 50, 50, 90, then removed on 5 May: 100, 100."""
    ten = s.coupon("ten", percent_off=10)
    half = s.coupon("half", percent_off=50, duration="repeating", duration_in_months=2)
    s.add(ten, half)
    of_customer = s.discount("c", ten, "2026-01-10")
    own = s.discount("s", half, "2026-02-10", subscription=f"sub_{s.name}")
    own["end"] = at("2026-04-10")
    before = s.subscription(item("dc", price("m100", 10000)), created="2026-01-10")
    after = {**before, "discounts": [own["id"]]}
    s.event("customer.discount.created", "2026-01-10", of_customer)
    created_and(s, before, "2026-01-10")
    s.event("customer.discount.created", "2026-02-10", own)
    s.event("customer.subscription.updated", "2026-02-10", after, {"discounts": []})
    s.event("customer.discount.deleted", "2026-05-05", of_customer)
    s.expect(90, 50, 50, 90, 100, 100)


@scenario
def customer_discount_beside_a_once_coupon(s: Scenario) -> None:
    """A `once` coupon on the subscription does not keep the customer's 10 % away."""
    ten, once = s.coupon("ten", percent_off=10), s.coupon("o", percent_off=50, duration="once")
    of_customer = s.discount("c", ten, "2026-01-10")
    own = s.discount("s", once, "2026-01-10", subscription=f"sub_{s.name}")
    s.add(ten, once)
    s.event("customer.discount.created", "2026-01-10", of_customer)
    s.event("customer.discount.created", "2026-01-10", own)
    sub = s.subscription(item("cob", price("m100", 10000)), created="2026-01-10")
    created_and(s, {**sub, "discounts": [own["id"]]}, "2026-01-10")
    s.expect(*[90] * 6)


@scenario
def inclusive_tax(s: Scenario) -> None:
    """119.00 with 19 % tax in it is 100.00 net."""
    rate = {"id": "txr_1", "object": "tax_rate", "inclusive": True, "percentage": 19.0}
    s.add(
        s.subscription(
            item("it", price("m119", 11900, tax_behavior="inclusive"), tax_rates=[rate]),
            created="2026-01-10",
        )
    )
    s.expect(*[100] * 6)


@scenario
def cancelled_at_period_end_without_a_date(s: Scenario) -> None:
    """cancel_at_period_end alone: the item's period ends on 10 April."""
    s.add(
        s.subscription(
            item("cpe", price("m20", 2000), current_period_end=at("2026-04-10")),
            created="2026-01-10",
            cancel_at_period_end=True,
            canceled_at=at("2026-03-12"),
        )
    )
    s.expect(20, 20, 20, 0, 0, 0)


@scenario
def discount_that_only_its_event_tells(s: Scenario) -> None:
    """A 25 % discount names the subscription on 3 March; no version of it lists the discount."""
    quarter = s.coupon("q", percent_off=25)
    s.add(quarter)
    created_and(
        s, s.subscription(item("dot", price("m20", 2000)), created="2026-01-10"), "2026-01-10"
    )
    s.event(
        "customer.discount.created",
        "2026-03-03",
        s.discount("q", quarter, "2026-03-03", subscription=f"sub_{s.name}"),
    )
    s.expect(20, 20, 15, 15, 15, 15)


@scenario
def discount_that_resolves_nowhere(s: Scenario) -> None:
    """An id that nothing explains takes nothing off."""
    s.add(
        s.subscription(
            item("dr", price("m20", 2000)), created="2026-01-10", discounts=["di_unheard_of"]
        )
    )
    s.expect(*[20] * 6)


@scenario
def coupon_for_one_product(s: Scenario) -> None:
    """Half off, but only on the product of the first item: 50.00 + 50.00."""
    half = s.coupon("h", percent_off=50, applies_to={"products": ["prod_m100"]})
    s.add(half)
    s.add(
        s.subscription(
            item("cp1", price("m100", 10000)),
            item("cp2", price("m50", 5000)),
            created="2026-01-10",
            discounts=[s.discount("h", half, "2026-01-10", subscription=f"sub_{s.name}")],
        )
    )
    s.expect(*[100] * 6)


@scenario
def older_shape_of_a_discount(s: Scenario) -> None:
    """2022-11-15: one `discount` with its coupon inside, 10 % until 20 March; taken off in the
    update of that day, which says what was there before."""
    ten = s.coupon("ten", percent_off=10)
    discount = s.discount("t", ten, "2026-01-10", subscription=f"sub_{s.name}")
    del discount["source"]
    discount["coupon"] = ten
    before = s.subscription(item("od", price("m100", 10000)), created="2026-01-10")
    del before["discounts"]
    created_and(s, {**before, "discount": discount}, "2026-01-10")
    s.event(
        "customer.subscription.updated",
        "2026-03-20",
        {**before, "discount": None},
        {"discount": discount},
    )
    s.expect(90, 90, 100, 100, 100, 100)


@scenario
def customer_discount_told_only_by_the_object(s: Scenario) -> None:
    """No archive: May's extract of the customer has 10 % from 1 March, June's has none."""
    ten = s.coupon("ten", percent_off=10)
    customer = {"id": s.customer_id, "object": "customer", "livemode": True, "name": "Said Ltd"}
    s.add({**customer, "discount": s.discount("t", ten, "2026-03-01")}, ten)
    s.add(s.subscription(item("cdo", price("m100", 10000)), created="2026-01-10"))
    s.add({**customer, "discount": None}, batch=BATCHES[1])
    s.expect(100, 100, 90, 90, 90, 100)


@scenario
def price_in_another_currency(s: Scenario) -> None:
    """The price is 20.00 dollars with an option of 18.00 euros; the subscription pays in euros."""
    of_price = price("opt", 2000)
    s.add({**of_price, "currency_options": {"eur": {"unit_amount": 1800}}})
    s.add(s.subscription(item("poc", of_price, 2), created="2026-01-10", currency="eur"))
    s.expect(*[36] * 6)


@scenario
def legacy_plan_instead_of_a_price(s: Scenario) -> None:
    """An item with only the legacy plan: 3 x 15.00."""
    plan = {
        "id": "gold-monthly",
        "object": "plan",
        "amount": 1500,
        "billing_scheme": "per_unit",
        "currency": "usd",
        "interval": "month",
        "interval_count": 1,
        "product": "prod_gold",
        "usage_type": "licensed",
    }
    s.add(
        s.subscription(
            {"id": "si_lp", "object": "subscription_item", "plan": plan, "quantity": 3},
            created="2026-01-10",
        )
    )
    s.expect(*[45] * 6)


@scenario
def trial_ended_between_two_extracts(s: Scenario) -> None:
    """No archive: on trial in May's extract, active in June's; the trial ended on 12 June."""
    trial: Record = {"trial_start": at("2026-05-12"), "trial_end": at("2026-06-12")}
    items = item("te", price("m20", 2000))
    s.add(s.subscription(items, created="2026-05-12", status="trialing", **trial))
    s.add(s.subscription(items, created="2026-05-12", **trial), batch=BATCHES[1])
    s.expect(0, 0, 0, 0, 0, 20)
    s.reasons = ("trialing",)


@scenario
def item_amount_off_on_two_items(s: Scenario) -> None:
    """Each item has its own fixed discount: 100 - 10 and 50 - 20, neither spread over the other."""
    ten = s.coupon("t", amount_off=1000, currency="usd")
    twenty = s.coupon("w", amount_off=2000, currency="usd")
    of_sub = {"subscription": f"sub_{s.name}"}
    first, second = item("ia1", price("m100", 10000)), item("ia2", price("m50", 5000))
    first["discounts"] = [s.discount("t", ten, "2026-01-10", subscription_item="si_ia1", **of_sub)]
    second["discounts"] = [
        s.discount("w", twenty, "2026-01-10", subscription_item="si_ia2", **of_sub)
    ]
    s.add(ten, twenty, s.subscription(first, second, created="2026-01-10"))
    s.expect(*[120] * 6)


@scenario
def deleted_told_only_by_its_event(s: Scenario) -> None:
    """The archive holds only the end, on 14 April: active before, a trial until 1 February."""
    gone = s.subscription(
        item("dte", price("m20", 2000)),
        created="2026-01-10",
        status="canceled",
        canceled_at=at("2026-04-14"),
        ended_at=at("2026-04-14"),
        trial_start=at("2026-01-10"),
        trial_end=at("2026-02-01"),
    )
    s.event("customer.subscription.deleted", "2026-04-14", gone)
    s.expect(0, 20, 20, 0, 0, 0)
