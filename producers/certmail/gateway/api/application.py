"""The API as a part of the gateway.

Every request is authenticated, carried out within a bound, and answered as the document says.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import nullcontext
from functools import cache
from importlib.metadata import version
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from redis.exceptions import RedisError

from certmail.client.async_mailer import AsyncMailer
from certmail.client.mailer import Mailer
from certmail.gateway.access_log import KEY, note
from certmail.gateway.api.context import NO_STORE, Answer, ApiCall, ApiContext
from certmail.gateway.api.document.openapi import document
from certmail.gateway.api.document.page import STYLE, page
from certmail.gateway.api.models import Fault
from certmail.gateway.api.request import idempotency
from certmail.gateway.api.request.authentication import Authenticator
from certmail.gateway.api.request.concurrency import Turns
from certmail.gateway.api.request.problems import ApiProblem, of_stores
from certmail.gateway.api.routes import ROUTES, BodyHandler, Route
from certmail.gateway.headers import doubled
from certmail.gateway.redis_room import Space
from certmail.gateway.request_ids import request_id
from certmail_config.admin.admin import Admin
from certmail_config.base.errors import StoresUnreachable
from certmail_config.metrics.instruments import GatewayMeters
from certmail_config.tenants.pinning import opened_by
from certmail_config.tracing.process import process_tracing
from certmail_config.tracing.spans import Tracing

log = logging.getLogger(__name__)

BOUND_SECONDS = 25
"""No request waits longer for a store that does not answer."""


def mount(
    app: web.Application,
    admin: Admin,
    meters: GatewayMeters | None = None,
    *,
    bound_seconds: float = BOUND_SECONDS,
) -> None:
    """Add `/v1`, `/openapi.json` and `/docs` to the gateway."""
    settings = admin.settings
    traces = process_tracing("certmail-gateway")
    if traces.trouble:
        log.warning("traces_off", extra={"error": traces.trouble, "remedy": traces.remedy})
    mailer = AsyncMailer(
        lambda: Mailer.over(admin.redis, settings, pin=opened_by(admin.vault)), traces.tracing
    )
    context = ApiContext(
        admin,
        mailer,
        Authenticator(admin.strongbox, settings.api_per_minute),
        settings.base_url,
        Space.of(admin.redis, settings),
        batches=Turns(1),
        lists=Turns(2),
        validating=asyncio.Lock(),
        publishing=asyncio.Lock(),
        meters=meters or GatewayMeters(),
    )

    api = web.Application(middlewares=[_problems(context, bound_seconds)])
    for route in ROUTES:
        path = route.path.removeprefix("/v1")
        handler = _handler(context, route, traces.tracing)
        if route.method == "GET":
            api.router.add_get(path, handler)  # and HEAD
        else:
            api.router.add_route(route.method, path, handler)

    async def close(_: web.Application) -> AsyncIterator[None]:
        yield
        await mailer.close()

    api.cleanup_ctx.append(close)
    app.add_subapp("/v1", api)

    described, html = _described(context.base)

    async def openapi(_: web.Request) -> web.Response:
        return web.json_response(described, headers={"X-Content-Type-Options": "nosniff"})

    async def docs(_: web.Request) -> web.Response:
        return web.Response(text=html, content_type="text/html", headers=_page_headers())

    app.router.add_get("/openapi.json", openapi)
    app.router.add_get("/docs", docs)


@cache
def _described(base: str) -> tuple[dict[str, Any], str]:
    """The document of the API at this address, and the page that shows it."""
    described = document(base, version("certmail"))
    return described, page(described)


def _handler(
    context: ApiContext, route: Route, tracing: Tracing
) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def handle(request: web.Request) -> web.Response:
        given = request.headers.get("Authorization", "")
        grant = await asyncio.to_thread(context.authenticator.authenticate, given, route.scope)
        request[KEY] = grant.id
        if len(grant.tenants) == 1:
            note(request, tenant=next(iter(grant.tenants)))  # but `*`, which is no name
        call = ApiCall(context, grant, request)

        # Whoever waits for a turn has not had his body read: what waits costs next to nothing.
        async with route.turns(context).take(grant.id) if route.turns else nullcontext():
            with tracing.caller(request.headers.get("traceparent", "")):
                if isinstance(route.does, BodyHandler):
                    return await _write(call, route.does, route.path)
                return _response(await route.does(call))

    return handle


async def _write(call: ApiCall, writing: BodyHandler, path: str) -> web.Response:
    """Carry out a request with a body, once for each Idempotency-Key."""
    body = await writing.read(call)
    key = call.request.headers.get("Idempotency-Key") if writing.keyed else None
    if key is None:
        return _response(await writing.carry_out(call, body))

    admin = call.context.admin
    entered = await asyncio.to_thread(
        idempotency.enter,
        admin.redis, admin.vault, api_key=call.grant.id, key=key, route=path, body=body,
    )  # fmt: skip
    if isinstance(entered, idempotency.FirstAnswer):
        return _json(entered.body, entered.status, {"Idempotent-Replayed": "true"})

    # Whoever hangs up does not stop what was begun: its answer is kept for when he asks again.
    return await asyncio.shield(_first(call, writing, body, entered))


async def _first(
    call: ApiCall, writing: BodyHandler, body: dict[str, object], first: idempotency.First
) -> web.Response:
    try:
        answer = await writing.carry_out(call, body)
    except BaseException:
        await asyncio.to_thread(first.forget)
        raise

    await asyncio.to_thread(_remember, call, answer, first)
    return _response(answer)


def _remember(call: ApiCall, answer: Answer, first: idempotency.First) -> None:
    """Keep an answer for when it is asked for again.

    What was done is answered, whether that succeeds or not.
    """
    try:
        if not answer.repeatable:
            first.forget()
        elif not first.keep(
            idempotency.FirstAnswer(answer.status, answer.text), call.context.space
        ):
            log.info("answer_not_kept", extra={"key": call.grant.id})
    except RedisError as error:
        log.warning("answer_not_kept", extra={"key": call.grant.id, "error": type(error).__name__})


def _problems(context: ApiContext, bound_seconds: float) -> Middleware:
    """Turn whatever goes wrong into a problem document."""

    @web.middleware
    async def answer(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            if name := doubled(request.headers):
                raise _given_twice(name)

            async with asyncio.timeout(bound_seconds):
                return await handler(request)
        except ApiProblem as problem:
            return _problem(context, request, problem)
        except web.HTTPMethodNotAllowed as error:
            detail = f"{request.path} does not know {request.method}."
            allowed = {"Allow": ", ".join(sorted(error.allowed_methods))}
            return _problem(
                context, request, ApiProblem("method_not_allowed", detail, headers=allowed)
            )
        except web.HTTPNotFound:
            return _problem(
                context, request, ApiProblem("not_found", "There is nothing at this address.")
            )
        except (StoresUnreachable, RedisError, TimeoutError) as error:
            return _problem(context, request, of_stores(_store_error(error)))
        except Exception:
            log.exception(
                "api_failed",
                extra={
                    "method": request.method,
                    "route": str(request.match_info.route),
                    "request": request_id(request),
                },
            )
            return _problem(
                context,
                request,
                ApiProblem("internal_error", "The request could not be carried out."),
            )

    return answer


def _given_twice(name: str) -> ApiProblem:
    detail = "given more than once"
    fault = Fault(parameter=name, code="doubled", detail=detail)
    return ApiProblem("invalid_header", f"{name}: {detail}.", faults=[fault])


def _store_error(error: Exception) -> StoresUnreachable:
    if isinstance(error, StoresUnreachable):
        return error

    message = "A store did not answer in time."
    if isinstance(error, RedisError):
        message = "Redis does not answer."
    return StoresUnreachable("redis_unreachable", message, "Send the same again later.")


def _response(answer: Answer) -> web.Response:
    return _json(answer.text, answer.status, dict(answer.headers))


def _json(text: str, status: int, headers: dict[str, str]) -> web.Response:
    return web.Response(
        text=text, status=status, content_type="application/json", headers=NO_STORE | headers
    )


def _problem(context: ApiContext, request: web.Request, problem: ApiProblem) -> web.Response:
    # The operator's to mend; whoever asked is told, too.
    if problem.kind.status == 503:
        store = problem.faults[0].code if problem.faults else ""
        fields = {
            "code": problem.code,
            "store": store,
            "error": problem.detail,
            "request": request_id(request),
        }
        log.warning("api_unavailable", extra=fields)

    return web.Response(
        text=problem.document(context.base).model_dump_json(),
        status=problem.kind.status,
        content_type="application/problem+json",
        headers=NO_STORE | problem.headers,
    )


def _page_headers() -> dict[str, str]:
    hashed = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; style-src 'sha256-{hashed}'; frame-ancestors 'none'; base-uri 'none'"
    )
    return {
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
    }
