"""Every test runs on every engine; and how many programs are generated.

By default the same few at each run, so that it is short and says the same twice. More of
them, and others each time:

    pytest tests/agreement --hypothesis-profile=agreement        # 300, some minutes
    pytest tests/agreement --hypothesis-profile=agreement-soak   # 20,000, hours

`.ci/run` asks for `agreement-ci`: 300, the same each time, so that it says the same twice.
"""

from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.agreement import both

for name, programs in (("agreement", 300), ("agreement-soak", 20_000)):
    settings.register_profile(name, max_examples=programs, deadline=None, print_blob=True)
settings.register_profile("agreement-ci", max_examples=300, deadline=None, derandomize=True)


@pytest.fixture(scope="module", params=both.ENGINES, autouse=True)
def engine_under_test(request: pytest.FixtureRequest) -> Iterator[None]:
    """The engine beside which the oracle is put."""
    both.engine_under_test = request.param
    yield
    both.engine_under_test = both.ENGINES[0]
