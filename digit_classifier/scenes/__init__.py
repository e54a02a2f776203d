"""Other ways to frame a picture that has more on it than a digit, each with its plausibility.

The constants of these modules were set on the drawn scenes of docs/generality.md, and on the photos
and drawings there. Log-probabilities of several rules add up.
"""
