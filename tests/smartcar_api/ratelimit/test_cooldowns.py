"""Cooldowns that Smartcar requests."""

import os
import subprocess
import sys
import uuid

import pytest
from pytest_django import Settings

from smartcar_api.ratelimit import cooldowns
from smartcar_api.ratelimit.cooldowns import CooldownScope


@pytest.fixture
def vehicle_scope() -> CooldownScope:
    return CooldownScope("car", str(uuid.uuid4()))


def test_no_cooldown_before_one_is_started(vehicle_scope: CooldownScope) -> None:
    assert cooldowns.remaining([vehicle_scope], for_reads=True) == 0
    assert cooldowns.remaining([], for_reads=True) == 0


def test_cooldown_applies_to_everything_and_one_for_reads_only_to_reads(vehicle_scope: CooldownScope) -> None:
    cooldowns.start(vehicle_scope, seconds=40, for_reads=True)
    assert 39 < cooldowns.remaining([vehicle_scope], for_reads=True) <= 40
    assert cooldowns.remaining([vehicle_scope], for_reads=False) == 0
    cooldowns.start(vehicle_scope, seconds=20)
    assert 19 < cooldowns.remaining([vehicle_scope], for_reads=False) <= 20


def test_cooldown_applies_to_other_processes(vehicle_scope: CooldownScope) -> None:
    cooldowns.start(vehicle_scope, seconds=60)
    code = (
        "import django; django.setup()\n"
        "from smartcar_api.ratelimit import cooldowns\n"
        f"print(cooldowns.remaining([cooldowns.CooldownScope('car', {vehicle_scope.name!r})], for_reads=False))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], env=os.environ, capture_output=True, text=True, check=True
    )
    assert 0 < float(result.stdout) <= 60


def test_without_redis_each_process_has_its_own_cooldowns(
    vehicle_scope: CooldownScope, settings: Settings
) -> None:
    settings.REDIS_URL = "unix:///nowhere/redis.sock"
    cooldowns.start(vehicle_scope, seconds=30)
    assert cooldowns.remaining([vehicle_scope], for_reads=False) > 29
