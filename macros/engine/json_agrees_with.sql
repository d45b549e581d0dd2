{#- Whether a JSON object already has every value that a second object states.

    Arguments:
        object: a JSON object.
        claims: a JSON object. Of a nested object only the stated keys are compared. A null value
            agrees with a missing key.
-#}
{% macro json_agrees_with(object, claims) -%}
    {{ return(adapter.dispatch('json_agrees_with')(object, claims)) }}
{%- endmacro %}

{% macro duckdb__json_agrees_with(object, claims) -%}
    coalesce(
        list_bool_and(
            list_transform(
                json_keys({{ claims }}),
                lambda name: coalesce(
                    cast(json_extract({{ object }}, '$."' || name || '"') as string), 'null'
                ) = coalesce(
                    cast(
                        case
                            when json_type(json_extract({{ claims }}, '$."' || name || '"')) = 'OBJECT'
                                then json_merge_patch(
                                    json_extract({{ object }}, '$."' || name || '"'),
                                    json_extract({{ claims }}, '$."' || name || '"')
                                )
                            else json_extract({{ claims }}, '$."' || name || '"')
                        end as string
                    ),
                    'null'
                )
            )
        ),
        true
    )
{%- endmacro %}
