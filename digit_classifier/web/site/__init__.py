"""The page for people: form, samples, static files."""
