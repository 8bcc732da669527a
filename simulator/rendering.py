"""Rendering of the simulator's pages."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, select_autoescape
from starlette.responses import HTMLResponse, RedirectResponse, Response

from simulator.vehicles.makes import MAKES

TEMPLATES = Path(__file__).parent / "templates"
NAMES = {make: entry.display for make, entry in MAKES.items()}
_ENVIRONMENT = Environment(
    loader=FileSystemLoader(TEMPLATES), autoescape=select_autoescape(), trim_blocks=True
)
POLICY = "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; frame-ancestors 'none'"


def page(template: str, *, status: int = 200, **context: Any) -> HTMLResponse:
    """Return a page from a template."""
    text = _ENVIRONMENT.get_template(template).render(names=NAMES, **context)
    headers = {"Content-Security-Policy": POLICY, "Cache-Control": "no-store"}
    return HTMLResponse(text, status_code=status, headers=headers)


def problem(heading: str, text: str, *, status: int = 400, **context: Any) -> HTMLResponse:
    """Return a page that explains a problem."""
    return page("connect/problem.html", status=status, heading=heading, text=text, **context)


def redirect_browser(address: str | None) -> Response:
    """Redirect the browser, or show Smartcar's own last page if there is no redirect address."""
    if address is None:
        return problem("You’re done", "You can close this page.", status=200)
    return RedirectResponse(address, status_code=302)
