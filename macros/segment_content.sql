{#- What a raw Segment message says, as JSON text: it tells two with one id apart.

    Arguments:
        without: fields to leave out.
-#}
{% macro segment_content(without=()) -%}
    {%- set columns = {
        'type': 'type',
        'userId': 'userid',
        'anonymousId': 'anonymousid',
        'event': 'event',
        'name': 'name',
        'category': 'category',
        'groupId': 'groupid',
        'previousId': 'previousid',
        'properties': 'properties',
        'traits': 'traits',
        'context': 'context',
        'originalTimestamp': 'originaltimestamp',
        'sentAt': 'sentat',
        'receivedAt': 'receivedat',
        'timestamp': 'timestamp',
    } -%}
    {%- set fields = {} -%}
    {%- for field, column in columns.items() if field not in without -%}
        {%- do fields.update({field: column}) -%}
    {%- endfor -%}
    cast({{ json_object(fields) }} as string)
{%- endmacro %}
