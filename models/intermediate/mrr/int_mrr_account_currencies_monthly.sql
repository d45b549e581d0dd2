with

int_subscription_item_mrr as (

    select * from {{ ref('int_subscription_item_mrr') }}

),

int_as_of as (

    select * from {{ ref('int_as_of') }}

),

int_usd_rates_monthly as (

    select * from {{ ref('int_usd_rates_monthly') }}

),

-- Open intervals get a far end, because DuckDB hashes the join only on plain comparisons.
intervals as (

    select
        account_id,
        currency,
        mrr,
        mrr_exclusion_reason is null as is_counting,
        case mrr_evidence
            when 'event' then 1
            when 'invoice' then 2
            when 'extract' then 3
            else 4
        end as evidence_rank,
        valid_from_at,
        coalesce(valid_to_at, cast('9999-12-31' as timestamp)) as valid_to_at
    from int_subscription_item_mrr

),

counting as (

    select
        account_id,
        currency,
        valid_from_at
    from intervals
    where is_counting

),

account_currencies as (

    select distinct
        account_id,
        currency
    from counting

),

first_months as (

    select
        account_id,
        {{ month_start('min(valid_from_at)') }} as first_month
    from counting
    group by account_id

),

account_months as (

    select
        first_months.account_id,
        {{ explode(date_series(
            'first_months.first_month',
            month_start('int_as_of.as_of_at'),
            'month'
        )) }}
            as mrr_month
    from first_months
    cross join int_as_of

),

-- The running month is measured at the as-of instant, any other month at its last instant. An
-- interval that ends with the next month's first instant therefore still counts.
measured as (

    select
        account_months.account_id,
        account_currencies.currency,
        account_months.mrr_month,
        {{ dbt.dateadd('month', 1, 'account_months.mrr_month') }}
        <= int_as_of.as_of_at + interval 1 microsecond as is_month_closed,
        least(
            cast({{ dbt.dateadd('month', 1, 'account_months.mrr_month') }} as timestamp)
            - interval 1 microsecond,
            int_as_of.as_of_at
        ) as measured_at

    from account_months
    inner join account_currencies
        on account_months.account_id = account_currencies.account_id
    cross join int_as_of

),

native as (

    select
        measured.account_id,
        measured.currency,
        measured.mrr_month,
        measured.is_month_closed,
        measured.measured_at,
        coalesce(sum(intervals.mrr) filter (where intervals.is_counting), 0) as mrr,
        -- The weakest evidence of the items that count, or of any item where none counts.
        coalesce(
            max(intervals.evidence_rank) filter (where intervals.is_counting),
            max(intervals.evidence_rank)
        ) as evidence_rank

    from measured
    left join intervals
        on
            measured.account_id = intervals.account_id
            and measured.currency = intervals.currency
            and measured.measured_at >= intervals.valid_from_at
            and measured.measured_at < intervals.valid_to_at
    group by
        measured.account_id,
        measured.currency,
        measured.mrr_month,
        measured.is_month_closed,
        measured.measured_at

),

final as (

    select
        native.account_id,
        native.currency,
        native.mrr_month,
        native.is_month_closed,
        native.measured_at,
        cast(native.mrr as decimal(28, 6)) as mrr,
        {{ required_rate(
            'int_usd_rates_monthly.usd_per_unit', 'native.currency', 'native.mrr_month',
            'native.mrr != 0'
        ) }} as usd_per_unit,
        native.evidence_rank

    from native
    left join int_usd_rates_monthly
        on
            native.currency = int_usd_rates_monthly.currency
            and native.mrr_month = int_usd_rates_monthly.rate_month

)

select * from final
