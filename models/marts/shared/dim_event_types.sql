with

event_taxonomy as (

    select * from {{ ref('event_taxonomy') }}

),

fct_events as (

    select * from {{ ref('fct_events') }}

),

planned as (

    select
        event_name,
        min(event_category) as event_category,
        min(feature_key) as feature_key,
        bool_or(is_key_action) as is_key_action,
        {{ dbt.listagg('raw_event_name', "', '", 'order by raw_event_name') }} as raw_event_names

    from event_taxonomy
    group by event_name

),

observed as (

    select
        event_name,
        min(event_type) as event_type,
        bool_and(is_known_event) as is_known_event

    from fct_events
    group by event_name

),

names as (

    select event_name from planned

    union distinct

    select event_name from observed

),

final as (

    select
        names.event_name,
        case
            when planned.event_name is not null then 'track'
            else observed.event_type
        end as event_type,
        planned.event_category,
        planned.feature_key,
        planned.event_name is not null or observed.is_known_event as is_known_event,
        coalesce(planned.is_key_action, false) as is_key_action,
        planned.raw_event_names

    from names
    left join planned
        on names.event_name = planned.event_name
    left join observed
        on names.event_name = observed.event_name

)

select * from final
