{#- Whether a JSON object already says all that a second one says of the keys they share. -#}
{% macro json_agrees_with(object, claims) -%}
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
