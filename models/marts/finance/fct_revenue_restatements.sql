{%- set measures = {
    'recognized_revenue': 'recognized_usd',
    'deferred_revenue': 'deferred_usd', 'receivables': 'receivable_usd',
} %}

with

fct_revenue_monthly as (

    select * from {{ ref('fct_revenue_monthly') }}

),

int_as_of as (

    select * from {{ ref('int_as_of') }}

),

int_customer_accounts as (

    select * from {{ ref('int_customer_accounts') }}

),

int_invoices_dated as (

    select * from {{ ref('int_invoices_dated') }}

),

int_revenue_lines as (

    select * from {{ ref('int_revenue_lines') }}

),

snap_finance__revenue_monthly as (

    select * from {{ ref('snap_finance__revenue_monthly') }}

),

reports as (

    select
        snap_finance__revenue_monthly.account_id,
        snap_finance__revenue_monthly.revenue_month,
        snap_finance__revenue_monthly.dbt_valid_from as reported_at,
        snap_finance__revenue_monthly.{{ measures.values() | join(',
        snap_finance__revenue_monthly.') }},
        snap_finance__revenue_monthly.native_amounts,
        snap_finance__revenue_monthly.stripe_customers

    from snap_finance__revenue_monthly
    inner join int_as_of
        on snap_finance__revenue_monthly.dbt_valid_from <= int_as_of.as_of_at

),

-- The first batch after a month's end reports all accounts at once. An account that appears later
-- was first reported with 0.
first_reports as (

    select
        revenue_month,
        min(reported_at) as first_reported_at
    from reports
    group by revenue_month

),

first_figures as (

    select
        reports.account_id,
        reports.revenue_month,
        reports.{{ measures.values() | join(',
        reports.') }},
        reports.native_amounts,
        reports.stripe_customers

    from reports
    inner join first_reports
        on
            reports.revenue_month = first_reports.revenue_month
            and reports.reported_at = first_reports.first_reported_at

),

customers as (

    select
        account_id,
        {{ dbt.listagg('stripe_customer_id', "', '", 'order by stripe_customer_id') }}
            as stripe_customers
    from int_customer_accounts
    group by account_id

),

account_months as (

    select
        account_id,
        revenue_month
    from first_figures

    union distinct

    select
        account_id,
        revenue_month
    from fct_revenue_monthly

),

-- What happened after the report and changes a month before it.
voided_since as (

    select
        int_invoices_dated.account_id,
        first_reports.revenue_month
    from int_invoices_dated
    inner join first_reports
        on
            int_invoices_dated.voided_at > first_reports.first_reported_at
            and int_invoices_dated.finalized_at
            < {{ dbt.dateadd('month', 1, 'first_reports.revenue_month') }}
    group by
        int_invoices_dated.account_id,
        first_reports.revenue_month

),

billed_since as (

    select
        int_revenue_lines.account_id,
        first_reports.revenue_month
    from int_revenue_lines
    inner join first_reports
        on
            cast(first_reports.first_reported_at as date) < int_revenue_lines.billed_date
            and {{ dbt.dateadd('month', 1, 'first_reports.revenue_month') }}
            > int_revenue_lines.earned_from_date
    where int_revenue_lines.revenue_line_type = 'invoice_line'
    group by
        int_revenue_lines.account_id,
        first_reports.revenue_month

),

compared as (

    select
        account_months.account_id,
        account_months.revenue_month,
        first_reports.first_reported_at,
        {%- for usd in measures.values() %}
        coalesce(first_figures.{{ usd }}, 0) as first_{{ usd }},
        coalesce(fct_revenue_monthly.{{ usd }}, 0) as current_{{ usd }},
        {%- endfor %}
        case
            when first_figures.native_amounts = fct_revenue_monthly.native_amounts
                then 'exchange_rate'
            when first_figures.stripe_customers != customers.stripe_customers then 'account_link'
            when voided_since.account_id is not null then 'voided_invoice'
            when billed_since.account_id is not null then 'billed_later'
            else 'corrected_data'
        end as cause

    from account_months
    inner join first_reports
        on account_months.revenue_month = first_reports.revenue_month
    left join first_figures
        on
            account_months.account_id = first_figures.account_id
            and account_months.revenue_month = first_figures.revenue_month
    left join fct_revenue_monthly
        on
            account_months.account_id = fct_revenue_monthly.account_id
            and account_months.revenue_month = fct_revenue_monthly.revenue_month
    left join customers
        on account_months.account_id = customers.account_id
    left join voided_since
        on
            account_months.account_id = voided_since.account_id
            and account_months.revenue_month = voided_since.revenue_month
    left join billed_since
        on
            account_months.account_id = billed_since.account_id
            and account_months.revenue_month = billed_since.revenue_month

),

final as (

    {%- for measure, usd in measures.items() %}

    select
        account_id,
        revenue_month,
        '{{ measure }}' as measure,
        first_reported_at,
        cast(first_{{ usd }} as decimal(28, 6)) as first_reported_usd,
        cast(current_{{ usd }} as decimal(28, 6)) as current_usd,
        cast(current_{{ usd }} - first_{{ usd }} as decimal(28, 6)) as restated_usd,
        cause
    from compared
    where first_{{ usd }} != current_{{ usd }}
    {%- if not loop.last %}

    union all
    {%- endif %}
    {%- endfor %}

)

select * from final
