"""Train and judge models: augmentation, recipes, trainer, checkpoints, evaluation."""
