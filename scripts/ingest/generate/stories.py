"""The stories that every company must hold, acted out by its first accounts in this order.

A story that a run's dates have no room for simply stops where the company stops.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ingest.generate.contracts import Contract, Step

Script = Callable[["Story", datetime], tuple[Contract, ...]]

_ADD_ONS = (
    "esign",
    "sso",
    "audit",
    "archive",
    "translate",
    "redact",
    "forms",
    "bulk",
    "priority",
    "sandbox",
    "branding",
)


@dataclass(frozen=True, slots=True)
class Story:
    """An account with a part to play; its first contract starts `day` days after the company."""

    name: str
    day: int
    script: Script | None = None
    segment: str = "smb"
    currency: str = "USD"
    seats: int = 8
    in_salesforce: bool = True
    in_segment: bool = True
    link_stripe: str = "id"
    link_segment: str = "id"
    is_internal: bool = False
    is_test: bool = False
    parent_key: int | None = None
    merged_into_key: int | None = None
    deal_habits: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class _Terms:
    """A contract before it has a date: steps are (days after its start, verb, terms)."""

    terms: dict[str, Any]
    steps: tuple[tuple[float, str, dict[str, Any]], ...]
    after_days: float = 0
    backdated_days: float = 0
    archive_days: float | None = None


def _buys(*steps: tuple[float, str, dict[str, Any]], **terms: Any) -> _Terms:
    own = {
        key: terms.pop(key)
        for key in ("after_days", "backdated_days", "archive_days")
        if key in terms
    }
    return _Terms(terms, steps, **own)


def _then(day: float, verb: str, **terms: Any) -> tuple[float, str, dict[str, Any]]:
    return day, verb, terms


def _acts(*contracts: _Terms) -> Script:
    """A script of contracts, numbered in the order given."""

    def script(story: Story, starts: datetime) -> tuple[Contract, ...]:
        return tuple(
            _draw_up(number, draft, story, starts) for number, draft in enumerate(contracts)
        )

    return script


def _draw_up(number: int, draft: _Terms, story: Story, starts: datetime) -> Contract:
    created_at = starts + timedelta(days=draft.after_days)
    steps = []
    for day, verb, terms in draft.steps:
        at = (created_at + timedelta(days=day)).replace(microsecond=0)
        dated = dict(terms)
        if verb == "pause":
            days = dated.pop("for_days", None)
            dated["resumes_at"] = at + timedelta(days=days) if days else None
        steps.append(Step(at, verb, dated))
    standard: dict[str, Any] = {
        "customer_number": 0,
        "currency": story.currency,
        "plan": "team",
        "seats": story.seats,
    }
    backdated = created_at - timedelta(days=draft.backdated_days)
    archived_from = datetime.min
    if draft.archive_days is not None:
        never = draft.archive_days < 0
        archived_from = datetime.max if never else created_at + timedelta(days=draft.archive_days)
    return Contract(
        number=number,
        created_at=created_at,
        start_at=backdated if draft.backdated_days else None,
        archived_from=archived_from,
        steps=tuple(steps),
        **{**standard, **draft.terms},
    )


_COUPON = "discount"
_SEATS = "set_quantity"

STORIES: tuple[Story, ...] = (
    Story(
        "an annual deal with seats added and a renewal at a higher price",
        130,
        _acts(
            _buys(
                _then(130, _SEATS, seats=150, proration="now"),
                _then(362, "raise_price", version=2),
                _then(500, _SEATS, seats=140, proration="now"),
                plan="enterprise",
                interval="year",
                days_until_due=30,
            )
        ),
        segment="enterprise",
        currency="EUR",
        seats=120,
        deal_habits=frozenset({"skips"}),
    ),
    Story(
        "a trial that converts, then seats in every kind of proration",
        60,
        _acts(
            _buys(
                _then(50.3, _SEATS, seats=12),
                _then(95.7, _SEATS, seats=17, proration="now"),
                _then(190.1, _SEATS, seats=11, proration="now"),
                _then(300.6, _SEATS, seats=13, proration="none"),
                trial_days=14,
            )
        ),
        in_salesforce=False,
    ),
    Story(
        "a trial that expires",
        830,
        _acts(_buys(plan="starter", trial_days=14, after_trial="cancel")),
        in_salesforce=False,
    ),
    Story(
        "a trial cancelled on its way",
        800,
        _acts(_buys(_then(6.2, "cancel"), plan="starter", trial_days=14)),
    ),
    Story(
        "a trial that pauses for want of a card, and resumes",
        200,
        _acts(_buys(_then(44.4, "resume"), trial_days=14, after_trial="pause")),
    ),
    Story(
        "a quarterly plan in pounds",
        90,
        _acts(
            _buys(
                _then(100, _SEATS, seats=45),
                _then(700, "cancel_at_period_end"),
                plan="business",
                interval_count=3,
            )
        ),
        segment="mid_market",
        currency="GBP",
        seats=30,
        deal_habits=frozenset({"regresses"}),
    ),
    Story(
        "a weekly plan",
        600,
        _acts(_buys(_then(150, "cancel_at_period_end"), plan="weekly", interval="week")),
        currency="AUD",
        link_stripe="domain",
    ),
    Story(
        "a daily plan",
        780,
        _acts(_buys(_then(40.5, "cancel"), plan="daily", interval="day")),
        in_salesforce=False,
    ),
    Story(
        "a flat plan with add-ons that come and go",
        100,
        _acts(
            _buys(
                _then(40.2, "add_item", code="esign", quantity=1),
                _then(70.9, "add_item", code="storage", quantity=550, proration="now"),
                _then(160.4, "remove_item", code="esign"),
                _then(300.8, _SEATS, seats=730, code="storage", proration="now"),
                plan="studio",
                seats=1,
            )
        ),
        currency="CAD",
        link_stripe="name",
    ),
    Story(
        "graduated tiers",
        140,
        _acts(
            _buys(
                _then(75, _SEATS, seats=130, proration="now"),
                _then(333, _SEATS, seats=90),
                plan="business",
            )
        ),
        segment="mid_market",
        seats=60,
        deal_habits=frozenset({"reopens", "pushes"}),
    ),
    Story(
        "volume tiers, where fewer seats can cost more",
        150,
        _acts(
            _buys(
                _then(99, _SEATS, seats=260, proration="now"),
                _then(222, _SEATS, seats=50, proration="now"),
                plan="scale",
            )
        ),
        segment="enterprise",
        seats=240,
        deal_habits=frozenset({"pushes", "regresses", "skips"}),
    ),
    Story(
        "seats sold by the pack of five",
        170,
        _acts(
            _buys(
                _then(50, _SEATS, seats=10),
                _then(110, _SEATS, seats=11),
                _then(260, _SEATS, seats=0, proration="none"),
                _then(325, _SEATS, seats=16, proration="none"),
                plan="pack",
            )
        ),
        link_stripe="none",
    ),
    Story(
        "seats and metered calls",
        180,
        _acts(_buys(_then(200, _SEATS, seats=14), add_ons=(("api", 1),))),
        segment="mid_market",
        seats=10,
    ),
    Story(
        "an upgrade and a downgrade",
        190,
        _acts(
            _buys(
                _then(120.5, "change_plan", plan="team"),
                _then(400.2, "change_plan", plan="starter", proration="pending"),
                plan="starter",
            )
        ),
        in_salesforce=False,
        link_segment="domain",
    ),
    Story(
        "two price increases",
        80,
        _acts(
            _buys(
                _then(400, "raise_price", version=2),
                _then(765, "raise_price", version=3),
                plan="starter",
            )
        ),
        seats=14,
    ),
    Story(
        "a pause without invoices that ends by itself",
        250,
        _acts(_buys(_then(150.5, "pause", behavior="void", for_days=45))),
    ),
    Story(
        "a pause with drafts, which is still revenue",
        260,
        _acts(
            _buys(_then(140.5, "pause", behavior="keep_as_draft"), _then(190.5, "unpause")),
        ),
    ),
    Story(
        "a pause whose end no webhook reports",
        270,
        _acts(
            _buys(
                _then(143, "pause", behavior="mark_uncollectible", for_days=38, is_silent=True),
            )
        ),
    ),
    Story(
        "a pause until further notice, twice",
        280,
        _acts(
            _buys(
                _then(120, "pause", behavior="void"),
                _then(190, "unpause"),
                _then(500, "pause", behavior="void"),
            )
        ),
    ),
    Story(
        "a percentage off for ever",
        610,
        _acts(
            _buys(
                _then(0, _COUPON, coupon="LOYAL15"),
                _then(111, _SEATS, seats=15),
                _then(170, "end_next_invoice", outcome="void"),
            )
        ),
    ),
    Story(
        "an amount off for three months, over without a word",
        700,
        _acts(_buys(_then(0, _COUPON, coupon="SPRING30"))),
        in_salesforce=False,
    ),
    Story(
        "coupons for one invoice, which are not revenue lost",
        230,
        _acts(
            _buys(_then(0, _COUPON, coupon="FIRST50"), _then(200.5, _COUPON, coupon="ONCE40")),
        ),
    ),
    Story(
        "a customer's coupon, covered for a while by the subscription's",
        240,
        _acts(
            _buys(
                _then(0, _COUPON, coupon="PARTNER30", target="customer"),
                _then(100.5, _COUPON, coupon="FIRST50"),
                _then(200.5, _COUPON, coupon="WELCOME20"),
                _then(420.5, "undiscount", coupon="PARTNER30"),
            )
        ),
        segment="mid_market",
        seats=25,
    ),
    Story(
        "an item's coupon under the subscription's",
        245,
        _acts(
            _buys(
                _then(30.5, _COUPON, coupon="ITEM25", target="team"),
                _then(60.5, _COUPON, coupon="TENOFF"),
                _then(250.5, "undiscount", coupon="ITEM25"),
                add_ons=(("esign", 2),),
            )
        ),
    ),
    Story(
        "stacked coupons",
        570,
        _acts(
            _buys(
                _then(0, _COUPON, coupon="LOYAL15"),
                _then(45.5, _COUPON, coupon="TENOFF"),
                _then(200.5, _COUPON, coupon="WELCOME20"),
                add_ons=(("archive", 1), ("api", 1)),
            )
        ),
        segment="mid_market",
        seats=20,
    ),
    Story(
        "a coupon taken away early",
        780,
        _acts(_buys(_then(0, _COUPON, coupon="HALF3"), _then(40.5, "undiscount", coupon="HALF3"))),
    ),
    Story(
        "a promotion code, exchanged for another coupon",
        660,
        _acts(
            _buys(
                _then(0, _COUPON, coupon="WELCOME20"),
                _then(50.5, "switch_discount", old="WELCOME20", new="ANNUAL10"),
                plan="starter",
                seats=20,
            )
        ),
        in_salesforce=False,
    ),
    Story(
        "our own workspace, on the house",
        20,
        _acts(_buys(_then(0, _COUPON, coupon="ONTHEHOUSE"), seats=12)),
        is_internal=True,
    ),
    Story(
        "a failed payment that recovers in time",
        285,
        _acts(
            _buys(
                _then(170, "payment_fails", outcome="recovered", days=9),
                _then(400, "payment_fails", outcome="recovered", days=4),
            )
        ),
    ),
    Story(
        "a failed payment that recovers after the grace",
        290,
        _acts(_buys(_then(100, "payment_fails", outcome="recovered", days=67))),
    ),
    Story(
        "a failed payment that ends it",
        295,
        _acts(_buys(_then(230, "payment_fails", outcome="canceled", days=21))),
    ),
    Story(
        "unpaid, and paid in the end",
        305,
        _acts(
            _buys(
                _then(130, "payment_fails", outcome="unpaid", days=24),
                _then(245, "settle"),
            )
        ),
    ),
    Story(
        "a first payment that never came",
        760,
        _acts(_buys(opening="abandoned")),
        in_salesforce=False,
    ),
    Story(
        "a first payment that came later that day",
        650,
        _acts(_buys(opening="incomplete")),
        in_salesforce=False,
    ),
    Story(
        "a cancellation at the end of the period",
        330,
        _acts(
            _buys(
                _then(90, "credit_note", share=0.25, effective_days=9),
                _then(480.5, "cancel_at_period_end"),
            )
        ),
    ),
    Story(
        "a change of mind",
        340,
        _acts(_buys(_then(75.2, "cancel_at_period_end"), _then(80.7, "keep"))),
    ),
    Story(
        "an annual plan left half-way, with the rest given back",
        350,
        _acts(_buys(_then(140.5, "cancel", is_credited=True), interval="year")),
        segment="mid_market",
        seats=22,
    ),
    Story(
        "a customer who comes back",
        160,
        _acts(
            _buys(_then(150, "cancel_at_period_end"), plan="starter"),
            _buys(after_days=290, seats=11),
        ),
    ),
    Story(
        "a contract entered late and backdated",
        900,
        _acts(_buys(backdated_days=75, seats=18)),
        segment="mid_market",
        seats=18,
    ),
    Story(
        "a customer deleted without a word on the subscription",
        620,
        _acts(_buys(_then(250.5, "delete_customer"))),
        in_salesforce=False,
    ),
    Story(
        "two subscriptions of one customer",
        370,
        _acts(
            _buys(_then(300, "cancel_at_period_end")),
            _buys(_then(100, _SEATS, seats=9), after_days=60, plan="starter", seats=5),
        ),
    ),
    Story(
        "two customers that name one Salesforce id which the CRM does not know",
        380,
        _acts(
            _buys(plan="starter"),
            _buys(
                _then(200, "cancel_at_period_end"),
                after_days=45,
                customer_number=1,
                seats=30,
            ),
        ),
        in_salesforce=False,
    ),
    Story(
        "one account in two currencies",
        120,
        _acts(
            _buys(_then(330, _SEATS, seats=44), plan="business"),
            _buys(after_days=90, customer_number=1, currency="EUR", seats=12),
        ),
        segment="mid_market",
        seats=35,
    ),
    Story(
        "yen, with an amount off",
        590,
        _acts(
            _buys(
                _then(20.5, _COUPON, coupon="TENOFF"),
                _then(50.5, "change_plan", plan="starter"),
                _then(110.5, "change_plan", plan="team"),
                _then(150, _SEATS, seats=13),
            )
        ),
        currency="JPY",
    ),
    Story(
        "dinars with three decimals",
        680,
        _acts(_buys(_then(77, _SEATS, seats=33, proration="now"), plan="business")),
        segment="mid_market",
        currency="KWD",
        seats=21,
    ),
    Story(
        "a free plan that turns into a paid one",
        790,
        _acts(_buys(_then(66.6, "change_plan", plan="team"), plan="free")),
        in_salesforce=False,
    ),
    Story(
        "prices that include the tax",
        720,
        _acts(
            _buys(
                _then(120, _SEATS, seats=10, proration="now"),
                plan="starter",
                tax_behavior="inclusive",
                tax_percent=20,
            )
        ),
        currency="GBP",
    ),
    Story(
        "tax on top",
        640,
        _acts(
            _buys(
                _then(0, _COUPON, coupon="ANNUAL10"),
                _then(100, "credit_note", share=0.5),
                _then(200, "refund", share=0.3),
                tax_percent=19,
            )
        ),
        currency="EUR",
    ),
    Story(
        "somebody trying the checkout in test mode",
        450,
        _acts(_buys(_then(50, _SEATS, seats=99), is_live=False)),
        is_test=True,
        link_stripe="none",
    ),
    Story(
        "more lines than an invoice shows",
        690,
        _acts(
            _buys(
                _then(150, "payment_fails", outcome="recovered", days=6),
                plan="enterprise",
                add_ons=tuple((code, 1) for code in _ADD_ONS),
            )
        ),
        segment="enterprise",
        currency="CAD",
        seats=70,
    ),
    Story(
        "refunds, one of which fails, and disputes",
        470,
        _acts(
            _buys(
                _then(65, "refund", share=0.25),
                _then(65.5, "refund", share=0.25),
                _then(66, "refund", share=0.5),
                _then(140, "refund", share=1.0, is_failing=True),
                _then(210, "dispute", outcome="lost"),
                _then(300, "dispute", outcome="won"),
            )
        ),
        currency="SEK",
    ),
    Story(
        "invoices voided, written off, forgotten, and one for onboarding",
        480,
        _acts(
            _buys(
                _then(3, "one_off"),
                _then(70, "end_next_invoice", outcome="void"),
                _then(160, "end_next_invoice", outcome="uncollectible"),
                _then(250, "end_next_invoice", outcome="open"),
                _then(278, "credit_note", share=0.1),
                _then(281, "void_credit_note"),
                _then(285, "overpay"),
                _then(345, "credit_note", share=0.2),
                _then(400, "end_next_invoice", outcome="open"),
                plan="business",
                days_until_due=30,
            )
        ),
        segment="mid_market",
        currency="EUR",
        seats=26,
    ),
    Story(
        "a subscription that no webhook reports",
        490,
        _acts(_buys(archive_days=-1)),
    ),
    Story(
        "a subscription whose first webhooks were not kept",
        500,
        _acts(_buys(_then(170.5, _SEATS, seats=16), archive_days=150)),
    ),
    Story(
        "two changes in one second",
        740,
        _acts(_buys(_then(88.5, _SEATS, seats=9), _then(88.5, _SEATS, seats=21))),
    ),
    Story(
        "an account that the CRM merged into another after it had bought",
        520,
        _acts(_buys(_then(120, _SEATS, seats=10), plan="starter")),
        merged_into_key=1,
        link_segment="none",
    ),
    Story(
        "a subsidiary",
        560,
        _acts(_buys(interval="year", seats=40)),
        segment="mid_market",
        seats=40,
        parent_key=1,
    ),
    Story(
        "a prospect that only the CRM knows", 400, segment="enterprise", seats=200, in_segment=False
    ),
    Story(
        "a workspace that only product analytics knows",
        555,
        in_salesforce=False,
        link_segment="none",
        seats=3,
    ),
)
