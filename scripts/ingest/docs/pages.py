"""The Jinja environment of all pages: the site's and the quality report."""

from jinja2 import Environment, PackageLoader, StrictUndefined


def environment() -> Environment:
    """Templates in `docs/templates`; values are escaped, and an undefined name is an error."""
    return Environment(
        loader=PackageLoader("ingest.docs"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
