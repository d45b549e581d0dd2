-- Which share of each month's sign-ups is activated, and how far do the others get?
with

fct_user_activation as (

    select * from {{ ref('fct_user_activation') }}

),

final as (

    select
        signed_up_month,
        count(*) as signed_up_count,
        count(*) filter (where done_action_count >= 1) as one_action_count,
        count(*) filter (where done_action_count >= 2) as two_actions_count,
        count(*) filter (where is_activated) as activated_count,
        {{ ratio('count(*) filter (where is_activated)', 'count(*)') }} as activation_rate,
        {{ percentile('days_to_activate', 0.5) }} as median_days_to_activate

    from fct_user_activation
    where is_window_closed
    group by signed_up_month

)

select * from final
order by signed_up_month
