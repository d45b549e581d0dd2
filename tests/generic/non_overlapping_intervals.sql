{#- Half-open intervals of one key that are empty or start before the previous one ends.

    Arguments:
        key: column of the key.
        valid_from, valid_to: columns of the bounds; a null end is open.
        has_no_gaps: whether a gap between two intervals fails too.
-#}
{% test non_overlapping_intervals(
    model, key, valid_from='valid_from_at', valid_to='valid_to_at', has_no_gaps=false
) %}

with

ordered as (

    select
        {{ key }},
        {{ valid_from }} as interval_start,
        {{ valid_to }} as interval_end,
        lead({{ valid_from }}) over (
            partition by {{ key }}
            order by {{ valid_from }}, {{ valid_to }} nulls last
        ) as next_start
    from {{ model }}

)

select
    {{ key }},
    interval_start,
    interval_end,
    next_start
from ordered
where
    interval_start is null
    or interval_end <= interval_start
    or (next_start is not null and interval_end is null)
    or interval_end > next_start
    {%- if has_no_gaps %}
    or interval_end < next_start
    {%- endif %}

{% endtest %}
