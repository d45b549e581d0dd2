with

bridge_account_identities as (

    select * from {{ ref('bridge_account_identities') }}

),

fct_mrr_monthly as (

    select * from {{ ref('fct_mrr_monthly') }}

),

int_as_of as (

    select * from {{ ref('int_as_of') }}

),

int_billing_rates_monthly as (

    select * from {{ ref('int_billing_rates_monthly') }}

),

int_coupon_uses as (

    select * from {{ ref('int_coupon_uses') }}

),

int_coupons_listed as (

    select * from {{ ref('int_coupons_listed') }}

),

stripe_accounts as (

    select
        foreign_id as stripe_customer_id,
        account_id
    from bridge_account_identities
    where source_system = 'stripe'

),

uses as (

    select
        int_coupon_uses.*,
        stripe_accounts.account_id,
        {{ minor_to_major(
            'int_coupon_uses.discount_minor', 'int_billing_rates_monthly.stripe_minor_unit_exponent'
        ) }} * int_billing_rates_monthly.usd_per_unit as discount_usd

    from int_coupon_uses
    cross join int_as_of
    inner join stripe_accounts
        on int_coupon_uses.stripe_customer_id = stripe_accounts.stripe_customer_id
    left join int_billing_rates_monthly
        on
            int_coupon_uses.currency = int_billing_rates_monthly.currency
            and {{ month_start('int_coupon_uses.used_at') }}
            = int_billing_rates_monthly.rate_month
    where int_coupon_uses.used_at <= int_as_of.as_of_at

),

uptake as (

    select
        coupon_id,
        promotion_code_id,
        count(distinct account_id) as account_count,
        count(distinct stripe_customer_id) as customer_count,
        count(distinct subscription_id) as subscription_count,
        count(distinct invoice_id) as invoice_count,
        coalesce(sum(discount_usd), 0) as discount_usd,
        min(used_at) as first_used_at,
        max(used_at) as last_used_at

    from uses
    group by
        coupon_id,
        promotion_code_id

),

first_uses as (

    select
        coupon_id,
        promotion_code_id,
        account_id,
        {{ month_start('min(used_at)') }} as first_month
    from uses
    group by
        coupon_id,
        promotion_code_id,
        account_id

),

-- Asked only of accounts whose month, that many months on, has closed.
horizons as (

    select
        first_uses.coupon_id,
        first_uses.promotion_code_id,
        first_uses.account_id,
        months.months_after,
        cast({{ add_months('first_uses.first_month', 'months.months_after') }} as date) as asked_month

    from first_uses
    cross join (values (3), (6), (12)) as months (months_after)
    cross join int_as_of
    where
        {{ add_months('first_uses.first_month', 'months.months_after + 1') }}
        <= {{ add_days('int_as_of.as_of_date', 1) }}

),

retention as (

    select
        horizons.coupon_id,
        horizons.promotion_code_id,
        {%- for months_after in [3, 6, 12] %}
        count(*) filter (where horizons.months_after = {{ months_after }})
            as accounts_observed_{{ months_after }}_months_count,
        count(*) filter (
            where horizons.months_after = {{ months_after }} and fct_mrr_monthly.closing_mrr_usd > 0
        ) as accounts_paying_{{ months_after }}_months_count{{ "," if not loop.last }}
        {%- endfor %}

    from horizons
    left join fct_mrr_monthly
        on
            horizons.account_id = fct_mrr_monthly.account_id
            and horizons.asked_month = fct_mrr_monthly.mrr_month
    group by
        horizons.coupon_id,
        horizons.promotion_code_id

),

pairs as (

    select
        coupon_id,
        promotion_code_id
    from int_coupons_listed

    union

    select
        coupon_id,
        promotion_code_id
    from uptake

),

final as (

    select
        concat_ws(':', coalesce(pairs.coupon_id, 'unresolved'), pairs.promotion_code_id)
            as coupon_performance_id,
        pairs.coupon_id,
        pairs.promotion_code_id,
        int_coupons_listed.promotion_code,
        int_coupons_listed.coupon_name,
        int_coupons_listed.duration,
        cast(int_coupons_listed.percent_off / 100 as decimal(9, 6)) as discount_rate,
        cast(int_coupons_listed.stated_redemption_count as integer) as stated_redemption_count,
        cast(coalesce(uptake.account_count, 0) as integer) as account_count,
        cast(coalesce(uptake.customer_count, 0) as integer) as customer_count,
        cast(coalesce(uptake.subscription_count, 0) as integer) as subscription_count,
        cast(coalesce(uptake.invoice_count, 0) as integer) as invoice_count,
        cast(coalesce(uptake.discount_usd, 0) as decimal(28, 6)) as discount_usd,
        uptake.first_used_at,
        uptake.last_used_at,
        {%- for months_after in [3, 6, 12] %}
        {%- set observed = "retention.accounts_observed_" ~ months_after ~ "_months_count" %}
        {%- set paying = "retention.accounts_paying_" ~ months_after ~ "_months_count" %}
        cast(coalesce({{ observed }}, 0) as integer)
            as accounts_observed_{{ months_after }}_months_count,
        cast(coalesce({{ paying }}, 0) as integer)
            as accounts_paying_{{ months_after }}_months_count,
        cast({{ paying }} / nullif({{ observed }}, 0) as decimal(9, 6))
            as retention_{{ months_after }}_months_rate{{ "," if not loop.last }}
        {%- endfor %}

    from pairs
    left join int_coupons_listed
        on
            pairs.coupon_id = int_coupons_listed.coupon_id
            and pairs.promotion_code_id is not distinct from int_coupons_listed.promotion_code_id
    left join uptake
        on
            pairs.coupon_id is not distinct from uptake.coupon_id
            and pairs.promotion_code_id is not distinct from uptake.promotion_code_id
    left join retention
        on
            pairs.coupon_id is not distinct from retention.coupon_id
            and pairs.promotion_code_id is not distinct from retention.promotion_code_id

)

select * from final
