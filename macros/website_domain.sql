{#-
    Lower-case domain of a web address, letters of any alphabet, without scheme, user, `www.`, port
    and path; null when none.
-#}
{% macro website_domain(website) -%}
    nullif(
        regexp_extract(
            lower(trim({{ website }})),
            '^(?:[a-z][a-z0-9+.-]*://)?(?:[^/@]*@)?(?:www[.])?([\p{L}\p{N}.-]+[.][\p{L}\p{N}-]+)[.]?(?:[/:?#].*)?$',
            1
        ),
        ''
    )
{%- endmacro %}
