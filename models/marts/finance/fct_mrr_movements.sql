{%- set movement_types = ['new', 'reactivation', 'expansion', 'contraction', 'churn', 'fx'] -%}

with

fct_mrr_monthly as (

    select * from {{ ref('fct_mrr_monthly') }}

),

int_mrr_items_monthly as (

    select * from {{ ref('int_mrr_items_monthly') }}

),

int_subscription_ends_explained as (

    select * from {{ ref('int_subscription_ends_explained') }}

),

movements as (

    {% for movement_type in movement_types %}
    select
        account_id,
        mrr_month,
        '{{ movement_type }}' as movement_type,
        is_month_closed,
        {{ movement_type }}_mrr_usd as mrr_usd
    from fct_mrr_monthly
    {% if not loop.last %}
    union all
    {% endif %}
    {% endfor %}

),

-- An item may stop counting while its subscription runs: unpaid, removed, or with a scheduled end
-- that has passed.
lost_items as (

    select
        items.account_id,
        items.mrr_month,
        items.mrr_before * items.usd_per_unit_before as lost_usd,
        items.subscription_item_id,
        case
            when items.mrr_exclusion_reason in ('past_due_expired', 'unpaid') then 'involuntary'
            when int_subscription_ends_explained.subscription_id is not null
                then int_subscription_ends_explained.churn_type
            when items.mrr_exclusion_reason in ('canceled', 'zero_quantity', 'zero_price')
                then 'voluntary'
            else 'unknown'
        end as churn_type

    from int_mrr_items_monthly as items
    left join int_subscription_ends_explained
        on
            items.subscription_id = int_subscription_ends_explained.subscription_id
            and items.mrr_exclusion_reason in ('canceled', 'incomplete_expired')
    where
        items.mrr_before != 0
        and items.mrr = 0

),

-- An account has one type a month: that of the most MRR lost.
summed_by_type as (

    select
        account_id,
        mrr_month,
        churn_type,
        sum(lost_usd) as lost_usd
    from lost_items
    group by
        account_id,
        mrr_month,
        churn_type

),

lost_by_type as (

    select
        account_id,
        mrr_month,
        churn_type
    from summed_by_type
    qualify
        row_number() over (
            partition by account_id, mrr_month
            order by lost_usd desc nulls last, churn_type asc
        ) = 1

),

final as (

    select
        movements.account_id,
        movements.mrr_month,
        movements.movement_type,
        case
            when movements.movement_type = 'churn'
                then coalesce(lost_by_type.churn_type, 'unknown')
        end as churn_type,
        movements.is_month_closed,
        movements.mrr_usd

    from movements
    left join lost_by_type
        on
            movements.account_id = lost_by_type.account_id
            and movements.mrr_month = lost_by_type.mrr_month
    where movements.mrr_usd != 0

)

select * from final
