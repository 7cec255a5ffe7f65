"""Recipes: every number of a training, frozen under a name."""

from dataclasses import dataclass

from components.contracts.errors import InputError


@dataclass(frozen=True)
class Recipe:
    """How the weights move, and what is done to the images on the way.

    The learning rate rises from 0 to `peak_learning_rate` over `warmup_share` of all steps, then falls to 0 as half a
    cosine. `max_shift_share` is how far an image is shifted at random in training, as a share of its side.
    `batch_norm_momentum` is Keras' momentum; `jit_compile` has XLA compile the step.
    """

    name: str
    peak_learning_rate: float
    weight_decay: float
    warmup_share: float
    max_shift_share: float
    batch_norm_momentum: float
    jit_compile: bool


RECIPES = {
    recipe.name: recipe
    for recipe in (
        # AdamW (Loshchilov and Hutter 2019). No XLA: on two CPU cores, at 32 px and batch 64, a step takes 1.07 s
        # with it and 0.26 s without.
        Recipe(
            name="default",
            peak_learning_rate=2e-3,
            weight_decay=0.05,
            warmup_share=0.1,
            max_shift_share=0.1,
            batch_norm_momentum=0.9,
            jit_compile=False,
        ),
    )
}


def find_recipe(name: str) -> Recipe:
    """The recipe of that name. Raises InputError that lists the known ones."""
    if name not in RECIPES:
        raise InputError(f"recipe: {name!r} is not known; known: {', '.join(RECIPES)}")
    return RECIPES[name]
