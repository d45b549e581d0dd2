"""Fields of Segment's messages, by kind: every type of call is a row of one table.

Source: Segment's specification of the common fields and of each call.
"""

TYPES = ("identify", "track", "page", "screen", "group", "alias")

TABLES: dict[str, dict[str, str]] = {
    "messages": {
        "object": "message",
        "required": "type",
        "text": """
            type messageId userId anonymousId event name category groupId previousId channel
            projectId
        """,
        "instant": "originalTimestamp sentAt receivedAt timestamp",
        "double": "version",
        "json": "properties traits context integrations _metadata",
    },
}
