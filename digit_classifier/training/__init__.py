"""Train models: recipes, augmentation, synthetic negatives, the training loop, checkpoints."""
