{#-
    A company's name as it compares: lower case, without accents and punctuation, so that "ACME, Inc."
    and "Acmé Inc" are one. "Acme Ltd" is another company. Null when nothing is left.
-#}
{% macro normalised_name(name) -%}
    nullif(
        trim(regexp_replace(lower(strip_accents({{ name }})), '[^\p{L}\p{N}]+', ' ', 'g')),
        ''
    )
{%- endmacro %}
