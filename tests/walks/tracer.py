"""Notes which room calls which while a story runs: what a newcomer would step through.

A step leads from one domain to another: the first calls a use case, a public function that may wait
for the database. Rules are no steps, nor are the core and infra, which are tools; what the agenda
calls begins at the agenda. What the registry runs is no step either: the caller reports a fact, or
asks a question, and knows nobody who answers.
"""

import ast
import asyncio
import inspect
import sys
from functools import cache
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "src" / "monigo"
TOOLS = {"core", "infra", "bootstrap"}
WAITING = inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR


class Tracer:
    """The steps of one thread with their use cases, in the order in which they were first taken."""

    def __init__(self):
        self.steps = {}
        self._seen = set()

    def __enter__(self):
        sys.setprofile(self._note)
        return self

    def __exit__(self, *_):
        sys.setprofile(None)
        self._seen.clear()

    def _note(self, frame, event, _argument):
        # A coroutine's frame is called anew at each of its awaits.
        if event != "call" or frame in self._seen:
            return
        room = room_of(frame.f_code.co_filename)
        if room is None or room in TOOLS or not frame.f_code.co_flags & WAITING:
            return
        self._seen.add(frame)
        caller, via = _caller(frame)
        if caller == room or caller is None:
            return
        name = frame.f_code.co_qualname
        if via == "agenda" or name.split(".")[0] in public_names(room):
            self.steps.setdefault((caller, room), {}).setdefault(name)


def _caller(frame):
    """The nearest room that called, and `agenda` where the agenda did."""
    back = frame.f_back
    while back is not None:
        path = back.f_code.co_filename
        room = room_of(path)
        if room is not None and room not in TOOLS:
            return room, None
        if room == "infra" and "/agenda/" in path:
            return "agenda", "agenda"
        if room == "infra" and path.endswith("/registry.py"):
            return None, None
        back = back.f_back
    return None, None


@cache
def room_of(path):
    """The domain that a file belongs to; None for what is not ours."""
    try:
        return Path(path).resolve().relative_to(SOURCE).parts[0]
    except ValueError:
        return None


@cache
def public_names(room):
    """What a domain exports; where it is only a folder of rooms, what these do."""
    folder = SOURCE / room
    return exported(folder) or set().union(*(exported(one.parent) for one in rooms_in(folder)))


def rooms_in(folder):
    return folder.glob("*/__init__.py")


def exported(package):
    """The public names of a package."""
    return {
        name
        for node in ast.parse((package / "__init__.py").read_text()).body
        if isinstance(node, ast.Assign) and node.targets[0].id == "__all__"
        for name in ast.literal_eval(node.value)
    }


async def traced(story):
    """The steps of a story that runs in this thread's loop."""
    with Tracer() as tracer:
        await story
        # What the story left to tasks of the loop.
        await asyncio.sleep(0)
    return [(*step, ", ".join(names)) for step, names in tracer.steps.items()]
