-- Proves that first touches, and last ones, add up to everyone who visited, signed up, was
-- activated and pays. A join to sessions or people would count someone twice, and an inner join
-- would lose those without a touch.
with

shown as (

    select
        touch_type,
        sum(visitor_count) as visitor_count,
        sum(signed_up_count) as signed_up_count,
        sum(activated_count) as activated_count,
        sum(new_mrr_usd) as new_mrr_usd,
        sum(closing_mrr_usd) as closing_mrr_usd
    from {{ ref('fct_acquisition_monthly') }}
    group by touch_type

),

visitors as (

    select count(distinct person_id) as visitor_count
    from {{ ref('fct_sessions') }}
    where is_counted

),

sign_ups as (

    select
        count(*) as signed_up_count,
        count(*) filter (where is_activated) as activated_count
    from {{ ref('fct_user_activation') }}

),

paid as (

    select
        sum(new_mrr_usd) as new_mrr_usd,
        max_by(closing_mrr_usd, mrr_month) as closing_mrr_usd
    from (
        select
            mrr_month,
            sum(new_mrr_usd) as new_mrr_usd,
            sum(closing_mrr_usd) as closing_mrr_usd
        from {{ ref('fct_mrr_monthly') }}
        group by mrr_month
    ) as months
    where (select visitors.visitor_count from visitors) > 0

)

select
    shown.touch_type,
    visitors.visitor_count,
    sign_ups.signed_up_count,
    sign_ups.activated_count,
    paid.new_mrr_usd,
    paid.closing_mrr_usd

from visitors
cross join sign_ups
cross join paid
left join shown
    on true
where
    coalesce(shown.visitor_count, 0) != visitors.visitor_count
    or coalesce(shown.signed_up_count, 0) != sign_ups.signed_up_count
    or coalesce(shown.activated_count, 0) != sign_ups.activated_count
    or coalesce(shown.new_mrr_usd, 0) != coalesce(paid.new_mrr_usd, 0)
    or coalesce(shown.closing_mrr_usd, 0) != coalesce(paid.closing_mrr_usd, 0)
