-- Values are text here: '' is an empty field, null is a field that the record does not have.
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

-- OpportunityHistory has no owners. Other fields change here only before its first row.
field_changes as (

    select
        changes.opportunity_id,
        changes.field_name,
        changes.changed_at,
        changes.old_value,
        changes.new_value,
        changes.change_number,
        coverage.first_history_at

    from int_opportunity_field_changes as changes
    inner join int_opportunity_history_coverage as coverage
        on changes.opportunity_id = coverage.opportunity_id
    where
        changes.field_name = 'owner'
        or coverage.first_history_at is null
        or (
            coverage.created_at < coverage.first_history_at
            and changes.changed_at <= coverage.first_history_at
        )

),

-- The value of each field before its first change.
first_values as (

    select
        {%- for field, column in fields.items() %}
        max(old_value) filter (where field_name = '{{ field }}') as {{ column }},
        {%- endfor %}
        opportunity_id
    from field_changes
    where change_number = 1
    group by opportunity_id

),

source_records as (

    -- The creation, with the values before the first change, from the field history, else from the
    -- first history row.
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
        coalesce(first_values.close_date, cast(first_rows.previous_close_date as string))
            as close_date,
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

    -- Changes of fields before the first history row, which then has all fields.
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

    -- Extracted versions outside the history: the stage from when it was reached, ...
    select
        opportunity_id,
        stage_reached_at as effective_at,
        4 as source_number,
        cast(0 as bigint) as position_number,
        stage_name,
        {%- for column in fields.values() if column != 'stage_name' %}
        null as {{ column }},
        {%- endfor %}
        null as currency,
        null as is_deleted

    from int_opportunity_versions
    where is_outside_history

    union all

    -- ... and the other fields from the modification.
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
        source_records.opportunity_id,
        source_records.effective_at,
        {%- for column in fields.values() %}
        source_records.{{ column }},
        {%- endfor %}
        source_records.currency,
        source_records.is_deleted,
        row_number() over (
            partition by source_records.opportunity_id
            order by
                source_records.effective_at,
                source_records.source_number,
                source_records.position_number,
                {%- for column in fields.values() %}
                source_records.{{ column }} nulls last,
                {%- endfor %}
                source_records.currency nulls last
        ) as record_number

    from source_records
    inner join int_as_of
        on source_records.effective_at <= int_as_of.as_of_at

)

select * from final
