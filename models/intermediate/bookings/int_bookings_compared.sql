with

int_usd_rate_ranges as (

    select * from {{ ref('int_usd_rate_ranges') }}

),

int_usd_rates_monthly as (

    select * from {{ ref('int_usd_rates_monthly') }}

),

int_bookings_candidates as (

    select * from {{ ref('int_bookings_candidates') }}

),

int_bookings_valued as (

    select * from {{ ref('int_bookings_valued') }}

),

-- Both sides at the rate of the deal's month, so that a rate that moved is no gap.
valued as (

    select
        int_bookings_candidates.*,
        int_bookings_valued.close_date,
        int_bookings_valued.booked_annual_amount,
        int_bookings_valued.booked_annual_usd,
        cast(
            cast(int_bookings_candidates.billed_mrr as decimal(18, 6))
            * int_usd_rates_monthly.usd_per_unit
            as decimal(28, 6)
        ) as billed_mrr_usd,
        case
            when int_bookings_candidates.billed_currency = int_bookings_valued.currency
                then cast(
                        12 * int_bookings_candidates.billed_mrr
                        - int_bookings_valued.booked_annual_amount as decimal(28, 6)
                    )
        end as gap_amount

    from int_bookings_candidates
    inner join int_bookings_valued
        on int_bookings_candidates.opportunity_id = int_bookings_valued.opportunity_id
    left join int_usd_rate_ranges
        on int_bookings_candidates.billed_currency = int_usd_rate_ranges.currency
    left join int_usd_rates_monthly
        on
            int_usd_rate_ranges.currency = int_usd_rates_monthly.currency
            and int_usd_rates_monthly.rate_month = greatest(
                least(int_bookings_valued.close_month, int_usd_rate_ranges.last_rate_month),
                int_usd_rate_ranges.first_rate_month
            )

),

judged as (

    select
        *,
        days_to_billing < 0 as is_billed_before,
        abs(days_to_billing) as days_apart,
        cast(12 * billed_mrr_usd - booked_annual_usd as decimal(28, 6)) as gap_usd,
        coalesce(
            case
                when gap_amount is not null
                    then abs(gap_amount)
                        <= {{ var('booking_tolerance_rate') }} * booked_annual_amount
                else abs(12 * billed_mrr_usd - booked_annual_usd)
                    <= {{ var('booking_tolerance_rate') }} * booked_annual_usd
            end,
            false
        ) as is_within_tolerance

    from valued

),

final as (

    select
        opportunity_id,
        subscription_id,
        billing_id,
        billed_currency,
        billed_date,
        billed_mrr,
        billed_mrr_usd,
        gap_amount,
        gap_usd,
        not is_start and not is_ongoing as is_growth,
        is_explicit,
        is_within_tolerance,
        days_to_billing,
        row_number() over (
            order by
                is_explicit desc,
                fit_number asc,
                is_within_tolerance desc,
                is_billed_before asc,
                days_apart asc,
                close_date asc,
                opportunity_id asc,
                billing_id asc
        ) as preference_number

    from judged

)

select * from final
