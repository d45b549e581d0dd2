"""Every kind of mess that the generator plants, found again where its handling shows.

Each query gives what was planted only while the mess is handled: take the handling out, and it
gives another number. What decides figures rather than counts (late and unordered events, devices,
aliases, coupons, pauses, failed payments) is held by the truth of MRR, revenue and active users,
and by the scenarios worked by hand.
"""

import json
from pathlib import Path

import pytest

from harness import opened, rows

_UNHANDLED_STRIPE = """
    (select count(distinct id) from raw_stripe.{0} where coalesce(livemode, true))
    - (select count(*) from staging.stg_stripe__{0})
"""

# What is planted, by key of `planted_defects.json`, and a query of the same number.
_COUNTS: dict[str, tuple[tuple[str, ...], str]] = {
    "messages sent twice": (
        ("segment_duplicates_within_batch", "segment_duplicates_across_batches"),
        "(select count(*) from raw_segment.messages) - (select count(*) from product.fct_events)",
    ),
    "events delivered twice": (
        ("stripe_events_repeated",),
        """
        (select count(*) from raw_stripe.events)
        - (select count(distinct id) from raw_stripe.events)
        + (
            select count(distinct id) from raw_stripe.events
            where livemode and type like 'customer.subscription.%'
        )
        - (select count(*) from staging.stg_stripe__subscription_events)
        """,
    ),
    "timestamps in the future": (
        ("segment_future_timestamps",),
        "(select count(*) from product.fct_events where is_future)",
    ),
    "bots": (
        ("segment_bot_messages",),
        "(select count(*) from product.fct_events where is_bot)",
    ),
    "our own people": (
        ("segment_internal_user_messages",),
        "(select count(*) from product.fct_events where is_internal)",
    ),
    "test workspaces": (
        ("segment_test_workspace_messages",),
        "(select count(*) from product.fct_events where is_test)",
    ),
    "names no plan knows": (
        ("segment_unknown_events",),
        "(select count(*) from product.fct_events where not is_known_event)",
    ),
    "clocks that are off": (
        ("segment_clock_skew",),
        """
        (
            select count(distinct messages.messageId)
            from raw_segment.messages as messages
            inner join product.fct_events as events
                on messages.messageId = events.event_id
                and messages.timestamp = events.occurred_at
            where abs(epoch(messages.timestamp) - epoch(messages.originalTimestamp)) > 60
        )
        """,
    ),
    "deleted deals": (
        ("salesforce_deleted_opportunity",),
        """
        (select count(*) from staging.stg_salesforce__opportunities where is_deleted)
        - 1000 * (
            select count(*)
            from sales.fct_opportunities
            where opportunity_id in (
                select opportunity_id from staging.stg_salesforce__opportunities where is_deleted
            )
        )
        """,
    ),
    "deleted contacts and leads": (
        ("salesforce_deleted_contact", "salesforce_deleted_lead"),
        """
        (select count(*) from staging.stg_salesforce__contacts where is_deleted)
        + (select count(*) from staging.stg_salesforce__leads where is_deleted)
        """,
    ),
    "merged accounts": (
        ("salesforce_merged_accounts",),
        "(select count(*) from shared.bridge_account_identities where match_rule = 'merged')",
    ),
    "payouts": (
        ("stripe_payouts",),
        "(select count(*) from finance.fct_payouts where is_reconciled and is_exported)",
    ),
    "fees that Stripe bills alone": (
        ("stripe_fees_billed_alone",),
        "(select count(*) from finance.fct_balance_transactions where billed_fee_amount > 0)",
    ),
    "refunds that name no charge": (
        ("stripe_refunds_without_charge",),
        """
        (
            select count(distinct refunds.id)
            from raw_stripe.refunds
            inner join finance.fct_refunds on refunds.id = fct_refunds.refund_id
            where refunds.charge is null and fct_refunds.charge_id is not null
        )
        """,
    ),
    "disputes in another currency": (
        ("stripe_disputes_in_another_currency",),
        """
        (
            select count(*)
            from finance.fct_disputes as disputes
            inner join finance.fct_payments as payments
                on disputes.charge_id = payments.charge_id
                and disputes.currency != payments.currency
        )
        """,
    ),
    "overpaid invoices": (
        ("stripe_overpaid_invoices",),
        "(select count(*) from finance.fct_invoices where overpaid_amount > 0)",
    ),
    "first payments that fail": (
        ("stripe_invoices_failing_first",),
        """
        (
            select count(*)
            from finance.fct_payments
            where attempt_number = 1 and not is_successful
        )
        """,
    ),
    "partial pages of lines": (
        ("stripe_partial_line_pages",),
        """
        (
            select count(*)
            from (
                select invoices.invoice_id
                from staging.stg_stripe__invoices as invoices
                inner join intermediate.int_invoice_lines_netted as lines
                    on invoices.invoice_id = lines.invoice_id
                where invoices.has_more_lines
                group by invoices.invoice_id, invoices.subtotal_minor
                having sum(lines.amount_minor) = invoices.subtotal_minor
            )
        )
        """,
    ),
}


@pytest.fixture(scope="module")
def planted(tiny_extracts: Path) -> dict[str, int]:
    defects = json.loads((tiny_extracts / "_truth" / "planted_defects.json").read_text())
    counts: dict[str, int] = defects["counts"]
    return counts


@pytest.mark.parametrize("mess", _COUNTS)
def test_what_was_planted_is_handled(
    mess: str, planted: dict[str, int], tiny_warehouse: Path
) -> None:
    keys, query = _COUNTS[mess]
    ((found,),) = rows(tiny_warehouse, f"select {query}")
    assert found == sum(planted[key] for key in keys) > 0


def test_every_broken_record_is_kept_aside_and_no_other(
    tiny_extracts: Path, tiny_warehouse: Path
) -> None:
    defects = json.loads((tiny_extracts / "_truth" / "planted_defects.json").read_text())
    broken = {
        (record["batch_id"], record["source_file"], record["source_row"])
        for record in defects["broken"]
    }
    rejected = rows(
        tiny_warehouse, "select batch_id, source_file, source_row from raw_audit.rejected_records"
    )
    assert set(rejected) == broken
    assert len(rejected) == len(broken)


@pytest.mark.parametrize(
    "objects",
    ["customers", "subscriptions", "invoices", "charges", "products", "prices", "coupons"],
)
def test_stripe_records_stand_once_and_test_mode_not_at_all(
    objects: str, planted: dict[str, int], tiny_warehouse: Path
) -> None:
    ((unhandled, sent),) = rows(
        tiny_warehouse,
        f"select {_UNHANDLED_STRIPE.format(objects)}, (select count(*) from raw_stripe.{objects})",
    )
    assert unhandled == 0
    assert sent
    assert planted["stripe_test_mode_rows"] > 0
    assert planted["stripe_rows_repeated_within_a_file"] > 0
    assert planted["stripe_rows_repeated_across_batches"] > 0


@pytest.mark.parametrize(
    ("table", "model", "key"),
    [
        ("Account", "accounts", "salesforce_account_id"),
        ("Contact", "contacts", "salesforce_contact_id"),
        ("Opportunity", "opportunities", "opportunity_id"),
    ],
)
def test_salesforce_records_stand_once_in_their_newest_version(
    table: str, model: str, key: str, planted: dict[str, int], tiny_warehouse: Path
) -> None:
    with opened(tiny_warehouse) as connection:
        columns = [
            name
            for (name, *_) in connection.execute(
                f"describe staging.stg_salesforce__{model}"
            ).fetchall()
        ]
    key = key if key in columns else columns[0]
    stale = rows(
        tiny_warehouse,
        f"""
        with newest as (
            select left(Id, 15) as id, max(SystemModstamp) as modified_at
            from raw_salesforce."{table}"
            group by all
        )
        select newest.id
        from newest
        left join staging.stg_salesforce__{model} as staged
            on newest.id = left(staged.{key}, 15)
        group by newest.id, newest.modified_at
        having count(staged.{key}) != 1 or max(staged.system_modified_at) != newest.modified_at
        """,
    )
    assert stale == []
    assert planted["salesforce_older_versions"] > 0
    assert planted["salesforce_duplicates_within_batch"] > 0


def test_old_event_names_become_the_new_ones(planted: dict[str, int], tiny_warehouse: Path) -> None:
    ((renamed, left_over),) = rows(
        tiny_warehouse,
        """
        select
            count(*) filter (
                where (is_known_event and raw_event_name != event_name)
                -- In no tracking plan, so that its old name stays.
                or raw_event_name = 'experiment_viewed'
            ),
            count(*) filter (
                where is_known_event
                and event_name not in (select event_name from seeds.event_taxonomy)
            )
        from product.fct_events
        where event_type = 'track'
        """,
    )
    old = planted["segment_old_event_names"]
    assert left_over == 0
    assert isinstance(renamed, int)
    assert old <= renamed <= old + planted["segment_case_slips"]


def test_fields_that_come_go_and_change_are_written_down(tiny_warehouse: Path) -> None:
    changes = set(
        rows(
            tiny_warehouse,
            "select source_system, object_name, field, change from raw_audit.schema_changes",
        )
    )
    assert changes >= {
        ("salesforce", "Account", "Renewal_Risk__c", "appeared"),
        ("salesforce", "Account", "Legacy_Segment__c", "vanished"),
        ("salesforce", "Opportunity", "Competitor__c", "appeared"),
        ("salesforce", "Contact", "Fax", "vanished"),
        ("segment", "message", "writeKey", "appeared"),
        ("segment", "message", "_metadata", "vanished"),
        ("segment", "message", "properties.client_version", "appeared"),
        ("segment", "message", "properties.legacy_plan_code", "vanished"),
        ("segment", "message", "properties.pages", "retyped"),
        ("stripe", "customer", "tax_ids", "appeared"),
        ("stripe", "customer", "preferred_locales", "vanished"),
        ("stripe", "charge", "customer", "retyped"),
    }
