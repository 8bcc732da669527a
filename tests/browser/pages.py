"""Every page there is, found in the URLconf: nobody has to remember to list a new one."""

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
NOT_OURS = ("admin", "api")


@dataclass(frozen=True)
class Visit:
    """A page as one person sees it; `person` is "" for whoever is not signed in."""

    name: str
    path: str
    person: str

    def __str__(self) -> str:
        return f"{self.path} ({self.person or 'signed out'})"


@dataclass(frozen=True)
class Found:
    """`pages` answer whole documents; `unfilled` lack an argument that tests/browser/fixtures.py does not have."""

    pages: list[Visit]
    unfilled: list[str]


def find(world: World) -> Found:
    """Asks every address as the owner, as a manager with a second factor, as the site's admin, and as a stranger.

    Pages that take a fleet and nothing else are seen in the empty fleet as well.
    """
    found = Found(pages=[], unfilled=[])
    browsers = {person: Client() for person in ("owner", "manager", "admin", "")}
    for name, wanted in _addresses():
        filled = {argument: _argument(world, name, argument) for argument in wanted}
        if None in filled.values():
            found.unfilled.append(f"{name} {wanted}")
            continue
        path = reverse(name, kwargs=filled)
        seen_by = [person for person, browser in browsers.items() if _shows(world, browser, person, path)]
        if not seen_by:
            continue
        found.pages.append(Visit(name, path, seen_by[0]))
        if wanted == ["slug"]:
            found.pages.append(Visit(name, reverse(name, kwargs={"slug": world.empty.slug}), "owner"))
    return found


def _shows(world: World, browser: Client, person: str, path: str) -> bool:
    """Whether the person sees a page there, and stays signed in: a link that is another's ends the session."""
    if person and SESSION_KEY not in browser.session:
        browser.force_login(world.people[person])
    return _is_page(browser.get(path)) and bool(person) == (SESSION_KEY in browser.session)


def _argument(world: World, name: str, argument: str) -> Any:
    return world.arguments.get(f"{name} {argument}", world.arguments.get(argument))


def _addresses(
    resolver: URLResolver | None = None, space: str = "", before: tuple[str, ...] = ()
) -> Iterator[tuple[str, list[str]]]:
    """The name of each address, with its namespaces, and what it has to be filled with."""
    for pattern in (resolver or get_resolver()).url_patterns:
        wanted = (*before, *pattern.pattern.regex.groupindex)
        if isinstance(pattern, URLPattern):
            if pattern.name:
                yield f"{space}{pattern.name}", list(wanted)
        elif pattern.namespace not in NOT_OURS:
            within = f"{space}{pattern.namespace}:" if pattern.namespace else space
            yield from _addresses(pattern, within, wanted)


def _is_page(response: HttpResponseBase) -> bool:
    """Whether it is a document for a person: no fragment, no data, no redirect, no refusal."""
    refused = response.status_code >= 500 or response.status_code in (403, 404, 405)
    return isinstance(response, HttpResponse) and not refused and b"<html" in response.content[:400]
