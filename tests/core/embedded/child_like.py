"""Stands in for the engine's child as a program of its own: `child_like.py WHAT`; reads its order first."""

import os
import signal
import sys
import threading

sys.stdin.readline()
WHAT = sys.argv[1]
REPORTS = {
    "libgomp": '{"type": "error", "kind": "import", "text": "libgomp.so.1: cannot open shared object file"}',
    "hash": '{"type": "error", "kind": "hash", "text": "the file is not what it should be"}',
    "init": '{"type": "error", "kind": "init", "text": "Failed to init server"}',
    "memory": '{"type": "error", "kind": "init", "text": "Failed to init server"}',
}
if WHAT in REPORTS:
    last_words = {
        "init": "error loading model: unknown model architecture: 'nova'",
        "memory": "failed to allocate",
    }
    sys.stderr.write(last_words.get(WHAT, "") + "\n")
    sys.stderr.flush()
    sys.stdout.write(REPORTS[WHAT] + "\n")
elif WHAT == "hang":
    sys.stdout.write('{"type": "progress", "value": 0.5}\n')
    sys.stdout.flush()
    threading.Event().wait()
elif WHAT.isdigit():
    sys.exit(int(WHAT))
else:
    os.kill(os.getpid(), signal.Signals[WHAT])
