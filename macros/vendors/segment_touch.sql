{#- How someone reached the page of a Segment message, as a struct of texts as sent: referrer, page_domain,
    page_query, source, medium, campaign, term and content. Null when the message shows none of the others than
    `page_domain`. An empty referrer is kept: a library that sends one saw a visit without a referrer. A referrer
    of the page's own domain is the domain alone, and a query without UTM parameters and click ids is null.

    A page or screen call has in its properties what other calls have in the context.

    Arguments:
        type: the type of the message.
        context, properties: structs of the fields in `segment_touch_fields`.
-#}
{% macro segment_touch(type, context, properties) -%}
    {%- set page_fields = {} -%}
    {%- for field in segment_touch_fields()['properties'] -%}
        {%- do page_fields.update({
            field: "case when " ~ type ~ " in ('page', 'screen') then " ~ properties ~ "." ~ field ~ " end"
        }) -%}
    {%- endfor -%}
    {%- set url = 'coalesce(' ~ context ~ '.page.url, ' ~ page_fields.url ~ ')' -%}
    {%- set sent_referrer = 'coalesce(' ~ context ~ '.page.referrer, ' ~ page_fields.referrer ~ ', '
        ~ context ~ '.referrer.url)' -%}
    {%- set domain = "nullif(lower(split_part(" ~ url ~ ", '/', 3)), '')" -%}
    {%- set query = "coalesce(nullif(" ~ context ~ ".page.search, ''), nullif(" ~ page_fields.search
        ~ ", ''), split_part(" ~ url ~ ", '?', 2))" -%}
    {%- set names = 'utm_|' ~ var('click_id_parameters') | join('=|') | lower ~ '=' -%}
    {%- set fields = {
        'referrer': 'if(lower(split_part(' ~ sent_referrer ~ ", '/', 3)) = " ~ domain ~ ', ' ~ domain ~ ', '
            ~ sent_referrer ~ ')',
        'page_query': "if(regexp_extract(lower(" ~ query ~ "), '" ~ names ~ "', 0) != '', " ~ query ~ ', null)',
    } -%}
    {%- for field in ('source', 'medium', 'campaign', 'term', 'content') -%}
        {%- do fields.update({field: 'coalesce(' ~ context ~ '.campaign.'
            ~ ('name' if field == 'campaign' else field) ~ ', ' ~ page_fields['utm_' ~ field] ~ ')'}) -%}
    {%- endfor -%}
    {%- set touch = {'page_domain': domain} -%}
    {%- do touch.update(fields) -%}
    case when coalesce({{ fields.values() | join(', ') }}) is not null then {{ struct(touch) }} end
{%- endmacro %}

{#- The fields that it reads, for `json_fields`: of the context, and of the properties of a page call. -#}
{% macro segment_touch_fields() -%}
    {{ return({
        'context': {
            'page': {'path': 'string', 'url': 'string', 'referrer': 'string', 'search': 'string'},
            'referrer': {'url': 'string'},
            'campaign': {
                'name': 'string', 'source': 'string', 'medium': 'string', 'term': 'string', 'content': 'string',
            },
        },
        'properties': {}.fromkeys([
            'path', 'url', 'referrer', 'search',
            'utm_source', 'utm_medium', 'utm_campaign', 'utm_term', 'utm_content',
        ], 'string'),
    }) }}
{%- endmacro %}
