"""Fixtures that the tests share."""

import pytest

from problems import SIZES


@pytest.fixture(params=SIZES, ids=str)
def sizes(request: pytest.FixtureRequest) -> tuple[int, int, int, int, int]:
    return request.param
