{#- The parameters of a campaign in the query of a page, where the message has none of its own. -#}
{%- set campaign_fields = {
    'source': 'utm_source', 'medium': 'utm_medium', 'campaign': 'utm_campaign', 'term': 'utm_term',
    'content': 'utm_content',
} %}
{#- Whether a domain or the name of a source has the labels of the seed's domain in a row. -#}
{%- set has_labels = "('.' || lower(TEXT) || '.') like ('%.' || match_value || '.%')" %}
{%- set longest = "right('00' || cast(length(match_value) as string), 3) || match_value" %}

with

stg_segment__messages as (

    select * from {{ ref('stg_segment__messages') }}

),

traffic_channels as (

    select * from {{ ref('traffic_channels') }}

),

touches as (

    select distinct touch

    from stg_segment__messages
    where touch is not null

),

named as (

    select
        cast({{ row_digest(['touch']) }} as decimal(20, 0)) as touch_key,
        touch.referrer is not null as is_referrer_known,
        nullif(trim(touch.referrer), '') as referrer,
        {{ website_domain('touch.referrer') }} as referrer_domain,
        {{ website_domain('touch.page_domain') }} as page_domain,
        {%- for field, parameter in campaign_fields.items() %}
        coalesce(
            nullif(trim(touch.{{ field }}), ''), {{ url_parameter('touch.page_query', parameter) }}
        ) as {{ parameter }},
        {%- endfor %}
        coalesce(
            regexp_extract(
                lower(touch.page_query),
                '(^|[?&])({{ var("click_id_parameters") | join("|") | lower }})=[^&#]',
                0
            ) != '',
            false
        ) as has_click_id

    from touches

),

matched as (

    select
        named.touch_key,
        named.is_referrer_known,
        named.referrer,
        named.referrer_domain,
        {%- for parameter in campaign_fields.values() %}
        named.{{ parameter }},
        {%- endfor %}
        named.has_click_id,
        coalesce(
            '.' || named.page_domain like '%.' || named.referrer_domain
            or '.' || named.referrer_domain like '%.' || named.page_domain,
            false
        ) as is_own_domain,
        max_by(traffic_channels.channel, {{ longest }}) filter (
            where traffic_channels.match_field = 'medium'
            and replace({{ normalised_name('named.utm_medium') }}, ' ', '')
            = traffic_channels.match_value
        ) as medium_channel,
        max_by(traffic_channels.channel, {{ longest }}) filter (
            where traffic_channels.match_field != 'medium'
            and {{ has_labels.replace('TEXT', 'named.utm_source') }}
        ) as source_channel,
        max_by(traffic_channels.channel, {{ longest }}) filter (
            where traffic_channels.match_field = 'domain'
            and {{ has_labels.replace('TEXT', 'named.referrer_domain') }}
        ) as domain_channel

    from named
    cross join traffic_channels
    group by all

),

final as (

    select
        touch_key,
        referrer,
        referrer_domain,
        case
            when has_click_id then 'paid'
            when coalesce(medium_channel, source_channel) is not null
                then coalesce(medium_channel, source_channel)
            when is_own_domain then 'internal'
            when domain_channel is not null then domain_channel
            when referrer_domain is not null then 'referral'
            when coalesce(utm_source, utm_medium, utm_campaign) is not null then 'other'
            when is_referrer_known and referrer is null then 'direct'
        end as channel,
        utm_source,
        utm_medium,
        utm_campaign,
        utm_term,
        utm_content

    from matched

)

select * from final
