import pytest

from tests.evaluation.corruptions.pictures import canvas, corrupt


def test_shot_noise_counts_photons():
    counts = corrupt("shot_noise", canvas(100, gray=85)) / 85  # one photon on average
    shares = [(counts == number).mean() for number in range(4)]
    assert shares == pytest.approx([0.368, 0.368, 0.184, 0.080], abs=0.006)
    assert not corrupt("shot_noise", canvas(3)).any()


def test_impulse_noise_is_salt_and_pepper_on_17_percent_of_the_pixels():
    noisy = corrupt("impulse_noise", canvas(200, gray=100))
    shares = [(noisy == gray).mean() for gray in (0, 255, 100)]
    assert shares == pytest.approx([0.085, 0.085, 0.83], abs=0.004)
    assert sum(shares) == pytest.approx(1)
