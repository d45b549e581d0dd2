{%- set shown = ['channel', 'source', 'campaign'] %}

with

dim_users as (

    select * from {{ ref('dim_users') }}

),

fct_mrr_monthly as (

    select * from {{ ref('fct_mrr_monthly') }}

),

fct_sessions as (

    select * from {{ ref('fct_sessions') }}

),

fct_user_activation as (

    select * from {{ ref('fct_user_activation') }}

),

sessions as (

    select
        fct_sessions.person_id,
        fct_sessions.session_id,
        fct_sessions.started_at,
        fct_sessions.channel,
        coalesce(fct_sessions.utm_source, fct_sessions.referrer_domain) as source,
        fct_sessions.utm_campaign as campaign,
        coalesce(fct_sessions.channel != 'internal', false)
        -- A sign-up whose trait has no time of day may be at any time of it.
        and coalesce(
            fct_sessions.started_at <= fct_user_activation.signed_up_at
            or cast(cast(fct_sessions.started_at as date) as timestamp)
            = fct_user_activation.signed_up_at,
            true
        ) as is_touch

    from fct_sessions
    left join fct_user_activation
        on fct_sessions.person_id = fct_user_activation.user_id
    where fct_sessions.is_counted

),

people as (

    select
        sessions.person_id,
        min(sessions.started_at) as first_visited_at
    from sessions
    group by sessions.person_id

),

touches as (

    select
        'first' as touch_type,
        person_id,
        {{ shown | join(',\n        ') }}
    from sessions
    where is_touch
    qualify row_number() over (partition by person_id order by started_at, session_id) = 1

    union all

    -- A direct visit does not replace what led the person here before.
    select
        'last' as touch_type,
        person_id,
        {{ shown | join(',\n        ') }}
    from sessions
    where is_touch
    qualify
        row_number() over (
            partition by person_id
            order by channel = 'direct', started_at desc, session_id desc
        ) = 1

),

touch_types as (

    select {{ explode(dbt.array_construct(["'first'", "'last'"])) }} as touch_type

),

people_touched as (

    select
        people.person_id,
        people.first_visited_at,
        touch_types.touch_type,
        coalesce(touches.channel, 'unknown') as channel,
        coalesce(touches.source, '(none)') as source,
        coalesce(touches.campaign, '(none)') as campaign

    from people
    cross join touch_types
    left join touches
        on
            people.person_id = touches.person_id
            and touch_types.touch_type = touches.touch_type

),

first_people as (

    select
        dim_users.account_id,
        min_by(people.person_id, people.first_visited_at) as person_id

    from dim_users
    inner join people
        on dim_users.user_id = people.person_id
    where dim_users.account_id is not null
    group by dim_users.account_id

),

paid as (

    select
        account_id,
        min(mrr_month) as first_mrr_month,
        sum(new_mrr_usd) as new_mrr_usd,
        max_by(closing_mrr_usd, mrr_month) as closing_mrr_usd
    from fct_mrr_monthly
    group by account_id

),

counted as (

    select
        {{ month_start('people_touched.first_visited_at') }} as acquisition_month,
        people_touched.touch_type,
        people_touched.{{ shown | join(',\n        people_touched.') }},
        1 as visitor_count,
        case when fct_user_activation.user_id is not null then 1 else 0 end as signed_up_count,
        case when fct_user_activation.is_activated then 1 else 0 end as activated_count,
        0 as paying_account_count,
        0 as new_mrr_usd,
        0 as closing_mrr_usd

    from people_touched
    left join fct_user_activation
        on people_touched.person_id = fct_user_activation.user_id

    union all

    select
        coalesce(
            {{ month_start('people_touched.first_visited_at') }}, paid.first_mrr_month
        ) as acquisition_month,
        touch_types.touch_type,
        coalesce(people_touched.channel, 'unknown') as channel,
        coalesce(people_touched.source, '(none)') as source,
        coalesce(people_touched.campaign, '(none)') as campaign,
        0 as visitor_count,
        0 as signed_up_count,
        0 as activated_count,
        1 as paying_account_count,
        paid.new_mrr_usd,
        paid.closing_mrr_usd

    from paid
    cross join touch_types
    left join first_people
        on paid.account_id = first_people.account_id
    left join people_touched
        on
            first_people.person_id = people_touched.person_id
            and touch_types.touch_type = people_touched.touch_type
    -- Without product events there is no acquisition to show.
    where (select count(*) from people) > 0

),

final as (

    select
        acquisition_month,
        touch_type,
        {{ shown | join(',\n        ') }},
        cast(sum(visitor_count) as integer) as visitor_count,
        cast(sum(signed_up_count) as integer) as signed_up_count,
        cast(sum(activated_count) as integer) as activated_count,
        cast(sum(paying_account_count) as integer) as paying_account_count,
        cast(sum(new_mrr_usd) as decimal(28, 6)) as new_mrr_usd,
        cast(sum(closing_mrr_usd) as decimal(28, 6)) as closing_mrr_usd,
        {{ ratio('sum(signed_up_count)', 'sum(visitor_count)') }} as sign_up_rate,
        {{ ratio('sum(activated_count)', 'sum(signed_up_count)') }} as activation_rate
    from counted
    group by acquisition_month, touch_type, {{ shown | join(', ') }}

)

select * from final
