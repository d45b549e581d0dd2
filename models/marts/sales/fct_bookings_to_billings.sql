with

dim_accounts as (

    select * from {{ ref('dim_accounts') }}

),

int_as_of as (

    select * from {{ ref('int_as_of') }}

),

int_bookings_compared as (

    select * from {{ ref('int_bookings_compared') }}

),

int_bookings_mrr_changes as (

    select * from {{ ref('int_bookings_mrr_changes') }}

),


int_bookings_valued as (

    select * from {{ ref('int_bookings_valued') }}

),

int_mrr_account_currencies_monthly as (

    select * from {{ ref('int_mrr_account_currencies_monthly') }}

),

int_opportunities_valued as (

    select * from {{ ref('int_opportunities_valued') }}

),

subscriptions_with_a_deal as (

    select distinct subscription_id
    from int_bookings_compared
    where is_pair and not is_growth

),

-- A deal that only made a subscription grow does not explain its first MRR. An export without any
-- deal is an export without deals, so no deal is reported missing.
subscriptions_without_a_deal as (

    select
        starts.subscription_id,
        starts.account_id,
        starts.changed_date as billed_date,
        starts.currency as billed_currency,
        starts.mrr as billed_mrr,
        cast(starts.mrr * rates.usd_per_unit as decimal(28, 6)) as billed_mrr_usd

    from int_bookings_mrr_changes as starts
    left join subscriptions_with_a_deal
        on starts.subscription_id = subscriptions_with_a_deal.subscription_id
    left join int_mrr_account_currencies_monthly as rates
        on
            starts.account_id = rates.account_id
            and starts.currency = rates.currency
            and rates.mrr_month = {{ month_start('starts.changed_date') }}
    where
        starts.is_start
        and subscriptions_with_a_deal.subscription_id is null
        and exists (
            select int_opportunities_valued.opportunity_id
            from int_opportunities_valued
        )

),

bookings as (

    select
        int_bookings_valued.opportunity_id,
        pairs.subscription_id,
        int_bookings_valued.account_id,
        case
            when pairs.opportunity_id is null then 'missing_billing'
            when pairs.is_within_tolerance then 'matched'
            else 'different'
        end as match_status,
        case
            when pairs.is_explicit then 'explicit_id'
            when pairs.opportunity_id is not null then 'account_window'
        end as match_rule,
        int_bookings_valued.deal_kind,
        int_bookings_valued.opportunity_type,
        int_bookings_valued.sales_rep_id,
        int_bookings_valued.close_date,
        pairs.billed_date,
        pairs.days_to_billing,
        int_bookings_valued.currency as booked_currency,
        int_bookings_valued.booked_annual_amount,
        int_bookings_valued.booked_annual_usd,
        pairs.billed_currency,
        coalesce(pairs.billed_mrr, 0) as billed_mrr,
        case
            when pairs.opportunity_id is null then 0
            else pairs.billed_mrr_usd
        end as billed_mrr_usd,
        case
            when pairs.opportunity_id is null
                then -int_bookings_valued.booked_annual_amount
            else pairs.gap_amount
        end as gap_amount,
        case
            when pairs.opportunity_id is null
                then -int_bookings_valued.booked_annual_usd
            else pairs.gap_usd
        end as gap_usd,
        pairs.opportunity_id is null
        and {{ dbt.dateadd('day', var('billing_window_days'), 'int_bookings_valued.close_date') }}
        >= int_as_of.as_of_date as is_awaiting_billing

    from int_bookings_valued
    cross join int_as_of
    left join int_bookings_compared as pairs
        on
            int_bookings_valued.opportunity_id = pairs.opportunity_id
            and pairs.is_pair

    union all

    select
        null as opportunity_id,
        subscription_id,
        account_id,
        'missing_deal' as match_status,
        null as match_rule,
        null as deal_kind,
        null as opportunity_type,
        null as sales_rep_id,
        null as close_date,
        billed_date,
        null as days_to_billing,
        null as booked_currency,
        0 as booked_annual_amount,
        0 as booked_annual_usd,
        billed_currency,
        billed_mrr,
        billed_mrr_usd,
        12 * billed_mrr as gap_amount,
        12 * billed_mrr_usd as gap_usd,
        false as is_awaiting_billing

    from subscriptions_without_a_deal

),

final as (

    select
        coalesce(bookings.opportunity_id, bookings.subscription_id) as booking_id,
        bookings.opportunity_id,
        bookings.subscription_id,
        bookings.account_id,
        bookings.match_status,
        bookings.match_rule,
        bookings.deal_kind,
        bookings.opportunity_type,
        bookings.sales_rep_id,
        bookings.close_date,
        bookings.billed_date,
        cast(bookings.days_to_billing as integer) as days_to_billing,
        bookings.booked_currency,
        cast(bookings.booked_annual_amount as decimal(28, 6)) as booked_annual_amount,
        cast(bookings.booked_annual_usd as decimal(28, 6)) as booked_annual_usd,
        bookings.billed_currency,
        cast(bookings.billed_mrr as decimal(28, 6)) as billed_mrr,
        cast(bookings.billed_mrr_usd as decimal(28, 6)) as billed_mrr_usd,
        cast(12 * bookings.billed_mrr as decimal(28, 6)) as billed_annual_amount,
        cast(12 * bookings.billed_mrr_usd as decimal(28, 6)) as billed_annual_usd,
        cast(bookings.gap_amount as decimal(28, 6)) as gap_amount,
        cast(bookings.gap_usd as decimal(28, 6)) as gap_usd,
        bookings.is_awaiting_billing,
        coalesce(dim_accounts.is_internal, false) as is_internal,
        coalesce(dim_accounts.is_test, false) as is_test

    from bookings
    left join dim_accounts
        on bookings.account_id = dim_accounts.account_id

)

select * from final
