"""The functions with which plugins open tickets (``bsc_actions``): which they are, what they take, whose secrets they may see."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Collection
from types import ModuleType
from typing import Any, get_type_hints

from bsc_monitor.collect.modules import NoPluginError
from bsc_monitor.plugin import Params, TicketRequest

#: Opens a ticket: context, the source's configuration, what is asked for, parameters → its link.
Open = Callable[[Any, Any, TicketRequest, Any], Awaitable[str]]


def check_openers(module: ModuleType, own: Collection[str] | None) -> dict[str, Open]:
    """What a plugin opens tickets with, by collector. Raises NoPluginError.

    ``own``: the only collectors whose sources, and with them secrets, it may be given; None: all.
    """
    provide = getattr(module, "bsc_actions", None)
    if provide is None:
        return {}
    found: dict[str, Open] = dict(provide())
    for name, opener in found.items():
        if own is not None and name not in own:
            raise NoPluginError(
                f"bsc_actions opens tickets in sources of {str(name)[:60]!r}, which is no collector of this plugin: "
                "a source's secrets are for its own plugin alone"
            )
        if not inspect.iscoroutinefunction(opener):
            raise NoPluginError(f"the action of {name} is no async function")
        try:
            params_of(opener)
        except (NameError, TypeError) as error:
            raise NoPluginError(f"the annotations of the action of {name} cannot be read: {error}") from None
    return found


def params_of(opener: Open) -> type[Params]:
    """The parameters that an action takes."""
    hints = get_type_hints(opener).values()
    return next((hint for hint in hints if isinstance(hint, type) and issubclass(hint, Params)), Params)
