"""axe-core on a page: what keeps people with assistive technology out, as far as a machine can tell."""

from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings
from playwright.sync_api import Page

_SCRIPT = Path(settings.BASE_DIR) / "node_modules/axe-core/axe.min.js"
# WCAG 2.2 level AA and all that it stands on; the best practices are not asked by WCAG, and cost nothing.
_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
_OPTIONS = {
    "runOnly": {"type": "tag", "values": _TAGS},
    "resultTypes": ["violations"],
    # A AA rule that axe leaves off by itself.
    "rules": {"target-size": {"enabled": True}},
}


def violations(page: Page, *, within: str = "") -> list[str]:
    """What axe finds on the page as it is now: one line for each element, with rule, element and reason.

    `within` is a CSS selector, for a part of the page; empty: all of it.
    """
    # The pages' security policy refuses injected scripts; what the debugger evaluates is not asked.
    if not page.evaluate("typeof window.axe === 'object'"):
        page.evaluate(_script())
    found = page.evaluate(
        "([within, options]) => window.axe.run(within || document, options)", [within, _OPTIONS]
    )
    return [_told(rule, node) for rule in found["violations"] for node in rule["nodes"]]


@cache
def _script() -> str:
    # Evaluated as an expression, which must not hand the whole of axe back.
    return f"(() => {{ {_SCRIPT.read_text()}\n }})()"


def _told(rule: dict[str, Any], node: dict[str, Any]) -> str:
    target = " ".join(str(part) for part in node["target"])
    why = "; ".join(node["failureSummary"].split("\n")[1:]).strip()
    return f"{rule['id']} ({rule['impact']}): {target}: {why} | {node['html'][:160]}"
