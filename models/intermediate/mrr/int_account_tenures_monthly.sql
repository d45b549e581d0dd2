with

int_account_versions as (

    select * from {{ ref('int_account_versions') }}

),

int_mrr_months_closed as (

    select * from {{ ref('int_mrr_months_closed') }}

),

-- A month without MRR ends a stay, and the tenure begins again after it.
stays as (

    select
        account_id,
        mrr_month,
        closing_mrr_usd,
        sum(case when closing_mrr_usd = 0 then 1 else 0 end) over (
            partition by account_id
            order by mrr_month
            rows between unbounded preceding and current row
        ) as stay_number

    from int_mrr_months_closed

),

tenures as (

    select
        account_id,
        mrr_month,
        cast({{ dbt.dateadd('month', 1, 'mrr_month') }} as date) as next_month,
        closing_mrr_usd,
        lead(closing_mrr_usd) over (partition by account_id order by mrr_month) as next_mrr_usd,
        cast(
            sum(case when closing_mrr_usd = 0 then 0 else 1 end) over (
                partition by account_id, stay_number
                order by mrr_month
                rows between unbounded preceding and current row
            ) as integer
        ) as tenure_months

    from stays

),

final as (

    select
        tenures.account_id,
        tenures.mrr_month,
        tenures.next_month,
        coalesce(int_account_versions.segment, 'unknown') as segment,
        tenures.tenure_months,
        tenures.closing_mrr_usd,
        tenures.next_mrr_usd

    from tenures
    left join int_account_versions
        on
            tenures.account_id = int_account_versions.account_id
            and tenures.next_month > int_account_versions.valid_from_at
            and tenures.next_month <= coalesce(
                int_account_versions.valid_to_at, cast('9999-12-31' as timestamp)
            )

)

select * from final
