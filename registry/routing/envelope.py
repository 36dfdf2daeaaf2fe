"""Straight lines over a weight: who is on top, and where a near-tie begins or ends."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from rolecall.registry.routing.choose import TieKey

_ROUNDOFF = 32 * 2.0**-53


class Line(NamedTuple):
    """A candidate's value as `intercept + slope · weight`, and its place among near-ties."""

    intercept: float
    slope: float
    key: TieKey

    def at(self, weight: float) -> float:
        """Return the value at `weight`."""
        return self.intercept + self.slope * weight

    def mirrored(self) -> Line:
        """Return the line over the negated weight, on which leftwards is rightwards."""
        return Line(self.intercept, -self.slope, self.key)


class _Piece(NamedTuple):
    start: float
    line: Line


def changes(lines: Sequence[Line], chosen: Line, start: float, band: float) -> Iterator[float]:
    """Yield the weights from `start` upwards at which `chosen` may stop being the choice.

    It stops where it leaves the band below the highest line, or where a line that is preferred
    among near-ties enters it. The highest line is convex, so each of these happens at most once
    a piece. A change may fall just past the weight yielded rather than on it.
    """
    tops = _upper_envelope(lines)
    rivals = _upper_envelope([line for line in lines if line.key < chosen.key])
    here, top, rival = start, _piece_at(tops, start), _piece_at(rivals, start)
    while True:
        end = min(_end(tops, top), _end(rivals, rival))
        highest = tops[top].line
        found = [_fall(chosen, highest, band)]
        if rivals:
            found.append(_rise(rivals[rival].line, highest, band))
        yield from sorted(max(weight, here) for weight in found if weight < end)
        if end == math.inf:
            return
        here = end
        top += _end(tops, top) == end
        rival += _end(rivals, rival) == end


def winner(lines: Sequence[Line], weight: float, band: float, *, beyond: bool) -> Line:
    """Return the choice at `weight`, or just beyond it.

    Beyond it, what lies on an edge within rounding errors is taken to where its slope leads.
    """
    highest = max(lines, key=lambda line: (line.at(weight), line.slope))
    if beyond:
        for line in lines:
            gap, noise = _gap(line, highest, weight, 0.0)
            if gap >= -noise and line.slope > highest.slope:
                highest = line
    near: list[Line] = []
    for line in lines:
        gap, noise = _gap(line, highest, weight, band)
        on_edge = beyond and abs(gap) <= noise and line.slope != highest.slope
        if (line.slope > highest.slope) if on_edge else gap >= 0:
            near.append(line)
    return min(near, key=lambda line: line.key)


def _gap(line: Line, highest: Line, weight: float, band: float) -> tuple[float, float]:
    """Return how far inside the band `line` is, and how far rounding may have moved it."""
    size = abs(line.intercept) + abs(highest.intercept) + band
    size += (abs(line.slope) + abs(highest.slope)) * abs(weight)
    return line.at(weight) - (highest.at(weight) - band), _ROUNDOFF * size


def _fall(chosen: Line, highest: Line, band: float) -> float:
    """Return where `chosen` leaves the band below `highest`, infinity if it never does."""
    slower = highest.slope - chosen.slope
    return (chosen.intercept + band - highest.intercept) / slower if slower > 0 else math.inf


def _rise(rival: Line, highest: Line, band: float) -> float:
    """Return where `rival` enters the band below `highest`, infinity if it never does."""
    lacking = highest.intercept - band - rival.intercept
    faster = rival.slope - highest.slope
    if faster > 0:
        return lacking / faster
    return -math.inf if faster == 0 and lacking <= 0 else math.inf


def _upper_envelope(lines: Sequence[Line]) -> list[_Piece]:
    """Return the highest line from minus infinity upwards, piece by piece."""
    pieces: list[_Piece] = []
    for line in sorted(lines, key=lambda line: (line.slope, line.intercept)):
        if pieces and pieces[-1].line.slope == line.slope:
            pieces.pop()
        start = -math.inf
        while pieces:
            last = pieces[-1]
            start = (last.line.intercept - line.intercept) / (line.slope - last.line.slope)
            if start > last.start:
                break
            pieces.pop()
            start = -math.inf
        pieces.append(_Piece(start, line))
    return pieces


def _piece_at(pieces: Sequence[_Piece], weight: float) -> int:
    return max(bisect_right(pieces, weight, key=lambda piece: piece.start) - 1, 0)


def _end(pieces: Sequence[_Piece], place: int) -> float:
    return pieces[place + 1].start if place + 1 < len(pieces) else math.inf
