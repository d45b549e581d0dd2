-- Values are text here: '' says that a field is empty, null that nothing is said of it.
{%- set fields = {
    'stagename': 'stage_name',
    'amount': 'amount',
    'closedate': 'close_date',
    'probability': 'probability_rate',
    'forecastcategoryname': 'forecast_category',
    'owner': 'owner_salesforce_user_id',
} %}
with

int_as_of as (

    select * from {{ ref('int_as_of') }}

),

int_opportunity_history_coverage as (

    select * from {{ ref('int_opportunity_history_coverage') }}

),

int_opportunity_history_rows_ordered as (

    select * from {{ ref('int_opportunity_history_rows_ordered') }}

),

int_opportunity_field_changes as (

    select * from {{ ref('int_opportunity_field_changes') }}

),

int_opportunity_versions as (

    select * from {{ ref('int_opportunity_versions') }}

),

-- Owners are in no save. The rest is told by fields only until history rows do.
field_changes as (

    select
        int_opportunity_field_changes.*,
        int_opportunity_history_coverage.created_at,
        int_opportunity_history_coverage.first_history_at

    from int_opportunity_field_changes
    inner join int_opportunity_history_coverage
        on int_opportunity_field_changes.opportunity_id
            = int_opportunity_history_coverage.opportunity_id
    where
        int_opportunity_field_changes.field_name = 'owner'
        or int_opportunity_history_coverage.first_history_at is null
        or (
            int_opportunity_history_coverage.created_at
            < int_opportunity_history_coverage.first_history_at
            and int_opportunity_field_changes.changed_at
            <= int_opportunity_history_coverage.first_history_at
        )

),

-- What the first change of a field says was there before it.
first_values as (

    select
        opportunity_id,
    {%- for field, column in fields.items() %}
    max(case when field_name = '{{ field }}' then old_value end) as {{ column }}
    {{- "," if not loop.last }}
    {%- endfor %}

    from field_changes
    where change_number = 1
    group by opportunity_id

),

source_records as (

    -- The creation: what the fields' history, else the first save says was there before.
    select
        coverage.opportunity_id,
        coverage.created_at as effective_at,
        1 as source_number,
        cast(0 as bigint) as position_number,
        coalesce(first_values.stage_name, first_rows.previous_stage_name) as stage_name,
        coalesce(
            first_values.amount,
            case
                when first_rows.previous_close_date is not null
                    then coalesce(cast(first_rows.previous_amount as string), '')
            end
        ) as amount,
        coalesce(
            first_values.close_date, cast(first_rows.previous_close_date as string)
        ) as close_date,
        first_values.probability_rate,
        first_values.forecast_category,
        first_values.owner_salesforce_user_id,
        cast(null as string) as currency,
        cast(null as boolean) as is_deleted

    from int_opportunity_history_coverage as coverage
    left join first_values
        on coverage.opportunity_id = first_values.opportunity_id
    left join int_opportunity_history_rows_ordered as first_rows
        on
            coverage.opportunity_id = first_rows.opportunity_id
            and coverage.created_at < first_rows.changed_at
            and first_rows.position_number = 1

    union all

    -- What changed before the first save tells it all.
    select
        opportunity_id,
        changed_at as effective_at,
        2 as source_number,
        change_number as position_number,
        {%- for field, column in fields.items() %}
        case when field_name = '{{ field }}' then new_value end as {{ column }},
        {%- endfor %}
        null as currency,
        null as is_deleted

    from field_changes
    where
        field_name = 'owner'
        or first_history_at is null
        or changed_at < first_history_at

    union all

    select
        opportunity_id,
        changed_at as effective_at,
        3 as source_number,
        position_number,
        stage_name,
        coalesce(cast(amount as string), '') as amount,
        cast(close_date as string) as close_date,
        cast(probability_rate as string) as probability_rate,
        forecast_category,
        null as owner_salesforce_user_id,
        currency,
        null as is_deleted

    from int_opportunity_history_rows_ordered

    union all

    -- The record as extracts held it, where no history tells: its stage since that changed, ...
    select
        opportunity_id,
        stage_reached_at as effective_at,
        4 as source_number,
        cast(0 as bigint) as position_number,
        stage_name,
        null as amount,
        null as close_date,
        null as probability_rate,
        null as forecast_category,
        null as owner_salesforce_user_id,
        null as currency,
        null as is_deleted

    from int_opportunity_versions
    where is_outside_history

    union all

    -- ... the rest since it was saved.
    select
        opportunity_id,
        system_modified_at as effective_at,
        5 as source_number,
        cast(0 as bigint) as position_number,
        null as stage_name,
        {%- for column in ('amount', 'close_date', 'probability_rate', 'forecast_category') %}
        case when is_outside_history then coalesce(cast({{ column }} as string), '') end
            as {{ column }},
        {%- endfor %}
        owner_salesforce_user_id,
        case when is_outside_history then currency end as currency,
        is_deleted

    from int_opportunity_versions

),

final as (

    select
        source_records.*,
        row_number() over (
            partition by source_records.opportunity_id
            order by
                source_records.effective_at,
                source_records.source_number,
                source_records.position_number,
                source_records.stage_name,
                source_records.amount,
                source_records.close_date,
                source_records.probability_rate,
                source_records.forecast_category,
                source_records.owner_salesforce_user_id
        ) as record_number

    from source_records
    inner join int_as_of
        on source_records.effective_at <= int_as_of.as_of_at

)

select * from final
