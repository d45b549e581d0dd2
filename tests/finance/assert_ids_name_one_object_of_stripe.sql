-- Proves that no id of Stripe names two objects. People choose the ids of products, plans, coupons
-- and old customers, so that two Stripe accounts may use the same one. The warehouse then takes
-- both for versions of one object. Stripe changes neither the time of an object's creation nor what
-- a coupon takes off.
-- A warning, since an id can be changed at Stripe alone. It also lists an id that was deleted and
-- used again.
{{ config(severity='warn') }}

{%- set terms = ['percent_off', 'amount_off_minor', 'duration', 'duration_in_months'] %}

with

coupons as (

    select
        coupon_id,
        {{ terms | join(',\n        ') }},
        currency
    from {{ ref('stg_stripe__coupons') }}

    union all

    select
        coupon_id,
        {{ terms | join(',\n        ') }},
        coupon_currency as currency
    from {{ ref('int_discount_source_records') }}
    where coupon_id is not null

)

{%- for object in ['products', 'prices', 'plans', 'coupons', 'customers'] %}

select
    '{{ object }}' as object_name,
    id as object_id,
    count(distinct created) as object_count
from {{ source('stripe', object) }}
where coalesce(livemode, true)
group by id
having count(distinct created) > 1

union all
{%- endfor %}

select
    'coupons of discounts' as object_name,
    coupon_id as object_id,
    greatest(
        {%- for term in terms + ['currency'] %}
        count(distinct {{ term }}){{ ',' if not loop.last }}
        {%- endfor %}
    ) as object_count
from coupons
group by coupon_id
having object_count > 1
