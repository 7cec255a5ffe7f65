"""The pictures of an evaluation, as PNG files."""

from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from components.contracts.evaluation_report import EvaluationReport
from components.contracts.model_manifest import EpochMetrics

# Beyond this many classes a count in every cell cannot be read; the colours still can.
MAX_CLASSES_WITH_COUNTS = 20


def draw_confusion(report: EvaluationReport, path: Path) -> None:
    """The confusion matrix: rows are the true classes, each coloured by the share that was predicted as the column."""
    counts = np.array(report.confusion)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    size_inches = min(16.0, max(6.0, 0.55 * len(counts)))
    figure = Figure(figsize=(size_inches + 1, size_inches), layout="constrained")
    axes = figure.add_subplot()
    image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    figure.colorbar(image, ax=axes, label="share of the true class", shrink=0.8)
    ticks = range(len(counts))
    axes.set_xticks(ticks, report.class_names, rotation=90 if len("".join(report.class_names)) > 60 else 0)
    axes.set_yticks(ticks, report.class_names)
    axes.tick_params(labelsize=10 if len(counts) <= MAX_CLASSES_WITH_COUNTS else 5)
    axes.set(xlabel="predicted class", ylabel="true class")
    axes.set_title(f"top-1 {report.top1.value:.3f} on {report.num_examples:,} examples of {report.split}")
    if len(counts) <= MAX_CLASSES_WITH_COUNTS:
        for row, column in zip(*np.nonzero(counts), strict=True):
            colour = "white" if shares[row, column] > 0.5 else "black"
            axes.text(column, row, str(counts[row, column]), ha="center", va="center", color=colour)
    _save(figure, path)


def draw_learning_curves(history: tuple[EpochMetrics, ...], best_epoch: int, path: Path) -> None:
    """Loss and accuracy per epoch, training and validation, the kept epoch marked."""
    figure = Figure(figsize=(10, 4), layout="constrained")
    epochs = [epoch.epoch for epoch in history]
    for axes, name in zip(figure.subplots(1, 2), ("loss", "accuracy"), strict=True):
        for split in ("train", "validation"):
            axes.plot(epochs, [getattr(epoch, f"{split}_{name}") for epoch in history], marker="o", label=split)
        axes.axvline(best_epoch, color="grey", linestyle=":", label="kept epoch")
        axes.set(xlabel="epoch", ylabel=f"{name} (nats)" if name == "loss" else name)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.legend()
    _save(figure, path)


def _save(figure: Figure, path: Path) -> None:
    FigureCanvasAgg(figure)
    figure.savefig(path, format="png")
