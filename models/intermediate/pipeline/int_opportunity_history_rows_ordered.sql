with

int_opportunity_history_rows_compared as (

    select * from {{ ref('int_opportunity_history_rows_compared') }}

),

numbered as (

    select
        opportunity_history_id,
        opportunity_id,
        changed_at,
        stage_name,
        forecast_category,
        currency,
        amount,
        probability_rate,
        close_date,
        previous_stage_name,
        previous_amount,
        previous_close_date,
        stage_number,
        ending_score,
        first_position_number,
        tied_count,
        row_number() over (
            partition by opportunity_id
            order by
                changed_at,
                ending_score,
                stage_number nulls last,
                case when amount is null then 0 else 1 end,
                opportunity_history_id
        ) as position_number

    from int_opportunity_history_rows_compared

),

-- The history has whole seconds. Within one, only evidence shows which row came first.
-- The first pass takes the state before a second from the fallback order. The second pass takes it
-- from the first one, because the second before may be tied as well.
{%- for pass in (1, 2) %}
{%- set records_before = 'numbered' if pass == 1 else 'ordered_1' %}

tied_{{ pass }} as (

    select
        tied_rows.opportunity_id,
        tied_rows.first_position_number,
        tied_rows.opportunity_history_id,
        tied_rows.stage_name,
        tied_rows.amount,
        tied_rows.close_date,
        tied_rows.previous_stage_name,
        tied_rows.previous_amount,
        tied_rows.previous_close_date,
        tied_rows.position_number = tied_rows.first_position_number as is_group_row,
        rows_before.stage_name as stage_name_before,
        rows_before.amount as amount_before,
        rows_before.close_date as close_date_before,
        row_number() over (
            partition by tied_rows.opportunity_id, tied_rows.first_position_number
            order by
                tied_rows.ending_score,
                case when tied_rows.stage_name = rows_before.stage_name then 0 else 1 end,
                tied_rows.position_number
        ) as fallback_number

    from numbered as tied_rows
    left join {{ records_before }} as rows_before
        on
            tied_rows.opportunity_id = rows_before.opportunity_id
            and tied_rows.first_position_number - 1 = rows_before.position_number
    where tied_rows.tied_count between 2 and 50

),

outcomes_{{ pass }} as (

    select
        opportunity_id,
        first_position_number,
        opportunity_history_id,
        stage_name,
        amount,
        close_date,
        previous_stage_name,
        previous_amount,
        previous_close_date
    from tied_{{ pass }}

    union all

    select
        opportunity_id,
        first_position_number,
        '' as opportunity_history_id,
        stage_name_before as stage_name,
        amount_before as amount,
        close_date_before as close_date,
        null as previous_stage_name,
        null as previous_amount,
        null as previous_close_date
    from tied_{{ pass }}
    where is_group_row

),

pairs_{{ pass }} as (

    select
        later.opportunity_id,
        later.first_position_number,
        later.opportunity_history_id,
        later.fallback_number,
        {%- for before, after, column in (
            ('earlier', 'later', 'agreement'), ('later', 'earlier', 'reverse_agreement')
        ) %}
        case
            when {{ after }}.previous_stage_name is null then 0
            when {{ after }}.previous_stage_name = {{ before }}.stage_name then 2
            else -2
        end
        + case
            when {{ after }}.previous_close_date is null then 0
            when
                {{ after }}.previous_close_date = {{ before }}.close_date
                and ({{ after }}.previous_amount is not distinct from {{ before }}.amount)
                then 1
            else -1
        end as {{ column }},
        {%- endfor %}
        earlier.opportunity_history_id as other_history_id

    from tied_{{ pass }} as later
    inner join outcomes_{{ pass }} as earlier
        on
            later.opportunity_id = earlier.opportunity_id
            and later.first_position_number = earlier.first_position_number
            and later.opportunity_history_id != earlier.opportunity_history_id

),

orders_{{ pass }} as (

    select
        opportunity_id,
        first_position_number,
        {{ order_within_second(
            'opportunity_history_id', 'other_history_id', 'agreement', 'reverse_agreement',
            'fallback_number'
        ) }} as ordered_ids
    from pairs_{{ pass }}
    group by
        opportunity_id,
        first_position_number

),

ordered_{{ pass }} as (

    select
        numbered.opportunity_history_id,
        numbered.opportunity_id,
        numbered.stage_name,
        numbered.amount,
        numbered.close_date,
        coalesce(
            numbered.first_position_number
            + array_position(orders.ordered_ids, numbered.opportunity_history_id) - 1,
            numbered.position_number
        ) as position_number

    from numbered
    left join orders_{{ pass }} as orders
        on
            numbered.opportunity_id = orders.opportunity_id
            and numbered.first_position_number = orders.first_position_number

),
{%- endfor %}

final as (

    select
        numbered.opportunity_history_id,
        numbered.opportunity_id,
        numbered.changed_at,
        ordered_2.position_number,
        numbered.stage_name,
        numbered.forecast_category,
        numbered.currency,
        numbered.amount,
        numbered.probability_rate,
        numbered.close_date,
        numbered.previous_stage_name,
        numbered.previous_amount,
        numbered.previous_close_date

    from numbered
    inner join ordered_2
        on numbered.opportunity_history_id = ordered_2.opportunity_history_id

)

select * from final
