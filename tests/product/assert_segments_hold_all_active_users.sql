-- Proves that every active person of the total is in a segment, and every one of a segment in the
-- total. A person active in two segments counts in both, so equal sums would be too much.
with

sides as (

    select
        active_date,
        max(dau) filter (where segment = 'total') as total_dau,
        max(wau) filter (where segment = 'total') as total_wau,
        max(mau) filter (where segment = 'total') as total_mau,
        sum(dau) filter (where segment != 'total') as summed_dau,
        sum(wau) filter (where segment != 'total') as summed_wau,
        sum(mau) filter (where segment != 'total') as summed_mau,
        max(dau) filter (where segment != 'total') as largest_dau,
        max(wau) filter (where segment != 'total') as largest_wau,
        max(mau) filter (where segment != 'total') as largest_mau

    from {{ ref('fct_active_users_daily') }}
    group by active_date

)

select *
from sides
where
    coalesce(summed_dau, 0) < total_dau
    or coalesce(summed_wau, 0) < total_wau
    or coalesce(summed_mau, 0) < total_mau
    or largest_dau > total_dau
    or largest_wau > total_wau
    or largest_mau > total_mau
