"""Top-k accuracy over k as a PNG, through matplotlib, which is optional."""

import io

from matplotlib.figure import Figure  # without pyplot, which looks for a screen

from densecli.report.accuracy_curves import LONGEST_NAME, TITLE, X_NAME, Curves


def accuracy_png(curves: Curves) -> bytes:
    """Return the picture. `curves` has the accuracies in percent for k = 1, 2, … by name."""
    figure = Figure(figsize=(7.2, 4.2), dpi=150, layout="constrained")
    axes = figure.subplots()
    for name, values in curves.items():
        # a name is no formula, and one that begins with an underscore would be left out of the legend
        label = " " + name[:LONGEST_NAME].replace("$", r"\$")
        axes.plot(range(1, len(values) + 1), values, label=label, marker="o" if len(values) == 1 else "")
    axes.set_xlabel(X_NAME)
    axes.set_ylabel(TITLE)
    axes.grid(alpha=0.3)
    axes.legend(loc="lower right")
    stream = io.BytesIO()
    figure.savefig(stream, format="png")
    return stream.getvalue()
