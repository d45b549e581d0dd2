with

stg_salesforce__opportunity_field_histories as (

    select * from {{ ref('stg_salesforce__opportunity_field_histories') }}

),

changes as (

    select
        opportunity_field_history_id,
        opportunity_id,
        created_at as changed_at,
        lower(field_name) as field_name,
        trim(coalesce(old_value, '')) as old_text,
        trim(coalesce(new_value, '')) as new_text

    from stg_salesforce__opportunity_field_histories
    where
        created_at is not null
        and (
            lower(field_name) in (
                'stagename', 'amount', 'closedate', 'probability', 'forecastcategoryname'
            )
            -- The other row of a change of owner holds their names.
            or (lower(field_name) in ('owner', 'ownerid') and left(new_value, 3) in ('005', '00G'))
        )

),

-- Every dialect writes numbers and dates its own way.
normalised as (

    select
        opportunity_field_history_id,
        opportunity_id,
        changed_at,
        {%- for side in ('old', 'new') %}
        case
            when {{ side }}_text = '' then ''
            when field_name = 'amount'
                then cast(try_cast({{ side }}_text as decimal(28, 9)) as string)
            when field_name = 'probability'
                then cast(try_cast({{ side }}_text as decimal(18, 6)) / 100 as string)
            when field_name = 'closedate'
                then cast(try_cast(left({{ side }}_text, 10) as date) as string)
            when field_name = 'forecastcategoryname'
                then {{ forecast_category(side ~ '_text') }}
            when field_name in ('owner', 'ownerid') then {{ salesforce_id18(side ~ '_text') }}
            else {{ side }}_text
        end as {{ side }}_value,
        {%- endfor %}
        case field_name when 'ownerid' then 'owner' else field_name end as field_name

    from changes

),

-- Within one second a change comes after the one that made what it says was there before.
linked as (

    select
        normalised.opportunity_field_history_id,
        max(cast(others.new_value = normalised.old_value as integer)) as has_predecessor,
        max(cast(others.old_value = normalised.new_value as integer)) as has_successor

    from normalised
    inner join normalised as others
        on
            normalised.opportunity_id = others.opportunity_id
            and normalised.field_name = others.field_name
            and normalised.changed_at = others.changed_at
    where normalised.opportunity_field_history_id != others.opportunity_field_history_id
    group by normalised.opportunity_field_history_id

),

final as (

    select
        normalised.opportunity_field_history_id,
        normalised.opportunity_id,
        normalised.field_name,
        normalised.changed_at,
        normalised.old_value,
        normalised.new_value,
        row_number() over (
            partition by normalised.opportunity_id, normalised.field_name
            order by
                normalised.changed_at,
                coalesce(linked.has_predecessor, 0) - coalesce(linked.has_successor, 0),
                normalised.opportunity_field_history_id
        ) as change_number

    from normalised
    left join linked
        on normalised.opportunity_field_history_id = linked.opportunity_field_history_id

)

select * from final
