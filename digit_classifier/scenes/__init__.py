"""Other ways to frame a picture that has more on it than a digit, and which of them to believe."""
