-- Lists events of `funnels` and `activation_rules` that neither `event_taxonomy` nor a message has
-- under this name. No one would reach a step with a misspelled name, or with an old name that the
-- taxonomy maps to another.
-- A warning, since the event may be one that the product is yet to send.
{{ config(severity='warn') }}

with

configured as (

    select
        'funnels' as seed_name,
        event_name,
        replace({{ normalised_name('event_name') }}, ' ', '') as event_key
    from {{ ref('funnels') }}

    union

    select
        'activation_rules' as seed_name,
        event_name,
        replace({{ normalised_name('event_name') }}, ' ', '') as event_key
    from {{ ref('activation_rules') }}

),

taxonomy as (

    select
        replace({{ normalised_name('raw_event_name') }}, ' ', '') as event_key,
        min(event_name) as taxonomy_event_name
    from {{ ref('event_taxonomy') }}
    group by event_key

)

select
    configured.seed_name,
    configured.event_name,
    taxonomy.taxonomy_event_name
from configured
left join taxonomy
    on configured.event_key = taxonomy.event_key
where
    configured.event_key not in (
        select replace({{ normalised_name('dim_event_types.event_name') }}, ' ', '')
        from {{ ref('dim_event_types') }} as dim_event_types
        where dim_event_types.event_type = 'track'
    )
