{#- The value of a parameter in the query of a web address, decoded; null without the parameter and where it is
    blank.

    Arguments:
        query: the query, with or without its question mark.
        name: the name of the parameter, in any case.
-#}
{% macro url_parameter(query, name) -%}
    {{ return(adapter.dispatch('url_parameter')(query, name)) }}
{%- endmacro %}

{#- Text that is not valid UTF-8 when decoded stays as it is. -#}
{% macro duckdb__url_parameter(query, name) -%}
    {%- set sent = "replace(regexp_extract(" ~ query ~ ", '(?i)(?:^|[?&])" ~ name ~ "=([^&#]*)', 1), '+', ' ')" -%}
    nullif(trim(coalesce(try(url_decode({{ sent }})), {{ sent }})), '')
{%- endmacro %}

{% macro spark__url_parameter(query, name) -%}
    {%- set sent = "replace(regexp_extract(" ~ query ~ ", '(?i)(?:^|[?&])" ~ name ~ "=([^&#]*)', 1), '+', ' ')" -%}
    {#- What is not valid UTF-8 becomes a replacement character there. -#}
    {%- set decoded = 'try_url_decode(' ~ sent ~ ')' -%}
    nullif(trim(case when instr({{ decoded }}, '\ufffd') = 0 then {{ decoded }} else {{ sent }} end), '')
{%- endmacro %}
