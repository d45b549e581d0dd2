{%- set types = ['new', 'reactivation', 'expansion', 'contraction', 'churn', 'swap'] -%}

with

fct_mrr_movement_parts as (

    select * from {{ ref('fct_mrr_movement_parts') }}

),

int_as_of as (

    select * from {{ ref('int_as_of') }}

),

int_mrr_items_monthly as (

    select * from {{ ref('int_mrr_items_monthly') }}

),

int_prices_described as (

    select * from {{ ref('int_prices_described') }}

),

-- Prices without a known product form a plan of their own.
closings as (

    select
        coalesce(product_id, '(unknown)') as product_id,
        mrr_month,
        sum(mrr * usd_per_unit) as closing_mrr_usd,
        count(distinct account_id) as paying_account_count

    from int_mrr_items_monthly
    where mrr != 0
    group by
        product_id,
        mrr_month

),

first_months as (

    select
        product_id,
        min(mrr_month) as first_month
    from closings
    group by product_id

),

plan_months as (

    select
        first_months.product_id,
        {{ explode(date_series(
            'first_months.first_month',
            month_start('int_as_of.as_of_at'),
            'month'
        )) }}
            as mrr_month
    from first_months
    cross join int_as_of

),

plan_names as (

    select
        product_id,
        max(product_name) as product_name
    from int_prices_described
    group by product_id

),

typed_parts as (

    select
        coalesce(product_id, '(unknown)') as product_id,
        mrr_month,
        case
            when movement_type in ('new', 'reactivation', 'churn') then movement_type
            when movement_reason = 'plan' then 'swap'
            when mrr_usd > 0 then 'expansion'
            else 'contraction'
        end as movement_type,
        mrr_usd

    from fct_mrr_movement_parts
    where movement_type != 'fx'

),

movements as (

    select
        product_id,
        mrr_month,
        {%- for type in types %}
        sum(mrr_usd) filter (where movement_type = '{{ type }}') as {{ type }}_mrr_usd
        {%- if not loop.last %},{% endif %}
        {%- endfor %}

    from typed_parts
    group by
        product_id,
        mrr_month

),

monthly as (

    select
        plan_months.product_id,
        plan_names.product_name,
        plan_months.mrr_month,
        {{ dbt.dateadd('month', 1, 'plan_months.mrr_month') }}
        <= int_as_of.as_of_at + interval 1 microsecond as is_month_closed,
        {%- for type in types %}
        cast(coalesce(movements.{{ type }}_mrr_usd, 0) as decimal(28, 6)) as {{ type }}_mrr_usd,
        {%- endfor %}
        cast(coalesce(closings.closing_mrr_usd, 0) as decimal(28, 6)) as closing_mrr_usd,
        coalesce(closings.paying_account_count, 0) as paying_account_count

    from plan_months
    cross join int_as_of
    left join closings
        on
            plan_months.product_id = closings.product_id
            and plan_months.mrr_month = closings.mrr_month
    left join movements
        on
            plan_months.product_id = movements.product_id
            and plan_months.mrr_month = movements.mrr_month
    left join plan_names
        on plan_months.product_id = plan_names.product_id

),

with_openings as (

    select
        product_id,
        product_name,
        mrr_month,
        is_month_closed,
        {%- for type in types %}
        {{ type }}_mrr_usd,
        {%- endfor %}
        closing_mrr_usd,
        paying_account_count,
        lag(closing_mrr_usd, 1, 0) over (partition by product_id order by mrr_month)
            as opening_mrr_usd

    from monthly

),

final as (

    select
        product_id,
        product_name,
        mrr_month,
        is_month_closed,
        cast(opening_mrr_usd as decimal(28, 6)) as opening_mrr_usd,
        new_mrr_usd,
        reactivation_mrr_usd,
        expansion_mrr_usd,
        contraction_mrr_usd,
        churn_mrr_usd,
        swap_mrr_usd,
        cast(
            closing_mrr_usd - opening_mrr_usd - new_mrr_usd - reactivation_mrr_usd
            - expansion_mrr_usd - contraction_mrr_usd - churn_mrr_usd - swap_mrr_usd
            as decimal(28, 6)
        ) as fx_mrr_usd,
        closing_mrr_usd,
        paying_account_count

    from with_openings

)

select * from final
