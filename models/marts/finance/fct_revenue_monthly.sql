{%- set billed_measures = ['billed', 'reversed', 'recognized', 'contra_revenue', 'bad_debt'] %}

with

fct_deferred_revenue_monthly as (

    select * from {{ ref('fct_deferred_revenue_monthly') }}

),

fct_receivables_monthly as (

    select * from {{ ref('fct_receivables_monthly') }}

),

amounts as (

    select
        account_id,
        currency,
        deferred_month as revenue_month,
        is_month_closed,
        {%- for measure in billed_measures %}
        {{ measure }}_usd,
        {%- endfor %}
        closing_usd as deferred_usd,
        0 as receivable_usd,
        recognized_amount,
        closing_amount as deferred_amount,
        0 as receivable_amount

    from fct_deferred_revenue_monthly

    union all

    select
        account_id,
        currency,
        receivable_month as revenue_month,
        is_month_closed,
        {%- for measure in billed_measures %}
        0 as {{ measure }}_usd,
        {%- endfor %}
        0 as deferred_usd,
        open_usd as receivable_usd,
        0 as recognized_amount,
        0 as deferred_amount,
        open_amount as receivable_amount

    from fct_receivables_monthly

),

currency_months as (

    select
        account_id,
        currency,
        revenue_month,
        is_month_closed,
        {%- for measure in billed_measures %}
        sum({{ measure }}_usd) as {{ measure }}_usd,
        {%- endfor %}
        sum(deferred_usd) as deferred_usd,
        sum(receivable_usd) as receivable_usd,
        concat_ws(
            ' ',
            currency,
            cast(cast(sum(recognized_amount) as decimal(28, 6)) as string),
            cast(cast(sum(deferred_amount) as decimal(28, 6)) as string),
            cast(cast(sum(receivable_amount) as decimal(28, 6)) as string)
        ) as native_amounts

    from amounts
    group by
        account_id,
        currency,
        revenue_month,
        is_month_closed

),

final as (

    select
        account_id,
        revenue_month,
        is_month_closed,
        {%- for measure in billed_measures %}
        cast(sum({{ measure }}_usd) as decimal(28, 6)) as {{ measure }}_usd,
        {%- endfor %}
        cast(sum(deferred_usd) as decimal(28, 6)) as deferred_usd,
        cast(sum(receivable_usd) as decimal(28, 6)) as receivable_usd,
        {{ dbt.listagg('native_amounts', "', '", 'order by currency') }} as native_amounts

    from currency_months
    group by
        account_id,
        revenue_month,
        is_month_closed

)

select * from final
