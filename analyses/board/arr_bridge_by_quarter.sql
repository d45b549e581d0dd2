-- What took ARR from where a quarter opened to where it closed?
with

fct_mrr_monthly as (

    select * from {{ ref('fct_mrr_monthly') }}

),

monthly as (

    select
        mrr_month,
        sum(opening_mrr_usd) as opening_mrr_usd,
        sum(new_mrr_usd + reactivation_mrr_usd) as won_mrr_usd,
        sum(expansion_mrr_usd) as expansion_mrr_usd,
        sum(contraction_mrr_usd) as contraction_mrr_usd,
        sum(churn_mrr_usd) as churn_mrr_usd,
        sum(fx_mrr_usd) as fx_mrr_usd,
        sum(closing_mrr_usd) as closing_mrr_usd

    from fct_mrr_monthly
    group by mrr_month

),

final as (

    select
        cast(date_trunc('quarter', mrr_month) as date) as quarter_start_date,
        12 * min_by(opening_mrr_usd, mrr_month) as opening_arr_usd,
        12 * sum(won_mrr_usd) as new_and_reactivated_arr_usd,
        12 * sum(expansion_mrr_usd) as expansion_arr_usd,
        12 * sum(contraction_mrr_usd) as contraction_arr_usd,
        12 * sum(churn_mrr_usd) as churn_arr_usd,
        12 * sum(fx_mrr_usd) as fx_arr_usd,
        12 * max_by(closing_mrr_usd, mrr_month) as closing_arr_usd

    from monthly
    group by quarter_start_date

)

select * from final
order by quarter_start_date
