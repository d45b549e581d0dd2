{#-
    A number from an id. Summed up it is a checksum of many ids that does not depend on their order;
    the loader makes the same of what it lands. Null for a null or empty id.
-#}
{% macro id_checksum(id) -%}
    md5_number_lower(nullif({{ id }}, ''))
{%- endmacro %}
