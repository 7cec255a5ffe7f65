"""The optimizer, and the learning rate over a training: a linear rise, then half a cosine down to zero."""

import keras

from components.train.recipe import Recipe


def build_optimizer(recipe: Recipe, num_steps: int) -> keras.optimizers.Optimizer:
    """AdamW under the recipe's schedule; no weight decay on biases and batch-norm scales.

    Sources: Loshchilov and Hutter, "SGDR" (2017) for the cosine and "Decoupled Weight Decay Regularization" (2019);
    Goyal et al. (2017) for the warm-up.
    """
    warmup_steps = max(1, round(num_steps * recipe.warmup_share))
    schedule = keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=0.0,
        warmup_target=recipe.peak_learning_rate,
        warmup_steps=warmup_steps,
        decay_steps=max(1, num_steps - warmup_steps),
    )
    optimizer = keras.optimizers.AdamW(schedule, weight_decay=recipe.weight_decay)
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return optimizer
