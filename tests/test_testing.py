"""The fixtures that a project opts in to."""

import subprocess
import sys
import urllib.error
import urllib.request

import pytest

from mixpeek_async import AsyncMixpeek
from mixpeek_async.emulator import Emulator
from mixpeek_async.testing import _check_asyncio

pytest_plugins = ["mixpeek_async.testing", "pytester"]


async def test_the_client_walks_the_emulator(mixpeek_emulator: Emulator, mixpeek_client: AsyncMixpeek) -> None:
    ids = mixpeek_emulator.seed(3)
    listed = await mixpeek_client.objects.list(mixpeek_emulator.bucket).to_list()
    assert [obj.object_id for obj in listed] == ids


def test_the_emulator_answers_a_test_that_is_not_async(mixpeek_emulator: Emulator) -> None:
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(mixpeek_emulator.url)
    caught.value.close()
    assert len(mixpeek_emulator.requests) == 1


def test_a_project_can_bring_an_emulator_of_its_own_settings(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(
        """
        import pytest

        from mixpeek_async.emulator import Emulator
        from mixpeek_async.testing import running

        pytest_plugins = ["mixpeek_async.testing"]

        @pytest.fixture
        def mixpeek_emulator():
            with running(Emulator(objects=7)) as emulator:
                yield emulator
        """
    )
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.asyncio
        async def test_it(mixpeek_emulator, mixpeek_client):
            assert len(await mixpeek_client.objects.list(mixpeek_emulator.bucket).to_list()) == 7
        """
    )
    pytester.makeini("[pytest]\nasyncio_default_fixture_loop_scope = function\nfilterwarnings = error")
    pytester.runpytest_subprocess().assert_outcomes(passed=1)


def test_the_client_works_with_the_plugin_of_anyio(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(
        """
        import sys

        import pytest

        sys.modules["pytest_asyncio"] = None  # as where it is not installed
        pytest_plugins = ["mixpeek_async.testing"]

        @pytest.fixture
        def anyio_backend():
            return "asyncio"
        """
    )
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.anyio
        async def test_it(mixpeek_emulator, mixpeek_client):
            mixpeek_emulator.seed(3)
            assert len(await mixpeek_client.objects.list(mixpeek_emulator.bucket).to_list()) == 3
        """
    )
    pytester.makeini("[pytest]\nfilterwarnings = error")
    pytester.runpytest_subprocess("-p", "no:asyncio").assert_outcomes(passed=1)


def test_a_test_that_does_not_run_on_asyncio_fails_with_what_to_do() -> None:
    with pytest.raises(pytest.fail.Exception, match="put a fixture `anyio_backend` that returns 'asyncio' into"):
        _check_asyncio()


def test_the_emulator_needs_no_async_plugin(pytester: pytest.Pytester) -> None:
    pytester.makeconftest('pytest_plugins = ["mixpeek_async.testing"]')
    pytester.makepyfile("def test_it(mixpeek_emulator):\n    assert mixpeek_emulator.url")
    pytester.makeini("[pytest]\nfilterwarnings = error")
    pytester.runpytest_subprocess("-p", "no:asyncio").assert_outcomes(passed=1)


def test_the_package_imports_neither_the_fixtures_nor_what_extras_bring() -> None:
    unwanted = ["click", "rich", "pytest", "aiohttp.web", "mixpeek_async.emulator", "mixpeek_async.testing"]
    script = f"import mixpeek_async, sys; sys.exit(str([m for m in {unwanted} if m in sys.modules]))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.stderr.strip() == "[]"
