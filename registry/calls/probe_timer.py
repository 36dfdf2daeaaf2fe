"""What to give systemd or cron so that endpoints are probed again and again."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from datetime import timedelta

_MINUTE, _HOUR, _DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def timer_text(command: Sequence[str], every: timedelta) -> str:
    """Return a systemd user service and timer, and the line for a crontab, as one text.

    `command` is the probe to run, without `--every`. To systemd `%` and `$` begin what it fills
    in, to cron `%` is the end of the line.
    """
    line = shlex.join(command)
    by_systemd, by_cron = line.replace("%", "%%").replace("$", "$$"), line.replace("%", r"\%")
    seconds = int(every.total_seconds())
    cron = cron_schedule(every)
    cron_line = f"{cron} {by_cron}" if cron else "# cron has no such interval; use the timer above"
    return f"""\
# ~/.config/systemd/user/rolecall-probe.service
[Unit]
Description=Measure LLM endpoints for rolecall

[Service]
Type=oneshot
ExecStart={by_systemd}
# Keys: EnvironmentFile=%h/.config/rolecall/keys

# ~/.config/systemd/user/rolecall-probe.timer
[Unit]
Description=Measure LLM endpoints for rolecall

[Timer]
OnBootSec=5min
OnUnitActiveSec={seconds}s

[Install]
WantedBy=timers.target

# then: systemctl --user enable --now rolecall-probe.timer
# or, with cron (crontab -e; the keys must be in cron's environment):
{cron_line}
"""


def cron_schedule(every: timedelta) -> str | None:
    """Return cron's five fields for an interval that divides an hour or a day evenly, else null."""
    if every < _HOUR and every % _MINUTE == timedelta(0) and _HOUR % every == timedelta(0):
        return f"*/{every // _MINUTE} * * * *"
    if every < _DAY and every % _HOUR == timedelta(0) and _DAY % every == timedelta(0):
        return f"0 */{every // _HOUR} * * *"
    return "0 4 * * *" if every == _DAY else None
