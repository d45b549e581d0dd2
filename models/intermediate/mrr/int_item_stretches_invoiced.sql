{%- set item_stretches = '(partition by subscription_id, subscription_item_id'
    ~ ' order by valid_from_at)' -%}

with

int_item_billings as (

    select * from {{ ref('int_item_billings') }}

),

-- A proration takes back the rest of the old state and bills the rest of the new one. Of several
-- billings that begin at one instant, the last one that is not a credit shows the state.
beginnings as (

    select
        subscription_id,
        subscription_item_id,
        price_id,
        quantity,
        is_credit,
        billing_state,
        period_start_at,
        period_end_at
    from int_item_billings
    qualify
        row_number() over (
            partition by subscription_id, subscription_item_id, period_start_at
            order by
                is_credit asc,
                billing_state = 'void' asc,
                finalized_at desc nulls last,
                amount_minor desc,
                price_id asc nulls last
        ) = 1

),

stretches as (

    select
        subscription_id,
        subscription_item_id,
        price_id,
        quantity,
        billing_state,
        is_credit,
        period_start_at as valid_from_at,
        least(
            period_end_at,
            lead(period_start_at) over (
                partition by subscription_id, subscription_item_id order by period_start_at
            )
        ) as valid_to_at
    from beginnings

),

with_digest as (

    select
        subscription_id,
        subscription_item_id,
        price_id,
        quantity,
        billing_state,
        valid_from_at,
        valid_to_at,
        concat_ws(
            '|', coalesce(price_id, ''), coalesce(cast(quantity as string), ''), billing_state
        ) as state_digest
    from stretches
    where not is_credit

),

with_changes as (

    select
        subscription_id,
        subscription_item_id,
        price_id,
        quantity,
        billing_state,
        valid_from_at,
        valid_to_at,
        case
            when
                state_digest = lag(state_digest) over {{ item_stretches }}
                and valid_from_at = lag(valid_to_at) over {{ item_stretches }}
                then 0
            else 1
        end as is_change

    from with_digest

),

numbered as (

    select
        subscription_id,
        subscription_item_id,
        price_id,
        quantity,
        billing_state,
        valid_from_at,
        valid_to_at,
        sum(is_change) over (
            partition by subscription_id, subscription_item_id order by valid_from_at
        ) as stretch_number
    from with_changes

),

final as (

    select
        subscription_id,
        subscription_item_id,
        price_id,
        quantity,
        billing_state,
        min(valid_from_at) as valid_from_at,
        max(valid_to_at) as valid_to_at

    from numbered
    group by
        subscription_id,
        subscription_item_id,
        price_id,
        quantity,
        billing_state,
        stretch_number

)

select * from final
