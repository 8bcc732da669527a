"""What the command palette offers for a search: groups of links, as far as the member may open them."""

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from accounts.models import Membership
from accounts.permissions import Permission, fleets_for, has_permission
from commands.types import CommandType
from dashboard.navigation import pages_for
from dashboard.palette import selectors

MOST = 8
"""The most results of one group."""
MAX_QUERY, _MAX_WORDS = 100, 6


@dataclass(frozen=True, slots=True)
class Result:
    """One result: its name, what distinguishes it from others of that name, and its URL."""

    label: str
    url: str
    icon: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """Results of one kind. `name` is stable, for the ID of its heading."""

    name: str
    label: str
    results: Sequence[Result]


def find(*, membership: Membership, query: str) -> list[Group]:
    """Returns the groups with results; without a query, pages and actions. Four queries at most."""
    words = query.split()[:_MAX_WORDS]
    locks = _locks(membership, words)
    groups = [
        Group("vehicles", _("Vehicles"), _vehicles(membership, words) if words and not locks else []),
        Group("actions", _("Actions"), [*locks, *_matching(_actions(membership), words)]),
        Group("drivers", _("Drivers"), _drivers(membership, words) if words else []),
        Group("places", _("Places"), _places(membership, words) if words else []),
        Group("pages", _("Pages"), _matching(_pages(membership), words)),
        Group("fleets", _("Other fleets"), _matching(_fleets(membership), words)),
    ]
    return [Group(each.name, each.label, each.results[:MOST]) for each in groups if each.results]


def _vehicles(membership: Membership, words: Sequence[str], *, lock: bool = False) -> list[Result]:
    slug = membership.fleet.slug
    found = selectors.find_vehicles(fleet=membership.fleet, words=words, limit=MOST)
    return [
        Result(
            label=_("Lock %(vehicle)s") % {"vehicle": vehicle} if lock else str(vehicle),
            url=reverse("dashboard:vehicle", args=[slug, vehicle.smartcar_id])
            + ("#commands" if lock else ""),
            icon="lock" if lock else "car",
            detail=" · ".join(filter(None, (vehicle.plate, vehicle.description if vehicle.name else ""))),
        )
        for vehicle in found
    ]


def _locks(membership: Membership, words: Sequence[str]) -> list[Result]:
    """Returns the vehicles to lock if the search says so: "lock van 1". They lead to the vehicle's commands."""
    verb = _folded(str(CommandType.LOCK.label))
    others = [word for word in words if _folded(word) != verb]
    if len(others) == len(words) or not others:
        return []
    if not has_permission(membership=membership, right=Permission.COMMAND):
        return []
    return _vehicles(membership, others, lock=True)


def _drivers(membership: Membership, words: Sequence[str]) -> list[Result]:
    slug, invited = membership.fleet.slug, has_permission(membership=membership, right=Permission.CONNECT)
    found = selectors.find_drivers(fleet=membership.fleet, words=words, invited=invited, limit=MOST)
    return [
        Result(name, f"{reverse('dashboard:vehicles', args=[slug])}?{urlencode({'q': name})}", "user")
        if drives
        else Result(name, reverse("connect:invitations", args=[slug]), "mail", _("Invited"))
        for name, drives in found.items()
    ]


def _places(membership: Membership, words: Sequence[str]) -> list[Result]:
    slug, may_edit = membership.fleet.slug, has_permission(membership=membership, right=Permission.CONNECT)
    return [
        Result(
            place.name,
            reverse("dashboard:place", args=[slug, place.pk])
            if may_edit
            else reverse("dashboard:places", args=[slug]),
            "map-pin",
            place.get_kind_display(),
        )
        for place in selectors.find_places(fleet=membership.fleet, words=words, limit=MOST)
    ]


def _pages(membership: Membership) -> list[Result]:
    return [
        *(
            Result(page.label, page.url, "chevron-right")
            for page in pages_for(fleet=membership.fleet, membership=membership)
        ),
        Result(_("Bulk commands"), reverse("commands:bulk", args=[membership.fleet.slug]), "chevron-right"),
        Result(
            _("Scheduled commands"),
            reverse("commands:scheduled", args=[membership.fleet.slug]),
            "chevron-right",
        ),
        Result(_("Account"), reverse("accounts:account"), "chevron-right"),
    ]


def _actions(membership: Membership) -> list[Result]:
    slug = membership.fleet.slug
    invite = reverse("connect:invitations", args=[slug])
    unlocked = f"{reverse('dashboard:vehicles', args=[slug])}?show=unlocked"
    offered = (
        (Permission.CONNECT, Result(_("Invite a driver"), invite, "mail-plus")),
        (Permission.CONNECT, Result(_("Connect a vehicle"), reverse("connect:start", args=[slug]), "plus")),
        (Permission.COMMAND, Result(_("Lock a vehicle"), unlocked, "lock", _("Unlocked vehicles"))),
        (
            Permission.CONNECT,
            Result(_("Add a place"), reverse("dashboard:place_new", args=[slug]), "map-pin"),
        ),
        (
            Permission.VIEW,
            Result(
                _("Change theme"), reverse("accounts:account") + "#id_theme", "settings", _("Light or dark")
            ),
        ),
    )
    return [result for right, result in offered if has_permission(membership=membership, right=right)]


def _fleets(membership: Membership) -> list[Result]:
    """Returns the member's other fleets."""
    fleets = fleets_for(user=membership.user, right=Permission.VIEW).exclude(pk=membership.fleet_id)
    detail = pgettext("command palette", "Switch fleet")
    return [
        Result(fleet.name, reverse("dashboard:vehicles", args=[fleet.slug]), "building-store", detail)
        for fleet in fleets
    ]


def _matching(results: Iterable[Result], words: Sequence[str]) -> list[Result]:
    """Returns the results in whose label or detail each word occurs, accents and case aside."""
    return [
        result
        for result in results
        if all(_folded(word) in _folded(f"{result.label} {result.detail}") for word in words)
    ]


def _folded(text: str) -> str:
    """Returns the text without accents and case, so that "reglages" finds "Réglages"."""
    letters = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in letters if not unicodedata.combining(letter))
