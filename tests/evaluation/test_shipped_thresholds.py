"""The shipped thresholds come from the digits that were held out of the training set."""

import pytest
from sklearn.model_selection import train_test_split

from digit_classifier.models.store import PRETRAINED, load_model


@pytest.mark.parametrize("name", ["softmax", "mlp", "cnn"])
def test_one_digit_in_a_hundred_of_those_held_out_is_refused(name, mnist):
    model = load_model(name, PRETRAINED)
    metadata = model.metadata
    _, held_out = train_test_split(
        mnist.X_train,
        test_size=metadata.training["recipe"]["n_validation"],
        random_state=metadata.training["seed"],
        stratify=mnist.y_train,
    )

    confidence = model.predict_proba([*held_out]).max(axis=1)
    n_refused = int((confidence < metadata.min_confidence).sum())
    assert n_refused == pytest.approx(0.01 * len(held_out), abs=2)  # of confidences that round
