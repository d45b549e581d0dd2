{#- Lower-case domain of an e-mail address, letters of any alphabet; null when it is none. -#}
{% macro email_domain(email) -%}
    nullif(
        regexp_extract(
            lower(trim({{ email }})), '@([\p{L}\p{N}.-]+[.][\p{L}\p{N}-]+)[.>]*$', 1
        ),
        ''
    )
{%- endmacro %}
