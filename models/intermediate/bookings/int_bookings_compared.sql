with recursive

int_bookings_candidates as (

    select * from {{ ref('int_bookings_candidates') }}

),

int_bookings_valued as (

    select * from {{ ref('int_bookings_valued') }}

),

int_opportunity_rates as (

    select * from {{ ref('int_opportunity_rates') }}

),

-- Both sides at the rate of the deal, so that a change of rate is not a gap.
valued as (

    select
        int_bookings_candidates.opportunity_id,
        int_bookings_candidates.billing_id,
        int_bookings_candidates.is_explicit,
        int_bookings_candidates.fit_number,
        int_bookings_candidates.days_to_billing,
        int_bookings_valued.account_id,
        int_bookings_valued.close_date,
        int_bookings_valued.booked_annual_amount,
        int_bookings_valued.booked_annual_usd,
        cast(
            int_bookings_candidates.billed_mrr * int_opportunity_rates.usd_per_unit
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
    left join int_opportunity_rates
        on
            int_bookings_candidates.billed_currency = int_opportunity_rates.currency
            and int_bookings_valued.close_date >= int_opportunity_rates.valid_from_date
            and int_bookings_valued.close_date < int_opportunity_rates.valid_to_date

),

compared as (

    select
        opportunity_id,
        billing_id,
        is_explicit,
        fit_number,
        days_to_billing,
        account_id,
        close_date,
        billed_mrr_usd,
        gap_amount,
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

ranked as (

    select
        opportunity_id,
        billing_id,
        is_explicit,
        account_id,
        billed_mrr_usd,
        gap_amount,
        gap_usd,
        is_within_tolerance,
        row_number() over (
            order by
                is_explicit desc,
                fit_number asc,
                is_within_tolerance desc,
                days_to_billing < 0 asc nulls last,
                abs(days_to_billing) asc nulls last,
                close_date asc nulls last,
                opportunity_id asc,
                billing_id asc
        ) as preference_number

    from compared

),

-- A subscription names at most one deal, so two deals never compete for an explicit billing.
explicit_pairs as (

    select
        opportunity_id,
        min_by(billing_id, preference_number) as billing_id,
        min(preference_number) as preference_number
    from ranked
    where is_explicit
    group by opportunity_id

),

-- All other candidates compete within one account.
remaining as (

    select
        account_id,
        preference_number,
        concat(' ', opportunity_id, ' ') as deal_key,
        concat(' ', billing_id, ' ') as billing_key,
        row_number() over (partition by account_id order by preference_number) as turn_number
    from ranked
    where
        opportunity_id not in (select explicit_pairs.opportunity_id from explicit_pairs)
        and billing_id not in (select explicit_pairs.billing_id from explicit_pairs)

),

-- In order of preference, a candidate is a pair when neither its deal nor its billing is taken.
turns as (

    select
        account_id,
        turn_number,
        preference_number,
        true as is_pair,
        concat(deal_key, billing_key) as taken_keys
    from remaining
    where turn_number = 1

    union all

    select
        remaining.account_id,
        remaining.turn_number,
        remaining.preference_number,
        not contains(turns.taken_keys, remaining.deal_key)
        and not contains(turns.taken_keys, remaining.billing_key) as is_pair,
        case
            when contains(turns.taken_keys, remaining.deal_key) then turns.taken_keys
            when contains(turns.taken_keys, remaining.billing_key) then turns.taken_keys
            else concat(turns.taken_keys, remaining.deal_key, remaining.billing_key)
        end as taken_keys

    from turns
    inner join remaining
        on
            turns.account_id = remaining.account_id
            and turns.turn_number + 1 = remaining.turn_number

),

final as (

    select
        ranked.opportunity_id,
        int_bookings_candidates.subscription_id,
        int_bookings_candidates.billed_currency,
        int_bookings_candidates.billed_date,
        int_bookings_candidates.billed_mrr,
        ranked.billing_id,
        ranked.billed_mrr_usd,
        ranked.gap_amount,
        ranked.gap_usd,
        not int_bookings_candidates.is_start
        and not int_bookings_candidates.is_ongoing as is_growth,
        ranked.is_explicit,
        ranked.is_within_tolerance,
        int_bookings_candidates.days_to_billing,
        ranked.preference_number,
        explicit_pairs.preference_number is not null
        or coalesce(turns.is_pair, false) as is_pair

    from ranked
    inner join int_bookings_candidates
        on
            ranked.opportunity_id = int_bookings_candidates.opportunity_id
            and ranked.billing_id = int_bookings_candidates.billing_id
    left join explicit_pairs
        on ranked.preference_number = explicit_pairs.preference_number
    left join turns
        on ranked.preference_number = turns.preference_number

)

select * from final
