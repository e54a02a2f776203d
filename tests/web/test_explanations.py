import pytest

from digit_classifier.preprocessing.framing import STEPS
from digit_classifier.web import explanations
from tests.web.pictures import drawn


def explained(client, explain, model="mlp"):
    path = f"/api/v1/classify?model={model}&explain={explain}"
    return client.post(path, data=drawn(7), content_type="image/png").json["explanation"]


@pytest.mark.parametrize(
    ("model", "title"),
    [("mlp", " units"), ("cnn", " maps of "), ("softmax", "10 filters of 28 × 28")],
)
def test_network_is_pictured_on_request(client, model, title):
    inside = explained(client, "inside", model)["inside"]
    assert title in inside["layers"][0]["title"]
    assert len(inside["contributions"]) == 10
    for picture in [
        inside["input"],
        *inside["contributions"],
        *(layer["picture"] for layer in inside["layers"]),
    ]:
        assert picture.startswith("data:image/png;base64,")


def test_several_explanations_are_asked_for_at_once(client):
    assert explained(client, "steps,inside").keys() >= {"framed", "steps", "inside"}
    assert not explained(client, "1").keys() & {"steps", "inside"}


def test_each_step_says_what_it_is_good_for(client):
    for step in explained(client, "steps")["steps"]:
        assert step["title"]
        assert step["about"]


def test_every_step_of_preprocessing_has_a_title():
    of_scenes = ["stretch_levels", "square_up", "level_light", "select_parts"]
    assert list(explanations.STEPS) == ["decode", *STEPS, "center", *of_scenes]
