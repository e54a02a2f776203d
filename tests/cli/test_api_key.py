import tomllib

import pytest

from tests.web.pictures import drawn
from tests.web.serving import make_app


def test_the_key_opens_the_service_that_has_its_line(run, tmp_path):
    result = run("api-key", "lab")
    assert result.exit_code == 0
    first, second = result.output.splitlines()
    key = first.removeprefix("key: ")
    lines = tomllib.loads(second)["api_keys"]
    assert key not in second
    client = make_app(tmp_path / "none", api_keys=tuple(lines)).test_client()
    headers = {"Authorization": f"Bearer {key}"}
    assert client.post("/api/v1/classify", data=drawn(7), headers=headers).json["prediction"] == 7


def test_each_key_is_another_and_long(run):
    keys = {run("api-key", "lab").output.splitlines()[0] for _ in range(3)}
    assert len(keys) == 3
    assert min(map(len, keys)) >= len("key: ") + 43


@pytest.mark.parametrize("name", ["", "two words", "a/b", "é"])
def test_name_is_plain(run, name):
    result = run("api-key", name)
    assert result.exit_code == 2
    assert "letters, digits and '._-'" in result.output
