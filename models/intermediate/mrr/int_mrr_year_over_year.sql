with

int_mrr_account_currencies_monthly as (

    select * from {{ ref('int_mrr_account_currencies_monthly') }}

),

-- One row per account that had MRR twelve months ago. Constant currency values both ends at the
-- rates of then.
final as (

    select
        year_before.account_id,
        this_month.mrr_month,
        cast(sum(
            case when year_before.mrr = 0 then 0 else year_before.mrr * year_before.usd_per_unit end
        ) as decimal(28, 6)) as mrr_then_usd,
        cast(sum(
            case when this_month.mrr = 0 then 0 else this_month.mrr * this_month.usd_per_unit end
        ) as decimal(28, 6)) as mrr_now_usd,
        cast(sum(
            case
                when this_month.mrr = 0 then 0
                else this_month.mrr * coalesce(year_before.usd_per_unit, this_month.usd_per_unit)
            end
        ) as decimal(28, 6)) as mrr_now_constant_usd

    from int_mrr_account_currencies_monthly as year_before
    inner join int_mrr_account_currencies_monthly as this_month
        on
            year_before.account_id = this_month.account_id
            and year_before.currency = this_month.currency
            and this_month.mrr_month = {{ dbt.dateadd('month', 12, 'year_before.mrr_month') }}
    group by
        year_before.account_id,
        this_month.mrr_month
    having sum(year_before.mrr) > 0

)

select * from final
