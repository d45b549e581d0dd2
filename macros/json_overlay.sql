{#- A JSON object with the values of another laid over it, key by key (RFC 7396): a null takes a key
    away, a list replaces a list whole. With a Stripe event's `previous_attributes` as the overlay it
    gives the object as it was before the event. -#}
{% macro json_overlay(object, overlay) -%}
    case
        when {{ overlay }} is null then {{ object }}
        else json_merge_patch({{ object }}, {{ overlay }})
    end
{%- endmacro %}
