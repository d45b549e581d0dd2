{#- The domain of a web address in lower case, without scheme, user, `www.`, port and path; null for
    text that is not an address. Accepts letters of any alphabet. -#}
{% macro website_domain(website) -%}
    {{ return(adapter.dispatch('website_domain')(website)) }}
{%- endmacro %}

{% macro duckdb__website_domain(website) -%}
    nullif(
        regexp_extract(
            lower(trim({{ website }})),
            '^(?:[a-z][a-z0-9+.-]*://)?(?:[^/@]*@)?(?:www[.])?([\p{L}\p{M}\p{N}.-]+[.][\p{L}\p{M}\p{N}-]+)[.]?(?:[/:?#].*)?$',
            1
        ),
        ''
    )
{%- endmacro %}

{% macro spark__website_domain(website) -%}
    nullif(
        regexp_extract(
            lower(trim({{ website }})),
            r'^(?:[a-z][a-z0-9+.-]*://)?(?:[^/@]*@)?(?:www[.])?([\p{L}\p{M}\p{N}.-]+[.][\p{L}\p{M}\p{N}-]+)[.]?(?:[/:?#].*)?$',
            1
        ),
        ''
    )
{%- endmacro %}
