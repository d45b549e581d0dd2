{%- set movement_types = ['new', 'reactivation', 'expansion', 'contraction', 'churn', 'fx'] -%}

with

fct_mrr_monthly as (

    select * from {{ ref('fct_mrr_monthly') }}

),

movements as (

    {% for movement_type in movement_types %}
    select
        account_id,
        mrr_month,
        '{{ movement_type }}' as movement_type,
        is_month_closed,
        {{ movement_type }}_mrr_usd as mrr_usd
    from fct_mrr_monthly
    {% if not loop.last %}
    union all
    {% endif %}
    {% endfor %}

),

final as (

    select
        account_id,
        mrr_month,
        movement_type,
        is_month_closed,
        mrr_usd

    from movements
    where mrr_usd != 0

)

select * from final
