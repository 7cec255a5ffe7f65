"""The figures of an evaluation, from its probabilities."""

import numpy as np
from scipy.stats import binomtest
from sklearn.metrics import confusion_matrix, log_loss

from components.contracts.evaluation_report import Metric


def top1(num_correct: int, num_examples: int) -> Metric:
    """Accuracy with Wilson's 95 % interval, which keeps its coverage near 1, where the normal one does not.

    Source: E. B. Wilson, "Probable Inference, the Law of Succession, and Statistical Inference" (1927).
    """
    interval = binomtest(num_correct, num_examples).proportion_ci(confidence_level=0.95, method="wilson")
    return Metric(value=num_correct / num_examples, low=float(interval.low), high=float(interval.high))


def mean_log_loss(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Mean cross-entropy in nats of `(n, classes)` probabilities at the true labels `(n,)`."""
    return float(log_loss(labels, probabilities, labels=np.arange(probabilities.shape[1])))


def confusion(predicted: np.ndarray, labels: np.ndarray, num_classes: int) -> tuple[tuple[int, ...], ...]:
    """Counts `[true class][predicted class]`."""
    matrix = confusion_matrix(labels, predicted, labels=np.arange(num_classes))
    return tuple(tuple(int(count) for count in row) for row in matrix)
