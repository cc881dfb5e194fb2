"""Routes that answer with structs: written by the one encoder, described in the document."""

import functools
from collections.abc import Awaitable, Callable
from typing import Any, get_type_hints

from fastapi.datastructures import DefaultPlaceholder
from fastapi.routing import APIRoute
from msgspec import Struct
from starlette.responses import Response

from monigo.api.kernel.wire.openapi import content_of
from monigo.api.kernel.wire.outgoing import Answer

OK = 200

# Statuses, and what the framework calls the description of their answers.
Responses = dict[int | str, dict[str, Any]]


class AnsweringRoute(APIRoute):
    """A route whose endpoint returns a struct, or a response of its own making.

    What it answers with is the endpoint's return type, or `response_model` where that is a
    response; of other statuses, the `model` in `responses`. The framework would take structs for
    pydantic's models, so it gets their schemas only, and encoded text.
    """

    def __init__(
        self,
        path: str,
        endpoint: Callable[..., Awaitable[Any]],
        *,
        response_model: Any = None,
        status_code: int | None = None,
        responses: Responses | None = None,
        **options: Any,
    ) -> None:
        documented = {status: dict(answer) for status, answer in (responses or {}).items()}
        answer = _answer_of(endpoint, response_model)
        if answer is not None:
            documented.setdefault(status_code or OK, {})["model"] = answer
        structs = {status: one.pop("model") for status, one in documented.items() if "model" in one}
        for status, struct in structs.items():
            documented[status]["content"] = content_of(struct)
        # What `openapi.add_structs` is to describe.
        self.answers: frozenset[type[Struct]] = frozenset(structs.values())
        super().__init__(
            path,
            _answering(endpoint, status_code or OK),
            response_model=None,
            status_code=status_code,
            responses=documented,
            **options,
        )


def _answering(endpoint: Callable[..., Awaitable[Any]], status: int) -> Callable[..., Any]:
    """An endpoint whose struct is encoded."""

    @functools.wraps(endpoint)
    async def answer(*arguments: Any, **options: Any) -> Response:
        answer = await endpoint(*arguments, **options)
        return answer if isinstance(answer, Response) else Answer(answer, status)

    return answer


def _answer_of(endpoint: Callable[..., Any], response_model: Any) -> type[Struct] | None:
    """The struct that an endpoint answers with; None where it makes a response of another kind.

    Raises:
        TypeError: it names nothing that the document could describe.
    """
    if response_model is None or isinstance(response_model, DefaultPlaceholder):
        answer = get_type_hints(endpoint).get("return")
        if isinstance(answer, type) and issubclass(answer, Response):
            return None
    else:
        answer = response_model
    if isinstance(answer, type) and issubclass(answer, Struct):
        return answer
    raise TypeError(f"{endpoint.__name__} answers with no struct")
