"""Runs a program in a pseudo terminal, acts once its screen has begun, and tells what it showed and how it ended.

    pseudo-terminal.py '{"columns": 80, "rows": 24, "steps": [STEP, ...], "argv": [...], "timeoutSeconds": 60}'

A step is {"after": REGEX or null, "delayMs": N, "act": "ctrl-c" | "hangup" | "type" | "SIGTERM" | "SIGINT" | "SIGHUP",
"text": what is typed}: it waits
until the screen holds the text, then so long, then acts. Prints one JSON document: screen (base64), exit (null when a
signal ended it), signal (its number or null), acted (how many steps were done before the end), seconds (from the first
byte on the screen to the end).
"""

import base64
import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time

want = json.loads(sys.argv[1])
child, terminal = pty.fork()
if child == 0:
    os.execvp(want["argv"][0], want["argv"])
fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", want["rows"], want["columns"], 0, 0))

screen = b""
steps = list(want["steps"])
acted = 0
due = None
first = None
is_open = True
deadline = time.monotonic() + want.get("timeoutSeconds", 60)
status = None

while status is None:
    now = time.monotonic()
    if now > deadline:
        os.kill(child, signal.SIGKILL)
        deadline = float("inf")
    if steps and due is None:
        after = steps[0].get("after")
        if (after is None and screen) or (after is not None and re.search(after.encode(), screen)):
            due = now + steps[0].get("delayMs", 0) / 1000
    if due is not None and now >= due:
        step = steps.pop(0)
        act = step["act"]
        due = None
        acted += 1
        if act == "ctrl-c":
            os.write(terminal, b"\x03")
        elif act == "type":
            os.write(terminal, step["text"].encode())
        elif act == "hangup":
            os.close(terminal)
            is_open = False
        else:
            os.kill(child, getattr(signal, act))
    if is_open:
        wait = 0.02 if due is None else max(0, min(0.02, due - now))
        if select.select([terminal], [], [], wait)[0]:
            try:
                chunk = os.read(terminal, 65536)
            except OSError:
                chunk = b""
            if chunk:
                if first is None:
                    first = time.monotonic()
                screen += chunk
                continue
            os.close(terminal)
            is_open = False
    else:
        time.sleep(0.005)
    pid, code = os.waitpid(child, os.WNOHANG)
    if pid == child:
        status = code

ended = time.monotonic()
while is_open and select.select([terminal], [], [], 0)[0]:
    try:
        chunk = os.read(terminal, 65536)
    except OSError:
        break
    if not chunk:
        break
    screen += chunk

print(
    json.dumps(
        {
            "screen": base64.b64encode(screen).decode(),
            "exit": os.WEXITSTATUS(status) if os.WIFEXITED(status) else None,
            "signal": os.WTERMSIG(status) if os.WIFSIGNALED(status) else None,
            "acted": acted,
            "seconds": 0 if first is None else ended - first,
        }
    )
)
