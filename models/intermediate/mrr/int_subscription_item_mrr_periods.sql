{%- set versions, discounts = 'int_subscription_versions', 'int_subscription_version_discounts' -%}
{%- set instants = [
    (versions, 'pause_resumes_at'), (versions, 'cancel_at'), (versions, 'past_due_expires_at'),
    (discounts, 'live_from_at'), (discounts, 'live_to_at'),
] -%}
{%- set by_version = '(partition by changes.version_id order by changes.changes_at)' -%}

with

int_invoice_lines_netted as (

    select * from {{ ref('int_invoice_lines_netted') }}

),

int_price_quantities_listed as (

    select * from {{ ref('int_price_quantities_listed') }}

),

int_subscription_version_discounts as (

    select * from {{ ref('int_subscription_version_discounts') }}

),

int_subscription_version_items as (

    select * from {{ ref('int_subscription_version_items') }}

),

int_subscription_versions as (

    select * from {{ ref('int_subscription_versions') }}

),

-- MRR may change inside a version without an event: at each of these instants.
possible_changes as (

    select
        version_id,
        valid_from_at as changes_at
    from int_subscription_versions
    {%- for model, instant in instants %}
    union all
    select
        version_id,
        {{ instant }} as changes_at
    from {{ model }}
    {%- endfor %}

),

changes as (

    select distinct
        possible_changes.version_id,
        possible_changes.changes_at

    from possible_changes
    inner join int_subscription_versions
        on
            possible_changes.version_id = int_subscription_versions.version_id
            and possible_changes.changes_at >= int_subscription_versions.valid_from_at
    where
        int_subscription_versions.valid_to_at is null
        or possible_changes.changes_at < int_subscription_versions.valid_to_at

),

mrr_periods as (

    select
        changes.version_id || '/' || row_number() over {{ by_version }} as mrr_period_id,
        changes.version_id,
        changes.changes_at as valid_from_at,
        coalesce(
            lead(changes.changes_at) over {{ by_version }}, int_subscription_versions.valid_to_at
        ) as valid_to_at,
        int_subscription_versions.subscription_id,
        int_subscription_versions.stripe_customer_id,
        int_subscription_versions.subscription_status,
        int_subscription_versions.mrr_evidence,
        int_subscription_versions.is_cancel_scheduled
        and coalesce(changes.changes_at < int_subscription_versions.cancel_at, true)
            as is_cancel_scheduled,
        case
            when int_subscription_versions.subscription_status not in ('active', 'past_due')
                then int_subscription_versions.subscription_status
            when int_subscription_versions.cancel_at <= changes.changes_at then 'canceled'
            when int_subscription_versions.past_due_expires_at <= changes.changes_at
                then 'past_due_expired'
            when
                int_subscription_versions.pause_behavior in ('void', 'mark_uncollectible')
                and coalesce(int_subscription_versions.pause_resumes_at > changes.changes_at, true)
                then 'paused'
        end as status_exclusion_reason

    from changes
    inner join int_subscription_versions
        on changes.version_id = int_subscription_versions.version_id

),

tax_rate_rows as (

    select
        version_id,
        subscription_item_id,
        {{ explode('tax_rates') }} as tax_rate
    from int_subscription_version_items

),

inclusive_tax_rates as (

    select
        version_id,
        subscription_item_id,
        sum(tax_rate.percentage) as percentage

    from tax_rate_rows
    where tax_rate.is_inclusive
    group by
        version_id,
        subscription_item_id

),

-- Stripe Tax needs no rates. An item's last line with any tax shows what its price includes.
invoiced_taxes as (

    select
        subscription_item_id,
        max_by(
            {{ ratio('net_minor', 'amount_minor - discount_minor') }},
            cast(period_start_at as string) || invoice_line_id
        ) as net_of_tax_factor

    from int_invoice_lines_netted
    where
        is_revenue
        and inclusive_tax_minor != 0
    group by subscription_item_id

),

final as (

    select
        mrr_periods.mrr_period_id,
        mrr_periods.subscription_id,
        mrr_periods.stripe_customer_id,
        mrr_periods.valid_from_at,
        mrr_periods.valid_to_at,
        mrr_periods.subscription_status,
        mrr_periods.is_cancel_scheduled
        and int_subscription_version_items.is_present as is_cancel_scheduled,
        int_subscription_version_items.version_id,
        int_subscription_version_items.subscription_item_id,
        int_subscription_version_items.price_id,
        int_subscription_version_items.quantity,
        int_price_quantities_listed.product_id,
        int_price_quantities_listed.currency,
        int_price_quantities_listed.stripe_minor_unit_exponent,
        int_price_quantities_listed.month_numerator,
        int_price_quantities_listed.month_denominator,
        int_price_quantities_listed.gross_list_mrr,
        cast(
            coalesce(
                {{ ratio('100', '100 + inclusive_tax_rates.percentage') }},
                taxes.net_of_tax_factor,
                1
            ) as decimal(18, 12)
        ) as net_of_tax_factor,
        coalesce(int_price_quantities_listed.tax_behavior = 'inclusive', false)
        and inclusive_tax_rates.percentage is null
        and taxes.net_of_tax_factor is null as is_tax_rate_missing,
        case
            when mrr_periods.status_exclusion_reason in ('canceled', 'incomplete_expired')
                then mrr_periods.status_exclusion_reason
            when not int_subscription_version_items.is_present then 'canceled'
            else coalesce(
                    mrr_periods.status_exclusion_reason,
                    int_price_quantities_listed.price_exclusion_reason,
                    case when int_price_quantities_listed.price_id is null then 'price_missing' end
                )
        end as mrr_exclusion_reason,
        case
            when
                int_price_quantities_listed.is_price_from_invoice
                or (inclusive_tax_rates.percentage is null and taxes.net_of_tax_factor is not null)
                then 'invoice'
            else mrr_periods.mrr_evidence
        end as mrr_evidence

    from mrr_periods
    inner join int_subscription_version_items
        on mrr_periods.version_id = int_subscription_version_items.version_id
    left join int_price_quantities_listed
        on
            int_subscription_version_items.price_id = int_price_quantities_listed.price_id
            and int_subscription_version_items.subscription_currency
            is not distinct from int_price_quantities_listed.subscription_currency
            and int_subscription_version_items.quantity
            is not distinct from int_price_quantities_listed.quantity
    left join inclusive_tax_rates
        on
            int_subscription_version_items.version_id = inclusive_tax_rates.version_id
            and int_subscription_version_items.subscription_item_id
            = inclusive_tax_rates.subscription_item_id
    left join invoiced_taxes as taxes
        on int_subscription_version_items.subscription_item_id = taxes.subscription_item_id

)

select * from final
