"""What Smartcar told us to wait."""

import os
import subprocess
import sys
import uuid

import pytest
from pytest_django import Settings

from smartcar_api.ratelimit import cooldowns
from smartcar_api.ratelimit.cooldowns import CooldownScope


@pytest.fixture
def car() -> CooldownScope:
    return CooldownScope("car", str(uuid.uuid4()))


def test_nothing_waits_before_it_is_told_to(car: CooldownScope) -> None:
    assert cooldowns.remaining([car], for_reads=True) == 0
    assert cooldowns.remaining([], for_reads=True) == 0


def test_a_wait_holds_for_everything_a_wait_for_reads_for_reads_only(car: CooldownScope) -> None:
    cooldowns.start(car, seconds=40, for_reads=True)
    assert 39 < cooldowns.remaining([car], for_reads=True) <= 40
    assert cooldowns.remaining([car], for_reads=False) == 0
    cooldowns.start(car, seconds=20)
    assert 19 < cooldowns.remaining([car], for_reads=False) <= 20


def test_another_process_obeys_it(car: CooldownScope) -> None:
    cooldowns.start(car, seconds=60)
    code = (
        "import django; django.setup()\n"
        "from smartcar_api.ratelimit import cooldowns\n"
        f"print(cooldowns.remaining([cooldowns.CooldownScope('car', {car.name!r})], for_reads=False))"
    )
    told = subprocess.run(
        [sys.executable, "-c", code], env=os.environ, capture_output=True, text=True, check=True
    )
    assert 0 < float(told.stdout) <= 60


def test_without_redis_a_process_remembers_by_itself(car: CooldownScope, settings: Settings) -> None:
    settings.REDIS_URL = "unix:///nowhere/redis.sock"
    cooldowns.start(car, seconds=30)
    assert cooldowns.remaining([car], for_reads=False) > 29
