from dataclasses import replace

from PIL import Image

from digit_classifier.models.store import load_model, model_file, save_model


def test_the_shipped_models_are_listed_with_their_figures(run):
    result = run("models", "list")

    assert result.exit_code == 0
    cnn, mlp, softmax = result.output.splitlines()
    assert cnn.startswith("cnn  ")
    assert "MNIST test accuracy 99." in cnn
    assert mlp.startswith("mlp  ")
    assert "725,746 parameters" in mlp
    assert "MNIST test accuracy 99." in mlp
    assert softmax.startswith("softmax  ")
    assert "MNIST test accuracy 92." in softmax


def test_a_model_whose_second_opinion_is_missing_is_listed_with_the_error(run, place):
    model = load_model("softmax", place / "models")
    metadata = replace(model.metadata, second_opinion="gone")
    save_model(model.classifier, metadata, model_file("mine", place / "models"))

    result = run("models", "list")

    assert result.exit_code == 1
    *shipped, mine = result.output.splitlines()
    assert len(shipped) == 3
    assert mine.startswith("mine  error: ")
    assert "no shipped model 'gone'" in mine


def test_a_model_is_drawn_into_its_folder(run, place):
    result = run("models", "show", "softmax")

    assert result.exit_code == 0
    assert result.output == f"Dense  784  10\nWrote {place}/models/softmax/model.png.\n"
    with Image.open(place / "models" / "softmax" / "model.png") as picture:
        assert picture.format == "PNG"
    assert "softmax" in run("models", "list").output  # a folder with a picture alone is no model


def test_a_model_is_drawn_into_the_given_file(run, place):
    result = run("models", "show", "cnn", "-o", place / "pictures" / "cnn.png")

    assert result.exit_code == 0
    assert "Conv2D  1  24  3" in result.output
    assert (place / "pictures" / "cnn.png").is_file()
    assert not (place / "models").exists()


def test_an_unknown_model_cannot_be_drawn(run):
    result = run("models", "show", "forest")

    assert result.exit_code == 1
    assert "There is no model 'forest'; there are: cnn, mlp, softmax." in result.output
