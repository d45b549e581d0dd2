"""Starts localstripe for the tests: `python localstripe_server.py PORT`.

localstripe is a stateful fake of Stripe from PyPI. Where it departs from Stripe's documentation,
this corrects it: lists are newest first and know `created`, an expansion of a member that is not
there is no error, and nothing is written to `/tmp`.
"""

import sys
from collections.abc import Callable
from typing import Any

from aiohttp import web
from localstripe import resources, server  # type: ignore[import-untyped]


def _listing(cls: Any, url: str) -> Callable[[web.Request], web.Response]:
    def answer(request: web.Request) -> web.Response:
        asked = server.unflatten_data(request.query)
        expand = asked.pop("expand", None)
        created = asked.pop("created", {})
        listed = cls._api_list_all(url, **asked)
        found = list(reversed(listed._list))
        found = [
            one
            for one in sorted(found, key=lambda one: one.created, reverse=True)
            if int(created.get("gte", 0)) <= one.created < int(created.get("lt", 1 << 40))
        ]
        listed._list = found
        return server.json_response(listed._export(expand=_there(expand)))  # type: ignore[no-any-return]

    return answer


def _there(expand: list[str] | None) -> list[str] | None:
    """The expansions that localstripe knows: of an object's own references."""
    known = {"data.discount", "data.customer"}
    return [path for path in expand or () if path in known] or None


def _retrieval(cls: Any, _url: str) -> Callable[[web.Request], web.Response]:
    def answer(request: web.Request) -> web.Response:
        found = cls._api_retrieve(request.match_info["id"])
        return server.json_response(found._export())  # type: ignore[no-any-return]

    return answer


def main() -> None:
    resources.Store.dump_to_disk = lambda _: None
    application = web.Application(middlewares=[server.error_middleware, server.auth_middleware])
    for method, url, function in resources.extra_apis:
        application.router.add_route(method, url, server.api_extra(function, url))
    kinds = (
        *(resources.BalanceTransaction, resources.Charge, resources.Coupon, resources.Customer),
        *(resources.Event, resources.Invoice, resources.InvoiceItem, resources.PaymentMethod),
        *(resources.Payout, resources.Plan, resources.Product, resources.Refund),
        *(resources.Subscription, resources.SubscriptionItem, resources.Token),
    )
    for cls in kinds:
        one, every = f"/v1/{cls.object}s/{{id}}", f"/v1/{cls.object}s"
        for method, url, function in (
            ("POST", every, server.api_create),
            ("GET", one, _retrieval),
            ("POST", one, server.api_update),
            ("DELETE", one, server.api_delete),
            ("GET", every, _listing),
        ):
            handler: Any = function(cls, url)
            application.router.add_route(method, url, handler)
    web.run_app(application, host="127.0.0.1", port=int(sys.argv[1]), print=None)


if __name__ == "__main__":
    main()
