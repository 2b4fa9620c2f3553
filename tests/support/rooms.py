"""The rooms of the house and their order, as ARCHITECTURE.md draws them."""
import pathlib
import re


def read():
    """room -> the rooms that its files may use, from the page's block 'rooms'."""
    page = pathlib.Path("ARCHITECTURE.md").read_text()
    order = {}
    for line in re.search(r"```rooms\n(.*?)```", page, re.S)[1].splitlines():
        room, _, names = line.partition("<-")
        order[room.split()[0]] = [n for n in names.split() if n != "nothing"]
    return order


def of(path, order):
    """The deepest room that the path lies in, or None."""
    fits = [r for r in order if path.startswith(r + "/")]
    return max(fits, key=len, default=None)


def may_use(here, there, order):
    """A room may use itself and what its line names; a folder there is all below it."""
    if here == there:
        return True
    return any(there == r or (there or "").startswith(r + "/") for r in order[here])
