import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from digit_classifier.neural_network.estimators import (
    CNNClassifier,
    MLPClassifier,
    SoftmaxClassifier,
)


def expected_failures(_estimator):
    return {
        "check_sample_weight_equivalence_on_dense_data": "batches of repeated samples are others; "
        "see test_weights_count_as_repetitions_do"
    }


@parametrize_with_checks(
    [MLPClassifier(), SoftmaxClassifier(), CNNClassifier()],
    expected_failed_checks=expected_failures,
)
def test_estimator_follows_scikit_learns_rules(estimator, check):
    check(estimator)


@pytest.mark.parametrize("classifier", [MLPClassifier, SoftmaxClassifier, CNNClassifier])
def test_answers_do_not_depend_on_the_order_of_the_samples(classifier):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60, 64)).astype(np.float32), np.arange(60) % 3
    estimator = classifier(random_state=0).fit(X, y)
    order = rng.permutation(len(X))
    expected = estimator.predict_proba(X)[order]
    np.testing.assert_allclose(estimator.predict_proba(X[order]), expected, rtol=1e-4, atol=1e-6)


@pytest.fixture(scope="module")
def iris():
    X, y = load_iris(return_X_y=True)
    return StandardScaler().fit_transform(X), y


def test_softmax_regression_finds_what_logistic_regression_finds(iris):
    X, y = iris
    l2 = 0.1
    # scikit-learn's penalty: ‖w‖² / 2 against C · the sum of the losses
    reference = LogisticRegression(C=1 / (l2 * len(X)), tol=1e-8, max_iter=1000).fit(X, y)
    found = SoftmaxClassifier(
        optimizer="sgd", learning_rate=0.05, epochs=600, batch_size=len(X), l2=l2, random_state=0
    ).fit(X, y)
    np.testing.assert_allclose(found.predict_proba(X), reference.predict_proba(X), atol=1e-4)
    # a constant added to all classes changes nothing: compare weights about their mean
    weights = found.network_.named_parameters()["0.weights"]
    centred = (weights - weights.mean(axis=1, keepdims=True)).T
    np.testing.assert_allclose(centred, reference.coef_, atol=1e-4)


def test_perceptron_learns_what_no_line_can_divide():
    rng = np.random.default_rng(0)
    X = rng.uniform(-1, 1, (400, 2))
    y = np.where(X[:, 0] * X[:, 1] > 0, "same", "other")
    linear = SoftmaxClassifier(random_state=0).fit(X, y)
    perceptron = MLPClassifier((32,), learning_rate=0.01, random_state=0).fit(X, y)
    assert linear.score(X, y) < 0.7
    assert perceptron.score(X, y) > 0.97
    assert perceptron.classes_.tolist() == ["other", "same"]


@pytest.mark.parametrize("activation", ["relu", "tanh"])
@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_perceptron_reads_drawn_digits(drawn_digits, activation, optimizer):
    images, labels = drawn_digits
    X = images.reshape(len(images), -1) / 255
    classifier = MLPClassifier(
        (64,), activation=activation, optimizer=optimizer, epochs=15, learning_rate=5e-3,
        random_state=0,
    ).fit(X[:400], labels[:400])  # fmt: skip
    assert classifier.score(X[400:], labels[400:]) > 0.9


def test_convolutional_network_reads_drawn_digits(drawn_digits):
    images, labels = drawn_digits
    X = images.reshape(len(images), -1) / 255
    classifier = CNNClassifier(epochs=10, learning_rate=5e-3, dropout=0.2, random_state=0)
    assert classifier.fit(X[:400], labels[:400]).score(X[400:], labels[400:]) > 0.95


@pytest.mark.parametrize(
    ("n_features", "image_shape", "expected"),
    [
        (36, None, (6, 6)),
        (12, None, (1, 12)),
        (1, None, (1, 1)),
        (12, (4, 3), (4, 3)),
        (36, (2, 18), (2, 18)),
    ],
)
def test_features_are_an_image_row_after_row(n_features, image_shape, expected):
    X = np.random.default_rng(0).random((20, n_features))
    y = np.arange(20) % 2
    fitted = CNNClassifier(((2,),), (4,), image_shape=image_shape, epochs=1).fit(X, y)
    height, width = expected
    assert fitted.network_.architecture[0] == {"type": "Image", "height": height, "width": width}
    assert fitted.predict_proba(X).shape == (20, 2)


def test_image_shape_of_another_number_of_features_is_refused():
    with pytest.raises(ValueError, match="X has 12 features; images of 5 × 3 have 15"):
        CNNClassifier(image_shape=(5, 3)).fit(np.zeros((4, 12)), [0, 1, 0, 1])


def test_same_random_state_trains_the_same_network(iris):
    X, y = iris
    estimator = MLPClassifier((8,), epochs=3, dropout=0.2, random_state=5)
    first, second = (clone(estimator).fit(X, y) for _ in range(2))
    np.testing.assert_array_equal(first.network_.parameters, second.network_.parameters)
    other = clone(estimator).set_params(random_state=6).fit(X, y)
    assert (first.network_.parameters != other.network_.parameters).any()


def test_patience_stops_early_at_the_best_parameters():
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((200, 5)), rng.integers(0, 2, 200)  # nothing to learn
    stopped = MLPClassifier((16,), epochs=200, patience=3, random_state=0).fit(X, y)
    assert len(stopped.loss_curve_) == stopped.n_epochs_ < 200
    # as if it had stopped there: what came after the best epoch is undone
    best = clone(stopped).set_params(epochs=stopped.n_epochs_ - 3).fit(X, y)
    np.testing.assert_array_equal(stopped.network_.parameters, best.network_.parameters)
    unlimited = MLPClassifier((16,), epochs=20, random_state=0).fit(X, y)
    assert unlimited.n_epochs_ == 20
    assert unlimited.loss_curve_[-1] < unlimited.loss_curve_[0]


def test_l2_keeps_the_weights_small_and_dropout_is_in_the_network(iris):
    X, y = iris
    norms = [
        np.linalg.norm(
            SoftmaxClassifier(l2=l2, epochs=30, random_state=0).fit(X, y).network_.parameters
        )
        for l2 in (0.0, 1.0)
    ]
    assert norms[1] < 0.5 * norms[0]
    dropped = MLPClassifier((4,), dropout=0.5, epochs=1).fit(X, y)
    assert {"type": "Dropout", "rate": 0.5} in dropped.network_.architecture


def test_classifier_works_in_a_pipeline_and_stays_float32():
    X, y = load_iris(return_X_y=True)
    perceptron = MLPClassifier((16,), learning_rate=0.01, random_state=0)
    pipeline = make_pipeline(StandardScaler(), perceptron).fit(X, y)
    assert pipeline.score(X, y) > 0.95
    assert pipeline.predict_proba(X).dtype == np.float32
    np.testing.assert_allclose(pipeline.predict_proba(X).sum(axis=1), 1, rtol=1e-5)


ESTIMATORS = [MLPClassifier, SoftmaxClassifier, CNNClassifier]


@pytest.mark.parametrize("classifier", ESTIMATORS)
@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        *(("epochs", value) for value in (0, -1, 1.5, True, "ten", None)),
        *(("learning_rate", value) for value in (0, -1, float("nan"), float("inf"), "fast", None)),
        *(("batch_size", value) for value in (0, 2.5, None)),
        *(("l2", value) for value in (-1, float("nan"), "much")),
        *(("patience", value) for value in (0, 1.5, "long")),
        *(("optimizer", value) for value in ("adamw", None, 3)),
    ],
)
def test_bad_parameter_is_a_sentence_that_names_it(classifier, parameter, value):
    estimator = classifier(**{parameter: value})
    for fit in (estimator.fit, lambda X, y: estimator.partial_fit(X, y, classes=[0, 1])):
        with pytest.raises(ValueError, match=rf"^{parameter} must be .*not .*\.$"):
            fit(np.zeros((4, 4)), [0, 1, 0, 1])


@pytest.mark.parametrize(
    "estimator",
    [
        *(MLPClassifier(value) for value in ((0,), (2.5,), 10, "ten", (-1, 3), None)),
        *(MLPClassifier(activation=value) for value in ("gelu", None)),
        *(MLPClassifier(dropout=value) for value in (1, -0.1, float("nan"))),
        *(CNNClassifier(value) for value in (8, (8,), ((0,),), ((),), "ten")),
        *(CNNClassifier(kernel_size=value) for value in (0, 2, 2.5)),
        *(CNNClassifier(image_shape=value) for value in ((4,), 4, (4, 1, 1), (2.0, 2))),
        CNNClassifier(hidden_layer_sizes=(0,)),
        CNNClassifier(dropout=1),
    ],
    ids=repr,
)
def test_bad_architecture_is_a_sentence(estimator):
    with pytest.raises(ValueError, match=r"must|needs|has a height|features"):
        estimator.fit(np.zeros((4, 4)), [0, 1, 0, 1])


@pytest.mark.parametrize("classifier", ESTIMATORS)
def test_weights_count_as_repetitions_do(classifier, iris):
    X, y = iris
    weights = np.random.default_rng(0).integers(0, 4, len(X))
    settings = {"epochs": 5, "batch_size": 1000, "learning_rate": 0.01, "random_state": 0}
    weighted = classifier(**settings).fit(X, y, sample_weight=weights * 7.5)
    repeated = classifier(**settings).fit(np.repeat(X, weights, axis=0), np.repeat(y, weights))
    np.testing.assert_allclose(weighted.predict_proba(X), repeated.predict_proba(X), atol=1e-4)
    plain = classifier(**settings).fit(X, y)
    assert np.abs(weighted.predict_proba(X) - plain.predict_proba(X)).max() > 1e-3


def test_weights_that_make_no_sense_are_refused(iris):
    X, y = iris
    for weights, words in ((-1.0, "[Nn]egative"), (0.0, "non-zero"), (np.nan, "NaN")):
        with pytest.raises(ValueError, match=words):
            MLPClassifier().fit(X, y, sample_weight=np.full(len(X), weights))


@pytest.mark.parametrize("classifier", ESTIMATORS)
def test_partial_fits_are_the_epochs_of_a_fit(classifier, iris):
    X, y = iris
    labels = np.array(["a", "b", "c"])[y]
    settings = {"learning_rate": 0.01, "random_state": 3}
    whole = classifier(epochs=4, **settings).fit(X, labels)
    parts = classifier(**settings)
    for number in range(4):
        parts.partial_fit(X, labels, classes=["c", "b", "a"] if number == 0 else None)
    assert parts.classes_.tolist() == ["a", "b", "c"]
    assert (parts.n_epochs_, parts.loss_curve_) == (4, whole.loss_curve_)
    np.testing.assert_array_equal(parts.network_.parameters, whole.network_.parameters)


def test_partial_fit_knows_its_classes(iris):
    X, y = iris
    estimator = SoftmaxClassifier(random_state=0)
    with pytest.raises(ValueError, match="classes must be given"):
        estimator.partial_fit(X, y)
    estimator.partial_fit(X[:50], y[:50], classes=[0, 1, 2])
    with pytest.raises(ValueError, match=r"not among classes: \[7\]"):
        estimator.partial_fit(X[:2], [0, 7])
    with pytest.raises(ValueError, match="those of the first call"):
        estimator.partial_fit(X, y, classes=[0, 1])
    assert estimator.fit(X, y).n_epochs_ == 100  # from scratch


def test_logarithms_of_probabilities_are_finite_where_the_probabilities_are_zero(iris):
    X, y = iris
    estimator = MLPClassifier(epochs=20, learning_rate=0.01, random_state=0).fit(X, y)
    logs = estimator.predict_log_proba(X)
    assert logs.dtype == np.float32
    np.testing.assert_allclose(np.exp(logs), estimator.predict_proba(X), atol=1e-6)
    far = estimator.predict_log_proba(1e4 * X)
    assert np.isfinite(far).all()
    assert far.min() < -200
