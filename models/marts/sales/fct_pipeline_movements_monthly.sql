{%- set movements = ('created', 'reopened', 'increased', 'decreased', 'won', 'lost') %}
{%- set months_so_far = '(partition by currency order by pipeline_month'
    ~ ' rows between unbounded preceding and current row)' -%}

with

int_as_of as (

    select * from {{ ref('int_as_of') }}

),

int_opportunity_pipeline_movements as (

    select * from {{ ref('int_opportunity_pipeline_movements') }}

),

currencies as (

    select
        currency,
        min(movement_month) as first_month,
        -- Without a rate, no amount but 0 has dollars.
        count(amount_usd) filter (where amount != 0) > 0
        or count(*) filter (where amount != 0) = 0 as has_rate
    from int_opportunity_pipeline_movements
    group by currency

),

months as (

    select
        currencies.currency,
        currencies.has_rate,
        {{ explode(date_series(
            'currencies.first_month',
            month_start('int_as_of.as_of_date'),
            'month'
        )) }} as pipeline_month,
        int_as_of.as_of_date

    from currencies
    cross join int_as_of

),

-- The deletion of a deal counts as a decrease and is also shown on its own.
moved as (

    select
        currency,
        movement_month,
        case movement_type when 'deleted' then 'decreased' else movement_type end as movement_type,
        movement_type = 'deleted' as is_deletion,
        amount,
        amount_usd,
        opportunity_count
    from int_opportunity_pipeline_movements

),

summed as (

    select
        months.currency,
        months.pipeline_month,
        {{ is_month_closed('months.pipeline_month', 'months.as_of_date') }} as is_month_closed,
        {%- for movement in movements %}
        case
            when months.has_rate
                then coalesce(
                        sum(moved.amount_usd) filter (
                            where moved.movement_type = '{{ movement }}'
                        ),
                        0
                    )
        end as {{ movement }}_usd,
        coalesce(sum(moved.amount) filter (where moved.movement_type = '{{ movement }}'), 0)
            as {{ movement }}_amount,
        count(moved.opportunity_count) filter (where moved.movement_type = '{{ movement }}')
            as {{ movement }}_count,
        {%- endfor %}
        case
            when months.has_rate
                then coalesce(sum(moved.amount_usd) filter (where moved.is_deletion), 0)
        end as deleted_usd,
        case when months.has_rate then coalesce(sum(moved.amount_usd), 0) end as net_usd,
        coalesce(sum(moved.amount), 0) as net_amount,
        coalesce(sum(moved.opportunity_count), 0) as net_count

    from months
    left join moved
        on
            months.currency = moved.currency
            and months.pipeline_month = moved.movement_month
    group by
        months.currency,
        months.pipeline_month,
        months.has_rate,
        months.as_of_date

),

rolled as (

    select
        currency,
        pipeline_month,
        is_month_closed,
        {%- for movement in movements %}
        {{ movement }}_usd,
        {{ movement }}_amount,
        {{ movement }}_count,
        {%- endfor %}
        deleted_usd,
        net_usd,
        net_amount,
        net_count,
        sum(net_usd) over {{ months_so_far }} as closing_usd,
        sum(net_amount) over {{ months_so_far }} as closing_amount,
        sum(net_count) over {{ months_so_far }} as closing_count

    from summed

),

final as (

    select
        currency,
        pipeline_month,
        is_month_closed,
        {%- for suffix in ('usd', 'amount') %}
        cast(closing_{{ suffix }} - net_{{ suffix }} as decimal(28, 6)) as opening_{{ suffix }},
        {%- for movement in movements %}
        cast({{ movement }}_{{ suffix }} as decimal(28, 6)) as {{ movement }}_{{ suffix }},
        {%- endfor %}
        cast(closing_{{ suffix }} as decimal(28, 6)) as closing_{{ suffix }},
        {%- endfor %}
        cast(deleted_usd as decimal(28, 6)) as deleted_usd,
        cast(closing_count - net_count as integer) as opening_count,
        {%- for movement in movements %}
        cast({{ movement }}_count as integer) as {{ movement }}_count,
        {%- endfor %}
        cast(closing_count as integer) as closing_count

    from rolled

)

select * from final
