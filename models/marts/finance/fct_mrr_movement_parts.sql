with

fct_mrr_monthly as (

    select * from {{ ref('fct_mrr_monthly') }}

),

fct_mrr_movements as (

    select * from {{ ref('fct_mrr_movements') }}

),

int_mrr_changes_explained as (

    select * from {{ ref('int_mrr_changes_explained') }}

),

int_mrr_items_monthly as (

    select * from {{ ref('int_mrr_items_monthly') }}

),

product_months as (

    select
        account_id,
        mrr_month,
        product_id,
        sum(mrr * usd_per_unit) as mrr_usd
    from int_mrr_items_monthly
    where mrr != 0
    group by
        account_id,
        mrr_month,
        product_id

),

product_months_before as (

    select
        account_id,
        mrr_month,
        product_id_before as product_id,
        sum(mrr_before * usd_per_unit_before) as mrr_before_usd,
        sum(mrr_before * (usd_per_unit - usd_per_unit_before)) as fx_usd
    from int_mrr_items_monthly
    where mrr_before != 0
    group by
        account_id,
        mrr_month,
        product_id_before

),

parts as (

    select
        fct_mrr_movements.account_id,
        fct_mrr_movements.mrr_month,
        fct_mrr_movements.movement_type,
        cast(null as string) as movement_reason,
        product_months.product_id,
        cast(product_months.mrr_usd as decimal(28, 6)) as mrr_usd

    from fct_mrr_movements
    inner join product_months
        on
            fct_mrr_movements.account_id = product_months.account_id
            and fct_mrr_movements.mrr_month = product_months.mrr_month
    where fct_mrr_movements.movement_type in ('new', 'reactivation')

    union all

    select
        fct_mrr_movements.account_id,
        fct_mrr_movements.mrr_month,
        fct_mrr_movements.movement_type,
        cast(null as string) as movement_reason,
        product_months_before.product_id,
        cast(
            case fct_mrr_movements.movement_type
                when 'churn' then -product_months_before.mrr_before_usd
                else product_months_before.fx_usd
            end as decimal(28, 6)
        ) as mrr_usd

    from fct_mrr_movements
    inner join product_months_before
        on
            fct_mrr_movements.account_id = product_months_before.account_id
            and fct_mrr_movements.mrr_month = product_months_before.mrr_month
    where fct_mrr_movements.movement_type in ('churn', 'fx')

    union all

    -- A swap of plans at the same price moves plans although the account does not move.
    select
        int_mrr_changes_explained.account_id,
        int_mrr_changes_explained.mrr_month,
        fct_mrr_monthly.movement_type,
        int_mrr_changes_explained.movement_reason,
        int_mrr_changes_explained.product_id,
        int_mrr_changes_explained.mrr_usd

    from int_mrr_changes_explained
    inner join fct_mrr_monthly
        on
            int_mrr_changes_explained.account_id = fct_mrr_monthly.account_id
            and int_mrr_changes_explained.mrr_month = fct_mrr_monthly.mrr_month
            and fct_mrr_monthly.movement_type in ('expansion', 'contraction', 'none')

),

-- Rounded parts may not add up to the rounded whole, so the largest part takes the difference.
ranked as (

    select
        parts.account_id,
        parts.mrr_month,
        parts.movement_type,
        parts.movement_reason,
        parts.product_id,
        parts.mrr_usd,
        coalesce(fct_mrr_movements.mrr_usd, 0)
        - sum(parts.mrr_usd) over (
            partition by parts.account_id, parts.mrr_month, parts.movement_type
        ) as missing_usd,
        row_number() over (
            partition by parts.account_id, parts.mrr_month, parts.movement_type
            order by
                abs(parts.mrr_usd) desc,
                parts.product_id asc nulls last,
                parts.movement_reason asc nulls last
        ) as rank_number

    from parts
    left join fct_mrr_movements
        on
            parts.account_id = fct_mrr_movements.account_id
            and parts.mrr_month = fct_mrr_movements.mrr_month
            and parts.movement_type = fct_mrr_movements.movement_type

),

settled as (

    select
        account_id,
        mrr_month,
        movement_type,
        movement_reason,
        product_id,
        cast(
            case when rank_number = 1 then mrr_usd + missing_usd else mrr_usd end
            as decimal(28, 6)
        ) as mrr_usd
    from ranked

),

final as (

    select
        account_id,
        mrr_month,
        movement_type,
        movement_reason,
        product_id,
        mrr_usd

    from settled
    where mrr_usd != 0

)

select * from final
