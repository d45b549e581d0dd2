with

fct_mrr_monthly as (

    select * from {{ ref('fct_mrr_monthly') }}

),

movements as (

    select account_id, mrr_month, is_month_closed, 'new' as movement_type, new_mrr_usd as mrr_usd
    from fct_mrr_monthly

    union all

    select account_id, mrr_month, is_month_closed, 'reactivation', reactivation_mrr_usd
    from fct_mrr_monthly

    union all

    select account_id, mrr_month, is_month_closed, 'expansion', expansion_mrr_usd
    from fct_mrr_monthly

    union all

    select account_id, mrr_month, is_month_closed, 'contraction', contraction_mrr_usd
    from fct_mrr_monthly

    union all

    select account_id, mrr_month, is_month_closed, 'churn', churn_mrr_usd
    from fct_mrr_monthly

    union all

    select account_id, mrr_month, is_month_closed, 'fx', fx_mrr_usd
    from fct_mrr_monthly

),

final as (

    select
        account_id,
        mrr_month,
        movement_type,
        is_month_closed,
        mrr_usd

    from movements
    where mrr_usd != 0

)

select * from final
