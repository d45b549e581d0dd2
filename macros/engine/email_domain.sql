{#- The domain of an e-mail address in lower case; null for text that is not an address. Accepts
    letters of any alphabet and a name around the address, as in `Ann <ann@example.com>`. -#}
{% macro email_domain(email) -%}
    {{ return(adapter.dispatch('email_domain')(email)) }}
{%- endmacro %}

{% macro duckdb__email_domain(email) -%}
    nullif(
        regexp_extract(
            lower(trim({{ email }})), '@([\p{L}\p{N}.-]+[.][\p{L}\p{N}-]+)[.>]*$', 1
        ),
        ''
    )
{%- endmacro %}
