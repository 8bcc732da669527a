"""Finds all pages in the URLconf, so that new pages are tested automatically."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.contrib.auth import SESSION_KEY
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from tests.browser.fixtures import World

# The admin is Django's, and the API is for programs.
SKIPPED_NAMESPACES = ("admin", "api")


@dataclass(frozen=True)
class Visit:
    """A page visited with a role. `role` is "" for a signed-out visitor."""

    name: str
    path: str
    role: str

    def __str__(self) -> str:
        return f"{self.path} ({self.role or 'signed out'})"


@dataclass(frozen=True)
class PageInventory:
    """`pages` return complete documents. `unfilled` are URLs with arguments that tests/browser/fixtures.py lacks."""

    pages: list[Visit]
    unfilled: list[str]


def find_pages(world: World) -> PageInventory:
    """Request every URL as the owner, as a manager with a second factor, as the site's admin, and signed out.

    Pages whose only argument is a fleet are also listed for the empty fleet.
    """
    inventory = PageInventory(pages=[], unfilled=[])
    clients = {role: Client() for role in ("owner", "manager", "admin", "")}
    for name, arguments in _named_urls():
        filled = {argument: _argument(world, name, argument) for argument in arguments}
        if None in filled.values():
            inventory.unfilled.append(f"{name} {arguments}")
            continue
        path = reverse(name, kwargs=filled)
        roles = [role for role, client in clients.items() if _can_visit(world, client, role, path)]
        if not roles:
            continue
        inventory.pages.append(Visit(name, path, roles[0]))
        if arguments == ["slug"]:
            inventory.pages.append(Visit(name, reverse(name, kwargs={"slug": world.empty.slug}), "owner"))
    return inventory


def _can_visit(world: World, client: Client, role: str, path: str) -> bool:
    """Return whether the role gets a page and stays signed in, because another user's link ends the session."""
    if role and SESSION_KEY not in client.session:
        client.force_login(world.users[role])
    return _is_page(client.get(path)) and bool(role) == (SESSION_KEY in client.session)


def _argument(world: World, name: str, argument: str) -> Any:
    return world.arguments.get(f"{name} {argument}", world.arguments.get(argument))


def _named_urls(
    resolver: URLResolver | None = None, namespace: str = "", parent_arguments: tuple[str, ...] = ()
) -> Iterator[tuple[str, list[str]]]:
    """Yield the name of each URL with its namespaces, and the names of its arguments."""
    for pattern in (resolver or get_resolver()).url_patterns:
        arguments = (*parent_arguments, *pattern.pattern.regex.groupindex)
        if isinstance(pattern, URLPattern):
            if pattern.name:
                yield f"{namespace}{pattern.name}", list(arguments)
        elif pattern.namespace not in SKIPPED_NAMESPACES:
            child_namespace = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            yield from _named_urls(pattern, child_namespace, arguments)


def _is_page(response: HttpResponseBase) -> bool:
    """Return whether the response is a complete HTML document, not a fragment, data, a redirect or an error."""
    failed = response.status_code >= 500 or response.status_code in (403, 404, 405)
    return isinstance(response, HttpResponse) and not failed and b"<html" in response.content[:400]
