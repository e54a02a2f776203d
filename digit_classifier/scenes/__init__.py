"""Other ways to frame a picture that has more on it than a digit, each with its plausibility."""
