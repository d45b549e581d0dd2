{#- Lower-case domain of a web address, without scheme, user, `www.`, port and path; null when none. -#}
{% macro website_domain(website) -%}
    nullif(
        regexp_extract(
            lower(trim({{ website }})),
            '^(?:[a-z][a-z0-9+.-]*://)?(?:[^/@]*@)?(?:www[.])?([a-z0-9.-]+[.][a-z0-9-]+)(?:[/:?#].*)?$',
            1
        ),
        ''
    )
{%- endmacro %}
