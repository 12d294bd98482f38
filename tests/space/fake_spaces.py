"""What the package `spaces` (0.51) does to a generator on ZeroGPU, as far as it can hurt: the
function runs in a forked process; arguments and every value are pickled; of an error only the
class's name comes back; closing stops it.
"""

import multiprocessing
import os
import pickle
from functools import wraps

import gradio as gr

asked = []
"""Seconds of every function that was decorated."""


def GPU(duration):
    asked.append(duration)

    def decorate(task):
        @wraps(task)
        def borrowed(*args, **kwargs):
            context = multiprocessing.get_context("fork")
            results = context.Queue()
            stop = context.Event()
            given = pickle.dumps((args, kwargs))
            worker = context.Process(target=_work, args=(task, given, results, stop), daemon=True)
            worker.start()
            try:
                while (result := results.get(timeout=60))[0] != "end":
                    kind, value = result
                    if kind == "error":
                        raise gr.Error(value, title="ZeroGPU worker error", print_exception=False)
                    yield pickle.loads(value)
            finally:
                stop.set()
                worker.join(10)

        return borrowed

    return decorate


def _work(task, given, results, stop):
    args, kwargs = pickle.loads(given)
    try:
        for value in task(*args, **kwargs):
            if stop.is_set():
                break
            results.put(("value", pickle.dumps(value)))
        results.put(("end", None))
    except Exception as error:
        results.put(("error", type(error).__name__))
    results.close()
    results.join_thread()
    os._exit(0)
