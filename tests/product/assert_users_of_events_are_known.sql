-- Proves that every user of an event is in dim_users under their current id. An alias chain
-- followed half-way would leave its middle id here. Users are made distinct first, so that the
-- join does not read millions of rows.
with

users_of_events as (

    select distinct user_id
    from {{ ref('fct_events') }}
    where user_id is not null

)

select users_of_events.user_id
from users_of_events
left join {{ ref('dim_users') }} as dim_users
    on users_of_events.user_id = dim_users.user_id
where dim_users.user_id is null
