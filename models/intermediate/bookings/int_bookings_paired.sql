with recursive

int_bookings_compared as (

    select * from {{ ref('int_bookings_compared') }}

),

-- Of what is left, a deal and a billing that prefer each other are a pair; then the same again
-- without the two, until nothing is left.
rounds as (

    select
        opportunity_id,
        billing_id,
        preference_number,
        false as is_deal_taken,
        false as is_billing_taken,
        false as is_pair

    from int_bookings_compared

    union all

    select
        opportunity_id,
        billing_id,
        preference_number,
        bool_or(is_pair) over (partition by opportunity_id) as is_deal_taken,
        bool_or(is_pair) over (partition by billing_id) as is_billing_taken,
        is_pair

    from (
        select
            opportunity_id,
            billing_id,
            preference_number,
            preference_number = min(preference_number) over (partition by opportunity_id)
            and preference_number = min(preference_number) over (partition by billing_id)
                as is_pair

        from rounds
        where not (is_deal_taken or is_billing_taken)
    ) as preferred

),

pairs as (

    select distinct preference_number
    from rounds
    where is_pair

),

final as (

    select int_bookings_compared.*

    from int_bookings_compared
    inner join pairs
        on int_bookings_compared.preference_number = pairs.preference_number

)

select * from final
