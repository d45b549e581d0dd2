-- Which share of each month's sign-ups reaches a first result within 14 days, and at which step do
-- the others stop?
with

fct_user_activation as (

    select * from {{ ref('fct_user_activation') }}

),

final as (

    select
        signed_up_month,
        count(*) as signed_up_count,
        count(*) filter (where uploaded_at is not null) as uploaded_count,
        count(*) filter (where processed_at is not null) as processed_count,
        count(*) filter (where downloaded_at is not null) as downloaded_count,
        count(*) filter (where is_activated) as activated_count,
        {{ ratio('count(*) filter (where is_activated)', 'count(*)') }} as activation_rate,
        {{ percentile('days_to_activate', 0.5) }} as median_days_to_activate

    from fct_user_activation
    where is_window_closed
    group by signed_up_month

)

select * from final
order by signed_up_month
