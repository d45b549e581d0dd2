"""Every story that rules of billing and identity depend on occurs in the tiny company."""

from pathlib import Path

import pytest

from harness import rows

_IDENTIFIES = """
    select "userId" as user_id, traits ->> '$.salesforce_account_id' as salesforce_id
    from raw_segment.messages where "type" = 'identify'
"""
# The query of how often it happens.
_STORIES = {
    "a person works in one workspace and then in another": """
        select count(*) from (
            select "userId" from raw_segment.messages
            where context ->> '$.groupId' is not null
            group by all having count(distinct context ->> '$.groupId') > 1
        )
    """,
    "the Salesforce id of a user changes": f"""
        select count(*) from (
            select user_id from ({_IDENTIFIES})
            group by all having count(distinct salesforce_id) > 1
        )
    """,
    "a credit note is voided": """
        select count(distinct id) from raw_stripe.credit_notes
        where status = 'void' and voided_at > created and type = 'pre_payment'
    """,
    "a credit note takes effect later than it is created": """
        select count(distinct id) from raw_stripe.credit_notes where effective_at > created + 86400
    """,
    "an invoice with a discount is voided": """
        select count(distinct id) from raw_stripe.invoices
        where status = 'void' and json_array_length(total_discount_amounts) > 0
    """,
    "a plan in another currency is swapped under a discount": """
        select count(*)
        from finance.fct_subscription_item_mrr as before
        inner join finance.fct_subscription_item_mrr as after
            on before.subscription_item_id = after.subscription_item_id
            and before.valid_to_at = after.valid_from_at
            and before.product_id != after.product_id
        where
            after.currency != 'USD' and before.discount_mrr > 0 and after.discount_mrr > 0
            and before.mrr > 0 and after.mrr > 0
    """,
    "disputes in two currencies": """
        select count(distinct currency) - 1 from raw_stripe.disputes
    """,
}


@pytest.mark.parametrize("story", _STORIES)
def test_it_happens_at_tiny(story: str, tiny_warehouse: Path) -> None:
    ((count,),) = rows(tiny_warehouse, _STORIES[story])
    assert isinstance(count, int)
    assert count >= 1
