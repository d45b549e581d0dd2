with

int_identity_signals as (

    select * from {{ ref('int_identity_signals') }}

),

int_users_aliased as (

    select * from {{ ref('int_users_aliased') }}

),

claims as (

    select
        anonymous_id,
        user_id as sent_user_id

    from int_identity_signals
    where
        anonymous_id is not null
        and user_id is not null

    union all

    select
        previous_id as anonymous_id,
        user_id as sent_user_id

    from int_identity_signals
    where
        call_type = 'alias'
        and previous_id is not null

),

final as (

    select
        claims.anonymous_id,
        min(int_users_aliased.user_id) as first_user_id,
        count(distinct int_users_aliased.user_id) > 1 as is_shared

    from claims
    inner join int_users_aliased
        on claims.sent_user_id = int_users_aliased.sent_user_id
    group by claims.anonymous_id

)

select * from final
