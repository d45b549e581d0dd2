with

int_mrr_account_currencies_monthly as (

    select * from {{ ref('int_mrr_account_currencies_monthly') }}

),

with_month_before as (

    select
        account_id,
        mrr_month,
        is_month_closed,
        mrr,
        usd_per_unit,
        evidence_rank,
        lag(mrr, 1, 0) over (
            partition by account_id, currency order by mrr_month
        ) as mrr_before,
        lag(usd_per_unit) over (
            partition by account_id, currency order by mrr_month
        ) as usd_per_unit_before

    from int_mrr_account_currencies_monthly

),

accounts as (

    select
        account_id,
        mrr_month,
        is_month_closed,
        cast(sum(
            case when mrr_before = 0 then 0 else mrr_before * usd_per_unit_before end
        ) as decimal(28, 6)) as opening_mrr_usd,
        cast(sum(
            case when mrr = 0 then 0 else mrr * usd_per_unit end
        ) as decimal(28, 6)) as closing_mrr_usd,
        cast(sum(
            case when mrr = mrr_before then 0 else (mrr - mrr_before) * usd_per_unit end
        ) as decimal(28, 6)) as native_change_usd,
        coalesce(max(evidence_rank) filter (where mrr != 0), max(evidence_rank))
            as evidence_rank

    from with_month_before
    group by
        account_id,
        mrr_month,
        is_month_closed

),

classified as (

    select
        account_id,
        mrr_month,
        is_month_closed,
        opening_mrr_usd,
        closing_mrr_usd,
        native_change_usd,
        evidence_rank,
        case
            when opening_mrr_usd = 0 and closing_mrr_usd = 0 then 'none'
            when opening_mrr_usd = 0
                and coalesce(
                    max(closing_mrr_usd) over (
                        partition by account_id
                        order by mrr_month
                        rows between unbounded preceding and 1 preceding
                    ),
                    0
                ) = 0 then 'new'
            when opening_mrr_usd = 0 then 'reactivation'
            when closing_mrr_usd = 0 then 'churn'
            when native_change_usd > 0 then 'expansion'
            when native_change_usd < 0 then 'contraction'
            else 'none'
        end as movement_type

    from accounts

),

moved as (

    select
        account_id,
        mrr_month,
        is_month_closed,
        movement_type,
        opening_mrr_usd,
        closing_mrr_usd,
        evidence_rank,
        case
            when movement_type in ('new', 'reactivation', 'churn')
                then closing_mrr_usd - opening_mrr_usd
            else native_change_usd
        end as movement_usd

    from classified

),

final as (

    select
        account_id,
        mrr_month,
        is_month_closed,
        movement_type,
        opening_mrr_usd,
        cast(case when movement_type = 'new' then movement_usd else 0 end as decimal(28, 6))
            as new_mrr_usd,
        cast(
            case when movement_type = 'reactivation' then movement_usd else 0 end as decimal(28, 6)
        )
            as reactivation_mrr_usd,
        cast(case when movement_type = 'expansion' then movement_usd else 0 end as decimal(28, 6))
            as expansion_mrr_usd,
        cast(case when movement_type = 'contraction' then movement_usd else 0 end as decimal(28, 6))
            as contraction_mrr_usd,
        cast(case when movement_type = 'churn' then movement_usd else 0 end as decimal(28, 6))
            as churn_mrr_usd,
        cast(closing_mrr_usd - opening_mrr_usd - movement_usd as decimal(28, 6)) as fx_mrr_usd,
        closing_mrr_usd,
        cast(closing_mrr_usd * 12 as decimal(28, 6)) as closing_arr_usd,
        case evidence_rank
            when 1 then 'event'
            when 2 then 'invoice'
            when 3 then 'extract'
            else 'projected'
        end as mrr_evidence

    from moved

)

select * from final
