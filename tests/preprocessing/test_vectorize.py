import numpy as np

from digit_classifier.preprocessing.vectorize import InputScaling, vectorize


def test_vectorize_sends_black_to_minus_one_and_white_to_one():
    framed = np.array([[[0, 255]]], np.uint8)

    vectors = vectorize(framed, InputScaling())

    assert vectors.dtype == np.float32
    np.testing.assert_allclose(vectors, [[-1, 1]], atol=1e-6)


def test_vectorize_of_an_inverted_digit_changes_the_sign():
    framed = np.random.default_rng(0).integers(0, 256, (3, 28, 28)).astype(np.uint8)

    np.testing.assert_allclose(
        vectorize(255 - framed, InputScaling()), -vectorize(framed, InputScaling()), atol=1e-6
    )


def test_vectorize_leaves_its_input_alone():
    framed = np.full((1, 28, 28), 7, np.float32)

    vectorize(framed, InputScaling())

    assert (framed == 7).all()


def test_vectorize_on_black_makes_both_polarities_the_same():
    framed = np.zeros((2, 28, 28), np.uint8)
    framed[:, 5:15, 5:10] = 200
    framed[1] = 255 - framed[1]

    dark, light = vectorize(framed, InputScaling(on_black=True))

    np.testing.assert_allclose(dark, light, atol=1e-6)
    np.testing.assert_array_equal(dark, vectorize(framed[:1], InputScaling())[0])


def test_vectorize_on_black_knows_a_bright_background_from_a_light_digit():
    faded = np.full((1, 28, 28), 190, np.uint8)
    faded[:, 5:15, 5:10] = 250

    on_black = vectorize(faded, InputScaling(on_black=True))

    np.testing.assert_array_equal(on_black, vectorize(faded, InputScaling()))
