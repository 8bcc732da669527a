"""No module of ours imports itself by way of others; the import contract only sees whole apps."""

import tomllib
from pathlib import Path

import grimp
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
APPS: list[str] = next(each["layers"] for each in CONTRACTS if each["type"] == "layers")


def cycles(imports: dict[str, set[str]]) -> list[set[str]]:
    """The groups of modules that import each other, directly or not (strongly connected components)."""
    reachable = {module: _reachable(module, imports) for module in imports}
    groups = {
        frozenset(other for other in reachable[module] if module in reachable[other])
        for module in imports
        if module in reachable[module]
    }
    return [set(group) for group in groups]


def _reachable(module: str, imports: dict[str, set[str]]) -> set[str]:
    found: set[str] = set()
    waiting = list(imports[module])
    while waiting:
        each = waiting.pop()
        if each not in found:
            found.add(each)
            waiting += imports.get(each, ())
    return found


def test_no_modules_import_each_other() -> None:
    graph = grimp.build_graph(*APPS, exclude_type_checking_imports=True)
    imports = {module: set(graph.find_modules_directly_imported_by(module)) for module in graph.modules}
    assert cycles(imports) == []


def test_cycles_are_found() -> None:
    imports = {"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}
    assert cycles(imports) == [{"a", "b", "c"}]
