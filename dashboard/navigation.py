"""The tree of a fleet's pages, and the part of it that one member may open."""

from dataclasses import dataclass

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models import Fleet, Membership
from accounts.permissions import Permission, has_permission


@dataclass(frozen=True, slots=True)
class _Page:
    """A page. Views whose names start with `within` belong to it; the longest match of all pages wins."""

    label: str | Promise
    view: str
    right: Permission
    within: str
    icon: str = ""
    per_fleet: bool = True


@dataclass(frozen=True, slots=True)
class _Fold:
    """Pages that are folded away in a group, unless one of them is open."""

    label: str | Promise
    icon: str
    pages: tuple[_Page, ...]


_GROUPS: tuple[tuple[str | Promise, tuple[_Page, ...], tuple[_Fold, ...]], ...] = (
    (
        _("Operate"),
        (
            _Page(_("Vehicles"), "dashboard:vehicles", Permission.VIEW, "dashboard:", "car"),
            _Page(_("Places"), "dashboard:places", Permission.VIEW, "dashboard:place", "map-pin"),
            _Page(_("Invitations"), "connect:invitations", Permission.CONNECT, "connect:invitation", "mail"),
            _Page(_("Driver pages"), "connect:drivers", Permission.CONNECT, "connect:driver", "user"),
        ),
        (),
    ),
    (
        _("Care"),
        (_Page(_("Alerts"), "alerts:overview", Permission.VIEW, "alerts:", "bell"),),
        (),
    ),
    (
        _("Analyze"),
        (
            _Page(_("Activity"), "commands:history", Permission.VIEW, "commands:", "activity"),
            _Page(_("Audit log"), "dashboard:audit_log", Permission.AUDIT, "dashboard:audit_log", "history"),
        ),
        (),
    ),
    (
        _("Settings"),
        (
            _Page(
                _("Fleet settings"),
                "dashboard:settings",
                Permission.CONNECT,
                "dashboard:settings",
                "settings",
            ),
            _Page(_("Members"), "accounts:members", Permission.ADMINISTER, "accounts:members", "users"),
            _Page(_("Alert settings"), "alerts:settings", Permission.VIEW, "alerts:settings", "adjustments"),
            _Page(
                _("Command rules"),
                "commands:policy",
                Permission.ADMINISTER,
                "commands:policy",
                "shield-check",
            ),
        ),
        (
            _Fold(
                _("Data source"),
                "plug-connected",
                (
                    _Page(_("Connections"), "connections:overview", Permission.CONNECT, "connections:"),
                    _Page(
                        _("Smartcar application"),
                        "connect:integration",
                        Permission.CONNECT,
                        "connect:integration",
                    ),
                    _Page(_("API usage"), "usage:overview", Permission.BUDGET, "usage:"),
                    _Page(_("Webhook log"), "webhooks:log", Permission.INSPECT, "webhooks:"),
                    _Page(
                        _("Nightly reconciliation"),
                        "connect:reconciliation",
                        Permission.CONNECT,
                        "connect:reconciliation",
                    ),
                    _Page(
                        _("Disconnected vehicles"),
                        "connect:offboarding_list",
                        Permission.CONNECT,
                        "connect:offboarding",
                    ),
                    _Page(
                        _("Permissions"),
                        "connections:permissions",
                        Permission.CONNECT,
                        "connections:permissions",
                    ),
                    _Page(_("Coverage"), "connections:coverage", Permission.CONNECT, "connections:coverage"),
                    _Page(
                        _("Requests to drivers"),
                        "connections:requests",
                        Permission.CONNECT,
                        "connections:request",
                    ),
                ),
            ),
            _Fold(
                _("Developers"),
                "code",
                (
                    _Page(_("API tokens"), "accounts:tokens", Permission.VIEW, "accounts:tokens"),
                    _Page(
                        _("Service accounts"),
                        "accounts:service_accounts",
                        Permission.ADMINISTER,
                        "accounts:service",
                    ),
                    _Page(
                        _("API reference"),
                        "api_reference",
                        Permission.VIEW,
                        "api_reference",
                        per_fleet=False,
                    ),
                ),
            ),
        ),
    ),
)


def _all_pages() -> list[_Page]:
    pages: list[_Page] = []
    for _label, group_pages, folds in _GROUPS:
        pages += group_pages
        for fold in folds:
            pages += fold.pages
    return pages


_PAGES = _all_pages()


@dataclass(frozen=True, slots=True)
class Link:
    """A link to a page. `current`: that page, or one that belongs to it, is open."""

    label: str
    url: str
    icon: str
    current: bool


@dataclass(frozen=True, slots=True)
class Fold:
    """Links that are folded away, unless `is_open`."""

    label: str
    icon: str
    links: list[Link]
    is_open: bool


@dataclass(frozen=True, slots=True)
class Group:
    """A heading of the navigation with its links."""

    label: str
    links: list[Link]
    folds: list[Fold]


def navigation_for(*, fleet: Fleet, membership: Membership, view_name: str) -> list[Group]:
    """Returns the groups of pages that the member may open. `view_name` is the view that is open now."""
    current = max(
        (page for page in _PAGES if view_name.startswith(page.within)),
        key=lambda page: len(page.within),
        default=None,
    )

    def links(pages: tuple[_Page, ...]) -> list[Link]:
        return [
            Link(
                label=str(page.label),
                url=reverse(page.view, args=[fleet.slug] if page.per_fleet else []),
                icon=page.icon,
                current=page is current,
            )
            for page in pages
            if has_permission(membership=membership, right=page.right)
        ]

    groups = []
    for label, pages, folds in _GROUPS:
        folded = [(fold, links(fold.pages)) for fold in folds]
        group = Group(
            label=str(label),
            links=links(pages),
            folds=[
                Fold(str(fold.label), fold.icon, found, any(link.current for link in found))
                for fold, found in folded
                if found
            ],
        )
        if group.links or group.folds:
            groups.append(group)
    return groups


def pages_for(*, fleet: Fleet, membership: Membership) -> list[Link]:
    """Returns links to all pages that the member may open, without groups and without a current one."""
    groups = navigation_for(fleet=fleet, membership=membership, view_name="")
    folded = [link for group in groups for fold in group.folds for link in fold.links]
    return [*(link for group in groups for link in group.links), *folded]
