"""/openapi.json and /docs: the API's reference, readable in a browser that has no internet."""

from collections.abc import Callable
from functools import partial
from importlib.resources import files

import msgspec
from fastapi import FastAPI, Request
from fastapi.openapi.docs import get_swagger_ui_html
from starlette.responses import Response

from monigo.api.kernel.http.content_policy import content_policy
from monigo.api.kernel.http.prepared import Prepared, PreparedOnce
from monigo.api.kernel.routes.declarations import public

SCHEMA_PATH = "/openapi.json"
ASSETS_PATH = "/docs/assets"
# Swagger UI's files come from a wheel rather than from somebody's server.
ASSETS_PACKAGE = "fastapi_offline"
ASSETS = {
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui.css": "text/css",
    "favicon.png": "image/png",
}


def add_docs(app: FastAPI) -> None:
    """Serve the schema, and Swagger UI to read it with."""
    page = get_swagger_ui_html(
        openapi_url=SCHEMA_PATH,
        title=f"{app.title} API",
        swagger_js_url=f"{ASSETS_PATH}/swagger-ui-bundle.js",
        swagger_css_url=f"{ASSETS_PATH}/swagger-ui.css",
        swagger_favicon_url=f"{ASSETS_PATH}/favicon.png",
    )
    app.state.outermost.page_policy = content_policy(bytes(page.body))
    _serve(app, SCHEMA_PATH, lambda: _schema(app))
    _serve(app, "/docs", lambda: Prepared.of(bytes(page.body), "text/html"))
    for name, media_type in ASSETS.items():
        _serve(app, f"{ASSETS_PATH}/{name}", partial(_asset, name, media_type))


def _serve(app: FastAPI, path: str, make: Callable[[], Prepared]) -> None:
    prepared = PreparedOnce(make)

    @public
    async def answer(request: Request) -> Response:
        return (await prepared.get()).answer(request)

    app.add_route(path, answer, methods=["GET"], include_in_schema=False)


def _schema(app: FastAPI) -> Prepared:
    return Prepared.of(msgspec.json.encode(app.openapi()), "application/json")


def _asset(name: str, media_type: str) -> Prepared:
    return Prepared.of((files(ASSETS_PACKAGE) / "static" / name).read_bytes(), media_type)
