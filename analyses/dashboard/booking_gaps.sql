-- Which won deals are not billed, or not as booked, and which billings have no deal?
with

fct_bookings_to_billings as (

    select * from {{ ref('fct_bookings_to_billings') }}

),

dim_accounts as (

    select * from {{ ref('dim_accounts') }}

),

final as (

    select
        {{ month_start(
            'coalesce(fct_bookings_to_billings.close_date, fct_bookings_to_billings.billed_date)'
        ) }} as booked_month,
        fct_bookings_to_billings.account_id,
        dim_accounts.account_name,
        coalesce(dim_accounts.segment, 'unknown') as segment,
        coalesce(dim_accounts.region, 'unknown') as region,
        case fct_bookings_to_billings.match_status
            when 'missing_billing' then 'Won, not billed'
            when 'missing_deal' then 'Billed, no deal'
            else 'Billed, other amount'
        end as gap_type,
        fct_bookings_to_billings.close_date,
        fct_bookings_to_billings.billed_date,
        fct_bookings_to_billings.booked_annual_usd,
        fct_bookings_to_billings.billed_annual_usd,
        fct_bookings_to_billings.gap_usd

    from fct_bookings_to_billings
    left join dim_accounts
        on fct_bookings_to_billings.account_id = dim_accounts.account_id
    where
        fct_bookings_to_billings.match_status <> 'matched'
        and not fct_bookings_to_billings.is_awaiting_billing
        and not fct_bookings_to_billings.is_internal
        and not fct_bookings_to_billings.is_test

)

select * from final
order by
    abs(gap_usd) desc nulls last,
    booked_month desc,
    account_id asc
