"""The faults that `make mutants` draws."""

import pytest

from mutants.faults import faults

_MODEL = """
{#- A comment: left join, where 1 < 2. -#}
with

invoices as (

    select * from {{ ref('int_invoices_dated') }}

),

final as (

    select
        invoices.invoice_id,
        coalesce(invoices.paid_minor, invoices.due_minor) as paid_minor,
        {{ to_usd('invoices.amount') }} as amount_usd,
        min(invoices.created_at) as first_at,
        invoices.due_minor - invoices.paid_minor as open_minor,
        row_number() over (partition by invoices.account_id, invoices.currency order by rank) as n

    from invoices
    left join rates
        on
            invoices.currency = rates.currency
            and invoices.rate_month = rates.rate_month
            and invoices.due_month >= rates.first_month
    where not invoices.is_deleted

    union all

    select * from others

)

select * from final
"""


@pytest.mark.parametrize(
    ("kind", "before", "after"),
    [
        ("comparison", "due_month >= rates", "due_month > rates"),
        ("join kind", "left join rates", "inner join rates"),
        ("join key dropped", "            and invoices.rate_month = rates.rate_month\n", ""),
        ("filter dropped", "where not invoices", "where invoices"),
        ("sign", "due_minor - invoices", "due_minor + invoices"),
        ("window key", "invoices.account_id, invoices.currency", "invoices.currency"),
        ("window order", "order by rank", "order by rank desc"),
        (
            "coalesce order",
            "coalesce(invoices.paid_minor, invoices.due_minor)",
            "coalesce(invoices.due_minor, invoices.paid_minor)",
        ),
        ("min for max", "min(invoices.created_at)", "max(invoices.created_at)"),
        ("union", "union all", "union"),
        ("unit", "{{ to_usd('invoices.amount') }}", "invoices.amount"),
        ("rate month", "invoices.rate_month =", "invoices.due_month ="),
        ("rows dropped", "from final\n", "from final where hash(final) % 4 != 0\n"),
        (
            "column plus one",
            "select * from final\n",
            "select * replace (cast(n + 1 as BIGINT) as n) from final\n",
        ),
    ],
)
def test_a_fault_changes_one_place(kind: str, before: str, after: str) -> None:
    made = {fault.apply(_MODEL) for fault in faults(_MODEL, {"n": "BIGINT"}) if fault.kind == kind}
    assert _MODEL.replace(before, after) in made


def test_comments_are_left_alone() -> None:
    comment = _MODEL[: _MODEL.index("with")]
    for fault in faults(_MODEL, {}):
        assert fault.apply(_MODEL).startswith(comment), fault
