import itertools
from dataclasses import replace

import numpy as np
import pytest

from digit_classifier.errors import CheckpointError, ModelError, TrainingDivergedError
from digit_classifier.evaluation.metrics import logits_of
from digit_classifier.models.store import load_model, save_model
from digit_classifier.preprocessing.vectorize import vectorize
from digit_classifier.training.augmentation import NO_AUGMENTATION
from digit_classifier.training.epoch_training_run import EpochTrainingRun, augmented_batches
from digit_classifier.training.low_rank import reduce_ranks
from digit_classifier.training.recipes import RECIPES
from digit_classifier.training.synthesis import make_negatives


def trainer(data, recipe, path, **changes):
    options = {"seed": 3, "checkpoint": path / "checkpoint.safetensors"} | changes
    return EpochTrainingRun("mlp", recipe, data, **options)


def trained(data, recipe, path, **changes):
    made = trainer(data, recipe, path, log=lambda _line: None, **changes)
    made.run()
    return made


def test_each_epoch_shows_the_samples_in_another_order(
    drawn_mnist, small_recipe, tmp_path, monkeypatch
):
    orders = []

    def observed(*args, **named):
        made = list(augmented_batches(*args, **named))
        orders.append(np.concatenate([targets.argmax(axis=1) for _, targets in made]))
        return iter(made)

    monkeypatch.setattr("digit_classifier.training.epoch_training_run.augmented_batches", observed)

    trained(drawn_mnist, replace(small_recipe, n_negatives=0), tmp_path)

    for one, other in itertools.combinations(orders, 2):
        assert (np.bincount(one) == np.bincount(other)).all()
        assert (one == other).mean() < 0.3  # a tenth by chance


class InterruptedRunError(Exception):
    """Stands for Ctrl-C at the end of an epoch."""


def interrupted_after(n_epochs, data, recipe, path):
    lines = []

    def log(line):
        lines.append(line)
        if len(lines) == n_epochs:
            raise InterruptedRunError

    with pytest.raises(InterruptedRunError):
        trainer(data, recipe, path, log=log).run()


def test_training_learns(drawn_mnist, small_recipe, tmp_path):
    recipe = replace(small_recipe, epochs=30, dropout=0.0)

    made = trained(drawn_mnist, recipe, tmp_path)
    figures = made.metadata(made.trained_classifier()).figures

    assert figures["test"]["accuracy"] > 0.9
    assert figures["test"]["accuracy_inverted"] > 0.9
    assert figures["test"]["n_images"] == 100


def test_each_epoch_ends_with_one_line(drawn_mnist, small_recipe, tmp_path):
    lines = []

    trainer(drawn_mnist, small_recipe, tmp_path, log=lines.append).run()

    assert len(lines) == small_recipe.epochs
    assert lines[2].startswith("Epoch 3 train_accuracy: 0.")
    assert "  validation_accuracy: 0." in lines[2]


def test_a_resumed_run_ends_bit_for_bit_like_one_that_was_not_interrupted(
    drawn_mnist, small_recipe, tmp_path
):
    whole = trained(drawn_mnist, small_recipe, tmp_path / "whole")

    interrupted_after(2, drawn_mnist, small_recipe, tmp_path / "resumed")
    resumed = trainer(drawn_mnist, small_recipe, tmp_path / "resumed", log=lambda _line: None)
    resumed.resume()
    assert len(resumed.state.history) == 2
    resumed.run()

    assert resumed.state.history == whole.state.history
    np.testing.assert_array_equal(resumed.state.average, whole.state.average)
    np.testing.assert_array_equal(resumed.state.network.parameters, whole.state.network.parameters)


def test_another_seed_is_another_run(drawn_mnist, small_recipe, tmp_path):
    recipe = replace(small_recipe, epochs=1)

    one = trained(drawn_mnist, recipe, tmp_path / "one")
    other = trained(drawn_mnist, recipe, tmp_path / "other", seed=4)

    assert (one.state.average != other.state.average).any()


def mean_confidence(made, images):
    logits = logits_of(made.trained_classifier(), images, made.recipe.scaling)
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    return float((1 / exponentials.sum(axis=1)).mean())


def test_a_network_is_less_sure_of_what_is_no_digit_where_it_was_shown_some(
    drawn_mnist, small_recipe, tmp_path
):
    ignorant_recipe = replace(small_recipe, epochs=25, dropout=0.0, n_negatives=0)
    shown_recipe = replace(ignorant_recipe, n_negatives=150, negative_share=0.4)

    ignorant = trained(drawn_mnist, ignorant_recipe, tmp_path / "ignorant")
    shown = trained(drawn_mnist, shown_recipe, tmp_path / "shown")

    others = make_negatives(  # none of which was shown
        100, drawn_mnist.X_test, drawn_mnist.y_test, np.random.default_rng(99)
    )
    assert mean_confidence(shown, drawn_mnist.X_test) > mean_confidence(shown, others) + 0.2
    assert mean_confidence(ignorant, others) > mean_confidence(shown, others) + 0.1


def test_there_is_a_checkpoint_before_the_first_epoch_ends(
    drawn_mnist, small_recipe, tmp_path, monkeypatch
):
    begun = trainer(drawn_mnist, small_recipe, tmp_path)
    monkeypatch.setattr(begun, "_train_epoch", _interrupt)
    with pytest.raises(KeyboardInterrupt):
        begun.run()

    resumed = trainer(drawn_mnist, small_recipe, tmp_path)
    resumed.resume()

    assert resumed.state.history == []


def _interrupt(_epoch):
    raise KeyboardInterrupt


def test_validation_samples_are_never_trained_on(drawn_mnist, small_recipe, tmp_path):
    made = trainer(drawn_mnist, small_recipe, tmp_path)

    trained_on = {image.tobytes() for image in made.X_train}
    held_out = {image.tobytes() for image in made.X_validation}
    assert len(made.X_train) + len(made.X_validation) == len(drawn_mnist.X_train)
    assert trained_on.isdisjoint(held_out)
    np.testing.assert_allclose(np.bincount(made.y_validation), 8, atol=1)


def test_metadata_shows_where_the_model_came_from(drawn_mnist, small_recipe, tmp_path):
    made = trained(drawn_mnist, small_recipe, tmp_path)
    metadata = made.metadata(made.trained_classifier())

    assert metadata.classifier == "mlp"
    assert metadata.training["seed"] == 3
    assert metadata.training["recipe"]["hidden_layer_sizes"] == [32]
    assert len(metadata.training["history"]) == small_recipe.epochs
    assert len(metadata.training["data_sha256"]) == 64
    assert metadata.temperature > 0
    assert 0 < metadata.min_confidence < 1


def test_resuming_without_a_checkpoint_is_refused(drawn_mnist, small_recipe, tmp_path):
    with pytest.raises(CheckpointError, match="no checkpoint at"):
        trainer(drawn_mnist, small_recipe, tmp_path).resume()


def test_resuming_with_another_recipe_is_refused_by_name(drawn_mnist, small_recipe, tmp_path):
    trained(drawn_mnist, replace(small_recipe, epochs=1), tmp_path)

    with pytest.raises(CheckpointError, match=r"recipe, seed"):
        trainer(drawn_mnist, small_recipe, tmp_path, seed=9).resume()


def test_resuming_from_a_damaged_checkpoint_is_refused(drawn_mnist, small_recipe, tmp_path):
    made = trained(drawn_mnist, replace(small_recipe, epochs=1), tmp_path)
    content = bytearray(made.checkpoint.read_bytes())
    content[-5] ^= 1
    made.checkpoint.write_bytes(content)

    with pytest.raises(CheckpointError, match="altered"):
        made.resume()


def test_resuming_from_another_versions_checkpoint_is_refused(
    drawn_mnist, small_recipe, tmp_path, monkeypatch
):
    made = trained(drawn_mnist, replace(small_recipe, epochs=1), tmp_path)
    monkeypatch.setattr("digit_classifier.training.checkpoint.CHECKPOINT_VERSION", 3)

    with pytest.raises(CheckpointError, match="this release can resume"):
        made.resume()


def test_softmax_regression_learns_both_polarities(drawn_mnist, tmp_path):
    recipe = replace(RECIPES["softmax"], epochs=40, n_validation=80)

    made = trained(drawn_mnist, recipe, tmp_path)
    figures = made.metadata(made.trained_classifier()).figures

    assert figures["test"]["accuracy"] > 0.8
    assert figures["test"]["accuracy_inverted"] > 0.8


def test_early_stopping_ends_the_run_and_ships_the_best_epoch(drawn_mnist, small_recipe, tmp_path):
    recipe = replace(small_recipe, epochs=60, patience=3)

    made = trained(drawn_mnist, recipe, tmp_path)

    accuracies = [entry["validation_accuracy"] for entry in made.state.history]
    assert len(accuracies) < recipe.epochs
    assert accuracies.index(max(accuracies)) == len(accuracies) - 1 - 3
    assert made.validate().mean_accuracy == max(accuracies)
    assert (made.trained_classifier().parameters != made.state.average).any()


def test_a_run_that_stopped_early_stays_stopped_when_resumed(drawn_mnist, small_recipe, tmp_path):
    recipe = replace(small_recipe, epochs=60, patience=3)
    stopped = trained(drawn_mnist, recipe, tmp_path)

    resumed = trainer(drawn_mnist, recipe, tmp_path)
    resumed.resume()
    resumed.run()

    assert len(resumed.state.history) == len(stopped.state.history)
    np.testing.assert_array_equal(
        resumed.trained_classifier().parameters, stopped.trained_classifier().parameters
    )


def test_sgd_with_nesterov_momentum_learns_too(drawn_mnist, small_recipe, tmp_path):
    recipe = replace(small_recipe, optimizer="sgd", learning_rate=0.05, epochs=60, dropout=0.0)

    assert trained(drawn_mnist, recipe, tmp_path).validate().mean_accuracy > 0.9


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # NumPy's, on the way there
def test_a_training_that_diverges_ends_with_a_reason(drawn_mnist, small_recipe, tmp_path):
    recipe = replace(small_recipe, optimizer="sgd", learning_rate=1e30)

    with pytest.raises(TrainingDivergedError, match="in epoch 1: the recipe's learning rate"):
        trained(drawn_mnist, recipe, tmp_path)


def batches(data, recipe, **changes):
    options = {"seed": 1, "epoch": 2} | changes
    return list(augmented_batches(data.X_train, data.y_train, recipe, **options))


def test_every_epoch_and_seed_has_an_order_of_its_own(drawn_mnist, small_recipe):
    """Not only other pictures of the same digits in the same order."""
    unchanged = replace(small_recipe, augmentation=NO_AUGMENTATION)

    def order(**changes):
        made = batches(drawn_mnist, unchanged, **changes)
        return [vector.tobytes() for vectors, _ in made for vector in vectors]

    first = order()
    for changes in ({"epoch": 3}, {"seed": 2}):
        other = order(**changes)
        assert sorted(other) == sorted(first)
        assert sum(one == another for one, another in zip(first, other, strict=True)) < 20


@pytest.fixture
def negatives():
    """Pictures of no digit: a ring each, and a dot in a place of its own."""
    pictures = np.zeros((9, 28, 28), np.uint8)
    pictures[:, 6:23, 6:23], pictures[:, 8:21, 8:21] = 200, 0
    for number, picture in enumerate(pictures):
        picture[14, 10 + number] = 255
    return pictures


def test_an_epoch_shows_every_sample_once(drawn_mnist, small_recipe):
    made = batches(drawn_mnist, small_recipe)

    assert [len(vectors) for vectors, _ in made] == [64] * 6 + [16]
    labels = np.concatenate([targets.argmax(axis=1) for _, targets in made])
    np.testing.assert_array_equal(np.bincount(labels), np.bincount(drawn_mnist.y_train))


def test_batches_are_what_the_network_takes(drawn_mnist, small_recipe):
    vectors, targets = batches(drawn_mnist, small_recipe)[0]

    assert vectors.dtype == targets.dtype == np.float32
    assert vectors.shape == (64, 784)
    assert vectors.min() >= -1
    assert vectors.max() <= 1
    np.testing.assert_allclose(targets.sum(axis=1), 1, rtol=1e-6)
    smoothing = small_recipe.label_smoothing
    np.testing.assert_allclose(targets.max(axis=1), 1 - smoothing + smoothing / 10, rtol=1e-6)


def test_an_epoch_is_made_again_from_seed_and_number(drawn_mnist, small_recipe):
    first, again = batches(drawn_mnist, small_recipe), batches(drawn_mnist, small_recipe)

    for (vectors, targets), (vectors_again, targets_again) in zip(first, again, strict=True):
        np.testing.assert_array_equal(vectors, vectors_again)
        np.testing.assert_array_equal(targets, targets_again)


def test_another_epoch_or_seed_is_another_epoch(drawn_mnist, small_recipe):
    vectors = batches(drawn_mnist, small_recipe)[0][0]

    assert (batches(drawn_mnist, small_recipe, epoch=3)[0][0] != vectors).any()
    assert (batches(drawn_mnist, small_recipe, seed=2)[0][0] != vectors).any()


def test_every_batch_ends_with_the_share_of_what_is_no_digit(drawn_mnist, small_recipe, negatives):
    recipe = replace(small_recipe, negative_share=0.25)

    made = batches(drawn_mnist, recipe, negatives=negatives)

    assert [len(vectors) for vectors, _ in made] == [64 + 16] * 6 + [16 + 4]
    for vectors, targets in made:
        n_digits = len(vectors) * 4 // 5
        assert vectors.dtype == targets.dtype == np.float32
        np.testing.assert_allclose(targets[n_digits:], 0.1, rtol=1e-6)
        assert (targets[:n_digits].max(axis=1) > 0.9).all()
    labels = np.concatenate(
        [targets[: len(targets) * 4 // 5].argmax(axis=1) for _, targets in made]
    )
    np.testing.assert_array_equal(np.bincount(labels), np.bincount(drawn_mnist.y_train))


def test_what_is_no_digit_is_drawn_from_all_that_was_given_and_gets_no_digits_form(
    drawn_mnist, small_recipe, negatives
):
    forms = replace(NO_AUGMENTATION, flagged_share=1, barred_share=1, hooked_share=1)
    recipe = replace(small_recipe, negative_share=0.25, augmentation=forms)

    made = batches(drawn_mnist, recipe, negatives=negatives)

    shown = np.concatenate([vectors[len(vectors) * 4 // 5 :] for vectors, _ in made])
    expected = vectorize(negatives, recipe.scaling)
    alike = np.abs(shown[:, None] - expected).max(axis=2) < 1e-4  # (n_shown, n_negatives)
    assert (alike.sum(axis=1) == 1).all()
    assert alike.any(axis=0).all()


def test_what_is_no_digit_is_augmented_too(drawn_mnist, small_recipe, negatives):
    recipe = replace(small_recipe, negative_share=0.25)
    before = negatives.copy()

    made = batches(drawn_mnist, recipe, negatives=negatives)

    shown = np.concatenate([vectors[len(vectors) * 4 // 5 :] for vectors, _ in made])
    assert len(np.unique(shown, axis=0)) == len(shown)
    np.testing.assert_array_equal(negatives, before)


def test_an_epoch_with_what_is_no_digit_is_made_again_whatever_ran_before(
    drawn_mnist, small_recipe, negatives
):
    recipe = replace(small_recipe, negative_share=0.25)

    batches(drawn_mnist, recipe, negatives=negatives, epoch=1)
    after_another = batches(drawn_mnist, recipe, negatives=negatives)
    alone = batches(drawn_mnist, recipe, negatives=negatives)

    for (vectors, targets), (vectors_again, targets_again) in zip(
        after_another, alone, strict=True
    ):
        np.testing.assert_array_equal(vectors, vectors_again)
        np.testing.assert_array_equal(targets, targets_again)


def test_run_starts_from_a_trained_model_and_records_it(drawn_mnist, small_recipe, tmp_path):
    first = trained(drawn_mnist, small_recipe, tmp_path / "first")
    classifier = first.trained_classifier()
    save_model(classifier, first.metadata(classifier), tmp_path / "model.safetensors")
    model = load_model(str(tmp_path / "model.safetensors"), tmp_path)

    # steps that are next to none
    recipe = replace(small_recipe, epochs=1, learning_rate=1e-9)
    second = trainer(drawn_mnist, recipe, tmp_path / "second", log=lambda _line: None)
    second.start_from(model)
    second.run()

    for parameters in (second.state.network.parameters, second.state.average):
        np.testing.assert_allclose(parameters, first.state.average, atol=1e-6)
    recorded = second.metadata(second.trained_classifier()).training["started_from"]
    assert recorded["version"] == model.version
    assert recorded["training"]["recipe"]["epochs"] == small_recipe.epochs
    # another start is another run
    resumed = trainer(drawn_mnist, recipe, tmp_path / "second")
    resumed.start_from(replace(model, version="0" * 12))
    with pytest.raises(CheckpointError, match="started_from"):
        resumed.resume()
    with pytest.raises(CheckpointError, match="started_from"):
        trainer(drawn_mnist, recipe, tmp_path / "second").resume()


def test_run_cannot_start_from_a_model_of_other_layers(drawn_mnist, small_recipe, tmp_path):
    other = trainer(drawn_mnist, replace(small_recipe, hidden_layer_sizes=(8,)), tmp_path / "other")
    classifier = other.trained_classifier()
    save_model(classifier, other.metadata(classifier), tmp_path / "model.safetensors")
    model = load_model(str(tmp_path / "model.safetensors"), tmp_path)

    with pytest.raises(ModelError, match="has other layers"):
        trainer(drawn_mnist, small_recipe, tmp_path / "run").start_from(model)


def test_ranks_are_reduced_after_the_last_epoch_and_multiplied_out_for_the_next_run(
    drawn_mnist, small_recipe, tmp_path
):
    recipe = replace(small_recipe, ranks=(24,))
    first = trained(drawn_mnist, recipe, tmp_path / "first")
    reduced = first.trained_classifier()
    save_model(reduced, first.metadata(reduced), tmp_path / "model.safetensors")
    model = load_model(str(tmp_path / "model.safetensors"), tmp_path)
    second = trainer(drawn_mnist, recipe, tmp_path / "second")
    second.start_from(model)

    full = first.state.network
    assert reduced.n_weights == 784 * 24 + 24 * 32 + 32 * 10
    assert second.state.network.architecture == full.architecture
    digits = vectorize(drawn_mnist.X_test, recipe.scaling)
    before, after = (n.predict_logits(digits) for n in (full, reduced))
    assert np.corrcoef(before.ravel(), after.ravel())[0, 1] > 0.98
    begins = second.state.network.predict_logits(digits)
    np.testing.assert_allclose(begins, after, atol=1e-3)
    np.testing.assert_array_equal(second.state.average, second.state.network.parameters)


def test_ranks_are_reduced_by_many_variants_of_few_digits(
    drawn_mnist, small_recipe, tmp_path, monkeypatch
):
    given = []

    def observed(network, ranks, X):
        given.append(X)
        return reduce_ranks(network, ranks, X)

    monkeypatch.setattr("digit_classifier.training.epoch_training_run.reduce_ranks", observed)
    few = replace(drawn_mnist, X_train=drawn_mnist.X_train[:60], y_train=drawn_mnist.y_train[:60])
    run = trained(few, replace(small_recipe, ranks=(24,)), tmp_path)

    run.trained_classifier()

    assert len(np.unique(given[-1], axis=0)) > 50 * len(run.X_train)
