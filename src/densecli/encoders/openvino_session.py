"""Graphs in OpenVINO: the fastest engine for many texts on a CPU, in bfloat16 where the CPU has it."""

import sys
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path

from densecli.encoders.hardware import usable_cores
from densecli.encoders.session import Inputs, run_error
from densecli.models.weights import FloatArray

# The converter of other programs' models takes half of OpenVINO's import, which does without it.
sys.modules.setdefault("openvino.tools.ovc", None)  # type: ignore[arg-type]

import openvino  # noqa: E402 - after the line above

HINTS = {"fp32": openvino.Type.f32, "bf16": openvino.Type.bf16}
WAITING = 2
"""Requests for each stream: while one is computed, the next is ready."""


class OpenVinoSession:
    """One graph in OpenVINO, with one stream of one thread for each core.

    A request is computed by one thread from beginning to end. So its result does not depend on the number of
    cores, and no thread waits for another inside a matrix product.
    """

    def __init__(self, graph: Path | bytes, precision: str, threads: int | None = None) -> None:
        """Load a graph.

        Args:
            graph: a file, or the bytes of a graph that holds its weights.
            precision: `fp32` or `bf16`.
            threads: how many batches are computed at once; None: one for each core that this process may use.
        """
        threads = threads or usable_cores()
        core = openvino.Core()
        model = core.read_model(graph)
        held = model.get_rt_info(["framework"]).value if model.has_rt_info(["framework"]) else {}
        self.weights: str | None = held.get("weights")
        self._compiled = core.compile_model(
            model,
            "CPU",
            {
                "NUM_STREAMS": threads,
                "INFERENCE_NUM_THREADS": threads,
                # with pinning, the first thread of every process runs on core 0: two commands would share it
                "ENABLE_CPU_PINNING": False,
                "INFERENCE_PRECISION_HINT": HINTS[precision],
                "DYNAMIC_QUANTIZATION_GROUP_SIZE": 0,  # 8-bit weights do not make inputs 8-bit
            },
        )
        used = self._compiled.get_property("INFERENCE_PRECISION_HINT")
        self.arithmetic = next((name for name, kind in HINTS.items() if kind == used), str(used))
        self._idle = [self._compiled.create_infer_request() for _ in range(WAITING * threads)]

    def run(self, batches: Iterable[Inputs]) -> Iterator[FloatArray]:
        """Yield the graph's only output for each batch, in order; later batches are computed meanwhile."""
        running: deque[openvino.InferRequest] = deque()

        def finish() -> FloatArray:
            request = running.popleft()
            try:
                request.wait()
            except RuntimeError as error:
                raise run_error("OpenVINO", error) from error
            # copied, since the request writes its next result into the same memory
            output: FloatArray = request.get_output_tensor(0).data.copy()
            self._idle.append(request)
            return output

        try:
            for inputs in batches:
                if not self._idle:
                    yield finish()
                request = self._idle.pop()
                request.start_async(dict(inputs))
                running.append(request)
            while running:
                yield finish()
        finally:
            # a request that still runs must not be reused
            while running:  # who asked has stopped, or a batch failed
                request = running.popleft()
                request.wait()
                self._idle.append(request)


def has_bfloat16() -> bool:
    """Whether this CPU computes in bfloat16 as OpenVINO sees it."""
    return "BF16" in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
