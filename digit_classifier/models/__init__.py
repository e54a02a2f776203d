"""Models: the registry of classifiers, and model files with their metadata."""
