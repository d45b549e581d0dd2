with

fct_mrr_monthly as (

    select * from {{ ref('fct_mrr_monthly') }}

),

movements as (

    select
        account_id,
        mrr_month,
        is_month_closed,
        'new' as movement_type,
        new_mrr_usd as mrr_usd
    from fct_mrr_monthly

    union all

    select
        account_id,
        mrr_month,
        is_month_closed,
        'reactivation' as movement_type,
        reactivation_mrr_usd as mrr_usd
    from fct_mrr_monthly

    union all

    select
        account_id,
        mrr_month,
        is_month_closed,
        'expansion' as movement_type,
        expansion_mrr_usd as mrr_usd
    from fct_mrr_monthly

    union all

    select
        account_id,
        mrr_month,
        is_month_closed,
        'contraction' as movement_type,
        contraction_mrr_usd as mrr_usd
    from fct_mrr_monthly

    union all

    select
        account_id,
        mrr_month,
        is_month_closed,
        'churn' as movement_type,
        churn_mrr_usd as mrr_usd
    from fct_mrr_monthly

    union all

    select
        account_id,
        mrr_month,
        is_month_closed,
        'fx' as movement_type,
        fx_mrr_usd as mrr_usd
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
