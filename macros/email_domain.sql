{#- Lower-case domain of an e-mail address; null when it is none. -#}
{% macro email_domain(email) -%}
    nullif(regexp_extract(lower(trim({{ email }})), '@([a-z0-9.-]+[.][a-z0-9-]+)$', 1), '')
{%- endmacro %}
