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
            -- A change of owner has two rows. The other one holds the owners' names.
            or (lower(field_name) in ('owner', 'ownerid') and left(new_value, 3) in ('005', '00G'))
        )

),

-- Each export dialect formats numbers and dates differently.
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
                then cast({{ ratio('try_cast(' ~ side ~ '_text as double)', 100) }} as string)
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

numbered as (

    select
        opportunity_field_history_id,
        opportunity_id,
        field_name,
        changed_at,
        old_value,
        new_value,
        row_number() over (
            partition by opportunity_id, field_name
            order by changed_at, opportunity_field_history_id
        ) as change_number,
        count(*) over (partition by opportunity_id, field_name, changed_at) as tied_count

    from normalised

),

-- The history has whole seconds. Within one, only the old values show which change came first.
tied as (

    select
        opportunity_field_history_id,
        opportunity_id,
        field_name,
        changed_at,
        old_value,
        new_value,
        change_number as fallback_number,
        min(change_number) over (
            partition by opportunity_id, field_name, changed_at
        ) as first_number
    from numbered
    where tied_count between 2 and 50

),

-- The first pass takes the state before a second from the fallback order. The second pass takes it
-- from the first one, because the second before may be tied as well.
{%- for pass in (1, 2) %}
{%- set records_before = 'numbered' if pass == 1 else 'ordered_1' %}

outcomes_{{ pass }} as (

    select
        opportunity_id,
        field_name,
        changed_at,
        opportunity_field_history_id,
        old_value,
        new_value
    from tied

    union all

    select
        tied.opportunity_id,
        tied.field_name,
        tied.changed_at,
        '' as opportunity_field_history_id,
        null as old_value,
        changes_before.new_value

    from tied
    left join {{ records_before }} as changes_before
        on
            tied.opportunity_id = changes_before.opportunity_id
            and tied.field_name = changes_before.field_name
            and tied.first_number - 1 = changes_before.change_number
    where tied.fallback_number = tied.first_number

),

pairs_{{ pass }} as (

    select
        later.opportunity_id,
        later.field_name,
        later.changed_at,
        later.opportunity_field_history_id,
        later.fallback_number,
        earlier.opportunity_field_history_id as other_history_id,
        case
            when earlier.new_value is null then 0
            when later.old_value = earlier.new_value then 1
            else -1
        end as agreement,
        case when earlier.old_value = later.new_value then 1 else -1 end as reverse_agreement

    from tied as later
    inner join outcomes_{{ pass }} as earlier
        on
            later.opportunity_id = earlier.opportunity_id
            and later.field_name = earlier.field_name
            and later.changed_at = earlier.changed_at
            and later.opportunity_field_history_id != earlier.opportunity_field_history_id

),

orders_{{ pass }} as (

    select
        opportunity_id,
        field_name,
        changed_at,
        min(fallback_number) as first_number,
        {{ order_within_second(
            'opportunity_field_history_id', 'other_history_id', 'agreement', 'reverse_agreement',
            'fallback_number'
        ) }} as ordered_ids
    from pairs_{{ pass }}
    group by
        opportunity_id,
        field_name,
        changed_at

),

ordered_{{ pass }} as (

    select
        numbered.opportunity_field_history_id,
        numbered.opportunity_id,
        numbered.field_name,
        numbered.new_value,
        coalesce(
            orders.first_number
            + array_position(orders.ordered_ids, numbered.opportunity_field_history_id) - 1,
            numbered.change_number
        ) as change_number

    from numbered
    left join orders_{{ pass }} as orders
        on
            numbered.opportunity_id = orders.opportunity_id
            and numbered.field_name = orders.field_name
            and numbered.changed_at = orders.changed_at

),
{%- endfor %}

final as (

    select
        numbered.opportunity_field_history_id,
        numbered.opportunity_id,
        numbered.field_name,
        numbered.changed_at,
        numbered.old_value,
        numbered.new_value,
        ordered_2.change_number

    from numbered
    inner join ordered_2
        on numbered.opportunity_field_history_id = ordered_2.opportunity_field_history_id

)

select * from final
