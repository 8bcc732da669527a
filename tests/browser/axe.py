"""Accessibility checks of a page with axe-core."""

from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings
from playwright.sync_api import Page

_SCRIPT = Path(settings.BASE_DIR) / "node_modules/axe-core/axe.min.js"
# WCAG 2.2 level AA, the levels and versions below it, and best practices that WCAG doesn't require.
_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
_OPTIONS = {
    "runOnly": {"type": "tag", "values": _TAGS},
    "resultTypes": ["violations"],
    # An AA rule that axe disables by default.
    "rules": {"target-size": {"enabled": True}},
}


def violations(page: Page, *, within: str = "") -> list[str]:
    """Return the violations on the page as it is now: one line for each element, with rule, element and reason.

    `within` is the CSS selector of a part of the page. Empty checks the whole page.
    """
    # The content security policy blocks injected scripts, but not what the debugger evaluates.
    if not page.evaluate("typeof window.axe === 'object'"):
        page.evaluate(_script())
    results = page.evaluate(
        "([within, options]) => window.axe.run(within || document, options)", [within, _OPTIONS]
    )
    return [_describe(rule, node) for rule in results["violations"] for node in rule["nodes"]]


@cache
def _script() -> str:
    # Wrapped in a function, so that the evaluation doesn't return the axe object.
    return f"(() => {{ {_SCRIPT.read_text()}\n }})()"


def _describe(rule: dict[str, Any], node: dict[str, Any]) -> str:
    target = " ".join(str(part) for part in node["target"])
    reason = "; ".join(node["failureSummary"].split("\n")[1:]).strip()
    return f"{rule['id']} ({rule['impact']}): {target}: {reason} | {node['html'][:160]}"
