-- Proves that the rounding difference that `fct_mrr_movement_parts` adds to the largest part is one
-- of rounding: before it, the explained changes of an account add up to its movement, and after it,
-- the parts of a product explain the product's change between two month-ends. The mart alone cannot
-- show this, because its parts always add up to the movement, however wrong one of them is. The
-- same holds for `fx` of `fct_mrr_plans_monthly`, the remainder of a plan over all its accounts.
with

fct_mrr_monthly as (

    select * from {{ ref('fct_mrr_monthly') }}

),

fct_mrr_movement_parts as (

    select * from {{ ref('fct_mrr_movement_parts') }}

),

fct_mrr_plans_monthly as (

    select * from {{ ref('fct_mrr_plans_monthly') }}

),

int_mrr_changes_explained as (

    select * from {{ ref('int_mrr_changes_explained') }}

),

int_mrr_items_monthly as (

    select * from {{ ref('int_mrr_items_monthly') }}

),

explained as (

    select
        account_id,
        mrr_month,
        sum(mrr_usd) as explained_usd
    from int_mrr_changes_explained
    group by
        account_id,
        mrr_month

),

movements as (

    select
        'movement' as what,
        fct_mrr_monthly.account_id,
        fct_mrr_monthly.mrr_month,
        cast(null as string) as product_id,
        fct_mrr_monthly.expansion_mrr_usd + fct_mrr_monthly.contraction_mrr_usd as changed_usd,
        coalesce(explained.explained_usd, 0) as explained_usd

    from fct_mrr_monthly
    left join explained
        on
            fct_mrr_monthly.account_id = explained.account_id
            and fct_mrr_monthly.mrr_month = explained.mrr_month
    where fct_mrr_monthly.movement_type in ('expansion', 'contraction', 'none')

),

product_changes as (

    select
        account_id,
        mrr_month,
        product_id,
        mrr * usd_per_unit as changed_usd,
        0 as explained_usd
    from int_mrr_items_monthly
    where mrr != 0

    union all

    select
        account_id,
        mrr_month,
        product_id_before as product_id,
        -mrr_before * usd_per_unit_before as changed_usd,
        0 as explained_usd
    from int_mrr_items_monthly
    where mrr_before != 0

    union all

    select
        account_id,
        mrr_month,
        product_id,
        0 as changed_usd,
        mrr_usd as explained_usd
    from fct_mrr_movement_parts

),

products as (

    select
        'product' as what,
        account_id,
        mrr_month,
        product_id,
        sum(changed_usd) as changed_usd,
        sum(explained_usd) as explained_usd
    from product_changes
    group by
        account_id,
        mrr_month,
        product_id

),

plan_rates as (

    select
        coalesce(product_id, '(unknown)') as product_id,
        mrr_month,
        sum(mrr_usd) as fx_usd
    from fct_mrr_movement_parts
    where movement_type = 'fx'
    group by
        coalesce(product_id, '(unknown)'),
        mrr_month

),

final as (

    select
        what,
        account_id,
        mrr_month,
        product_id,
        changed_usd,
        explained_usd
    from movements

    union all

    select
        what,
        account_id,
        mrr_month,
        product_id,
        changed_usd,
        explained_usd
    from products

    union all

    select
        'fx of a plan' as what,
        cast(null as string) as account_id,
        fct_mrr_plans_monthly.mrr_month,
        fct_mrr_plans_monthly.product_id,
        fct_mrr_plans_monthly.fx_mrr_usd as changed_usd,
        coalesce(plan_rates.fx_usd, 0) as explained_usd

    from fct_mrr_plans_monthly
    left join plan_rates
        on
            fct_mrr_plans_monthly.product_id = plan_rates.product_id
            and fct_mrr_plans_monthly.mrr_month = plan_rates.mrr_month

)

select * from final
where
    abs(changed_usd - explained_usd)
    > case what when 'fx of a plan' then 0.001 else 0.00001 end
