"""Graphs in onnxruntime: the engine that starts fastest, in float32 on the CPU."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import onnxruntime

from densecli.encoders.hardware import usable_cores
from densecli.encoders.session import Inputs, run_error
from densecli.models.weights import FloatArray


class OnnxSession:
    """One graph in onnxruntime."""

    arithmetic = "fp32"

    def __init__(self, graph: Path | bytes) -> None:
        self._session = onnxruntime.InferenceSession(
            graph,
            session_options(),
            providers=["CPUExecutionProvider"],
            enable_fallback=0,  # it would print what is wrong with a damaged graph on stdout
        )
        self.weights = self._session.get_modelmeta().custom_metadata_map.get("weights")

    def run(self, batches: Iterable[Inputs]) -> Iterator[FloatArray]:
        """Yield the graph's only output for each batch, in order."""
        for inputs in batches:
            try:
                (output,) = self._session.run(None, inputs)
            except Exception as error:  # the errors of onnxruntime share no base class
                raise run_error("onnxruntime", error) from error
            yield output


def session_options() -> onnxruntime.SessionOptions:
    """Return the options that start fastest (benchmarks/cold_start.py measures them)."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # what fails is raised, too
    # its own number takes no account of OMP_NUM_THREADS and of the cores that this process may use, and pins
    # the threads to cores: those of two commands to the same ones
    options.intra_op_num_threads = usable_cores()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    # 8-bit weights become float32 once while loading, not in every run
    options.add_session_config_entry("session.disable_quant_qdq", "1")
    # a thread that spins after a run takes a core from what comes next, such as the search of the index
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    return options
