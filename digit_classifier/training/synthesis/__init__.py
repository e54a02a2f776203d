"""Synthetic images: strokes of a pen, and images that are not digits."""
