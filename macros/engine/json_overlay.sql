{#- A JSON object merged with another by RFC 7396: a null removes a key, and a list replaces a list as a
    whole. With a Stripe event's `previous_attributes` as the overlay, the result is the object before
    the event.

    Arguments:
        object: a JSON object.
        overlay: a JSON object, or null for none.
-#}
{% macro json_overlay(object, overlay) -%}
    {{ return(adapter.dispatch('json_overlay')(object, overlay)) }}
{%- endmacro %}

{% macro duckdb__json_overlay(object, overlay) -%}
    case
        when {{ overlay }} is null then {{ object }}
        else json_merge_patch({{ object }}, {{ overlay }})
    end
{%- endmacro %}
