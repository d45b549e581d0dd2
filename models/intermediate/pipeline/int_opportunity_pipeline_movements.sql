{%- set deal = '(partition by opportunity_id order by state_number)' -%}

with

int_opportunity_states as (

    select * from {{ ref('int_opportunity_states') }}

),

-- A state of less than a second was never in anyone's pipeline.
held as (

    select
        opportunity_id,
        state_number,
        valid_from_at,
        currency,
        coalesce(amount, 0) as amount,
        case when coalesce(amount, 0) = 0 then 0 else amount_usd end as amount_usd,
        is_in_pipeline,
        is_closed,
        is_won,
        is_deleted

    from int_opportunity_states
    where valid_to_at is null or valid_to_at > valid_from_at

),

compared as (

    select
        opportunity_id,
        state_number,
        valid_from_at,
        currency,
        amount,
        amount_usd,
        is_in_pipeline,
        is_closed,
        is_won,
        is_deleted,
        coalesce(is_won, false) and not is_deleted and not is_in_pipeline as is_winning,
        lag(is_in_pipeline) over {{ deal }} as was_in_pipeline,
        lag(currency) over {{ deal }} as previous_currency,
        lag(amount) over {{ deal }} as previous_amount,
        lag(amount_usd) over {{ deal }} as previous_amount_usd

    from held

),

movements as (

    select
        opportunity_id,
        state_number,
        valid_from_at,
        currency,
        case when was_in_pipeline is null then 'created' else 'reopened' end as movement_type,
        amount,
        amount_usd,
        1 as opportunity_count
    from compared
    where is_in_pipeline and not coalesce(was_in_pipeline, false)

    union all

    select
        opportunity_id,
        state_number,
        valid_from_at,
        case when is_winning then currency else previous_currency end as currency,
        case
            when is_deleted then 'deleted'
            when is_won then 'won'
            when is_closed then 'lost'
            -- Its stage may be open or closed.
            else 'decreased'
        end as movement_type,
        case when is_winning then -amount else -previous_amount end as amount,
        case when is_winning then -amount_usd else -previous_amount_usd end as amount_usd,
        -1 as opportunity_count
    from compared
    where was_in_pipeline and not is_in_pipeline

    union all

    -- A deal leaves the pipeline with the amount it is won for, so a last change of the amount is
    -- a movement of its own.
    select
        opportunity_id,
        state_number,
        valid_from_at,
        currency,
        case
            when amount > previous_amount then 'increased'
            else 'decreased'
        end as movement_type,
        amount - previous_amount as amount,
        amount_usd - previous_amount_usd as amount_usd,
        0 as opportunity_count
    from compared
    where
        was_in_pipeline
        and (is_in_pipeline or is_winning)
        and currency = previous_currency
        and amount != previous_amount

    union all

    -- A change of currency takes the deal out of one currency's pipeline and into the other's.
    select
        opportunity_id,
        state_number,
        valid_from_at,
        previous_currency as currency,
        'decreased' as movement_type,
        -previous_amount as amount,
        -previous_amount_usd as amount_usd,
        -1 as opportunity_count
    from compared
    where was_in_pipeline and (is_in_pipeline or is_winning) and currency != previous_currency

    union all

    select
        opportunity_id,
        state_number,
        valid_from_at,
        currency,
        'increased' as movement_type,
        amount,
        amount_usd,
        1 as opportunity_count
    from compared
    where was_in_pipeline and (is_in_pipeline or is_winning) and currency != previous_currency

),

final as (

    select
        opportunity_id,
        state_number,
        valid_from_at as moved_at,
        {{ month_start('valid_from_at') }} as movement_month,
        movement_type,
        currency,
        cast(amount as decimal(28, 6)) as amount,
        cast(amount_usd as decimal(28, 6)) as amount_usd,
        opportunity_count

    from movements

)

select * from final
