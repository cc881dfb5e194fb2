"""/docs: the API's reference, readable in a browser that has no internet."""

from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from starlette.responses import HTMLResponse
from starlette.staticfiles import StaticFiles

from monigo.api.content_policy import content_policy

ASSETS_PATH = "/docs/assets"


def add_docs(app: FastAPI) -> None:
    """Serve Swagger UI with its files from a wheel rather than from somebody's server."""
    app.mount(ASSETS_PATH, StaticFiles(packages=[("fastapi_offline", "static")]))
    page = get_swagger_ui_html(
        openapi_url="/openapi.json",
        title=f"{app.title} API",
        swagger_js_url=f"{ASSETS_PATH}/swagger-ui-bundle.js",
        swagger_css_url=f"{ASSETS_PATH}/swagger-ui.css",
        swagger_favicon_url=f"{ASSETS_PATH}/favicon.png",
    )

    app.state.outermost.page_policy = content_policy(bytes(page.body))

    @app.get("/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:  # pyright: ignore[reportUnusedFunction] - the route uses it
        """Show the reference."""
        return page
