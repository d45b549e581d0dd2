{%- set fields = {
    'stage_name': 'string',
    'amount': 'decimal(28, 6)',
    'close_date': 'date',
    'probability_rate': 'decimal(18, 6)',
    'forecast_category': 'string',
    'owner_salesforce_user_id': 'string',
    'currency': 'string',
    'is_deleted': 'boolean',
} %}
with

int_opportunity_history_coverage as (

    select * from {{ ref('int_opportunity_history_coverage') }}

),

int_opportunity_source_records as (

    select * from {{ ref('int_opportunity_source_records') }}

),

int_opportunity_stages_ranked as (

    select * from {{ ref('int_opportunity_stages_ranked') }}

),

stg_salesforce__opportunities as (

    select * from {{ ref('stg_salesforce__opportunities') }}

),

stg_salesforce__accounts as (

    select * from {{ ref('stg_salesforce__accounts') }}

),

int_opportunity_rates as (

    select * from {{ ref('int_opportunity_rates') }}

),

-- Each field keeps its last recorded value. Before the first one, fields that every opportunity has
-- take the first recorded value.
carried as (

    select
        opportunity_id,
        record_number,
        effective_at,
        {%- for column in fields %}
        {{ known_value('last', column) }} over (
            partition by opportunity_id
            order by record_number
            rows between unbounded preceding and current row
        ) as {{ column }},
        {%- endfor %}
        lead(effective_at) over (partition by opportunity_id order by record_number)
            as next_effective_at

    from int_opportunity_source_records

),

first_values as (

    select
        opportunity_id,
        min_by(amount, record_number) filter (where amount is not null) as amount,
        min_by(close_date, record_number) filter (where close_date is not null) as close_date,
        min_by(owner_salesforce_user_id, record_number) filter (
            where owner_salesforce_user_id is not null
        ) as owner_salesforce_user_id,
        min_by(currency, record_number) filter (where currency is not null) as currency

    from int_opportunity_source_records
    group by opportunity_id

),

typed as (

    select
        carried.opportunity_id,
        carried.record_number as state_number,
        carried.effective_at as valid_from_at,
        carried.next_effective_at as valid_to_at,
        {%- for column, type in fields.items() if column != 'is_deleted' %}
        try_cast(
            nullif(
                {%- if column in ('amount', 'close_date', 'owner_salesforce_user_id', 'currency') %}
                coalesce(carried.{{ column }}, first_values.{{ column }}),
                {%- else %}
                carried.{{ column }},
                {%- endif %}
                ''
            ) as {{ type }}
        ) as {{ column }},
        {%- endfor %}
        coalesce(carried.is_deleted, false) as is_deleted

    from carried
    inner join first_values
        on carried.opportunity_id = first_values.opportunity_id

),

described as (

    select
        typed.opportunity_id,
        typed.state_number,
        typed.valid_from_at,
        typed.valid_to_at,
        typed.stage_name,
        typed.owner_salesforce_user_id as sales_rep_id,
        typed.forecast_category,
        typed.probability_rate,
        typed.close_date,
        typed.amount,
        typed.is_deleted,
        {{ dbt.dateadd(
            'day', -1, month_start('int_opportunity_history_coverage.created_at')
        ) }} as rate_date,
        coalesce(
            typed.currency,
            stg_salesforce__opportunities.currency,
            stg_salesforce__accounts.currency,
            '{{ var("salesforce_currency") }}'
        ) as currency,
        -- A stage before the first known one is open. Of a known stage, the flags may be unknown.
        case when typed.stage_name is null then false else ranked.is_closed end as is_closed,
        case when typed.stage_name is null then false else ranked.is_won end as is_won

    from typed
    inner join int_opportunity_history_coverage
        on typed.opportunity_id = int_opportunity_history_coverage.opportunity_id
    inner join stg_salesforce__opportunities
        on typed.opportunity_id = stg_salesforce__opportunities.opportunity_id
    left join stg_salesforce__accounts
        on
            stg_salesforce__opportunities.salesforce_account_id
            = stg_salesforce__accounts.salesforce_account_id
    left join int_opportunity_stages_ranked as ranked
        on typed.stage_name = ranked.stage_name

),

valued as (

    select
        described.opportunity_id,
        described.state_number,
        described.valid_from_at,
        described.valid_to_at,
        described.stage_name,
        described.sales_rep_id,
        described.forecast_category,
        described.probability_rate,
        described.close_date,
        described.currency,
        described.amount,
        cast(
            described.amount * int_opportunity_rates.usd_per_unit as decimal(28, 6)
        ) as amount_usd,
        described.is_closed,
        described.is_won,
        described.is_deleted

    from described
    left join int_opportunity_rates
        on
            described.currency = int_opportunity_rates.currency
            and described.rate_date >= int_opportunity_rates.valid_from_date
            and described.rate_date < int_opportunity_rates.valid_to_date

),

final as (

    select
        opportunity_id,
        state_number,
        valid_from_at,
        valid_to_at,
        stage_name,
        sales_rep_id,
        forecast_category,
        close_date,
        currency,
        amount,
        amount_usd,
        cast(amount_usd * probability_rate as decimal(38, 12)) as weighted_usd,
        is_closed,
        is_won,
        is_deleted,
        coalesce(not is_closed, false) and not is_deleted as is_in_pipeline
    from valued

)

select * from final
