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

{% macro spark__json_overlay(object, overlay) -%}
    case
        when {{ overlay }} is null then {{ object }}
        else {{ spark__json_merged(object, overlay, 2) }}
    end
{%- endmacro %}

{#- The merge as JSON text, to a depth of nested objects: a query cannot call itself. -#}
{% macro spark__json_merged(object, overlay, depth) -%}
    {%- set object_map = "from_json(" ~ object ~ ", 'map<string,variant>')" -%}
    {%- set overlay_map = "from_json(" ~ overlay ~ ", 'map<string,variant>')" -%}
    to_json(map_concat(
        map_filter(
            coalesce({{ object_map }}, cast(map() as map<string, variant>)),
            (key{{ depth }}, value{{ depth }}) -> not map_contains_key({{ overlay_map }}, key{{ depth }})
        ),
        map_filter(
            {% if depth > 0 -%}
            transform_values(
                {{ overlay_map }},
                (key{{ depth }}, value{{ depth }}) -> case
                    when schema_of_variant(value{{ depth }}) like 'OBJECT%'
                        then parse_json({{ spark__json_merged(
                            'to_json(' ~ object_map ~ '[key' ~ depth ~ '])',
                            'to_json(value' ~ depth ~ ')', depth - 1
                        ) }})
                    else value{{ depth }}
                end
            )
            {%- else -%}
            {{ overlay_map }}
            {%- endif -%},
            (key{{ depth }}, value{{ depth }}) -> not is_variant_null(value{{ depth }})
        )
    ))
{%- endmacro %}
