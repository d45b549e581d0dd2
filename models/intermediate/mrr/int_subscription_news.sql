with

int_account_identities as (

    select * from {{ ref('int_account_identities') }}

),

stg_stripe__events as (

    select * from {{ ref('stg_stripe__events') }}

),

stg_stripe__subscription_extracts as (

    select * from {{ ref('stg_stripe__subscription_extracts') }}

),

event_news as (

    select
        case object_type
            when 'customer' then object_id
            else {{ expandable_id(json_string('object', 'customer')) }}
        end as stripe_customer_id,
        occurred_at as happened_at,
        _extracted_at as learned_at,
        false as is_backdated

    from stg_stripe__events
    where
        event_type like 'customer.%'
        and object_type in ('subscription', 'discount', 'customer')

),

-- A subscription that was made after it began is news about the time before it was made.
backdated_news as (

    select
        {{ json_string('object', 'customer') }} as stripe_customer_id,
        {{ from_epoch(json_string('object', 'start_date')) }} as happened_at,
        extracted_at as learned_at,
        true as is_backdated

    from stg_stripe__subscription_extracts
    where
        cast({{ json_string('object', 'start_date') }} as bigint)
        < cast({{ json_string('object', 'created') }} as bigint)

),

news as (

    select * from event_news
    union all
    select * from backdated_news

),

final as (

    select
        int_account_identities.account_id,
        news.happened_at,
        news.learned_at,
        news.is_backdated

    from news
    inner join int_account_identities
        on
            news.stripe_customer_id = int_account_identities.foreign_id
            and int_account_identities.source_system = 'stripe'

)

select * from final
