"""Types lines into an interactive shell in a pseudo terminal. Prints, as JSON, what the shell showed for each."""

import json
import os
import pty
import select
import signal
import sys
import time

want = json.loads(sys.argv[1])
child, terminal = pty.fork()
if child == 0:
    os.execvp(want["argv"][0], want["argv"])

seen = b""


def read_until(text, seconds):
    """What came until the text was shown, which is taken away with it."""
    global seen
    end = time.monotonic() + seconds
    while text not in seen:
        left = end - time.monotonic()
        if left <= 0 or not select.select([terminal], [], [], left)[0]:
            os.kill(child, signal.SIGKILL)
            sys.exit("the shell did not show %r but %r" % (text, seen[-2000:]))
        try:
            chunk = os.read(terminal, 65536)
        except OSError:
            chunk = b""
        if chunk == b"":
            sys.exit("the shell ended after %r" % seen[-2000:])
        # fish asks what the terminal is.
        if b"\x1b[c" in chunk or b"\x1b[0c" in chunk:
            os.write(terminal, b"\x1b[?62;c")
        seen += chunk
    found, seen = seen.split(text, 1)
    return found


seconds = want["timeoutSeconds"]
read_until(want["prompt"].encode(), seconds)
answers = []
for line in want["lines"]:
    # What is typed ahead is read when the completion is done.
    os.write(terminal, line.encode() + b"\r")
    read_until(b"{{", seconds)
    answers.append(read_until(b"}}", seconds).decode("utf-8", "replace"))
    read_until(want["prompt"].encode(), seconds)
os.kill(child, signal.SIGKILL)
os.waitpid(child, 0)
print(json.dumps(answers))
