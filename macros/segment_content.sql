{#-
    The content of a raw Segment message as JSON text. It identifies messages without an id, and
    distinguishes those that share one.

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
