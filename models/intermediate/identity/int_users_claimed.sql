with

int_identity_signals as (

    select * from {{ ref('int_identity_signals') }}

),

int_users_aliased as (

    select * from {{ ref('int_users_aliased') }}

),

claims as (

    select
        int_users_aliased.user_id,
        {{ json_first_string(
            'int_identity_signals.traits', var('salesforce_account_id_fields')
        ) }} as salesforce_account_id,
        {{ json_first_string(
            'int_identity_signals.traits', var('stripe_customer_id_fields')
        ) }} as stripe_customer_id,
        lower({{ json_first_string(
            'int_identity_signals.traits', var('email_verified_fields')
        ) }}) as email_verified,
        row_number() over (
            order by int_identity_signals.last_seen_at, int_identity_signals.call_message_id
        ) as call_number

    from int_identity_signals
    inner join int_users_aliased
        on int_identity_signals.user_id = int_users_aliased.sent_user_id
    where
        int_identity_signals.call_type = 'identify'
        and int_identity_signals.traits is not null

),

latest as (

    select
        user_id,
        max_by(salesforce_account_id, call_number) filter (
            where salesforce_account_id is not null
        ) as salesforce_account_id,
        max_by(stripe_customer_id, call_number) filter (
            where stripe_customer_id is not null
        ) as stripe_customer_id,
        max_by(email_verified, call_number) filter (
            where email_verified is not null
        ) as email_verified

    from claims
    group by user_id

),

final as (

    select
        user_id,
        {{ salesforce_id18('salesforce_account_id') }} as salesforce_account_id,
        stripe_customer_id,
        coalesce(email_verified in ('false', '0', 'no'), false) as is_email_unverified

    from latest

)

select * from final
