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

{% macro spark__json_agrees_with(object, claims) -%}
    {%- set object_map = "from_json(" ~ object ~ ", 'map<string,variant>')" -%}
    {%- set claims_map = "from_json(" ~ claims ~ ", 'map<string,variant>')" -%}
    coalesce(
        forall(
            map_keys({{ claims_map }}),
            name -> coalesce(to_json({{ object_map }}[name]), 'null') = coalesce(
                case
                    when schema_of_variant({{ claims_map }}[name]) like 'OBJECT%'
                        then to_json(parse_json({{ spark__json_merged(
                            'to_json(' ~ object_map ~ '[name])', 'to_json(' ~ claims_map ~ '[name])', 1
                        ) }}))
                    else to_json({{ claims_map }}[name])
                end,
                'null'
            )
        ),
        true
    )
{%- endmacro %}
