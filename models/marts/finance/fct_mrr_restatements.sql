with

int_as_of as (

    select * from {{ ref('int_as_of') }}

),

int_mrr_months_closed as (

    select * from {{ ref('int_mrr_months_closed') }}

),

int_subscription_changes_received as (

    select * from {{ ref('int_subscription_changes_received') }}

),

snap_finance__mrr_monthly as (

    select * from {{ ref('snap_finance__mrr_monthly') }}

),

reports as (

    select
        snap_finance__mrr_monthly.account_id,
        snap_finance__mrr_monthly.mrr_month,
        snap_finance__mrr_monthly.dbt_valid_from as reported_at,
        snap_finance__mrr_monthly.closing_mrr_usd,
        snap_finance__mrr_monthly.native_mrr,
        snap_finance__mrr_monthly.stripe_customers

    from snap_finance__mrr_monthly
    inner join int_as_of
        on snap_finance__mrr_monthly.dbt_valid_from <= int_as_of.as_of_at

),

-- The first batch after a month's end reports all accounts at once. An account that appears later
-- was first reported with 0.
first_reports as (

    select
        mrr_month,
        min(reported_at) as first_reported_at
    from reports
    group by mrr_month

),

first_figures as (

    select
        reports.account_id,
        reports.mrr_month,
        reports.closing_mrr_usd,
        reports.native_mrr,
        reports.stripe_customers

    from reports
    inner join first_reports
        on
            reports.mrr_month = first_reports.mrr_month
            and reports.reported_at = first_reports.first_reported_at

),

account_months as (

    select
        account_id,
        mrr_month
    from first_figures

    union distinct

    select
        account_id,
        mrr_month
    from int_mrr_months_closed

),

compared as (

    select
        account_months.account_id,
        account_months.mrr_month,
        first_reports.first_reported_at,
        coalesce(first_figures.closing_mrr_usd, 0) as first_reported_mrr_usd,
        coalesce(int_mrr_months_closed.closing_mrr_usd, 0) as current_mrr_usd,
        coalesce(first_figures.native_mrr, '') = coalesce(int_mrr_months_closed.native_mrr, '')
            as is_same_native_mrr,
        coalesce(first_figures.stripe_customers, '')
        = coalesce(int_mrr_months_closed.stripe_customers, '') as is_same_customers,
        first_figures.account_id is not null as was_reported

    from account_months
    inner join first_reports
        on account_months.mrr_month = first_reports.mrr_month
    left join first_figures
        on
            account_months.account_id = first_figures.account_id
            and account_months.mrr_month = first_figures.mrr_month
    left join int_mrr_months_closed
        on
            account_months.account_id = int_mrr_months_closed.account_id
            and account_months.mrr_month = int_mrr_months_closed.mrr_month

),

changes_since as (

    select
        compared.account_id,
        compared.mrr_month,
        bool_or(int_subscription_changes_received.is_backdated) as has_backdated,
        bool_or(not int_subscription_changes_received.is_backdated) as has_late_event

    from compared
    inner join int_subscription_changes_received
        on
            compared.account_id = int_subscription_changes_received.account_id
            and compared.first_reported_at < int_subscription_changes_received.received_at
            and {{ dbt.dateadd('month', 1, 'compared.mrr_month') }}
            > int_subscription_changes_received.occurred_at
    group by
        compared.account_id,
        compared.mrr_month

),

final as (

    select
        compared.account_id,
        compared.mrr_month,
        compared.first_reported_at,
        cast(compared.first_reported_mrr_usd as decimal(28, 6)) as first_reported_mrr_usd,
        cast(compared.current_mrr_usd as decimal(28, 6)) as current_mrr_usd,
        cast(
            compared.current_mrr_usd - compared.first_reported_mrr_usd as decimal(28, 6)
        ) as restated_mrr_usd,
        case
            when compared.is_same_native_mrr then 'exchange_rate'
            when compared.was_reported and not compared.is_same_customers then 'account_link'
            when changes_since.has_backdated then 'backdated_subscription'
            when changes_since.has_late_event then 'late_event'
            else 'corrected_data'
        end as cause

    from compared
    left join changes_since
        on
            compared.account_id = changes_since.account_id
            and compared.mrr_month = changes_since.mrr_month
    where compared.current_mrr_usd != compared.first_reported_mrr_usd

)

select * from final
