{#- The names and texts of a JSON object's fields as a struct of two lists, `names` and `texts`; null for anything
    but an object. A name is in lower case without separators, and a blank text is null. -#}
{% macro json_texts(column) -%}
    {{ return(adapter.dispatch('json_texts')(column)) }}
{%- endmacro %}

{#- Paths are JSON pointers, in which any name is valid. -#}
{% macro duckdb__json_texts(column) -%}
    case
        when json_type({{ column }}) = 'OBJECT'
            then struct_pack(
                names := list_transform(
                    json_keys({{ column }}),
                    lambda field: regexp_replace(lower(field), '[^a-z0-9]', '', 'g')
                ),
                texts := list_transform(
                    json_keys({{ column }}),
                    lambda field: nullif(trim(json_extract_string(
                        {{ column }}, '/' || replace(replace(field, '~', '~0'), '/', '~1')
                    )), '')
                )
            )
    end
{%- endmacro %}

{% macro spark__json_texts(column) -%}
    {%- set fields = "from_json(" ~ column ~ ", 'map<string,string>')" -%}
    case
        when left(ltrim({{ column }}), 1) = '{'
            then named_struct(
                'names', transform(
                    map_keys({{ fields }}), field -> regexp_replace(lower(field), '[^a-z0-9]', '')
                ),
                'texts', transform(map_values({{ fields }}), field -> nullif(trim(field), ''))
            )
    end
{%- endmacro %}

{#- The first text among some names of `json_texts`; null if absent.

    Arguments:
        texts: a struct as of `json_texts`.
        names: names in order of precedence.
-#}
{% macro json_texts_first(texts, names) -%}
    {%- set plain = [] -%}
    {%- for name in names -%}
        {%- do plain.append(modules.re.sub('[^a-z0-9]', '', name | lower)) -%}
    {%- endfor -%}
    coalesce(
        {%- for name in plain | unique -%}
        {{ adapter.dispatch('json_texts_named')(texts, name) }}{{ ', ' if not loop.last }}
        {%- endfor -%}
    )
{%- endmacro %}

{% macro duckdb__json_texts_named(texts, name) -%}
    {{ texts }}.texts[list_position({{ texts }}.names, '{{ name }}')]
{%- endmacro %}

{% macro spark__json_texts_named(texts, name) -%}
    try_element_at({{ texts }}.texts, nullif(cast(array_position({{ texts }}.names, '{{ name }}') as int), 0))
{%- endmacro %}
