{#- The people of whom an incremental model has not summed up what there is now, as a query: the events
    of theirs are more or fewer than it knows, or were written since.

    Arguments:
        upstream: a relation with `person_id` and `_built_at`.
        event_count: the expression of a person's events in it.
-#}
{% macro people_touched(upstream, event_count) %}
    select coalesce(there.person_id, known.person_id) as person_id

    from (
        select
            person_id,
            {{ event_count }} as event_count,
            max(_built_at) as built_at
        from {{ upstream }}
        group by person_id
    ) as there
    full join (
        select
            person_id,
            sum(event_count) as event_count,
            max(_built_at) as built_at
        from {{ this }}
        group by person_id
    ) as known
        on there.person_id = known.person_id
    where
        there.event_count is distinct from known.event_count
        or there.built_at is distinct from known.built_at
{%- endmacro %}
