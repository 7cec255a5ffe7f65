"""`digits` as a tfds dataset: scikit-learn carries the images, so that there is a real dataset without a network."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow_datasets as tfds


class Digits(tfds.core.GeneratorBasedBuilder):  # type: ignore[misc]
    """1,797 handwritten digits, 8×8 grey pixels, from the UCI set "Optical Recognition of Handwritten Digits".

    E. Alpaydin and C. Kaynak (1998). The pixels' 17 levels (0 to 16) are stretched to 0 to 255; white is ink.
    """

    VERSION = tfds.core.Version("1.0.0")

    def _info(self) -> tfds.core.DatasetInfo:
        return tfds.core.DatasetInfo(
            builder=self,
            description=self.__doc__,
            features=tfds.features.FeaturesDict(
                {
                    "image": tfds.features.Image(shape=(8, 8, 1), encoding_format="png"),
                    "label": tfds.features.ClassLabel(names=[str(digit) for digit in range(10)]),
                }
            ),
            supervised_keys=("image", "label"),
            homepage="https://archive.ics.uci.edu/dataset/80",
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Any]:
        from sklearn.datasets import load_digits
        from sklearn.model_selection import train_test_split

        digits = load_digits()
        pixels = np.rint(digits.images * (255 / 16)).astype(np.uint8)[..., np.newaxis]
        # The same images in the same split every time, each class in proportion.
        train, test = train_test_split(np.arange(len(pixels)), test_size=0.2, stratify=digits.target, random_state=0)
        return {
            "train": self._generate_examples(train, pixels, digits.target),
            "test": self._generate_examples(test, pixels, digits.target),
        }

    def _generate_examples(
        self, indices: np.ndarray, pixels: np.ndarray, labels: np.ndarray
    ) -> Iterator[tuple[int, dict[str, Any]]]:
        for index in sorted(int(index) for index in indices):
            yield index, {"image": pixels[index], "label": int(labels[index])}
