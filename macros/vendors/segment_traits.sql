{#- The traits of a user or group in a Segment call that figures depend on, as a struct: email, name, title,
    website, industry, salesforce_account_id, stripe_customer_id (text), created_at (timestamp, UTC), is_test
    and is_email_verified (boolean). A field is null when the trait was not sent, is blank or does not convert.

    Segment compares the names of traits without case, and libraries write them in camel or snake case. So
    names are compared without case and separators: `createdAt`, `created_at` and `$created` date a sign-up.

    Arguments:
        traits: `json_texts` of the traits; null gives null.
-#}
{% macro segment_traits(traits) -%}
    {%- set fields = {
        'email': ['email'],
        'name': ['name'],
        'first_name': ['first_name'],
        'last_name': ['last_name'],
        'title': ['title'],
        'website': ['website'],
        'industry': ['industry'],
        'created_at': ['created_at', 'created'],
        'is_test': ['is_test'],
        'salesforce_account_id': var('salesforce_account_id_fields'),
        'stripe_customer_id': var('stripe_customer_id_fields'),
        'email_verified': var('email_verified_fields'),
    } -%}
    {%- set texts = {} -%}
    {%- for field, names in fields.items() -%}
        {%- do texts.update({field: json_texts_first(traits, names)}) -%}
    {%- endfor -%}
    {%- set full_name = "nullif(concat_ws(' ', " ~ texts.first_name ~ ', ' ~ texts.last_name ~ "), '')" -%}
    case
        when {{ traits }} is not null
            then {{ struct({
                'email': 'lower(' ~ texts.email ~ ')',
                'name': 'coalesce(' ~ texts.name ~ ', ' ~ full_name ~ ')',
                'title': texts.title,
                'website': texts.website,
                'industry': texts.industry,
                'created_at': utc_timestamp(texts.created_at),
                'is_test': 'lower(' ~ texts.is_test ~ ") in ('true', '1', 'yes')",
                'salesforce_account_id': texts.salesforce_account_id,
                'stripe_customer_id': texts.stripe_customer_id,
                'is_email_verified': 'lower(' ~ texts.email_verified ~ ") not in ('false', '0', 'no')",
            }) }}
    end
{%- endmacro %}
